//! Memory as a store.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use tokio::time::Instant;

use super::{is_key, not_a_key};
use crate::engine::{BoxFuture, Etag, Failure, ObjectStore, StoredObject, WriteCondition, WriteOutcome};

/// A store that is dropped with its last handle. Clones share their content.
///
/// Ages use tokio's clock, so a test that pauses it controls the age of everything.
#[derive(Debug, Clone, Default)]
pub struct MemoryStore {
    shared: Arc<Mutex<MemoryContent>>,
}

#[derive(Debug, Clone, Default)]
struct MemoryContent {
    writes: u64,
    objects: BTreeMap<String, MemoryEntry>,
}

#[derive(Debug, Clone)]
struct MemoryEntry {
    bytes: Vec<u8>,
    version: u64,
    written: Instant,
    at: Timestamp,
}

impl MemoryEntry {
    fn etag(&self) -> Etag {
        Etag(self.version.to_string())
    }
}

impl MemoryStore {
    /// Returns an empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns an independent store with the same content.
    #[cfg(test)]
    pub(crate) fn fork(&self) -> Self {
        Self { shared: Arc::new(Mutex::new(self.content().clone())) }
    }

    fn content(&self) -> MutexGuard<'_, MemoryContent> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self, key: &str, bytes: &[u8], condition: &WriteCondition) -> Result<WriteOutcome, Failure> {
        if !is_key(key) {
            return Err(not_a_key("memory", "Put", key));
        }
        let mut content = self.content();
        let now = content.objects.get(key).map(MemoryEntry::etag);
        let holds = match condition {
            WriteCondition::Absent => now.is_none(),
            WriteCondition::Matches(etag) => now.as_ref() == Some(etag),
        };
        if !holds {
            return Ok(WriteOutcome::Lost);
        }
        content.writes += 1;
        let entry = MemoryEntry {
            bytes: bytes.to_vec(),
            version: content.writes,
            written: Instant::now(),
            at: Timestamp::now(),
        };
        let etag = entry.etag();
        content.objects.insert(key.to_owned(), entry);
        Ok(WriteOutcome::Yes(etag))
    }
}

impl ObjectStore for MemoryStore {
    fn location(&self) -> String {
        "memory:".to_owned()
    }

    fn get<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<StoredObject>, Failure>> {
        Box::pin(async move {
            Ok(self.content().objects.get(key).map(|entry| StoredObject {
                bytes: entry.bytes.clone(),
                etag: entry.etag(),
                age: entry.written.elapsed(),
                written: entry.at,
            }))
        })
    }

    fn put<'a>(
        &'a self,
        key: &'a str,
        bytes: &'a [u8],
        condition: &'a WriteCondition,
    ) -> BoxFuture<'a, Result<WriteOutcome, Failure>> {
        Box::pin(async move { self.write(key, bytes, condition) })
    }

    fn remove<'a>(&'a self, key: &'a str, etag: &'a Etag) -> BoxFuture<'a, Result<bool, Failure>> {
        Box::pin(async move {
            let mut content = self.content();
            let ours = content.objects.get(key).is_some_and(|entry| entry.etag() == *etag);
            if ours {
                content.objects.remove(key);
            }
            Ok(ours)
        })
    }

    fn list<'a>(&'a self, prefix: &'a str) -> BoxFuture<'a, Result<Vec<String>, Failure>> {
        Box::pin(async move {
            let content = self.content();
            Ok(content.objects.keys().filter(|key| key.starts_with(prefix)).cloned().collect())
        })
    }

    fn erase<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(async move {
            self.content().objects.remove(key);
            Ok(())
        })
    }

    fn purge<'a>(&'a self, prefix: &'a str) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(async move {
            self.content().objects.retain(|key, _| !key.starts_with(prefix));
            Ok(())
        })
    }
}
