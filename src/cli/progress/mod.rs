//! The display of an apply's progress: lines for a log, bars for a terminal.

mod bars;
mod lines;
mod measured;

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::engine::{Address, RunEvent};

pub(super) use bars::ProgressBars;
pub(super) use lines::ProgressLines;
pub(super) use measured::{MeasuredChange, MeasuringListener};

/// The start time of each change.
#[derive(Debug, Default)]
struct ChangeStarts {
    begun: Mutex<BTreeMap<Address, Instant>>,
}

impl ChangeStarts {
    /// Returns the time that the change of an event has taken so far.
    fn taken(&self, event: &RunEvent) -> Duration {
        let mut begun = self.begun.lock().unwrap_or_else(PoisonError::into_inner);
        match event {
            RunEvent::Started { address, .. } => {
                begun.insert(address.clone(), Instant::now());
                Duration::ZERO
            }
            RunEvent::Finished { address, .. }
            | RunEvent::Failed { address, .. }
            | RunEvent::Unfinished { address, .. } => {
                begun.remove(address).map(|start| start.elapsed()).unwrap_or_default()
            }
            _ => Duration::ZERO,
        }
    }
}
