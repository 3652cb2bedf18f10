//! Polling with growing pauses, up to a time limit.

use std::time::Duration;

use tokio::time::Instant;

use super::failure::just_made;
use crate::engine::{Failure, FailureClass};

/// Pause before the first poll; each later pause is half as long again.
const FIRST: Duration = Duration::from_secs(1);
/// Maximum pause between two polls.
const LONGEST: Duration = Duration::from_secs(5);

/// Maximum time for a new object to become visible to the call that configures it.
const VISIBLE: Duration = Duration::from_mins(2);

/// Sends a call about an object that was created a moment ago, and retries it while AWS does not find the object.
///
/// Needed for objects that have neither a client token nor a unique name: to look such an object up by tag and to create it
/// again would create it twice.
pub(super) async fn once_visible<F>(call: impl Fn() -> F) -> Result<(), Failure>
where
    F: Future<Output = Result<(), Failure>>,
{
    let mut poll = PollTimer::lasting(VISIBLE);
    loop {
        match call().await {
            Err(failure) if failure.class == FailureClass::Gone && poll.again().await => {}
            outcome => return outcome.map_err(just_made),
        }
    }
}

/// The pauses between polls: short at first, then longer.
#[derive(Debug, Clone, Copy)]
pub(super) struct PollBackoff(Duration);

impl Default for PollBackoff {
    fn default() -> Self {
        Self(FIRST)
    }
}

impl PollBackoff {
    /// Waits until the next poll.
    pub(super) async fn over(&mut self) {
        tokio::time::sleep(self.0).await;
        self.0 = (self.0 * 3 / 2).min(LONGEST);
    }
}

/// The schedule of polls, and their time limit.
#[derive(Debug)]
pub(super) struct PollTimer {
    until: Instant,
    pause: PollBackoff,
}

impl PollTimer {
    /// Returns a schedule with this time limit.
    pub(super) fn lasting(limit: Duration) -> Self {
        Self { until: Instant::now() + limit, pause: PollBackoff::default() }
    }

    /// Waits until the next poll. Returns `false` if the time limit has passed.
    pub(super) async fn again(&mut self) -> bool {
        if Instant::now() >= self.until {
            return false;
        }
        self.pause.over().await;
        true
    }
}
