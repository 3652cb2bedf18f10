//! Which single zone, machine or volume a cluster survives: before a plan, while it is applied, and after it.

mod capacity;
mod control_plane;
mod disruption;
mod failure;
mod moments;
mod network;
mod plan_availability;
mod requirement;
mod services;
mod spread;
mod topology;

#[cfg(test)]
mod tests;

pub use disruption::PlanDisruption;
pub use failure::{FailureEffects, FailureOutcome, ServiceEffect, SingleFailure};
pub use plan_availability::{Availability, PlanAvailability};
pub use requirement::{RequiredSurvival, SurvivalError};

pub(super) use spread::evenly;
pub(super) use topology::placement;
