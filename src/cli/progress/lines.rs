//! Progress as plain lines.

use crate::cli::ui::Screen;
use crate::engine::{Event, Listener};
use crate::view::progress;

use super::Clock;

/// Writes a line for each event that a log should keep.
pub(in crate::cli) struct Lines {
    screen: Screen,
    clock: Clock,
}

impl Lines {
    pub(in crate::cli) fn new(screen: Screen) -> Self {
        Self { screen, clock: Clock::default() }
    }
}

impl Listener for Lines {
    fn hear(&self, event: &Event) {
        let taken = self.clock.taken(event);
        if let Some(line) = progress::line(event, taken, self.screen.style) {
            self.screen.line(&line);
        }
    }
}
