//! Progress as plain lines.

use crate::cli::screen::OutputScreen;
use crate::engine::{EventListener, RunEvent};
use crate::view::progress;

use super::ChangeStarts;

/// Writes a line for each event that belongs in a log.
pub(in crate::cli) struct ProgressLines {
    screen: OutputScreen,
    clock: ChangeStarts,
}

impl ProgressLines {
    pub(in crate::cli) fn new(screen: OutputScreen) -> Self {
        Self { screen, clock: ChangeStarts::default() }
    }
}

impl EventListener for ProgressLines {
    fn on_event(&self, event: &RunEvent) {
        let taken = self.clock.taken(event);
        if let Some(line) = progress::line(event, taken, self.screen.style) {
            self.screen.line(&line);
        }
    }
}
