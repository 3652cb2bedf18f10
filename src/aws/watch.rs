//! Waiting for what takes a while: one poll of one API, shared by everybody who waits for it.

use std::sync::Arc;

use tokio::sync::Mutex;
use tokio::time::Instant;

use super::poll::Pause;
use crate::engine::Failure;

/// What is polled for.
#[derive(Debug, Default)]
pub(super) struct Polls {
    /// Auto Scaling groups with their members.
    pub(super) groups: Poll<aws_sdk_autoscaling::types::AutoScalingGroup>,
    /// Instances that are not gone yet.
    pub(super) instances: Poll<aws_sdk_ec2::types::Instance>,
}

/// An API that answers for everything at once, so that one call serves all who wait.
#[derive(Debug)]
pub(super) struct Poll<T> {
    last: Mutex<Option<Answer<T>>>,
}

#[derive(Debug)]
struct Answer<T> {
    asked: Instant,
    found: Arc<Vec<T>>,
}

/// One who waits.
#[derive(Debug)]
pub(super) struct Watch<'a, T> {
    poll: &'a Poll<T>,
    looked: Instant,
    pause: Pause,
}

impl<T> Default for Poll<T> {
    fn default() -> Self {
        Self { last: Mutex::new(None) }
    }
}

impl<T> Poll<T> {
    /// Begins to wait: answers to questions asked from now on count.
    pub(super) fn watch(&self) -> Watch<'_, T> {
        Watch { poll: self, looked: Instant::now(), pause: Pause::default() }
    }
}

impl<T> Watch<'_, T> {
    /// Pauses, then tells what is there.
    ///
    /// An answer to somebody else's question is taken if it was asked since this watch last looked; otherwise the
    /// question is asked, while all others hold theirs back for the answer.
    pub(super) async fn look<F>(&mut self, ask: impl FnOnce() -> F) -> Result<Arc<Vec<T>>, Failure>
    where
        F: Future<Output = Result<Vec<T>, Failure>>,
    {
        self.pause.over().await;
        let mut last = self.poll.last.lock().await;
        let found = match &*last {
            Some(answer) if answer.asked > self.looked => Arc::clone(&answer.found),
            _ => {
                let asked = Instant::now();
                let found = Arc::new(ask().await?);
                *last = Some(Answer { asked, found: Arc::clone(&found) });
                found
            }
        };
        self.looked = Instant::now();
        Ok(found)
    }

    /// Something has moved: looks again soon.
    pub(super) fn hurry(&mut self) {
        self.pause = Pause::default();
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
        let (poll, calls) = (Poll::default(), AtomicU32::new(0));
        let waiters = (0..100).map(|_| async {
            let mut watch = poll.watch();
            for _ in 0..3 {
                watch.look(|| count(&calls)).await.unwrap();
            }
        });
        futures_util::future::join_all(waiters).await;
        assert_eq!(calls.load(Ordering::SeqCst), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_from_before_the_wait_began_is_not_taken() {
        let (poll, calls) = (Poll::default(), AtomicU32::new(0));
        assert_eq!(*poll.watch().look(|| count(&calls)).await.unwrap(), [0]);
        assert_eq!(*poll.watch().look(|| count(&calls)).await.unwrap(), [1]);
    }

    #[tokio::test(start_paused = true)]
    async fn looks_grow_rarer_until_one_in_five_seconds() {
        let (poll, calls) = (Poll::default(), AtomicU32::new(0));
        let start = Instant::now();
        let mut watch = poll.watch();
        for _ in 0..20 {
            watch.look(|| count(&calls)).await.unwrap();
        }
        let before = start.elapsed();
        watch.look(|| count(&calls)).await.unwrap();
        assert_eq!(start.elapsed().saturating_sub(before).as_secs(), 5);
    }
}
