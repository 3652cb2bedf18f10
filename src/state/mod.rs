//! What the cloud cannot remember for us: the record of the last apply, and the lease that lets one run work at a time.
//!
//! Both live in an [`engine::Store`](crate::engine::Store) and are written by compare-and-swap only. `docs/state.md`
//! describes the files and how two runs meet.

mod error;
mod journal;
mod lease;
mod record;
pub mod settle;
#[cfg(test)]
mod tests;

pub use crate::store::DirectoryStore;
pub use error::StateError;
pub use journal::{Journal, open};
pub use lease::{Acquisition, Holder, Lease, Released};
pub use record::{Operation, Record};

use crate::engine::Store;

/// The key of a cluster's record.
pub fn record_key(cluster: &str) -> String {
    format!("{cluster}/state.json")
}

/// The key of a cluster's lease.
pub fn lease_key(cluster: &str) -> String {
    format!("{cluster}/state.lock")
}

/// Where a key is, for people.
fn place(store: &dyn Store, key: &str) -> String {
    format!("{}/{key}", store.location().trim_end_matches('/'))
}
