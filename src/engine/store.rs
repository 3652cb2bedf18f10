//! The interface to the place of the record: objects by key, written only under a condition.

use std::fmt;
use std::time::Duration;

use jiff::Timestamp;

use super::{BoxFuture, Failure};

/// An object of a store.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredObject {
    /// Its content.
    pub bytes: Vec<u8>,
    /// Its version, for [`WriteCondition::Matches`].
    pub etag: Etag,
    /// Time since it was written, by the store's own clock: clocks of machines are not compared.
    pub age: Duration,
    /// Time at which it was written, by the store's own clock.
    pub written: Timestamp,
}

impl fmt::Debug for StoredObject {
    /// Leaves out the content: it may be a key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { bytes, etag, age, written } = self;
        f.debug_struct("Stored")
            .field("bytes", &bytes.len())
            .field("etag", etag)
            .field("age", age)
            .field("written", written)
            .finish()
    }
}

/// A version of an object, opaque.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Etag(pub String);

/// The condition of a write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WriteCondition {
    /// The object must not exist.
    Absent,
    /// The object must still be the version that was read.
    Matches(Etag),
}

/// The result of a conditional write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WriteOutcome {
    /// It was written, with this version.
    Yes(Etag),
    /// The condition did not hold: another writer was faster. Nothing was changed.
    Lost,
}

/// A store with compare-and-swap.
pub trait ObjectStore: Send + Sync {
    /// Returns the location for display: `s3://bucket/prefix` or `file:./dir`.
    fn location(&self) -> String;

    /// Returns the object under a key, if there is one. A store that does not exist yet is empty.
    fn get<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<StoredObject>, Failure>>;

    /// Writes an object if the condition holds.
    fn put<'a>(
        &'a self,
        key: &'a str,
        bytes: &'a [u8],
        condition: &'a WriteCondition,
    ) -> BoxFuture<'a, Result<WriteOutcome, Failure>>;

    /// Removes an object if it is still this version. Returns `false` if it is not.
    fn remove<'a>(&'a self, key: &'a str, etag: &'a Etag) -> BoxFuture<'a, Result<bool, Failure>>;

    /// Returns the keys below a prefix (the empty one: all), sorted.
    fn list<'a>(&'a self, prefix: &'a str) -> BoxFuture<'a, Result<Vec<String>, Failure>>;

    /// Returns some of the existing keys: outside of this store's prefix too, and keys of which only old versions are kept.
    /// Keys are complete and sorted; none means that nothing exists.
    fn leftovers(&self) -> BoxFuture<'_, Result<Vec<String>, Failure>> {
        self.list("")
    }

    /// Removes one key and every version of it, also if another run wrote it last.
    fn erase<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<(), Failure>>;

    /// Removes everything below a prefix, old versions too.
    fn purge<'a>(&'a self, prefix: &'a str) -> BoxFuture<'a, Result<(), Failure>>;

    /// Removes these keys, and everything below these prefixes, old versions too, in as few calls as the store allows.
    fn erase_all<'a>(&'a self, keys: &'a [String], prefixes: &'a [String]) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(async move {
            for prefix in prefixes {
                self.purge(prefix).await?;
            }
            for key in keys {
                self.erase(key).await?;
            }
            Ok(())
        })
    }
}
