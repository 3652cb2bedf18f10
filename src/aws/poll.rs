//! Looking again, less and less often, for so long at most.

use std::time::Duration;

use tokio::time::Instant;

use super::failure::just_made;
use crate::engine::{Class, Failure};

/// How long before the first look; each pause after it is half as long again.
const FIRST: Duration = Duration::from_secs(1);
/// The longest pause between two looks.
const LONGEST: Duration = Duration::from_secs(5);

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

/// The pauses between looks: short at first, for what is quick, then longer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pause(Duration);

impl Default for Pause {
    fn default() -> Self {
        Self(FIRST)
    }
}

impl Pause {
    /// Waits until the next look.
    pub(super) async fn over(&mut self) {
        tokio::time::sleep(self.0).await;
        self.0 = (self.0 * 3 / 2).min(LONGEST);
    }
}

/// When to look next, and until when.
#[derive(Debug)]
pub(super) struct Poll {
    until: Instant,
    pause: Pause,
}

impl Poll {
    /// Looks for so long.
    pub(super) fn lasting(limit: Duration) -> Self {
        Self { until: Instant::now() + limit, pause: Pause::default() }
    }

    /// Waits until the next look. `false` when there should be none.
    pub(super) async fn again(&mut self) -> bool {
        if Instant::now() >= self.until {
            return false;
        }
        self.pause.over().await;
        true
    }
}
