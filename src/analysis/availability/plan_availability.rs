//! The availability of a cluster before a plan, while it is applied, and after it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::disruption::PlanDisruption;
use super::failure::{FailureEffects, ServiceEffect, SingleFailure};
use super::topology::Topology;
use crate::analysis::state::ClusterState;
use crate::engine::{ExecutablePlan, PlanMode};
use crate::resource::SizeFacts;

/// Which single failures a cluster survives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Availability {
    /// The parts that do not work even without a failure.
    pub now: Vec<ServiceEffect>,
    /// Each failure with its effects: zones, masters, nodes, volumes.
    pub failures: Vec<FailureEffects>,
}

/// The availability of a cluster before a plan, while it is applied, and after it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PlanAvailability {
    /// As the cluster is; `None` if it has no machines.
    pub before: Option<Availability>,
    /// While the plan is applied; `None` if nothing stops, and no failure is worse than before and after.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub during: Option<PlanDisruption>,
    /// As the plan leaves it; `None` if it has no machines then.
    pub after: Option<Availability>,
}

impl PlanAvailability {
    /// Judges a plan. `sizes` are the instance sizes whose CPU and memory are known. `None` for a plan that only shows
    /// differences.
    pub fn new(run: &ExecutablePlan, sizes: &BTreeMap<String, SizeFacts>) -> Option<Self> {
        if run.plan.mode == PlanMode::Refresh {
            return None;
        }
        let topologies =
            [ClusterState::before(run), ClusterState::after(run)].map(|state| Topology::new(&state, sizes));
        let [before, after] = &topologies;
        let judged = (Availability::of(before), Availability::of(after));
        let during = match &judged {
            (Some(judged_before), Some(judged_after)) => {
                Some(PlanDisruption::new(run, (before, after), (judged_before, judged_after)))
            }
            _ => None,
        };
        let during = during.filter(|during| !during.is_empty());
        Some(Self { before: judged.0, during, after: judged.1 })
    }

    /// Returns the effects of a failure before the plan; `None` if it could not happen.
    pub fn effects_before(&self, failure: &SingleFailure) -> Option<&FailureEffects> {
        self.before.as_ref()?.effects_of(failure)
    }
}

impl Availability {
    /// Judges a cluster; `None` if it has no machines.
    pub(super) fn of(topology: &Topology) -> Option<Self> {
        if topology.is_empty() {
            return None;
        }
        let now = effects(topology, None);
        let broken: Vec<&str> = now.iter().map(|effect| effect.part.as_str()).collect();
        let failures = topology.failures().into_iter().map(|failure| {
            let mut effects = effects(topology, Some(&failure));
            // What does not work without the failure is not its effect; data is lost all the same.
            let loses_data = matches!(failure, SingleFailure::Volume(_));
            effects.retain(|effect| loses_data || !broken.contains(&effect.part.as_str()));
            FailureEffects::new(failure, effects)
        });
        let failures = failures.collect();
        Some(Self { now, failures })
    }

    /// Returns the effects of a failure; `None` if it cannot happen.
    pub fn effects_of(&self, failure: &SingleFailure) -> Option<&FailureEffects> {
        self.failures.iter().find(|known| known.failure == *failure)
    }

    /// Returns the failures that the cluster does not survive.
    pub fn not_survived(&self) -> impl Iterator<Item = &FailureEffects> {
        self.failures.iter().filter(|failure| !failure.is_survived())
    }
}

fn effects(topology: &Topology, failure: Option<&SingleFailure>) -> Vec<ServiceEffect> {
    let services = topology.services.iter().flat_map(|service| topology.service_effects(service, failure));
    let control_plane = topology.control_plane_effect(failure).into_iter();
    let network = topology.network_effect(failure).into_iter();
    control_plane.chain(network).chain(services).chain(topology.capacity_effect(failure)).collect()
}
