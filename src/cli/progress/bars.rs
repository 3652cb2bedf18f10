//! Progress on a terminal: one line for running changes, one for the number of remaining changes.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use crate::engine::{Address, EventListener, RunEvent};
use crate::view::{TextStyle, duration, progress};

use super::ChangeStarts;

/// Interval between two frames of the spinners.
const TICK: Duration = Duration::from_millis(120);

/// Draws running changes, their time, and the number of remaining changes; completed changes scroll away above.
pub(in crate::cli) struct ProgressBars {
    screen: MultiProgress,
    total: ProgressBar,
    running: Mutex<BTreeMap<Address, ProgressBar>>,
    clock: ChangeStarts,
    style: TextStyle,
}

impl ProgressBars {
    /// Returns the bars of a run with this number of changes, which is expected to take this many seconds.
    pub(in crate::cli) fn new(changes: usize, seconds: u64, style: TextStyle) -> Self {
        let screen = MultiProgress::new();
        let length = u64::try_from(changes).unwrap_or(u64::MAX);
        let total =
            screen.add(ProgressBar::new(length).with_style(template("{pos} of {len} done, {elapsed} of {msg}")));
        total.set_message(duration::about(seconds));
        total.enable_steady_tick(Duration::from_secs(1));
        Self { screen, total, running: Mutex::default(), clock: ChangeStarts::default(), style }
    }

    fn start(&self, address: &Address, message: String) {
        let bar = ProgressBar::new_spinner().with_style(template("  {spinner} {msg} {elapsed}"));
        let bar = self.screen.insert_before(&self.total, bar).with_message(message);
        bar.enable_steady_tick(TICK);
        self.running().insert(address.clone(), bar);
    }

    fn end(&self, address: &Address) {
        if let Some(bar) = self.running().remove(address) {
            bar.finish_and_clear();
            self.screen.remove(&bar);
        }
        self.total.inc(1);
    }

    fn running(&self) -> std::sync::MutexGuard<'_, BTreeMap<Address, ProgressBar>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl EventListener for ProgressBars {
    fn on_event(&self, event: &RunEvent) {
        let taken = self.clock.taken(event);
        match event {
            RunEvent::Started { address, action } => self.start(address, progress::running(*action, address)),
            RunEvent::Waiting { address, note } => {
                if let Some(bar) = self.running().get(address) {
                    bar.set_message(progress::waiting(address, note));
                }
            }
            RunEvent::Retrying { address, failure, .. } => {
                if let Some(bar) = self.running().get(address) {
                    bar.set_message(progress::waiting(address, &failure.to_string()));
                }
            }
            RunEvent::Finished { address, .. }
            | RunEvent::Failed { address, .. }
            | RunEvent::Unfinished { address, .. }
            | RunEvent::Deferred { address }
            | RunEvent::Skipped { address, .. } => self.end(address),
        }
        if !matches!(event, RunEvent::Retrying { .. })
            && let Some(line) = progress::line(event, taken, self.style)
        {
            // Fails only if the terminal is closed.
            let _ = self.screen.println(line);
        }
    }
}

impl Drop for ProgressBars {
    fn drop(&mut self) {
        self.total.finish_and_clear();
    }
}

/// Returns the style of a template. An invalid template (there is none) falls back to indicatif's default.
fn template(text: &str) -> ProgressStyle {
    ProgressStyle::with_template(text).unwrap_or_else(|_| ProgressStyle::default_bar())
}
