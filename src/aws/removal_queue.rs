//! The keys of the bucket whose removal is wanted, and not started yet.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use crate::engine::Failure;

/// The removals that gather until they are made together.
#[derive(Debug, Default)]
pub(super) struct RemovalQueue(Mutex<Vec<WantedRemoval>>);

/// A removal, and the task that waits for it.
#[derive(Debug)]
pub(super) struct WantedRemoval {
    pub(super) bucket: String,
    pub(super) key: String,
    pub(super) done: oneshot::Sender<Result<(), Failure>>,
}

/// The duty of the first task to make the removals of all. If it is dropped, the others get no result, and gather again.
#[derive(Debug)]
pub(super) struct Gathering<'a> {
    queue: Option<&'a RemovalQueue>,
}

impl RemovalQueue {
    fn wanted(&self) -> MutexGuard<'_, Vec<WantedRemoval>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self) -> Vec<WantedRemoval> {
        std::mem::take(&mut *self.wanted())
    }

    /// Adds a removal. The first one has to make all that gather.
    pub(super) fn add(&self, removal: WantedRemoval) -> Option<Gathering<'_>> {
        let mut wanted = self.wanted();
        wanted.push(removal);
        (wanted.len() == 1).then(|| Gathering { queue: Some(self) })
    }
}

impl Gathering<'_> {
    /// Returns the removals that have gathered.
    pub(super) fn end(mut self) -> Vec<WantedRemoval> {
        self.queue.take().map(RemovalQueue::take).unwrap_or_default()
    }
}

impl Drop for Gathering<'_> {
    fn drop(&mut self) {
        drop(self.queue.take().map(RemovalQueue::take));
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn removal(key: &str) -> (WantedRemoval, oneshot::Receiver<Result<(), Failure>>) {
        let (done, result) = oneshot::channel();
        (WantedRemoval { bucket: "bucket".to_owned(), key: key.to_owned(), done }, result)
    }

    #[test]
    fn the_first_one_makes_all_that_gather() {
        let queue = RemovalQueue::default();
        let gathering = queue.add(removal("a").0).unwrap();
        assert!(queue.add(removal("b").0).is_none());
        let keys: Vec<String> = gathering.end().into_iter().map(|removal| removal.key).collect();
        assert_eq!(keys, ["a", "b"]);
        assert!(queue.add(removal("c").0).is_some(), "the next one is the first of others");
    }

    #[test]
    fn others_hear_that_the_first_one_was_dropped() {
        let queue = RemovalQueue::default();
        let first = queue.add(removal("a").0);
        let (second, mut result) = removal("b");
        assert!(queue.add(second).is_none());
        drop(first);
        assert_eq!(result.try_recv().unwrap_err(), oneshot::error::TryRecvError::Closed);
        assert!(queue.add(removal("b").0).is_some());
    }
}
