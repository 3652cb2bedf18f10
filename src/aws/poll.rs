//! Looking again, less and less often, for so long at most.

use std::time::Duration;

use tokio::time::Instant;

/// The longest pause between two looks.
const CAP: Duration = Duration::from_secs(5);

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
