//! Which single zone, machine or volume a cluster survives, before and after a plan.

mod capacity;
mod control_plane;
mod failure;
mod plan_availability;
mod requirement;
mod services;
mod spread;
mod topology;

#[cfg(test)]
mod tests;

pub use failure::{FailureEffects, FailureOutcome, ServiceEffect, SingleFailure};
pub use plan_availability::{Availability, PlanAvailability};
pub use requirement::{RequiredSurvival, SurvivalError};

pub(super) use spread::evenly;
pub(super) use topology::placement;
