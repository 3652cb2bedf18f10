//! The only place that knows the Kubernetes API: a second cloud for the same engine.
//!
//! It applies manifests by server-side apply as the field manager `quorate`, finds its objects by label, and waits with
//! watches. It never retries a change: it classifies the API's answer (`failure.rs`) and the engine decides.

mod access;
mod census;
mod client;
mod custom;
mod drain;
mod dry_run;
mod earlier_jobs;
mod failure;
mod handover;
mod job_log;
mod live;
mod namespace;
mod object_ref;
mod progress;
mod provider;
mod release;
mod rollout;
mod trouble;
mod typed;
mod upgrade;
mod wait_budget;
mod warnings;
mod watch;

#[cfg(test)]
mod tests;

pub use access::{ApiAccess, ClientAccess};
pub use failure::{CONNECT, UNRESOLVED};
pub use provider::KubernetesProvider;
