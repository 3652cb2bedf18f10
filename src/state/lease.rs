//! The lease: one run works at a time, and a dead one stands in nobody's way for long.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until, timeout_at};
use tokio_util::sync::CancellationToken;

use super::{StateError, lease_key, place, record, settle};
use crate::engine::{Condition, Etag, Failure, Store, Stored, Written};

/// The format of the lease's file.
const FORMAT: u32 = 1;
/// How often another run may be faster before taking the lease is given up.
const RACES: u32 = 8;

/// Who holds a lease.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// The run: unlike any other.
    pub run: String,
    /// The person or role.
    pub who: String,
    /// The machine.
    pub host: String,
    /// The process on it.
    pub pid: u32,
    /// What it does, for example `apply`.
    pub operation: String,
    /// Since when, by its own clock.
    pub since: Timestamp,
}

/// What became of the wish for a lease.
#[derive(Debug)]
pub enum Acquisition {
    /// It is ours.
    Acquired {
        /// The lease.
        lease: Lease,
        /// Whose it was when it expired: that run did not end well.
        took_over: Option<Holder>,
    },
    /// Another run has it.
    Held {
        /// Which one.
        holder: Holder,
        /// When it expires unless it is renewed, by our clock.
        until: Timestamp,
    },
}

/// What releasing a lease found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Released {
    /// Ours, and removed it.
    Ours,
    /// None of ours: it had been lost. Nothing was removed.
    NotOurs,
}

/// The lease of one cluster, ours until it is released, lost, or not renewed for its time to live.
///
/// A task renews it every third of that time. Dropping it stops the task, and the lease expires by itself.
#[derive(Debug)]
pub struct Lease {
    tenure: Arc<Tenure>,
    renewal: JoinHandle<()>,
    stop: CancellationToken,
    lost: CancellationToken,
}

/// What is needed to write our lease.
struct Tenure {
    store: Arc<dyn Store>,
    key: String,
    holder: Holder,
    ttl: Duration,
    /// The version that we wrote last.
    written: Mutex<Option<Etag>>,
}

/// What became of a renewal.
enum Renewal {
    /// The lease has this version now.
    Done(Etag),
    /// An earlier renewal took effect after all, and the lease has that version: to be renewed from there.
    Again(Etag),
    /// Another run has the lease, or nobody.
    Lost,
}

/// The file.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Note {
    format: u32,
    #[serde(flatten)]
    holder: Holder,
    ttl_seconds: u64,
    /// Makes each renewal another content: a store's etag may be no more than the hash of it.
    renewals: u64,
}

impl Lease {
    /// Takes the lease of a cluster if nobody has it, or if who has it has not renewed it for its time to live.
    ///
    /// # Errors
    /// When the store fails or what is there is no lease.
    pub async fn acquire(
        store: Arc<dyn Store>,
        cluster: &str,
        holder: Holder,
        ttl: Duration,
    ) -> Result<Acquisition, StateError> {
        Tenure::new(store, cluster, holder, ttl).take().await
    }

    /// Ends when the lease is no longer ours: another run has it, or it could not be renewed in time.
    pub async fn lost(&self) {
        self.lost.cancelled().await;
    }

    /// Whether the lease is no longer ours.
    pub fn is_lost(&self) -> bool {
        self.lost.is_cancelled()
    }

    /// Gives the lease back: removes it if it is still ours, whatever became of the last renewal.
    ///
    /// # Errors
    /// When the store fails; the lease then expires by itself.
    pub async fn release(mut self) -> Result<Released, StateError> {
        self.stop_renewing().await;
        self.tenure.remove().await
    }

    /// Whether the lease is ours, by a renewal of its own: for what must not be done without it. It then lasts for its time
    /// to live, from now on.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn confirm(&self) -> Result<bool, StateError> {
        // A renewal that is under way may be in the way of the first one.
        for _ in 0..RACES {
            let Some(etag) = self.tenure.last_written() else { return Ok(false) };
            match self.tenure.renew(fastrand::u64(..), &etag).await? {
                Renewal::Done(_) => return Ok(true),
                Renewal::Again(version) => {
                    *self.tenure.written.lock().unwrap_or_else(PoisonError::into_inner) = Some(version);
                }
                Renewal::Lost => return Ok(false),
            }
        }
        Ok(false)
    }

    /// Renews the lease no more: it is ours for as long as its last renewal lasts.
    pub async fn stop_renewing(&mut self) {
        if self.stop.is_cancelled() {
            return;
        }
        self.stop.cancel();
        // A renewal that is under way is let finish, so that it cannot bring the lease back afterwards.
        let patience = Instant::now() + self.tenure.ttl / 3;
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

impl Tenure {
    fn new(store: Arc<dyn Store>, cluster: &str, holder: Holder, ttl: Duration) -> Self {
        Self { store, key: lease_key(cluster), holder, ttl, written: Mutex::default() }
    }

    async fn take(self) -> Result<Acquisition, StateError> {
        for _ in 0..RACES {
            let sent = Instant::now();
            // Nobody has it most of the time: one call then.
            if let Written::Yes(etag) = self.put(0, &Condition::Absent).await? {
                return Ok(self.begin(etag, sent, None));
            }
            let Some(stored) = self.get().await? else { continue };
            let sent = Instant::now();
            let note = self.parse(&stored)?;
            if note.holder.run != self.holder.run && note.is_alive(stored.age) {
                let until = note.until(stored.age);
                return Ok(Acquisition::Held { holder: note.holder, until });
            }
            if let Written::Yes(etag) = self.put(0, &Condition::Matches(stored.etag)).await? {
                return Ok(self.begin(etag, sent, Some(note.holder)));
            }
        }
        Err(StateError::Contended { place: self.place() })
    }

    fn begin(self, etag: Etag, sent: Instant, took_over: Option<Holder>) -> Acquisition {
        let (tenure, stop, lost) = (Arc::new(self), CancellationToken::new(), CancellationToken::new());
        let renewal = tokio::spawn(renew(Arc::clone(&tenure), etag, sent, stop.clone(), lost.clone()));
        Acquisition::Acquired { lease: Lease { tenure, renewal, stop, lost }, took_over }
    }

    async fn remove(&self) -> Result<Released, StateError> {
        if let Some(etag) = self.last_written()
            && self.remove_version(&etag).await?
        {
            return Ok(Released::Ours);
        }
        // Another look is needed when our last renewal arrives late.
        for _ in 0..RACES {
            let Some(stored) = self.get().await? else { return Ok(Released::NotOurs) };
            if self.parse(&stored)?.holder.run != self.holder.run {
                return Ok(Released::NotOurs);
            }
            if self.remove_version(&stored.etag).await? {
                return Ok(Released::Ours);
            }
        }
        Err(StateError::Contended { place: self.place() })
    }

    async fn remove_version(&self, etag: &Etag) -> Result<bool, StateError> {
        settle::remove(self.store.as_ref(), &self.key, etag).await.map_err(|source| self.failed(source))
    }

    fn last_written(&self) -> Option<Etag> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn renew(&self, renewals: u64, etag: &Etag) -> Result<Renewal, StateError> {
        if let Written::Yes(etag) = self.put(renewals, &Condition::Matches(etag.clone())).await? {
            return Ok(Renewal::Done(etag));
        }
        Ok(match self.get().await? {
            Some(stored) if self.parse(&stored).is_ok_and(|note| note.holder.run == self.holder.run) => {
                Renewal::Again(stored.etag)
            }
            _ => Renewal::Lost,
        })
    }

    async fn get(&self) -> Result<Option<Stored>, StateError> {
        settle::get(self.store.as_ref(), &self.key).await.map_err(|source| self.failed(source))
    }

    async fn put(&self, renewals: u64, condition: &Condition) -> Result<Written, StateError> {
        let note = Note { format: FORMAT, holder: self.holder.clone(), ttl_seconds: self.ttl.as_secs(), renewals };
        let bytes = serde_json::to_vec_pretty(&note)
            .map_err(|source| StateError::Unreadable { place: self.place(), source })?;
        let written = settle::put(self.store.as_ref(), &self.key, &bytes, condition).await;
        let written = written.map_err(|source| self.failed(source))?;
        if let Written::Yes(etag) = &written {
            *self.written.lock().unwrap_or_else(PoisonError::into_inner) = Some(etag.clone());
        }
        Ok(written)
    }

    fn parse(&self, stored: &Stored) -> Result<Note, StateError> {
        record::parse(&stored.bytes, FORMAT, &self.place())
    }

    fn place(&self) -> String {
        place(self.store.as_ref(), &self.key)
    }

    fn failed(&self, source: Failure) -> StateError {
        StateError::Store { place: self.place(), source }
    }
}

impl Note {
    fn is_alive(&self, age: Duration) -> bool {
        age <= Duration::from_secs(self.ttl_seconds)
    }

    fn until(&self, age: Duration) -> Timestamp {
        let left = Duration::from_secs(self.ttl_seconds).saturating_sub(age);
        let now = Timestamp::now();
        SignedDuration::try_from(left).ok().and_then(|left| now.checked_add(left).ok()).unwrap_or(now)
    }
}

/// Renews the lease until told to stop, or until it is lost.
///
/// What counts is when the last renewal that succeeded was *sent*: the store cannot have noted it earlier, so nobody
/// can take the lease over before we have given it up.
async fn renew(tenure: Arc<Tenure>, mut etag: Etag, sent: Instant, stop: CancellationToken, lost: CancellationToken) {
    let mut deadline = sent + tenure.ttl;
    let mut pause = tenure.ttl / 3;
    for renewals in 1.. {
        let next = deadline.min(Instant::now() + pause);
        tokio::select! {
            () = stop.cancelled() => return,
            () = sleep_until(next) => {}
        }
        let sent = Instant::now();
        match timeout_at(deadline, tenure.renew(renewals, &etag)).await {
            Ok(Ok(Renewal::Done(version))) => {
                (etag, deadline, pause) = (version, sent + tenure.ttl, tenure.ttl / 3);
            }
            Ok(Ok(Renewal::Again(version))) => (etag, pause) = (version, Duration::ZERO),
            Ok(Err(_)) if Instant::now() < deadline => pause = tenure.ttl / 12,
            Ok(Ok(Renewal::Lost) | Err(_)) | Err(_) => break,
        }
    }
    lost.cancel();
}

impl std::fmt::Debug for Tenure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tenure").field("key", &self.key).field("holder", &self.holder).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
