//! Reading and writing the record.

use std::sync::Arc;

use super::{Record, StateError, place, record_key, settle};
use crate::engine::{Condition, Etag, Failure, Store, Stored, Written};

/// The record of one cluster in a store, written only over the version that was read.
///
/// A journal that has loaded nothing can only write the first record. So no record is ever overwritten blindly, whoever
/// holds the lease.
pub struct Journal {
    store: Arc<dyn Store>,
    cluster: String,
    key: String,
    version: Option<Etag>,
}

/// The journal of a cluster.
pub fn open(store: Arc<dyn Store>, cluster: &str) -> Journal {
    Journal { store, cluster: cluster.to_owned(), key: record_key(cluster), version: None }
}

impl Journal {
    /// Where the record is, for people.
    pub fn place(&self) -> String {
        place(self.store.as_ref(), &self.key)
    }

    /// Reads the record, if there is one, and remembers its version for [`Journal::save`].
    ///
    /// # Errors
    /// When the store fails, or when what is there is no record of this cluster in a known format.
    pub async fn load(&mut self) -> Result<Option<Record>, StateError> {
        let Some(stored) = self.get().await? else {
            self.version = None;
            return Ok(None);
        };
        let record = Record::from_bytes(&stored.bytes, &self.place())?;
        if record.cluster != self.cluster {
            let (found, expected) = (record.cluster, self.cluster.clone());
            return Err(StateError::OtherCluster { place: self.place(), found, expected });
        }
        self.version = Some(stored.etag);
        Ok(Some(record))
    }

    /// Writes the record over the version that was last loaded or saved.
    ///
    /// # Errors
    /// [`StateError::Overtaken`] when another run wrote in between: nothing was changed, and the caller keeps what it
    /// has in a local file. Any other error when the store fails.
    pub async fn save(&mut self, record: &Record) -> Result<(), StateError> {
        let unreadable = |source| StateError::Unreadable { place: self.place(), source };
        let bytes = record.to_bytes().map_err(unreadable)?;
        let condition = self.version.clone().map_or(Condition::Absent, Condition::Matches);
        let written = settle::put(self.store.as_ref(), &self.key, &bytes, &condition).await;
        match written.map_err(|source| self.failed(source))? {
            Written::Yes(etag) => {
                self.version = Some(etag);
                Ok(())
            }
            Written::Lost => Err(self.overtaken().await),
        }
    }

    /// Removes the record that was last loaded or saved: the cluster is gone.
    ///
    /// # Errors
    /// As [`Journal::save`].
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

    async fn get(&self) -> Result<Option<Stored>, StateError> {
        settle::get(self.store.as_ref(), &self.key).await.map_err(|source| self.failed(source))
    }

    async fn overtaken(&self) -> StateError {
        let found = match self.get().await {
            Ok(Some(stored)) => Record::from_bytes(&stored.bytes, &self.place()).map_or_else(
                |_| "by something that is no record".to_owned(),
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
