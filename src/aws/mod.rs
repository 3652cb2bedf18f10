//! The only place that knows the AWS SDK: one file per kind of object, the same verbs in the same order.
//!
//! [`AwsProvider`] observes by kind, never by object. It never retries a change: it classifies the answer of AWS
//! (`failure.rs`) and the engine decides. Reads are retried here.

mod api_firewall;
mod balancer_listing;
mod caller_address;
mod client;
mod connect;
mod console;
mod ec2;
mod elb_snapshot;
mod error_context;
mod expected_kinds;
mod facts;
mod failure;
mod http;
mod iam;
mod key_removals;
mod kind;
mod limit;
mod machine_access;
mod observe_cache;
mod permission_simulator;
mod poll;
mod price_list;
mod quotas;
mod record_sets;
mod removal_queue;
mod s3;
mod server_clock;
mod shared_reads;
mod store;
mod tags;
mod unmanaged;
mod watch;
mod zone_listing;
mod zones;

/// Declares the modules of the kinds.
macro_rules! modules {
    ($($module:ident :: $type:ident),* $(,)?) => { $(mod $module;)* };
}

crate::resource::kind_registry!(modules);

#[cfg(test)]
mod tests;

pub use caller_address::public_address;
pub use client::{AwsProvider, ClusterScope};
pub use http::{HttpDocument, get};
pub use store::S3Store;
