//! The time that each change takes.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::engine::{Action, Address, EventListener, RunEvent};

use super::ChangeStarts;

/// A change that is done, with the time that it took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::cli) struct MeasuredChange {
    pub(in crate::cli) address: Address,
    pub(in crate::cli) action: Action,
    pub(in crate::cli) time: Duration,
}

/// A listener that measures changes, and passes all events on.
pub(in crate::cli) struct MeasuringListener {
    shown: Box<dyn EventListener>,
    starts: ChangeStarts,
    measured: Mutex<Vec<MeasuredChange>>,
}

impl MeasuringListener {
    pub(in crate::cli) fn new(shown: Box<dyn EventListener>) -> Self {
        Self { shown, starts: ChangeStarts::default(), measured: Mutex::default() }
    }

    /// Returns the changes that are done, in the order of their ends.
    pub(in crate::cli) fn into_measured(self) -> Vec<MeasuredChange> {
        self.measured.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

impl EventListener for MeasuringListener {
    fn on_event(&self, event: &RunEvent) {
        let time = self.starts.taken(event);
        if let RunEvent::Finished { address, action, .. } = event {
            let change = MeasuredChange { address: address.clone(), action: *action, time };
            self.measured.lock().unwrap_or_else(PoisonError::into_inner).push(change);
        }
        self.shown.on_event(event);
    }
}
