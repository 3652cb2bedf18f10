//! Progress on a terminal: one line for what runs, one for how much is left.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use crate::engine::{Address, Event, Listener};
use crate::view::{Style, progress};

use super::Clock;

/// How often spinners turn.
const TICK: Duration = Duration::from_millis(120);

/// Draws what runs, for how long, and how many changes are left; what is done scrolls away above it.
pub(in crate::cli) struct Bars {
    screen: MultiProgress,
    total: ProgressBar,
    running: Mutex<BTreeMap<Address, ProgressBar>>,
    clock: Clock,
    style: Style,
}

impl Bars {
    pub(in crate::cli) fn new(changes: usize, style: Style) -> Self {
        let screen = MultiProgress::new();
        let length = u64::try_from(changes).unwrap_or(u64::MAX);
        let total = screen.add(ProgressBar::new(length).with_style(template("{pos} of {len} done, {elapsed}")));
        total.enable_steady_tick(Duration::from_secs(1));
        Self { screen, total, running: Mutex::default(), clock: Clock::default(), style }
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

impl Listener for Bars {
    fn hear(&self, event: &Event) {
        let taken = self.clock.taken(event);
        match event {
            Event::Started { address, action } => self.start(address, progress::running(*action, address)),
            Event::Waiting { address, note } => {
                if let Some(bar) = self.running().get(address) {
                    bar.set_message(progress::waiting(address, note));
                }
            }
            Event::Retrying { address, failure, .. } => {
                if let Some(bar) = self.running().get(address) {
                    bar.set_message(progress::waiting(address, &failure.to_string()));
                }
            }
            Event::Finished { address, .. }
            | Event::Failed { address, .. }
            | Event::Unfinished { address, .. }
            | Event::Skipped { address, .. } => self.end(address),
        }
        if !matches!(event, Event::Retrying { .. })
            && let Some(line) = progress::line(event, taken, self.style)
        {
            // Fails only when the terminal is gone.
            let _ = self.screen.println(line);
        }
    }
}

impl Drop for Bars {
    fn drop(&mut self) {
        self.total.finish_and_clear();
    }
}

/// A template that is not understood (none is) falls back to indicatif's own.
fn template(text: &str) -> ProgressStyle {
    ProgressStyle::with_template(text).unwrap_or_else(|_| ProgressStyle::default_bar())
}
