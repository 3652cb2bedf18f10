//! Errors of the record and of the lease.

use crate::engine::Failure;

/// The reason that the record or the lease could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// The store failed.
    #[error("{place}: {source}")]
    Store {
        /// The object.
        place: String,
        /// The failure of the store.
        #[source]
        source: Failure,
    },
    /// Another run wrote the record after it was read.
    #[error("{place} was changed by another run since it was read ({found}); nothing was overwritten")]
    Overtaken {
        /// The object.
        place: String,
        /// Description of the current content.
        found: String,
    },
    /// A newer Quorate wrote it, in a format that this one does not know.
    #[error("{place} has format {format}, and this Quorate knows formats up to {known}; use a newer Quorate")]
    Newer {
        /// The object.
        place: String,
        /// Its format.
        format: u32,
        /// The newest known format.
        known: u32,
    },
    /// The state is in another place now.
    #[error("{place}: the state moved to {to}")]
    MovedAway {
        /// The object.
        place: String,
        /// The place where it is now.
        to: String,
    },
    /// The state is to come here, and is still in its old place.
    #[error("{place}: the move of the state from {from} to this place is not finished")]
    MoveUnfinished {
        /// The object.
        place: String,
        /// The place where it still is.
        from: String,
    },
    /// Its content is invalid.
    #[error("{place} cannot be read: {source}")]
    Unreadable {
        /// The object.
        place: String,
        /// The parse error.
        #[source]
        source: serde_json::Error,
    },
    /// It belongs to another cluster.
    #[error("{place} is the record of the cluster `{found}`, not of `{expected}`")]
    OtherCluster {
        /// The object.
        place: String,
        /// The cluster in the object.
        found: String,
        /// The expected cluster.
        expected: String,
    },
    /// Other writers were faster at every attempt.
    #[error("{place} changes faster than it can be taken; try again")]
    Contended {
        /// The object.
        place: String,
    },
}
