//! Who watches an apply: lines for a log, bars for a terminal.

mod bars;
mod lines;

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::engine::{Address, Event};

pub(super) use bars::Bars;
pub(super) use lines::Lines;

/// When each change began.
#[derive(Debug, Default)]
struct Clock {
    begun: Mutex<BTreeMap<Address, Instant>>,
}

impl Clock {
    /// How long the change that an event is about has run.
    fn taken(&self, event: &Event) -> Duration {
        let mut begun = self.begun.lock().unwrap_or_else(PoisonError::into_inner);
        match event {
            Event::Started { address, .. } => {
                begun.insert(address.clone(), Instant::now());
                Duration::ZERO
            }
            Event::Finished { address, .. } | Event::Failed { address, .. } | Event::Unfinished { address, .. } => {
                begun.remove(address).map(|start| start.elapsed()).unwrap_or_default()
            }
            _ => Duration::ZERO,
        }
    }
}
