//! The IAM permissions that a run needs.

mod needed;
mod plan_permissions;
mod policy;
mod scope;

#[cfg(test)]
mod tests;

pub use needed::{NeededActions, RunPurpose};
pub use plan_permissions::{MissingPermission, PlanPermissions};
pub use policy::{LeastPolicy, PolicyTarget};
