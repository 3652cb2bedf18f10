//! Waiting for slow operations: one poll of one API, shared by all waiters.

use std::sync::Arc;

use tokio::sync::Mutex;
use tokio::time::Instant;

use super::poll::BACKOFF;
use crate::engine::{Failure, PollLoop};

/// The polls of this connection.
#[derive(Debug, Default)]
pub(super) struct SharedPolls {
    /// Auto Scaling groups with their members.
    pub(super) groups: SharedPoll<aws_sdk_autoscaling::types::AutoScalingGroup>,
    /// Instances that are not gone yet.
    pub(super) instances: SharedPoll<aws_sdk_ec2::types::Instance>,
}

/// A poll of an API that returns all objects at once, so that one call serves all waiters.
#[derive(Debug)]
pub(super) struct SharedPoll<T> {
    last: Mutex<Option<PollAnswer<T>>>,
}

#[derive(Debug)]
struct PollAnswer<T> {
    asked: Instant,
    found: Arc<Vec<T>>,
}

/// One waiter.
#[derive(Debug)]
pub(super) struct PollWaiter<'a, T> {
    poll: &'a SharedPoll<T>,
    last_read: Instant,
    pauses: PollLoop,
}

impl<T> Default for SharedPoll<T> {
    fn default() -> Self {
        Self { last: Mutex::new(None) }
    }
}

impl<T> SharedPoll<T> {
    /// Starts to wait: only answers to requests from now on count.
    pub(super) fn watch(&self) -> PollWaiter<'_, T> {
        PollWaiter { poll: self, last_read: Instant::now(), pauses: PollLoop::new(BACKOFF) }
    }
}

impl<T> PollWaiter<'_, T> {
    /// Pauses, then returns the objects.
    ///
    /// An answer to another waiter's request is used if it was requested since this watch last read; otherwise this watch
    /// sends the request, while all others wait for its answer.
    pub(super) async fn poll<F>(&mut self, ask: impl FnOnce() -> F) -> Result<Arc<Vec<T>>, Failure>
    where
        F: Future<Output = Result<Vec<T>, Failure>>,
    {
        self.pauses.pause().await;
        let mut last = self.poll.last.lock().await;
        let found = match &*last {
            Some(answer) if answer.asked > self.last_read => Arc::clone(&answer.found),
            _ => {
                let asked = Instant::now();
                let found = Arc::new(ask().await?);
                *last = Some(PollAnswer { asked, found: Arc::clone(&found) });
                found
            }
        };
        self.last_read = Instant::now();
        Ok(found)
    }

    /// Polls again soon, after a change.
    pub(super) fn poll_now(&mut self) {
        self.pauses.reset_pauses();
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use std::sync::atomic::{AtomicU32, Ordering};
    use std::time::Duration;

    use tokio::time::sleep;

    use super::*;

    async fn count(calls: &AtomicU32) -> Result<Vec<u32>, Failure> {
        sleep(Duration::from_millis(50)).await;
        Ok(vec![calls.fetch_add(1, Ordering::SeqCst)])
    }

    #[tokio::test(start_paused = true)]
    async fn those_who_wait_together_share_every_call() {
        let (poll, calls) = (SharedPoll::default(), AtomicU32::new(0));
        let waiters = (0..100).map(|_| async {
            let mut watch = poll.watch();
            for _ in 0..3 {
                watch.poll(|| count(&calls)).await.unwrap();
            }
        });
        futures_util::future::join_all(waiters).await;
        assert_eq!(calls.load(Ordering::SeqCst), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_from_before_the_wait_began_is_not_taken() {
        let (poll, calls) = (SharedPoll::default(), AtomicU32::new(0));
        assert_eq!(*poll.watch().poll(|| count(&calls)).await.unwrap(), [0]);
        assert_eq!(*poll.watch().poll(|| count(&calls)).await.unwrap(), [1]);
    }

    #[tokio::test(start_paused = true)]
    async fn polls_grow_rarer_until_one_in_five_seconds() {
        let (poll, calls) = (SharedPoll::default(), AtomicU32::new(0));
        let start = Instant::now();
        let mut watch = poll.watch();
        for _ in 0..20 {
            watch.poll(|| count(&calls)).await.unwrap();
        }
        let before = start.elapsed();
        watch.poll(|| count(&calls)).await.unwrap();
        assert_eq!(start.elapsed().saturating_sub(before).as_secs(), 5);
    }
}
