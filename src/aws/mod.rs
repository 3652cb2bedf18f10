//! The only place that knows the AWS SDK: one file per kind of object, the same verbs in the same order.
//!
//! [`Aws`] observes by kind, never by object; it never retries a change, it classifies what AWS answered
//! (`failure.rs`) and the engine decides. Reads are retried here.

mod client;
mod ec2;
mod failure;
mod kind;
mod limit;
mod tags;
mod watch;

mod autoscaling_group;
mod internet_gateway;
mod key_pair;
mod launch_template;
mod route_table;
mod security_group;
mod security_group_rules;
mod subnet;
mod volume;
mod vpc;

#[cfg(test)]
mod tests;

pub use client::{Aws, Scope};
