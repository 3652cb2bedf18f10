//! A simulated cloud: strict where AWS is strict, deterministic, and kept between commands.
//!
//! [`Sandbox`] stands behind the same boundary as AWS. It is for trying Quorate without an account, and it is the
//! laboratory of the property tests. `docs/sandbox.md` says what it does and what it does not.

mod controllers;
mod edit;
mod facts;
mod faults;
mod foreign;
mod gate;
mod home;
mod hurt;
mod limits;
mod links;
mod make;
mod names;
mod provider;
mod rules;
mod s3;
mod scaling;
mod secret;
mod sizes;
mod view;
#[cfg(test)]
mod witness;
mod world;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

pub use edit::{Edit, NotAnEdit};
pub use faults::{Crash, Faults, NotFaults};
pub use hurt::{HurtError, Resident};
pub use s3::BucketStore;

use crate::engine::{Class, Failure};
use crate::resource::ClusterLocation;
use crate::store::MemoryStore;
use faults::Fate;
use home::Home;
use names::Call;
use world::World;

/// How much simulated time a call takes, in milliseconds.
const CALL: u64 = 250;

/// What the simulated cloud is like, and from which cluster it is seen.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// The account's 12 digits; only counts for an account that does not exist yet.
    pub account: String,
    /// The region.
    pub region: String,
    /// The cluster: its objects are observed.
    pub cluster: String,
    /// The bucket that the cluster's file names: it is observed even if somebody else made it.
    pub bucket: Option<String>,
    /// Where the cluster lives. Without it, whatever has its name is its own.
    pub location: Option<ClusterLocation>,
    /// Decides every id; only counts for an account that does not exist yet.
    pub seed: u64,
    /// How many real seconds a simulated second of waiting takes. 0 does not wait at all.
    pub pace: f64,
    /// What goes wrong.
    pub faults: Faults,
}

impl Settings {
    /// A quick and quiet cloud.
    pub fn new(region: impl Into<String>, cluster: impl Into<String>) -> Self {
        Self {
            account: "123456789012".to_owned(),
            region: region.into(),
            cluster: cluster.into(),
            bucket: None,
            location: None,
            seed: 1,
            pace: 0.0,
            faults: Faults::default(),
        }
    }
}

/// Why the simulated account cannot be read or kept.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// The disk.
    #[error("the sandbox's file {place}: {source}")]
    File {
        /// The file.
        place: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// Not what was written.
    #[error("the sandbox's file {place} cannot be read ({source}); `quorate sandbox reset` starts afresh")]
    Unreadable {
        /// The file.
        place: PathBuf,
        /// Where it stops making sense.
        #[source]
        source: serde_json::Error,
    },
    /// Written by another version.
    #[error(
        "the sandbox's file {place} has format {format}, and this Quorate knows {known}; `quorate sandbox reset` starts afresh"
    )]
    OtherFormat {
        /// The file.
        place: PathBuf,
        /// The format that was found.
        format: u32,
        /// The one that is known.
        known: u32,
    },
}

/// A simulated account and region, seen from one cluster. Clones are the same process.
#[derive(Debug, Clone)]
pub struct Sandbox {
    settings: Arc<Settings>,
    home: Arc<Home>,
    disk: Disk,
    process: Arc<Process>,
}

/// Where the contents of buckets are.
#[derive(Debug, Clone)]
enum Disk {
    Directory(PathBuf),
    Memory(MemoryStore),
}

/// What ends with the process.
#[derive(Debug, Default)]
struct Process {
    /// How many calls it has made.
    number: AtomicU64,
    /// The same, by action.
    tally: Mutex<BTreeMap<String, u64>>,
    /// When the last one was.
    last: Mutex<Option<Instant>>,
    /// Dead, by [`Faults::crash`].
    crashed: CancellationToken,
    /// Watches every step, in tests.
    #[cfg(test)]
    witness: Mutex<witness::Witness>,
}

impl Sandbox {
    /// The account that is kept in a directory. Touches nothing until the first call.
    pub fn open(directory: &Path, settings: Settings) -> Self {
        Self::new(Home::directory(directory), Disk::Directory(directory.join("s3")), settings)
    }

    /// An account of its own, gone with its last handle.
    pub fn in_memory(settings: Settings) -> Self {
        let world = foreign::found(&settings);
        Self::new(Home::Memory(Arc::new(Mutex::new(world))), Disk::Memory(MemoryStore::new()), settings)
    }

    /// The same account as another process sees it.
    #[must_use]
    pub fn again(&self, settings: Settings) -> Self {
        let (home, disk) = (Arc::clone(&self.home), self.disk.clone());
        Self { settings: Arc::new(settings), home, disk, process: Arc::default() }
    }

    fn new(home: Home, disk: Disk, settings: Settings) -> Self {
        Self { settings: Arc::new(settings), home: Arc::new(home), disk, process: Arc::default() }
    }

    /// How the cloud was opened.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// How often each action was called by this process.
    pub fn calls(&self) -> BTreeMap<String, u64> {
        lock(&self.process.tally).clone()
    }

    /// Ends when the process has died by [`Faults::crash`]. What runs then never returns and is to be dropped.
    pub async fn crashed(&self) {
        self.process.crashed.cancelled().await;
    }

    /// Makes one call: it takes simulated time, may meet a fault, and is kept before it is answered.
    async fn call<T: Send>(
        &self,
        call: &Call,
        changes: bool,
        effect: impl FnOnce(&mut World, &Fate) -> Result<T, Failure> + Send,
    ) -> Result<T, Failure> {
        let number = self.begin(call).await;
        let gap = self.gap();
        let answer = self.with(|world| {
            world.calls += 1;
            world.clock += CALL + gap;
            world.settle();
            let fate = self.settings.faults.fate(world.calls, call, changes);
            if let Some(failure) = fate.before {
                return Err(failure);
            }
            let result = effect(world, &fate)?;
            world.settle();
            #[cfg(test)]
            lock(&self.process.witness).look(call, world);
            fate.after.map_or(Ok(result), Err)
        });
        if self.dies(number, true) {
            self.die().await;
        }
        answer.map_err(|error| call.failure(Class::Fatal, "SandboxFile", error.to_string()))?
    }

    /// Counts a call, and lets it begin: or never.
    async fn begin(&self, call: &Call) -> u64 {
        // Other tasks get their turn here, as they would at a real call.
        tokio::task::yield_now().await;
        if self.process.crashed.is_cancelled() {
            self.die().await;
        }
        let number = self.count(call);
        if self.dies(number, false) {
            self.die().await;
        }
        let delay = self.settings.faults.delay(number);
        if !delay.is_zero() {
            tokio::time::sleep(delay).await;
        }
        number
    }

    fn count(&self, call: &Call) -> u64 {
        *lock(&self.process.tally).entry(call.action.clone()).or_default() += 1;
        self.process.number.fetch_add(1, Ordering::Relaxed) + 1
    }

    fn dies(&self, number: u64, after: bool) -> bool {
        self.settings.faults.crash.is_some_and(|crash| crash.call == number && crash.after == after)
    }

    async fn die(&self) {
        self.process.crashed.cancel();
        std::future::pending::<()>().await;
    }

    /// The time since the last call, in milliseconds. It counts only while something can go wrong, so that a quiet cloud
    /// is the same however fast the machine is; retries, however, wait for time to pass.
    fn gap(&self) -> u64 {
        let now = Instant::now();
        let last = lock(&self.process.last).replace(now);
        match last {
            Some(last) if self.settings.faults.any() => {
                u64::try_from(now.duration_since(last).as_millis()).unwrap_or_default()
            }
            _ => 0,
        }
    }

    /// Lets simulated time pass until a moment; really waits as the pace says.
    async fn wait_until(&self, call: &Call, moment: u64) -> Result<(), Failure> {
        let now = self.with(|world| world.clock);
        let now = now.map_err(|error| call.failure(Class::Fatal, "SandboxFile", error.to_string()))?;
        let left = Duration::from_millis(moment.saturating_sub(now)).mul_f64(self.settings.pace);
        if !left.is_zero() {
            tokio::time::sleep(left).await;
        }
        self.call(call, false, |world, _| {
            world.clock = world.clock.max(moment);
            world.settle();
            Ok(())
        })
        .await
    }

    /// Works on the account, alone.
    fn with<T>(&self, change: impl FnOnce(&mut World) -> T) -> Result<T, SandboxError> {
        self.home.with(|| foreign::found(&self.settings), change)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
