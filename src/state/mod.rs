//! The state that the cloud cannot hold: the record of the last apply, and the lease that lets one run work at a time.
//!
//! Both live in an [`engine::ObjectStore`](crate::engine::Store) and are written by compare-and-swap only. `docs/state.md`
//! describes the files and how two runs meet.

mod error;
mod journal;
mod lease;
mod moved;
mod record;
mod saved_plan;
pub mod settle;
#[cfg(test)]
mod tests;

pub use crate::store::DirectoryStore;
pub use error::StateError;
pub use journal::{RecordJournal, open};
pub use lease::{Lease, LeaseAcquisition, LeaseHolder, LeaseRelease, LeaseStatus, ProcessIdentity};
pub use moved::{MoveLeg, MoveMarker, RecordEntry};
pub use record::{ClusterRecord, RecordedRun};
pub use saved_plan::{HiddenValues, PlanTarget, SavedPlan, SavedPlanError};

use crate::engine::ObjectStore;

/// Returns the key of a cluster's record.
pub fn record_key(cluster: &str) -> String {
    format!("{cluster}/state.json")
}

/// Returns the key of a cluster's lease.
pub fn lease_key(cluster: &str) -> String {
    format!("{cluster}/state.lock")
}

/// Returns the location of a key for display.
fn place(store: &dyn ObjectStore, key: &str) -> String {
    format!("{}/{key}", store.location().trim_end_matches('/'))
}
