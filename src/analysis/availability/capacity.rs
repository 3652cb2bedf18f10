//! The room for the requests of pods on the nodes that are left.

use std::collections::BTreeMap;

use super::failure::{FailureOutcome, ServiceEffect, SingleFailure};
use super::topology::{Requests, ServiceSite, Topology};
use crate::words;

/// A node with room for pods.
struct NodeRoom<'a> {
    group: &'a str,
    zone: &'a str,
    /// The CPU and memory that are left on it; `None` if its size is unknown.
    left: Option<Requests>,
}

impl NodeRoom<'_> {
    fn takes(&self, service: &ServiceSite) -> bool {
        let listed = |set: &std::collections::BTreeSet<String>, name: &str| set.is_empty() || set.contains(name);
        listed(&service.groups, self.group) && listed(&service.zones, self.zone)
    }

    /// Puts a pod on the node, if there is room.
    fn put(&mut self, requests: Requests) -> bool {
        let Some(left) = &mut self.left else { return true };
        let fits = left.memory >= requests.memory && left.millicpus >= requests.millicpus;
        if fits {
            left.memory -= requests.memory;
            left.millicpus -= requests.millicpus;
        }
        fits
    }
}

impl Topology {
    /// Returns the effect of a failure on pods that ask for more than the nodes that are left have.
    pub(super) fn capacity_effect(&self, failure: Option<&SingleFailure>) -> Option<ServiceEffect> {
        let waiting = self.waiting(failure);
        if waiting.is_empty() || (failure.is_some() && !self.waiting(None).is_empty()) {
            return None;
        }
        let names: Vec<String> =
            waiting.iter().map(|(service, pods)| format!("{} of {service}", words::count(*pods, "pod"))).collect();
        let which = if failure.is_some() { "the other nodes" } else { "the nodes" };
        let elsewhere =
            |zone: &str| self.groups.iter().all(|group| group.zones.iter().any(|of_group| of_group != zone));
        let (outcome, until) = match failure {
            Some(SingleFailure::Zone(zone)) if elsewhere(zone) => {
                (FailureOutcome::Interrupted, " until machines start in other zones")
            }
            Some(SingleFailure::Zone(_)) => (FailureOutcome::Stopped, " until the zone is back"),
            Some(_) => (FailureOutcome::Interrupted, " until the machine is replaced"),
            None => (FailureOutcome::Stopped, ""),
        };
        Some(ServiceEffect {
            outcome,
            part: "nodes".to_owned(),
            reason: format!("{which} have no room for {}, which wait{until}", words::list(&names)),
            advice: "add a node, or use a larger size".to_owned(),
        })
    }

    /// Returns the number of pods of each service for which there is no room after a failure. Only pods with requests count,
    /// and only those that some node may run; those whose volume may be in a zone that failed wait for it.
    fn waiting(&self, failure: Option<&SingleFailure>) -> BTreeMap<&str, usize> {
        let mut nodes = self.rooms(failure);
        let asking = self.services.iter().filter(|service| service.requests != Requests::default());
        let mut pods: Vec<&ServiceSite> = asking
            .filter(|service| nodes.iter().any(|node| node.takes(service)))
            .flat_map(|service| (0..service.replicas - self.bound_to_zone(service, failure)).map(move |_| service))
            .collect();
        // Those with the fewest places first: few nodes, then much memory.
        pods.sort_by_key(|service| {
            let places = nodes.iter().filter(|node| node.takes(service)).count();
            (places, std::cmp::Reverse((service.requests.memory, service.requests.millicpus)))
        });
        let mut waiting = BTreeMap::new();
        for service in pods {
            let has_place = nodes.iter_mut().any(|node| node.takes(service) && node.put(service.requests));
            if !has_place {
                *waiting.entry(service.name.as_str()).or_default() += 1;
            }
        }
        waiting
    }

    /// Returns the nodes that are left after a failure.
    fn rooms(&self, failure: Option<&SingleFailure>) -> Vec<NodeRoom<'_>> {
        let mut rooms = Vec::new();
        for group in &self.groups {
            for (zone, count) in Self::nodes_left(group, failure, None) {
                rooms.extend((0..count).map(|_| NodeRoom { group: &group.name, zone, left: group.size }));
            }
        }
        // Groups with a known size first: the others have room for everything.
        rooms.sort_by_key(|room| room.left.is_none());
        rooms
    }
}
