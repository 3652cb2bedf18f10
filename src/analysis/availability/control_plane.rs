//! The effect of a failure on etcd's quorum and on the API.

use super::failure::{FailureOutcome, ServiceEffect, SingleFailure};
use super::topology::{MasterSite, Topology};
use crate::words;

/// The name of the part.
pub(super) const PART: &str = "control plane";

impl Topology {
    /// Returns `true` if the API answers after a failure; without one, now.
    pub(super) fn has_api(&self, failure: Option<&SingleFailure>) -> bool {
        let alive = self.masters.iter().filter(|master| master.runs && !fails(master, failure)).count();
        alive >= self.quorum() && !self.loses_api_address(failure)
    }

    /// Returns the number of members that must answer.
    fn quorum(&self) -> usize {
        self.masters.len() / 2 + 1
    }

    /// Returns `true` if a zone fails that has all addresses of the API's load balancer.
    fn loses_api_address(&self, failure: Option<&SingleFailure>) -> bool {
        let zone = failure.and_then(SingleFailure::zone);
        zone.is_some_and(|zone| !self.api_zones.is_empty() && self.api_zones.iter().all(|of_api| of_api == zone))
    }

    /// Returns the effect of a failure on the control plane.
    pub(super) fn control_plane_effect(&self, failure: Option<&SingleFailure>) -> Option<ServiceEffect> {
        if self.masters.is_empty() || self.has_api(failure) {
            return None;
        }
        let effect = |outcome, reason: String, advice: String| {
            Some(ServiceEffect { outcome, part: PART.to_owned(), reason, advice })
        };
        let count = self.masters.len();
        let lost = self.masters.iter().filter(|master| fails(master, failure) || !master.runs).count();
        match failure {
            None => effect(
                FailureOutcome::Stopped,
                words::no_quorum(lost, count),
                "wait until their machines are replaced, or see `quorate validate`".to_owned(),
            ),
            Some(SingleFailure::Zone(zone)) if count - lost >= self.quorum() => effect(
                FailureOutcome::Stopped,
                format!(
                    "the load balancer of the API has addresses in {zone} only, so the API is unreachable from outside"
                ),
                "add a second zone to `zones`".to_owned(),
            ),
            Some(SingleFailure::Zone(_)) => effect(
                FailureOutcome::Stopped,
                format!(
                    "{}, so the API stops until the zone is back",
                    words::some_masters(lost, count, "is lost", "are lost")
                ),
                self.spread_advice(),
            ),
            // Other members that do not answer come back with their data.
            Some(SingleFailure::EtcdVolume(_)) if count - 1 < self.quorum() => effect(
                FailureOutcome::Stopped,
                "too few copies of the cluster's state are left: it must be restored from a snapshot".to_owned(),
                more_masters(count),
            ),
            Some(_) => effect(
                FailureOutcome::Interrupted,
                format!(
                    "{}, so the API stops until {} is replaced",
                    words::some_masters(lost, count, "is lost", "are lost"),
                    if lost == 1 { "its machine" } else { "one of their machines" }
                ),
                more_masters(count),
            ),
        }
    }

    fn spread_advice(&self) -> String {
        match (self.masters.len(), self.zone_count()) {
            (1 | 2, zones) if zones >= 3 => "use three masters, each in a zone of its own".to_owned(),
            (1 | 2, _) => "use three masters in three zones".to_owned(),
            (_, zones) if zones >= 3 => "spread the masters over three zones".to_owned(),
            (_, 2) => "put one master in a third zone".to_owned(),
            _ => "put the masters in three zones".to_owned(),
        }
    }
}

fn more_masters(count: usize) -> String {
    if count < 3 { "use three masters".to_owned() } else { "wait until all masters run".to_owned() }
}

/// Returns `true` if the etcd member of a master does not answer after a failure.
fn fails(master: &MasterSite, failure: Option<&SingleFailure>) -> bool {
    match failure {
        Some(SingleFailure::Zone(zone)) => master.zone == *zone,
        Some(SingleFailure::Master(member) | SingleFailure::EtcdVolume(member)) => master.member == *member,
        _ => false,
    }
}
