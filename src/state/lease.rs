//! The lease: one run works at a time, and the lease of a dead run expires soon.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until, timeout_at};
use tokio_util::sync::CancellationToken;

use super::{StateError, lease_key, place, record, settle};
use crate::engine::{Etag, Failure, ObjectStore, StoredObject, WriteCondition, WriteOutcome};

/// The format of the lease's file.
const FORMAT: u32 = 1;
/// Number of times that another run may be faster before taking the lease is given up.
const RACES: u32 = 8;

/// The holder of a lease.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeaseHolder {
    /// The run: a unique id.
    pub run: String,
    /// The person or role.
    pub who: String,
    /// The machine.
    pub host: String,
    /// The process on it.
    pub pid: u32,
    /// The identity of the process, where its system provides it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub process: Option<ProcessIdentity>,
    /// The operation, for example `apply`.
    pub operation: String,
    /// Start time, by its own clock.
    pub since: Timestamp,
}

/// The identity of a process beside its number: another machine, a container and a later process may have the same number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessIdentity {
    /// The boot of the machine: a unique id.
    pub boot: String,
    /// The namespace of process numbers.
    pub namespace: String,
    /// Start time, in the machine's ticks since its boot.
    pub started: u64,
}

/// A lease in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaseStatus {
    /// The run that holds it.
    pub holder: LeaseHolder,
    /// Time since its last renewal.
    pub age: Duration,
    /// `true` if it has not been renewed for its time to live: the next run takes over by itself.
    pub is_expired: bool,
}

/// The result of acquiring a lease.
#[derive(Debug)]
pub enum LeaseAcquisition {
    /// The lease was acquired.
    Acquired {
        /// The lease.
        lease: Lease,
        /// The last holder, if its lease had expired: that run did not end normally.
        took_over: Option<LeaseHolder>,
    },
    /// Another run holds it.
    Held {
        /// That run.
        holder: LeaseHolder,
        /// Time of its expiry unless it is renewed, by our clock.
        until: Timestamp,
    },
}

/// The result of releasing a lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeaseRelease {
    /// The lease was ours, and was removed.
    Ours,
    /// The lease was not ours: it had been lost. Nothing was removed.
    NotOurs,
}

/// The lease of one cluster, held until it is released, lost, or not renewed for its time to live.
///
/// A task renews it every third of that time. Dropping it stops the task, and the lease expires by itself.
#[derive(Debug)]
pub struct Lease {
    writer: Arc<LeaseWriter>,
    renewal: JoinHandle<()>,
    stop: CancellationToken,
    lost: CancellationToken,
}

/// The inputs for writing our lease.
struct LeaseWriter {
    store: Arc<dyn ObjectStore>,
    key: String,
    holder: LeaseHolder,
    ttl: Duration,
    /// The version that we wrote last.
    written: Mutex<Option<Etag>>,
}

/// The result of a renewal.
enum LeaseRenewal {
    /// The lease has this version now.
    Done(Etag),
    /// An earlier renewal took effect after all, and the lease has that version: renew from it.
    Again(Etag),
    /// Another run holds the lease, or no run does.
    Lost,
}

/// The content of the lease's file.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct LeaseFile {
    format: u32,
    #[serde(flatten)]
    holder: LeaseHolder,
    ttl_seconds: u64,
    /// Makes the content of each renewal different: a store's etag may be only the hash of it.
    renewals: u64,
}

impl Lease {
    /// Acquires the lease of a cluster if no run holds it, or if its holder has not renewed it for its time to live. The
    /// lease of a holder that `has_ended` is taken over at once.
    ///
    /// # Errors
    /// Returns an error if the store fails or the content is not a lease.
    pub async fn acquire(
        store: Arc<dyn ObjectStore>,
        cluster: &str,
        holder: LeaseHolder,
        ttl: Duration,
        has_ended: &(dyn Fn(&LeaseHolder) -> bool + Sync),
    ) -> Result<LeaseAcquisition, StateError> {
        LeaseWriter::new(store, cluster, holder, ttl).take(has_ended).await
    }

    /// Returns the lease of a cluster; `None` if no run holds it.
    ///
    /// # Errors
    /// Returns an error if the store fails or the content is not a lease.
    pub async fn inspect(store: &dyn ObjectStore, cluster: &str) -> Result<Option<LeaseStatus>, StateError> {
        let Some((file, stored)) = LeaseFile::read(store, &lease_key(cluster)).await? else { return Ok(None) };
        let is_expired = !file.is_alive(stored.age);
        Ok(Some(LeaseStatus { holder: file.holder, age: stored.age, is_expired }))
    }

    /// Removes the lease of a run from outside of it. Returns `false` if that run does not hold it (any more).
    ///
    /// # Errors
    /// Returns an error if the store fails or the content is not a lease.
    pub async fn remove(store: &dyn ObjectStore, cluster: &str, run: &str) -> Result<bool, StateError> {
        LeaseFile::remove(store, &lease_key(cluster), run).await
    }

    /// Waits until the lease is lost: another run holds it, or it could not be renewed in time.
    pub async fn lost(&self) {
        self.lost.cancelled().await;
    }

    /// Returns `true` if the lease is lost.
    pub fn is_lost(&self) -> bool {
        self.lost.is_cancelled()
    }

    /// Releases the lease: removes it if it is still ours, whatever the result of the last renewal was.
    ///
    /// # Errors
    /// Returns an error if the store fails; the lease then expires by itself.
    pub async fn release(mut self) -> Result<LeaseRelease, StateError> {
        self.stop_renewing().await;
        self.writer.remove().await
    }

    /// Returns `true` if the lease is ours, by a new renewal: for changes that must not be made without it. The lease then
    /// lasts for its time to live, from now on.
    ///
    /// # Errors
    /// Returns an error if the store fails.
    pub async fn confirm(&self) -> Result<bool, StateError> {
        // A renewal in flight may conflict with the first one.
        for _ in 0..RACES {
            let Some(etag) = self.writer.last_written() else { return Ok(false) };
            match self.writer.renew(fastrand::u64(..), &etag).await? {
                LeaseRenewal::Done(_) => return Ok(true),
                LeaseRenewal::Again(version) => {
                    *self.writer.written.lock().unwrap_or_else(PoisonError::into_inner) = Some(version);
                }
                LeaseRenewal::Lost => return Ok(false),
            }
        }
        Ok(false)
    }

    /// Stops renewing the lease: it lasts until the last renewal expires.
    pub async fn stop_renewing(&mut self) {
        if self.stop.is_cancelled() {
            return;
        }
        self.stop.cancel();
        // A renewal in flight is awaited, so that it cannot bring the lease back afterwards.
        let patience = Instant::now() + self.writer.ttl / 3;
        if timeout_at(patience, &mut self.renewal).await.is_err() {
            self.renewal.abort();
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.stop.cancel();
        self.renewal.abort();
    }
}

impl LeaseWriter {
    fn new(store: Arc<dyn ObjectStore>, cluster: &str, holder: LeaseHolder, ttl: Duration) -> Self {
        Self { store, key: lease_key(cluster), holder, ttl, written: Mutex::default() }
    }

    async fn take(self, has_ended: &(dyn Fn(&LeaseHolder) -> bool + Sync)) -> Result<LeaseAcquisition, StateError> {
        for _ in 0..RACES {
            let sent = Instant::now();
            // It is free most of the time: one call then.
            if let WriteOutcome::Yes(etag) = self.put(0, &WriteCondition::Absent).await? {
                return Ok(self.begin(etag, sent, None));
            }
            let Some((note, stored)) = LeaseFile::read(self.store.as_ref(), &self.key).await? else { continue };
            let sent = Instant::now();
            let is_own = note.holder.run == self.holder.run;
            if !is_own && note.is_alive(stored.age) && !has_ended(&note.holder) {
                let until = note.until(stored.age);
                return Ok(LeaseAcquisition::Held { holder: note.holder, until });
            }
            if let WriteOutcome::Yes(etag) = self.put(0, &WriteCondition::Matches(stored.etag)).await? {
                return Ok(self.begin(etag, sent, Some(note.holder)));
            }
        }
        Err(StateError::Contended { place: self.place() })
    }

    fn begin(self, etag: Etag, sent: Instant, took_over: Option<LeaseHolder>) -> LeaseAcquisition {
        let (writer, stop, lost) = (Arc::new(self), CancellationToken::new(), CancellationToken::new());
        let renewal = tokio::spawn(renew(Arc::clone(&writer), etag, sent, stop.clone(), lost.clone()));
        LeaseAcquisition::Acquired { lease: Lease { writer, renewal, stop, lost }, took_over }
    }

    async fn remove(&self) -> Result<LeaseRelease, StateError> {
        if let Some(etag) = self.last_written()
            && self.remove_version(&etag).await?
        {
            return Ok(LeaseRelease::Ours);
        }
        // Our last renewal may arrive late.
        let is_removed = LeaseFile::remove(self.store.as_ref(), &self.key, &self.holder.run).await?;
        Ok(if is_removed { LeaseRelease::Ours } else { LeaseRelease::NotOurs })
    }

    async fn remove_version(&self, etag: &Etag) -> Result<bool, StateError> {
        settle::remove(self.store.as_ref(), &self.key, etag).await.map_err(|source| self.failed(source))
    }

    fn last_written(&self) -> Option<Etag> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn renew(&self, renewals: u64, etag: &Etag) -> Result<LeaseRenewal, StateError> {
        if let WriteOutcome::Yes(etag) = self.put(renewals, &WriteCondition::Matches(etag.clone())).await? {
            return Ok(LeaseRenewal::Done(etag));
        }
        Ok(match self.get().await? {
            Some(stored) if self.parse(&stored).is_ok_and(|note| note.holder.run == self.holder.run) => {
                LeaseRenewal::Again(stored.etag)
            }
            _ => LeaseRenewal::Lost,
        })
    }

    async fn get(&self) -> Result<Option<StoredObject>, StateError> {
        settle::get(self.store.as_ref(), &self.key).await.map_err(|source| self.failed(source))
    }

    async fn put(&self, renewals: u64, condition: &WriteCondition) -> Result<WriteOutcome, StateError> {
        let note = LeaseFile { format: FORMAT, holder: self.holder.clone(), ttl_seconds: self.ttl.as_secs(), renewals };
        let bytes = serde_json::to_vec_pretty(&note)
            .map_err(|source| StateError::Unreadable { place: self.place(), source })?;
        let written = settle::put(self.store.as_ref(), &self.key, &bytes, condition).await;
        let written = written.map_err(|source| self.failed(source))?;
        if let WriteOutcome::Yes(etag) = &written {
            *self.written.lock().unwrap_or_else(PoisonError::into_inner) = Some(etag.clone());
        }
        Ok(written)
    }

    fn parse(&self, stored: &StoredObject) -> Result<LeaseFile, StateError> {
        record::parse(&stored.bytes, FORMAT, &self.place())
    }

    fn place(&self) -> String {
        place(self.store.as_ref(), &self.key)
    }

    fn failed(&self, source: Failure) -> StateError {
        StateError::Store { place: self.place(), source }
    }
}

impl LeaseFile {
    async fn read(store: &dyn ObjectStore, key: &str) -> Result<Option<(Self, StoredObject)>, StateError> {
        let stored = settle::get(store, key).await;
        let stored = stored.map_err(|source| StateError::Store { place: place(store, key), source })?;
        let Some(stored) = stored else { return Ok(None) };
        Ok(Some((record::parse(&stored.bytes, FORMAT, &place(store, key))?, stored)))
    }

    /// Removes the lease of a run. Returns `false` if that run does not hold it (any more).
    async fn remove(store: &dyn ObjectStore, key: &str, run: &str) -> Result<bool, StateError> {
        // Its holder may renew it meanwhile.
        for _ in 0..RACES {
            let Some((file, stored)) = Self::read(store, key).await? else { return Ok(false) };
            if file.holder.run != run {
                return Ok(false);
            }
            let removed = settle::remove(store, key, &stored.etag).await;
            if removed.map_err(|source| StateError::Store { place: place(store, key), source })? {
                return Ok(true);
            }
        }
        Err(StateError::Contended { place: place(store, key) })
    }

    fn is_alive(&self, age: Duration) -> bool {
        age <= Duration::from_secs(self.ttl_seconds)
    }

    fn until(&self, age: Duration) -> Timestamp {
        let left = Duration::from_secs(self.ttl_seconds).saturating_sub(age);
        let now = Timestamp::now();
        SignedDuration::try_from(left).ok().and_then(|left| now.checked_add(left).ok()).unwrap_or(now)
    }
}

/// Renews the lease until stopped, or until it is lost.
///
/// The time that counts is when the last successful renewal was *sent*: the store cannot have recorded it earlier, so no
/// other run can take the lease over before this one has given it up.
async fn renew(
    writer: Arc<LeaseWriter>,
    mut etag: Etag,
    sent: Instant,
    stop: CancellationToken,
    lost: CancellationToken,
) {
    let mut deadline = sent + writer.ttl;
    let mut pause = writer.ttl / 3;
    for renewals in 1.. {
        let next = deadline.min(Instant::now() + pause);
        tokio::select! {
            () = stop.cancelled() => return,
            () = sleep_until(next) => {}
        }
        let sent = Instant::now();
        match timeout_at(deadline, writer.renew(renewals, &etag)).await {
            Ok(Ok(LeaseRenewal::Done(version))) => {
                (etag, deadline, pause) = (version, sent + writer.ttl, writer.ttl / 3);
            }
            Ok(Ok(LeaseRenewal::Again(version))) => (etag, pause) = (version, Duration::ZERO),
            Ok(Err(_)) if Instant::now() < deadline => pause = writer.ttl / 12,
            Ok(Ok(LeaseRenewal::Lost) | Err(_)) | Err(_) => break,
        }
    }
    lost.cancel();
}

impl std::fmt::Debug for LeaseWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LeaseWriter").field("key", &self.key).field("holder", &self.holder).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
