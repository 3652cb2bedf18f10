//! Looking again, less and less often, for so long at most.

use std::time::Duration;

use tokio::time::Instant;

use super::failure::just_made;
use crate::engine::{Class, Failure};

/// The longest pause between two looks.
const CAP: Duration = Duration::from_secs(5);

/// How long what was made a moment ago may stay unseen by the call that furnishes it.
const VISIBLE: Duration = Duration::from_mins(2);

/// A call about something that was made a moment ago: sent again while AWS does not find it.
///
/// What has neither a client token nor a unique name must be furnished like this: to look for it by tag and to make it
/// again would make it twice.
pub(super) async fn once_visible<F>(call: impl Fn() -> F) -> Result<(), Failure>
where
    F: Future<Output = Result<(), Failure>>,
{
    let mut poll = Poll::lasting(VISIBLE);
    loop {
        match call().await {
            Err(failure) if failure.class == Class::Gone && poll.again().await => {}
            outcome => return outcome.map_err(just_made),
        }
    }
}

/// When to look next, and until when.
#[derive(Debug)]
pub(super) struct Poll {
    until: Instant,
    pause: Duration,
}

impl Poll {
    /// Looks for so long: after one second, then two, then four, then every five.
    pub(super) fn lasting(limit: Duration) -> Self {
        Self { until: Instant::now() + limit, pause: Duration::from_secs(1) }
    }

    /// Waits until the next look. `false` when there should be none.
    pub(super) async fn again(&mut self) -> bool {
        if Instant::now() >= self.until {
            return false;
        }
        tokio::time::sleep(self.pause).await;
        self.pause = (self.pause * 2).min(CAP);
        true
    }
}
