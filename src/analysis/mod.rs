//! The meaning of a plan: its cost, and the failures that the cluster survives. Pure: it reads a plan and the objects that the plan was made from.

pub mod availability;
pub mod cost;
mod money;
mod state;

pub use money::{Money, NotAnAmount};

#[cfg(test)]
mod tests;
