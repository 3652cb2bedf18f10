//! The effect of a failure on the pods of a service, their volume and their load balancer.

use std::collections::BTreeMap;

use super::failure::{FailureOutcome, ServiceEffect, SingleFailure};
use super::spread::evenly;
use super::topology::{GroupSite, ServiceSite, Topology};

impl Topology {
    /// Returns the nodes of a group by zone that are left after a failure: the worst case, if it is not known where they run.
    pub(super) fn nodes_left<'a>(
        group: &'a GroupSite,
        failure: Option<&SingleFailure>,
        service: Option<&ServiceSite>,
    ) -> BTreeMap<&'a str, u64> {
        let failing = failure.and_then(SingleFailure::zone);
        let is_useless = |zone: &str| service.is_some_and(|service| !service.may_run_in(zone));
        let rank = |zone: &str| match zone {
            zone if failing == Some(zone) => 0,
            zone if is_useless(zone) => 1,
            _ => 2,
        };
        let mut nodes = group.machines.by_zone(rank);
        match failure {
            Some(SingleFailure::Zone(zone)) => _ = nodes.remove(zone.as_str()),
            Some(SingleFailure::Node(name)) if *name == group.name => {
                if let Some(count) = nodes.values_mut().max() {
                    *count = count.saturating_sub(1);
                }
            }
            _ => {}
        }
        nodes
    }

    /// Returns the number of nodes by zone that may run the pods of a service before a failure, or after it.
    fn hosts(&self, service: &ServiceSite, failure: Option<&SingleFailure>, is_after: bool) -> BTreeMap<String, u64> {
        let mut hosts = BTreeMap::new();
        for group in self.groups.iter().filter(|group| service.may_run_on(group)) {
            let mut nodes = Self::nodes_left(group, failure, Some(service));
            if let Some(zone) = failure.and_then(SingleFailure::zone).filter(|_| !is_after) {
                let all: u64 = group.machines.count();
                let left: u64 = nodes.values().sum();
                nodes.extend(group.machines.zones().find(|known| *known == zone).map(|zone| (zone, all - left)));
            }
            for (zone, count) in nodes.into_iter().filter(|(zone, count)| *count > 0 && service.may_run_in(zone)) {
                *hosts.entry(zone.to_owned()).or_default() += count;
            }
        }
        hosts
    }

    /// Returns the effects of a failure on a service.
    pub(super) fn service_effects(&self, service: &ServiceSite, failure: Option<&SingleFailure>) -> Vec<ServiceEffect> {
        let effect = |(outcome, reason, advice): (FailureOutcome, String, &str)| ServiceEffect {
            outcome,
            part: format!("service {}", service.name),
            reason,
            advice: advice.to_owned(),
        };
        let found = match failure {
            None => self.without_nodes(service),
            Some(SingleFailure::Volume(claim)) if service.claims.contains(claim) => Some((
                FailureOutcome::Stopped,
                format!("the data of its volume {claim} is lost: no other volume has it"),
                "keep the data in several replicas, or back it up",
            )),
            Some(SingleFailure::Zone(zone)) => {
                let failure = SingleFailure::Zone(zone.clone());
                self.pods_in_zone(service, zone, &failure).or_else(|| self.balancer_in_zone(service, zone, &failure))
            }
            Some(SingleFailure::Node(_)) => failure.and_then(|failure| self.pods_on_node(service, failure)),
            Some(_) => None,
        };
        found.map(effect).into_iter().collect()
    }

    fn without_nodes(&self, service: &ServiceSite) -> Option<(FailureOutcome, String, &'static str)> {
        let is_stuck = service.replicas > 0 && self.hosts(service, None, true).is_empty();
        let reason = "there may be no node on which its pods may run".to_owned();
        is_stuck.then_some((FailureOutcome::Stopped, reason, "add nodes, or change its `placement`"))
    }

    /// Returns the number of pods that start nowhere else after a failure, because their volume is in the zone that failed: the
    /// fewest of several pods.
    pub(super) fn bound_to_zone(&self, service: &ServiceSite, failure: Option<&SingleFailure>) -> u64 {
        let Some(zone) = failure.and_then(SingleFailure::zone).filter(|_| !service.claims.is_empty()) else { return 0 };
        if service.replicas == 1 {
            return 1;
        }
        let hosts = self.hosts(service, failure, false);
        let pods = evenly(service.replicas, hosts.keys().map(String::as_str), |of_pods| u8::from(of_pods == zone));
        pods.get(zone).copied().unwrap_or(0)
    }

    fn pods_in_zone(
        &self,
        service: &ServiceSite,
        zone: &str,
        failure: &SingleFailure,
    ) -> Option<(FailureOutcome, String, &'static str)> {
        let hosts = self.hosts(service, Some(failure), false);
        let pods = evenly(service.replicas, hosts.keys().map(String::as_str), |of_pods| u8::from(of_pods != zone));
        let lost = pods.get(zone).copied().unwrap_or(0);
        if lost == 0 || lost < service.replicas {
            return None;
        }
        if let Some(claim) = service.claims.first() {
            let reason = format!("its volume {claim} may be in the zone, and cannot be attached in another one");
            return Some((FailureOutcome::Stopped, reason, "keep the data in several replicas, one in each zone"));
        }
        let is_restarted = self.has_api(Some(failure)) && !self.hosts(service, Some(failure), true).is_empty();
        Some(match (service.replicas, is_restarted) {
            (1, true) => (FailureOutcome::Interrupted, restarted("its only pod"), "use two replicas or more"),
            (_, true) => (FailureOutcome::Interrupted, restarted("all its pods"), "let its nodes be in several zones"),
            (1, false) => (FailureOutcome::Stopped, gone("its only pod"), "use two replicas or more, in several zones"),
            (_, false) => (FailureOutcome::Stopped, gone("all its pods"), "let its nodes be in several zones"),
        })
    }

    fn balancer_in_zone(
        &self,
        service: &ServiceSite,
        zone: &str,
        failure: &SingleFailure,
    ) -> Option<(FailureOutcome, String, &'static str)> {
        let balancer = service.balancer.as_ref()?;
        let left: Vec<&String> = balancer.zones.iter().filter(|of_balancer| *of_balancer != zone).collect();
        if left.is_empty() {
            let reason = format!("its load balancer has addresses in {zone} only");
            return Some((FailureOutcome::Stopped, reason, "add a second zone to `zones`"));
        }
        let has_node = |zone: &&String| {
            self.groups.iter().any(|group| {
                Self::nodes_left(group, Some(failure), None).get(zone.as_str()).is_some_and(|count| *count > 0)
            })
        };
        let is_cut_off = !balancer.cross_zone && !left.iter().any(has_node);
        let reason = "its load balancer keeps data in its zone, and the other zones have no node".to_owned();
        is_cut_off.then_some((FailureOutcome::Stopped, reason, "run nodes in every zone, or set `cross_zone = true`"))
    }

    fn pods_on_node(
        &self,
        service: &ServiceSite,
        failure: &SingleFailure,
    ) -> Option<(FailureOutcome, String, &'static str)> {
        let SingleFailure::Node(name) = failure else { return None };
        let group = self.groups.iter().find(|group| group.name == *name)?;
        if !service.may_run_on(group) {
            return None;
        }
        let is_host = service.has_nodes_in(group);
        let hosts: u64 = self.hosts(service, None, true).values().sum();
        if !is_host || service.replicas == 0 || (service.replicas > 1 && hosts > 1) {
            return None;
        }
        let pods = if service.replicas == 1 { "its only pod" } else { "all its pods" };
        let advice = match (service.claims.is_empty(), service.replicas, hosts) {
            (false, 1, _) => "keep the data in several pods, each with its own copy",
            (false, ..) => "use a node for each pod",
            (true, _, 1) => "use two nodes or more, and two replicas or more",
            (true, ..) => "use two replicas or more",
        };
        Some(match (self.has_api(Some(failure)), hosts > 1) {
            (true, true) => (FailureOutcome::Interrupted, restarted(pods), advice),
            (true, false) => {
                (FailureOutcome::Interrupted, format!("{pods} may be lost until the machine is replaced"), advice)
            }
            (false, _) => (FailureOutcome::Stopped, gone(pods), advice),
        })
    }
}

impl ServiceSite {
    fn may_run_on(&self, group: &GroupSite) -> bool {
        self.groups.is_empty() || self.groups.contains(&group.name)
    }

    fn may_run_in(&self, zone: &str) -> bool {
        self.zones.is_empty() || self.zones.contains(zone)
    }

    /// Returns `true` if its pods may run on machines that a group has.
    pub(super) fn has_nodes_in(&self, group: &GroupSite) -> bool {
        let has_machines = group.machines.count() > 0;
        self.may_run_on(group) && has_machines && group.machines.zones().any(|zone| self.may_run_in(zone))
    }
}

fn restarted(pods: &str) -> String {
    format!("{pods} may be lost, and start again on other nodes after some minutes")
}

fn gone(pods: &str) -> String {
    format!("{pods} may be lost, and cannot start elsewhere")
}
