//! Reading and writing the record.

use std::sync::Arc;

use serde::Serialize;

use super::record::text;
use super::{ClusterRecord, MoveMarker, RecordEntry, StateError, place, record_key, settle};
use crate::engine::{Etag, Failure, ObjectStore, StoredObject, WriteCondition, WriteOutcome};

/// The record of one cluster in a store, written only over the version that was read.
///
/// A journal that has loaded nothing can only write the first record. So no record is ever overwritten unread, whichever
/// run holds the lease.
pub struct RecordJournal {
    store: Arc<dyn ObjectStore>,
    cluster: String,
    key: String,
    version: Option<Etag>,
}

/// Opens the journal of a cluster.
pub fn open(store: Arc<dyn ObjectStore>, cluster: &str) -> RecordJournal {
    RecordJournal { store, cluster: cluster.to_owned(), key: record_key(cluster), version: None }
}

impl RecordJournal {
    /// Returns the location of the record for display.
    pub fn place(&self) -> String {
        place(self.store.as_ref(), &self.key)
    }

    /// Reads the record, if there is one, and remembers its version for [`RecordJournal::save`].
    ///
    /// # Errors
    /// When the store fails, when what is there is no record of this cluster in a known format, or when the state moved.
    pub async fn load(&mut self) -> Result<Option<ClusterRecord>, StateError> {
        match self.read_entry().await? {
            RecordEntry::Absent => Ok(None),
            RecordEntry::Record(record) => Ok(Some(*record)),
            RecordEntry::Marker(marker) => {
                self.version = None;
                Err(marker.refusal(&self.place()))
            }
        }
    }

    /// Reads the record or the mark of a move, and remembers the version for [`RecordJournal::save`] and [`RecordJournal::mark`].
    ///
    /// # Errors
    /// When the store fails, or when what is there is about another cluster or in no known format.
    pub async fn read_entry(&mut self) -> Result<RecordEntry, StateError> {
        self.version = None;
        let Some(stored) = self.get().await? else { return Ok(RecordEntry::Absent) };
        let entry = RecordEntry::from_bytes(&stored.bytes, &self.place())?;
        if let Some(found) = entry.cluster().filter(|found| *found != self.cluster) {
            let (found, expected) = (found.to_owned(), self.cluster.clone());
            return Err(StateError::OtherCluster { place: self.place(), found, expected });
        }
        self.version = Some(stored.etag);
        Ok(entry)
    }

    /// Writes the record over the version that was last read or written.
    ///
    /// # Errors
    /// [`StateError::Overtaken`] if another run wrote in between: nothing was changed, and the caller keeps its record
    /// in a local file. Any other error if the store fails.
    pub async fn save(&mut self, record: &ClusterRecord) -> Result<(), StateError> {
        self.write(record).await
    }

    /// Writes the mark of a move over the version that was last read or written.
    ///
    /// # Errors
    /// As [`RecordJournal::save`].
    pub async fn mark(&mut self, marker: &MoveMarker) -> Result<(), StateError> {
        self.write(marker).await
    }

    async fn write(&mut self, content: &impl Serialize) -> Result<(), StateError> {
        let unreadable = |source| StateError::Unreadable { place: self.place(), source };
        let bytes = text(content).map_err(unreadable)?;
        let condition = self.version.clone().map_or(WriteCondition::Absent, WriteCondition::Matches);
        let written = settle::put(self.store.as_ref(), &self.key, &bytes, &condition).await;
        match written.map_err(|source| self.failed(source))? {
            WriteOutcome::Yes(etag) => {
                self.version = Some(etag);
                Ok(())
            }
            WriteOutcome::Lost => Err(self.overtaken().await),
        }
    }

    /// Removes the record that was last loaded or saved, after the cluster was removed.
    ///
    /// # Errors
    /// As [`RecordJournal::save`].
    pub async fn remove(&mut self) -> Result<(), StateError> {
        let Some(version) = self.version.clone() else { return Ok(()) };
        let removed = settle::remove(self.store.as_ref(), &self.key, &version).await;
        let gone = removed.map_err(|source| self.failed(source))?;
        if !gone && self.get().await?.is_some() {
            return Err(self.overtaken().await);
        }
        self.version = None;
        Ok(())
    }

    async fn get(&self) -> Result<Option<StoredObject>, StateError> {
        settle::get(self.store.as_ref(), &self.key).await.map_err(|source| self.failed(source))
    }

    async fn overtaken(&self) -> StateError {
        let found = match self.get().await {
            Ok(Some(stored)) => ClusterRecord::from_bytes(&stored.bytes, &self.place()).map_or_else(
                |_| "by something that is not a record".to_owned(),
                |record| format!("serial {} by run {}", record.serial, record.run),
            ),
            Ok(None) => "it is gone".to_owned(),
            Err(_) => "it cannot be read now".to_owned(),
        };
        StateError::Overtaken { place: self.place(), found }
    }

    fn failed(&self, source: Failure) -> StateError {
        StateError::Store { place: self.place(), source }
    }
}
