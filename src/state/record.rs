//! The record of the last apply.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::StateError;
use crate::engine::{Address, RecordedObject};

/// The newest format of the record that this release knows, and the one it writes.
pub(super) const FORMAT: u32 = 1;

/// The record of the last apply, with data that the cloud cannot hold: pinned choices, lineage and serial.
///
/// It never holds a secret: payloads are not attributes, and keys and tokens are not objects of it. Its text is sorted, so
/// the same record has the same bytes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClusterRecord {
    /// The version of this format.
    pub format: u32,
    /// The id that distinguishes this cluster from an earlier or later one of the same name: created with the first record.
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
    /// Time of writing, by the clock of the machine that wrote it.
    pub written: Timestamp,
    /// The run that has started and not ended: it remains after the run was killed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub in_progress: Option<RecordedRun>,
    /// The id of the last saved plan that an apply began to make the changes of.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub applied_plan: Option<String>,
    /// The objects as last applied.
    pub objects: BTreeMap<Address, RecordedObject>,
    /// Choices that stay until they are changed explicitly, for example image ids.
    #[serde(default)]
    pub pins: serde_json::Value,
    /// The cluster as it was last applied.
    #[serde(default)]
    pub cluster_spec: serde_json::Value,
    /// What the run has learned of the account, so that later runs need not ask: the zones, and the instance sizes.
    #[serde(default, skip_serializing_if = "serde_json::Value::is_null")]
    pub facts: serde_json::Value,
    /// The time of each sort of change in milliseconds, as runs measured it: `load-balancer create`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub change_times: BTreeMap<String, u64>,
    /// The places that the state was moved from, as `state` named them, as long as machines of the cluster may still read
    /// from them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub moved_from: Vec<String>,
}

/// A run in progress.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedRun {
    /// The run.
    pub run: String,
    /// The operation, for example `apply`.
    pub operation: String,
    /// Start time.
    pub since: Timestamp,
}

/// The only part that every format has.
#[derive(Deserialize)]
struct RecordFormat {
    format: u32,
}

impl ClusterRecord {
    /// Returns the first record of a cluster, with serial 0: not saved yet.
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
            applied_plan: None,
            objects: BTreeMap::new(),
            pins: serde_json::Value::Null,
            cluster_spec: serde_json::Value::Null,
            facts: serde_json::Value::Null,
            change_times: BTreeMap::new(),
            moved_from: Vec::new(),
        }
    }

    /// Returns the same record as the next one that this run writes.
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

    /// Returns the text of the record.
    ///
    /// # Errors
    /// Returns an error if a value has no JSON form.
    pub fn to_bytes(&self) -> Result<Vec<u8>, serde_json::Error> {
        text(self)
    }

    /// Parses the text of a record; `place` is its source, for the message.
    ///
    /// # Errors
    /// Returns an error if it is not a record, or one of a newer format.
    pub fn from_bytes(bytes: &[u8], place: &str) -> Result<Self, StateError> {
        parse(bytes, FORMAT, place)
    }
}

/// The text of a file of ours, ending in a newline.
pub(super) fn text(content: &impl Serialize) -> Result<Vec<u8>, serde_json::Error> {
    let mut bytes = serde_json::to_vec_pretty(content)?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// Parses a file after a check of its format, so that a newer format is reported as such.
pub(super) fn parse<T: serde::de::DeserializeOwned>(bytes: &[u8], known: u32, place: &str) -> Result<T, StateError> {
    let unreadable = |source| StateError::Unreadable { place: place.to_owned(), source };
    let RecordFormat { format } = serde_json::from_slice(bytes).map_err(unreadable)?;
    if format > known {
        return Err(StateError::Newer { place: place.to_owned(), format, known });
    }
    serde_json::from_slice(bytes).map_err(unreadable)
}
