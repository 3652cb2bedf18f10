//! The only place that knows the AWS SDK: one file per kind of object, the same verbs in the same order.
//!
//! [`AwsProvider`] observes by kind, never by object. It never retries a change: it classifies the answer of AWS
//! (`failure.rs`) and the engine decides. Reads are retried here.

mod api_firewall;
mod caller_address;
mod client;
mod ec2;
mod elb_snapshot;
mod error_context;
mod facts;
mod failure;
mod iam;
mod kind;
mod limit;
mod poll;
mod s3;
mod store;
mod tags;
mod unmanaged;
mod watch;
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

pub use caller_address::public_address;
pub use client::{AwsProvider, ClusterScope};
pub use store::S3Store;
