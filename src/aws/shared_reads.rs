//! Reads of the same object of the bucket at the same moment, which share one call.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use tokio::sync::OnceCell;

use crate::engine::{Failure, StoredObject};

type ReadCell = OnceCell<Option<StoredObject>>;

/// The reads in flight, by bucket and key.
#[derive(Debug, Default)]
pub(super) struct SharedReads(Mutex<HashMap<(String, String), Weak<ReadCell>>>);

impl SharedReads {
    fn flights(&self) -> MutexGuard<'_, HashMap<(String, String), Weak<ReadCell>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets reads from now on be calls of their own: the object was written or removed.
    pub(super) fn forget(&self, bucket: &str, key: &str) {
        self.flights().remove(&(bucket.to_owned(), key.to_owned()));
    }

    /// Returns the answer to a read that is in flight, or reads. An answer is never used for a later read.
    pub(super) async fn get_or_read<F>(
        &self,
        bucket: &str,
        key: &str,
        read: impl FnOnce() -> F,
    ) -> Result<Option<StoredObject>, Failure>
    where
        F: Future<Output = Result<Option<StoredObject>, Failure>>,
    {
        let cell = {
            let mut flights = self.flights();
            flights.retain(|_, cell| cell.strong_count() > 0);
            let flight = flights.entry((bucket.to_owned(), key.to_owned())).or_default();
            flight.upgrade().filter(|cell| !cell.initialized()).unwrap_or_else(|| {
                let cell = Arc::new(ReadCell::new());
                *flight = Arc::downgrade(&cell);
                cell
            })
        };
        cell.get_or_try_init(read).await.cloned()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use std::sync::atomic::{AtomicU32, Ordering};
    use std::time::Duration;

    use super::*;

    async fn read(calls: &AtomicU32) -> Result<Option<StoredObject>, Failure> {
        tokio::time::sleep(Duration::from_millis(50)).await;
        calls.fetch_add(1, Ordering::SeqCst);
        Ok(None)
    }

    #[tokio::test(start_paused = true)]
    async fn only_reads_at_the_same_moment_share_a_call() {
        let (reads, calls) = (SharedReads::default(), AtomicU32::new(0));
        let get = |key: &'static str| reads.get_or_read("bucket", key, || read(&calls));
        let (one, other, different) = tokio::join!(get("a"), get("a"), get("b"));
        assert!(one.unwrap().is_none() && other.unwrap().is_none() && different.unwrap().is_none());
        assert_eq!(calls.load(Ordering::SeqCst), 2);
        get("a").await.unwrap();
        assert_eq!(calls.load(Ordering::SeqCst), 3, "a later read is a call of its own");
    }

    #[tokio::test(start_paused = true)]
    async fn a_write_ends_the_sharing() {
        let (reads, calls) = (SharedReads::default(), AtomicU32::new(0));
        let get = || reads.get_or_read("bucket", "a", || read(&calls));
        let after = async {
            tokio::time::sleep(Duration::from_millis(10)).await;
            reads.forget("bucket", "a");
            get().await
        };
        let (before, after) = tokio::join!(get(), after);
        assert!(before.is_ok() && after.is_ok());
        assert_eq!(calls.load(Ordering::SeqCst), 2);
    }
}
