//! Polling with growing pauses, up to a time limit.

use std::time::Duration;

use super::failure::just_made;
use crate::engine::{Backoff, Failure, FailureClass, PollLoop};

/// The pauses between polls: short at first, then longer.
pub(super) const BACKOFF: Backoff = Backoff::Growing { first: Duration::from_secs(1), longest: Duration::from_secs(5) };

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
    let mut poll = PollLoop::new(BACKOFF).lasting(VISIBLE);
    loop {
        match call().await {
            Err(failure) if failure.class == FailureClass::Gone && poll.again().await => {}
            outcome => return outcome.map_err(just_made),
        }
    }
}
