//! The time that a plan takes.

mod change_times;
mod default_time;
mod plan_duration;

#[cfg(test)]
mod tests;

pub use change_times::ChangeTimes;
pub use plan_duration::{CriticalChange, PlanDuration, TimeSource};
