//! Failures that a cluster has to survive.

use super::failure::{FailureEffects, SingleFailure};
use super::plan_availability::Availability;

/// The failures that a cluster has to survive after a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequiredSurvival {
    /// The loss of any machine.
    Machine,
    /// The loss of any machine or zone.
    Zone,
}

/// A cluster that does not survive what it has to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SurvivalError {
    /// A failure is not survived.
    #[error("the cluster would not survive the loss of {failure} ({part}: {reason})")]
    NotSurvived {
        /// The failure.
        failure: SingleFailure,
        /// The part that stops.
        part: String,
        /// The reason.
        reason: String,
        /// The change that makes the cluster survive it.
        advice: String,
    },
    /// Something does not work even without a failure.
    #[error("the cluster does not work even without a failure ({part}: {reason})")]
    Broken {
        /// The part.
        part: String,
        /// The reason.
        reason: String,
        /// The way out.
        advice: String,
    },
}

impl RequiredSurvival {
    fn covers(self, failure: &SingleFailure) -> bool {
        match failure {
            SingleFailure::Zone(_) => self == Self::Zone,
            SingleFailure::Master(_) | SingleFailure::Node(_) => true,
            SingleFailure::EtcdVolume(_) | SingleFailure::Volume(_) => false,
        }
    }
}

impl SurvivalError {
    /// Returns the change that makes the cluster survive.
    pub fn advice(&self) -> &str {
        match self {
            Self::NotSurvived { advice, .. } | Self::Broken { advice, .. } => advice,
        }
    }
}

impl Availability {
    /// Compares the cluster with what it has to survive.
    ///
    /// # Errors
    /// Returns an error with the worst failure that it does not survive.
    pub fn check(&self, required: RequiredSurvival) -> Result<(), SurvivalError> {
        if let Some(effect) = self.now.first() {
            let (part, reason, advice) = (effect.part.clone(), effect.reason.clone(), effect.advice.clone());
            return Err(SurvivalError::Broken { part, reason, advice });
        }
        let covered = self.not_survived().filter(|effects| required.covers(&effects.failure));
        // Of equally bad ones, the first.
        let worst = covered.min_by_key(|effects| std::cmp::Reverse(effects.outcome));
        worst.and_then(not_survived).map_or(Ok(()), Err)
    }
}

fn not_survived(effects: &FailureEffects) -> Option<SurvivalError> {
    let effect = effects.effects.iter().min_by_key(|effect| std::cmp::Reverse(effect.outcome))?;
    Some(SurvivalError::NotSurvived {
        failure: effects.failure.clone(),
        part: effect.part.clone(),
        reason: effect.reason.clone(),
        advice: effect.advice.clone(),
    })
}
