//! What happens during an apply, as it happens.

use std::time::Duration;

use super::{Action, Address, Failure};

/// Something that happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// Work on a change has begun.
    Started {
        /// The object.
        address: Address,
        /// What is done to it. A replacement starts twice: as itself, and as the deletion of the old object.
        action: Action,
    },
    /// What a change is waiting for.
    Waiting {
        /// The object.
        address: Address,
        /// In a few words.
        note: String,
    },
    /// A call failed in a way that passes, and will be sent again.
    Retrying {
        /// The object.
        address: Address,
        /// What the cloud said.
        failure: Failure,
        /// Which attempt comes next; the first call was 1.
        attempt: u32,
        /// How long until then.
        pause: Duration,
    },
    /// A change is done.
    Finished {
        /// The object.
        address: Address,
        /// What was done to it.
        action: Action,
        /// The cloud's identifier.
        id: String,
    },
    /// A change failed for good.
    Failed {
        /// The object.
        address: Address,
        /// What was tried.
        action: Action,
        /// What the cloud said.
        failure: Failure,
    },
    /// A change was made, and the run was stopped before the object could be used, or was gone.
    Unfinished {
        /// The object.
        address: Address,
        /// What was done to it.
        action: Action,
    },
    /// A change was not tried.
    Skipped {
        /// The object.
        address: Address,
        /// The change that it needed and that failed; `None` when the run was interrupted.
        because: Option<Address>,
    },
}

/// Hears what happens.
pub trait Listener: Send + Sync {
    /// Called in order, from the run itself: must not block.
    fn hear(&self, event: &Event);
}

/// Hears nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Listener for Silent {
    fn hear(&self, _event: &Event) {}
}
