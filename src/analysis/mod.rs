//! The meaning of a plan: its cost, the time it takes, the permissions and quotas that it needs, the failures that the cluster
//! survives, the causes of machine replacements, and the parts of a picture. Pure: it reads a plan and the objects that the plan was
//! made from.

pub mod availability;
pub mod causes;
pub mod cost;
pub mod diagram;
pub mod duration;
mod money;
pub mod permissions;
pub mod quotas;
mod state;

pub use money::{Money, NotAnAmount};

#[cfg(test)]
mod tests;
