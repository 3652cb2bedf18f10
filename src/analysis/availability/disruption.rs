//! The effects of a plan while it is applied.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::control_plane;
use super::failure::{FailureEffects, FailureOutcome, ServiceEffect, SingleFailure};
use super::moments::{self, MachineChanges};
use super::plan_availability::Availability;
use super::topology::{ServiceSite, Topology};
use crate::engine::{Action, Address, ExecutablePlan};
use crate::resource::{
    API, LoadBalancer, POD_TEMPLATE, Resource, STATEFUL_SET, TargetGroup, runs_service, service_object, web_target,
};

/// The attribute with the way in which new pods take the place of old ones.
const STRATEGY: &str = "spec.strategy.type";
/// The strategy that ends the old pods first.
const RECREATE: &str = "Recreate";

/// The effects of a plan while it is applied, at the worst moment for each.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PlanDisruption {
    /// The effects that occur for a while although nothing fails.
    pub effects: Vec<ServiceEffect>,
    /// The failures that stop more at some moment of the plan than before and after it, with what they stop then.
    pub failures: Vec<FailureEffects>,
}

impl PlanDisruption {
    /// Judges the moments of a plan between the cluster as it is and as the plan leaves it.
    pub(super) fn new(
        run: &ExecutablePlan,
        (before, after): (&Topology, &Topology),
        (judged_before, judged_after): (&Availability, &Availability),
    ) -> Self {
        let changes = MachineChanges::new(run, before, after);
        let moments = PlanMoments::new(before, after, &changes);
        let is_broken = |part: &str| judged_before.now.iter().any(|effect| effect.part == part);
        let mut effects = moments.control_plane(None).into_iter().map(replaced).collect::<Vec<_>>();
        effects.extend(balancer_effect(run, API, control_plane::PART));
        for service in &moments.services {
            let effect = moments.without_nodes(service).or_else(|| evicted(service, before));
            let effect = effect.or_else(|| moved(service, before, &changes));
            effects.extend(effect.or_else(|| restarted(run, service)));
            effects.extend(balancer_effect(run, &service_object(&service.name), &part_of(service)));
            effects.extend(changes_balancer(run, service));
        }
        effects.retain(|effect| !is_broken(&effect.part));
        let failures = judged_after.failures.iter().map(|after| {
            let judged = [Some(after), judged_before.effects_of(&after.failure)];
            let known: Vec<&ServiceEffect> = judged.into_iter().flatten().flat_map(|judged| &judged.effects).collect();
            let mut worse = moments.effects(&after.failure, &effects);
            worse
                .retain(|effect| known.iter().all(|known| known.part != effect.part || known.outcome < effect.outcome));
            FailureEffects::new(after.failure.clone(), worse)
        });
        let failures = failures.filter(|effects| !effects.is_survived()).collect();
        Self { effects, failures }
    }

    /// Returns `true` if nothing stops, and no failure stops more than before and after the plan.
    pub fn is_empty(&self) -> bool {
        self.effects.is_empty() && self.failures.is_empty()
    }
}

/// The states of a cluster while a plan is applied.
struct PlanMoments {
    /// The masters at each moment, with the nodes as the plan leaves them.
    masters: Vec<Topology>,
    /// The nodes at each moment, with the masters as the plan leaves them.
    nodes: Vec<Topology>,
    /// The services that exist before and after the plan.
    services: Vec<ServiceSite>,
}

impl PlanMoments {
    fn new(before: &Topology, after: &Topology, changes: &MachineChanges) -> Self {
        let existed: BTreeSet<&String> = before.services.iter().map(|service| &service.name).collect();
        let services = after.services.iter().filter(|service| existed.contains(&service.name)).cloned();
        let masters = moments::masters(before, after, changes).into_iter();
        let nodes = moments::node_groups(after, changes).into_iter();
        Self {
            masters: masters.map(|masters| Topology { masters, services: Vec::new(), ..after.clone() }).collect(),
            nodes: nodes.map(|groups| Topology { groups, ..after.clone() }).collect(),
            services: services.collect(),
        }
    }

    /// Returns the worst effect on the control plane at any moment.
    fn control_plane(&self, failure: Option<&SingleFailure>) -> Option<ServiceEffect> {
        worst(self.masters.iter().filter_map(|moment| moment.control_plane_effect(failure)))
    }

    /// Returns the effect on a service that has no node at some moment.
    fn without_nodes(&self, service: &ServiceSite) -> Option<ServiceEffect> {
        let effect = worst(self.nodes.iter().flat_map(|moment| moment.service_effects(service, None)))?;
        Some(ServiceEffect {
            outcome: FailureOutcome::Interrupted,
            reason: "its nodes end before new ones are ready, so it stops meanwhile".to_owned(),
            advice: "use more nodes, or a larger `max_surge` in `roll`".to_owned(),
            ..effect
        })
    }

    /// Returns the worst effects of a failure on each part, without those parts that stop anyway.
    fn effects(&self, failure: &SingleFailure, anyway: &[ServiceEffect]) -> Vec<ServiceEffect> {
        let mut effects: Vec<ServiceEffect> = self.control_plane(Some(failure)).into_iter().collect();
        for service in &self.services {
            effects.extend(worst(self.nodes.iter().flat_map(|at| at.service_effects(service, Some(failure)))));
        }
        effects.extend(worst(self.nodes.iter().filter_map(|moment| moment.capacity_effect(Some(failure)))));
        effects.retain(|effect| anyway.iter().all(|other| other.part != effect.part));
        effects
    }
}

/// Returns the first of the worst effects.
fn worst(effects: impl Iterator<Item = ServiceEffect>) -> Option<ServiceEffect> {
    effects.min_by_key(|effect| std::cmp::Reverse(effect.outcome))
}

fn part_of(service: &ServiceSite) -> String {
    format!("service {}", service.name)
}

fn interrupted(part: String, reason: &str, advice: &str) -> ServiceEffect {
    ServiceEffect { outcome: FailureOutcome::Interrupted, part, reason: reason.to_owned(), advice: advice.to_owned() }
}

/// Returns the effect of masters that are replaced, which come back.
fn replaced(effect: ServiceEffect) -> ServiceEffect {
    let reason = "the API stops until the machine that replaces a master is up";
    interrupted(effect.part, reason, "use three masters")
}

/// Returns the effect on a service whose pods are evicted by a new taint: all at once, whatever its disruption budget allows.
fn evicted(service: &ServiceSite, before: &Topology) -> Option<ServiceEffect> {
    let was = before.services.iter().find(|known| known.name == service.name)?;
    let is_new = |name: &String| service.evicted_from.contains(name) && !was.evicted_from.contains(name);
    let groups = before.groups.iter().filter(|group| is_new(&group.name) && was.has_nodes_in(group));
    let names: Vec<&str> = groups.map(|group| group.name.as_str()).collect();
    (!names.is_empty() && was.replicas > 0).then(|| {
        let nodes = names.join(", ");
        let reason = format!("a new taint with the effect NoExecute evicts its pods from the nodes {nodes} at once");
        interrupted(
            part_of(service),
            &reason,
            "use the effect NoSchedule, and let its pods tolerate the taint or move first",
        )
    })
}

/// Returns the effect on a service whose only pod may be on a machine that ends.
fn moved(service: &ServiceSite, before: &Topology, changes: &MachineChanges) -> Option<ServiceEffect> {
    let was = before.services.iter().find(|known| known.name == service.name)?;
    let ends = |name: &String| changes.ending.contains(name);
    let may_end = before.groups.iter().filter(|group| ends(&group.name)).any(|group| was.has_nodes_in(group));
    (was.replicas == 1 && may_end).then(|| {
        let reason = "its only pod may be on a node that ends, and stops until it has started on another one";
        let advice = if was.claims.is_empty() { "use two replicas or more" } else { "apply it when that does no harm" };
        interrupted(part_of(service), reason, advice)
    })
}

/// Returns the effect on a service whose old pods end before the new ones start.
fn restarted(run: &ExecutablePlan, service: &ServiceSite) -> Option<ServiceEffect> {
    let of_service = |kind: &str, name: &str| runs_service(kind) && name == service.name;
    let mut changes = run.plan.changes.iter();
    let change = changes.find(|change| of_service(change.address.kind(), change.address.name()))?;
    let new_pods = match change.action {
        Action::Replace => true,
        Action::Update => change.attributes.iter().any(|attribute| attribute.name.starts_with(POD_TEMPLATE)),
        _ => false,
    };
    let recreates = || {
        let strategy = run.desired.get(&change.address).and_then(|object| object.attributes.get(STRATEGY)?.as_text());
        let is_only_pod_of_set = change.address.kind() == STATEFUL_SET && service.replicas == 1;
        change.action == Action::Replace || strategy == Some(RECREATE) || is_only_pod_of_set
    };
    (new_pods && service.replicas > 0 && recreates()).then(|| {
        let reason = "its old pods end before the new ones start, so it stops meanwhile";
        interrupted(part_of(service), reason, "apply it when that does no harm")
    })
}

/// Returns the effect of a service that moves between its own load balancer and that of the web in one apply: the old one loses
/// its machines at once, and the names change over when the new one, with its certificates, is ready.
fn changes_balancer(run: &ExecutablePlan, service: &ServiceSite) -> Option<ServiceEffect> {
    let own = LoadBalancer::address(&service_object(&service.name));
    let on_the_web = TargetGroup::address(&web_target(&service.name));
    let acts = |address: &Address, action| {
        run.plan.changes.iter().any(|change| change.address == *address && change.action == action)
    };
    let reason = if acts(&own, Action::Delete) && acts(&on_the_web, Action::Create) {
        "it moves to the load balancer of the web and is not reached until that one is ready, some minutes; with `nlb` \
         beside `http` for one apply, and the domain in `http` only, it is always reached"
    } else if acts(&on_the_web, Action::Delete) && acts(&own, Action::Create) {
        "it moves to a load balancer of its own and is not reached until that one is ready, some minutes; with `http` \
         beside `nlb` for one apply, and without a domain in `nlb`, it is always reached"
    } else {
        return None;
    };
    Some(interrupted(part_of(service), reason, "apply it when that does no harm, or in two steps"))
}

/// Returns the effect of a load balancer that is replaced.
fn balancer_effect(run: &ExecutablePlan, name: &str, part: &str) -> Option<ServiceEffect> {
    let address = LoadBalancer::address(name);
    let mut changes = run.plan.changes.iter();
    let is_replaced = changes.any(|change| change.address == address && change.action == Action::Replace);
    is_replaced.then(|| {
        let reason = "its load balancer is replaced, so connections end, and clients must look up the new address";
        interrupted(part.to_owned(), reason, "apply it when that does no harm")
    })
}
