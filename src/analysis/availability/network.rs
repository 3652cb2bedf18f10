//! The effect of a failure on the way of private machines to the internet.

use super::failure::{FailureOutcome, ServiceEffect, SingleFailure};
use super::topology::Topology;

/// The name of the part.
const PART: &str = "network";

impl Topology {
    /// Returns the effect of a failure on the NAT gateway that all zones share.
    pub(super) fn network_effect(&self, failure: Option<&SingleFailure>) -> Option<ServiceEffect> {
        let zone = failure?.zone().filter(|zone| self.shared_nat_zone.as_deref() == Some(zone))?;
        Some(ServiceEffect {
            outcome: FailureOutcome::Stopped,
            part: PART.to_owned(),
            reason: format!(
                "the only NAT gateway is in {zone}, so no machine reaches the internet until the zone is back: pods lose \
                 outside services, and new machines cannot install what they need"
            ),
            advice: "use `nat = \"regional\"` in `network`".to_owned(),
        })
    }
}
