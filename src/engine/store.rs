//! The boundary to where the record is kept: objects by key, written only under a condition.

use std::fmt;
use std::time::Duration;

use jiff::Timestamp;

use super::{BoxFuture, Failure};

/// An object of a store.
#[derive(Clone, PartialEq, Eq)]
pub struct Stored {
    /// Its content.
    pub bytes: Vec<u8>,
    /// Its version, for [`Condition::Matches`].
    pub etag: Etag,
    /// How long ago it was written, by the store's own clock: clocks of machines are not compared.
    pub age: Duration,
    /// When it was written, by the store's own clock.
    pub written: Timestamp,
}

impl fmt::Debug for Stored {
    /// Without the content: it may be a key.
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

/// When a write is allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// The object does not exist.
    Absent,
    /// The object is still the version that was read.
    Matches(Etag),
}

/// What became of a conditional write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Written {
    /// It was written; this is its version now.
    Yes(Etag),
    /// The condition did not hold: somebody else wrote in between. Nothing was changed.
    Lost,
}

/// A store with compare-and-swap.
pub trait Store: Send + Sync {
    /// Where it is, for people: `s3://bucket/prefix` or `file:./dir`.
    fn location(&self) -> String;

    /// The object under a key, if there is one. A store that does not exist yet holds nothing.
    fn get<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<Stored>, Failure>>;

    /// Writes an object if the condition holds.
    fn put<'a>(
        &'a self,
        key: &'a str,
        bytes: &'a [u8],
        condition: &'a Condition,
    ) -> BoxFuture<'a, Result<Written, Failure>>;

    /// Removes an object if it is still this version. `false` when it is not.
    fn remove<'a>(&'a self, key: &'a str, etag: &'a Etag) -> BoxFuture<'a, Result<bool, Failure>>;

    /// The keys below a prefix (the empty one: all), sorted.
    fn list<'a>(&'a self, prefix: &'a str) -> BoxFuture<'a, Result<Vec<String>, Failure>>;

    /// Some of the keys that are there at all: outside this store's prefix too, and those of which only old versions
    /// are kept. In full and sorted; none means that nothing is there.
    fn leftovers(&self) -> BoxFuture<'_, Result<Vec<String>, Failure>> {
        self.list("")
    }

    /// Removes one key and every version of it, whoever wrote it last.
    fn erase<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<(), Failure>>;

    /// Removes everything below a prefix, old versions too.
    fn purge<'a>(&'a self, prefix: &'a str) -> BoxFuture<'a, Result<(), Failure>>;
}
