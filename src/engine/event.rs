//! The events of an apply.

use std::time::Duration;

use super::{Action, Address, Failure};

/// An event of an apply.
#[derive(Debug, Clone, PartialEq)]
pub enum RunEvent {
    /// Work on a change has begun.
    Started {
        /// The object.
        address: Address,
        /// The action. A replacement starts twice: as itself, and as the deletion of the old object.
        action: Action,
    },
    /// A change is waiting.
    Waiting {
        /// The object.
        address: Address,
        /// A short description of what is waited for.
        note: String,
    },
    /// A call failed with a temporary failure, and will be retried.
    Retrying {
        /// The object.
        address: Address,
        /// The failure of the call.
        failure: Failure,
        /// Number of the next attempt; the first call was 1.
        attempt: u32,
        /// Pause before it.
        pause: Duration,
    },
    /// A change is done.
    Finished {
        /// The object.
        address: Address,
        /// The action.
        action: Action,
        /// The cloud's identifier.
        id: String,
    },
    /// A change failed permanently.
    Failed {
        /// The object.
        address: Address,
        /// The action that was tried.
        action: Action,
        /// The failure.
        failure: Failure,
    },
    /// A change was made, and the run was stopped before the object was usable, or gone.
    Unfinished {
        /// The object.
        address: Address,
        /// The action.
        action: Action,
    },
    /// A change is left to a later run, because this one does not wait for what it needs.
    Deferred {
        /// The object.
        address: Address,
    },
    /// A change was not tried.
    Skipped {
        /// The object.
        address: Address,
        /// The dependency that failed; `None` if the run was interrupted.
        because: Option<Address>,
    },
}

/// A listener for events.
pub trait EventListener: Send + Sync {
    /// Called in order, from the run itself: must not block.
    fn on_event(&self, event: &RunEvent);
}

/// A listener that ignores all events.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoListener;

impl EventListener for NoListener {
    fn on_event(&self, _event: &RunEvent) {}
}
