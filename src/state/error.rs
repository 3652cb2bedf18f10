//! What can be wrong with the record or the lease.

use crate::engine::Failure;

/// Why the record or the lease could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// The store did not do what it was asked.
    #[error("{place}: {source}")]
    Store {
        /// The object.
        place: String,
        /// What the store said.
        #[source]
        source: Failure,
    },
    /// Somebody else wrote the record after it was read.
    #[error("{place} was changed by another run since it was read ({found}); nothing was overwritten")]
    Overtaken {
        /// The object.
        place: String,
        /// What is there now, in words.
        found: String,
    },
    /// A newer Quorate wrote it, in a format that this one does not know.
    #[error("{place} has format {format}, and this Quorate knows formats up to {known}; use a newer Quorate")]
    Newer {
        /// The object.
        place: String,
        /// The format that was found.
        format: u32,
        /// The newest one known.
        known: u32,
    },
    /// It is not what it should be.
    #[error("{place} cannot be read: {source}")]
    Unreadable {
        /// The object.
        place: String,
        /// Where it stops making sense.
        #[source]
        source: serde_json::Error,
    },
    /// It belongs to another cluster.
    #[error("{place} is the record of the cluster `{found}`, not of `{expected}`")]
    OtherCluster {
        /// The object.
        place: String,
        /// Whose it is.
        found: String,
        /// Whose it should be.
        expected: String,
    },
    /// Others were faster again and again.
    #[error("{place} changes faster than it can be taken; try again")]
    Contended {
        /// The object.
        place: String,
    },
}
