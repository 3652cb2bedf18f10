//! The only place that knows the Kubernetes API: a second cloud of the same engine.
//!
//! It applies manifests by server-side apply as the field manager `quorate`, finds its objects by label, and waits with
//! watches. It never repeats a change, it classifies what the API answered (`failure.rs`) and the engine decides.

mod access;
mod census;
mod client;
mod custom;
mod failure;
mod handover;
mod live;
mod namespace;
mod patience;
mod place;
mod progress;
mod provider;
mod rehearsal;
mod release;
mod rollout;
mod trouble;
mod warnings;

#[cfg(test)]
pub(crate) mod fake;
#[cfg(test)]
pub(crate) mod testbed;
#[cfg(test)]
mod tests;

pub use access::{Access, Entrance};
pub use failure::{CONNECT, UNRESOLVED};
pub use provider::Kubernetes;
