//! The record: what was last applied.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::StateError;
use crate::engine::{Address, Recorded};

/// The newest format of the record that this release knows, and the one it writes.
pub(super) const FORMAT: u32 = 1;

/// What was last applied, and what the cloud cannot tell: pinned choices, lineage and serial.
///
/// It never holds a secret: payloads are no attributes, and keys and tokens are no objects of it. Its text is sorted, so
/// the same record is the same bytes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// The version of this format.
    pub format: u32,
    /// What tells this life of the cluster from another one of the same name: made with the first record.
    pub lineage: String,
    /// Grows by one with every save.
    pub serial: u64,
    /// The run that wrote it.
    pub run: String,
    /// The cluster's name.
    pub cluster: String,
    /// The account's 12 digits.
    pub account: String,
    /// The region.
    pub region: String,
    /// The version of Quorate that wrote it.
    pub quorate: String,
    /// When it was written, by the clock of the machine that did.
    pub written: Timestamp,
    /// The run that has begun and not ended: still there when it was killed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub in_progress: Option<Operation>,
    /// The objects as last applied.
    pub objects: BTreeMap<Address, Recorded>,
    /// Choices that stay until they are changed on purpose, for example image ids.
    #[serde(default)]
    pub pins: serde_json::Value,
    /// The cluster as it was last applied.
    #[serde(default)]
    pub cluster_spec: serde_json::Value,
    /// The places that the state was moved from, as long as objects of the cluster may still name them, for example
    /// `s3://bucket/prefix`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub moved_from: Vec<String>,
}

/// A run in progress.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operation {
    /// The run.
    pub run: String,
    /// What it does, for example `apply`.
    pub operation: String,
    /// Since when.
    pub since: Timestamp,
}

/// The only part that every format has.
#[derive(Deserialize)]
struct Format {
    format: u32,
}

impl Record {
    /// The first record of a cluster's life, with serial 0: not saved yet.
    pub fn first(cluster: &str, account: &str, region: &str, run: &str, now: Timestamp) -> Self {
        Self {
            format: FORMAT,
            lineage: uuid::Uuid::new_v4().to_string(),
            serial: 0,
            run: run.to_owned(),
            cluster: cluster.to_owned(),
            account: account.to_owned(),
            region: region.to_owned(),
            quorate: env!("CARGO_PKG_VERSION").to_owned(),
            written: now,
            in_progress: None,
            objects: BTreeMap::new(),
            pins: serde_json::Value::Null,
            cluster_spec: serde_json::Value::Null,
            moved_from: Vec::new(),
        }
    }

    /// The same record as the next one that this run writes.
    #[must_use]
    pub fn next(&self, run: &str, now: Timestamp) -> Self {
        Self {
            format: FORMAT,
            serial: self.serial + 1,
            run: run.to_owned(),
            quorate: env!("CARGO_PKG_VERSION").to_owned(),
            written: now,
            ..self.clone()
        }
    }

    /// The text of the record.
    ///
    /// # Errors
    /// When a value has no JSON form.
    pub fn to_bytes(&self) -> Result<Vec<u8>, serde_json::Error> {
        let mut bytes = serde_json::to_vec_pretty(self)?;
        bytes.push(b'\n');
        Ok(bytes)
    }

    /// Reads the text of a record; `place` is where it came from, for the message.
    ///
    /// # Errors
    /// When it is no record, or one of a newer format.
    pub fn from_bytes(bytes: &[u8], place: &str) -> Result<Self, StateError> {
        parse(bytes, FORMAT, place)
    }
}

/// Reads a file of ours after a look at its format, so that a newer one is refused as such.
pub(super) fn parse<T: serde::de::DeserializeOwned>(bytes: &[u8], known: u32, place: &str) -> Result<T, StateError> {
    let unreadable = |source| StateError::Unreadable { place: place.to_owned(), source };
    let Format { format } = serde_json::from_slice(bytes).map_err(unreadable)?;
    if format > known {
        return Err(StateError::Newer { place: place.to_owned(), format, known });
    }
    serde_json::from_slice(bytes).map_err(unreadable)
}
