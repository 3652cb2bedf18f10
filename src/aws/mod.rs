//! The only place that knows the AWS SDK: one file per kind of object, the same verbs in the same order.
//!
//! [`Aws`] observes by kind, never by object; it never retries a change, it classifies what AWS answered
//! (`failure.rs`) and the engine decides. Reads are retried here.

mod balancing;
mod client;
mod ec2;
mod facts;
mod failure;
mod gate;
mod iam;
mod kind;
mod limit;
mod poll;
mod s3;
mod situation;
mod store;
mod strays;
mod tags;
mod watch;
mod whereabouts;
mod zones;

mod autoscaling_group;
mod bucket;
mod bucket_object;
mod hosted_zone;
mod instance_profile;
mod internet_gateway;
mod key_pair;
mod launch_template;
mod listener;
mod load_balancer;
mod record;
mod role;
mod route_table;
mod secret;
mod security_group;
mod security_group_rules;
mod subnet;
mod target_group;
mod volume;
mod vpc;

#[cfg(test)]
mod tests;

pub use client::{Aws, Scope};
pub use store::S3Store;
pub use whereabouts::public_address;
