//! A simulated cloud: as strict as AWS, deterministic, and kept between commands.
//!
//! [`Sandbox`] implements the same interface as AWS. It is for trying Quorate without an account, and for
//! the property tests. `docs/sandbox.md` describes its limits.

mod account;
mod account_index;
mod account_journal;
mod account_store;
mod api_firewall;
mod controllers;
mod edit;
mod facts;
mod faults;
mod foreign;
mod inject;
mod kinds;
mod limits;
mod links;
mod make;
mod names;
mod provider;
mod rules;
mod s3;
mod scaling;
mod secret;
mod simulated_kind;
mod sizes;
mod spare;
mod view;
#[cfg(test)]
mod witness;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

pub use edit::{AttributeEdit, NotAnEdit};
pub use faults::{CrashPoint, FaultRates, NotFaults};
pub use inject::{AccountObject, InjectError};
pub use s3::BucketStore;
#[cfg(test)]
pub(crate) use witness::{ClusterWitness, WitnessedMoment};

use crate::engine::{ChangeCounter, Failure, FailureClass};
use crate::resource::ClusterLocation;
use crate::store::MemoryStore;
use account::SimulatedAccount;
use account_store::AccountStore;
use faults::CallFate;
use names::ApiCall;

/// Simulated duration of a call, in milliseconds.
const CALL: u64 = 250;

/// Settings of the simulated cloud, and the cluster that uses it.
#[derive(Debug, Clone, PartialEq)]
pub struct SandboxSettings {
    /// The account's 12 digits; only counts for an account that does not exist yet.
    pub account: String,
    /// The region.
    pub region: String,
    /// The cluster: its objects are observed.
    pub cluster: String,
    /// The bucket that the cluster's file names: it is observed even if another tool created it.
    pub bucket: Option<String>,
    /// The location of the cluster. Without it, every object with the cluster's name is its own.
    pub location: Option<ClusterLocation>,
    /// The seed of every id; only counts for an account that does not exist yet.
    pub seed: u64,
    /// Real seconds that a simulated second of waiting takes. 0 does not wait at all.
    pub pace: f64,
    /// The injected faults.
    pub faults: FaultRates,
}

impl SandboxSettings {
    /// Returns the settings of a cloud without faults and waiting.
    pub fn new(region: impl Into<String>, cluster: impl Into<String>) -> Self {
        Self {
            account: "123456789012".to_owned(),
            region: region.into(),
            cluster: cluster.into(),
            bucket: None,
            location: None,
            seed: 1,
            pace: 0.0,
            faults: FaultRates::default(),
        }
    }
}

/// Error of reading or storing the simulated account.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// The file cannot be read or written.
    #[error("the sandbox's file {place}: {source}")]
    File {
        /// The file.
        place: PathBuf,
        /// The error of the system.
        #[source]
        source: std::io::Error,
    },
    /// The file is not valid.
    #[error("the sandbox's file {place} cannot be read ({source}); `quorate sandbox reset` starts with an empty one")]
    Unreadable {
        /// The file.
        place: PathBuf,
        /// The error of the parser, with its position.
        #[source]
        source: serde_json::Error,
    },
    /// A line of the journal is not valid.
    #[error(
        "line {line} of the sandbox's file {place} cannot be read ({source}); `quorate sandbox reset` starts with an empty one"
    )]
    UnreadableLine {
        /// The file.
        place: PathBuf,
        /// The number of the line since the process opened the file, from 1.
        line: usize,
        /// The error of the parser.
        #[source]
        source: serde_json::Error,
    },
    /// The file has the format of another version.
    #[error(
        "the sandbox's file {place} has format {format}, and this Quorate knows {known}; `quorate sandbox reset` starts with an empty one"
    )]
    OtherFormat {
        /// The file.
        place: PathBuf,
        /// The format that was found.
        format: u32,
        /// The format that this version supports.
        known: u32,
    },
}

/// A simulated account and region, used by one cluster. Clones share the same process.
#[derive(Debug, Clone)]
pub struct Sandbox {
    settings: Arc<SandboxSettings>,
    home: Arc<AccountStore>,
    disk: ContentStore,
    process: Arc<ProcessState>,
}

/// The storage of the contents of buckets.
#[derive(Debug, Clone)]
enum ContentStore {
    Directory(PathBuf),
    Memory(MemoryStore),
}

/// State that ends with the process.
#[derive(Debug, Default)]
struct ProcessState {
    /// Number of calls that it has made.
    number: AtomicU64,
    /// Number of calls that have changed the account, or may have.
    changes: ChangeCounter,
    /// Number of calls of each action.
    tally: Mutex<BTreeMap<String, u64>>,
    /// The time of the last call.
    last: Mutex<Option<Instant>>,
    /// Cancelled when the process has died by [`FaultRates::crash`].
    crashed: CancellationToken,
    /// Checks every step, in tests.
    #[cfg(test)]
    witness: Mutex<ClusterWitness>,
}

impl Sandbox {
    /// Opens the account in a directory. Nothing is read or written until the first call.
    pub fn open(directory: &Path, settings: SandboxSettings) -> Self {
        Self::new(AccountStore::directory(directory), ContentStore::Directory(directory.join("s3")), settings)
    }

    /// Creates an account in memory, which is deleted with its last handle.
    pub fn in_memory(settings: SandboxSettings) -> Self {
        let world = foreign::found(&settings);
        Self::new(AccountStore::Memory(Arc::new(Mutex::new(world))), ContentStore::Memory(MemoryStore::new()), settings)
    }

    /// Returns the same account for another process.
    #[must_use]
    pub fn again(&self, settings: SandboxSettings) -> Self {
        let (home, disk) = (Arc::clone(&self.home), self.disk.clone());
        Self { settings: Arc::new(settings), home, disk, process: Arc::default() }
    }

    /// The same account as the same process sees it from another cluster or place.
    #[must_use]
    pub fn seen_by(&self, settings: SandboxSettings) -> Self {
        Self { settings: Arc::new(settings), ..self.clone() }
    }

    /// An independent copy of an account in memory.
    #[cfg(test)]
    pub(crate) fn fork(&self) -> Self {
        let home = self.home.fork();
        let disk = match &self.disk {
            ContentStore::Memory(memory) => ContentStore::Memory(memory.fork()),
            directory @ ContentStore::Directory(_) => directory.clone(),
        };
        Self { home: Arc::new(home), disk, process: Arc::default(), settings: Arc::clone(&self.settings) }
    }

    fn new(home: AccountStore, disk: ContentStore, settings: SandboxSettings) -> Self {
        Self { settings: Arc::new(settings), home: Arc::new(home), disk, process: Arc::default() }
    }

    /// Returns the settings of the cloud.
    pub fn settings(&self) -> &SandboxSettings {
        &self.settings
    }

    /// Returns the number of calls of each action by this process.
    pub fn calls(&self) -> BTreeMap<String, u64> {
        lock(&self.process.tally).clone()
    }

    /// Waits until the process has died by [`FaultRates::crash`]. Pending work then never returns and must be dropped.
    pub async fn crashed(&self) {
        self.process.crashed.cancelled().await;
    }

    /// Makes one call, and counts what it changes.
    async fn call<T: Send>(
        &self,
        call: &ApiCall,
        changes: bool,
        effect: impl FnOnce(&mut SimulatedAccount, &CallFate) -> Result<T, Failure> + Send,
    ) -> Result<T, Failure> {
        let answer = self.call_uncounted(call, changes, effect).await;
        if changes {
            self.process.changes.count(&answer);
        }
        answer
    }

    /// Makes one call: it takes simulated time, may fail by a fault, and is stored before it is answered.
    async fn call_uncounted<T: Send>(
        &self,
        call: &ApiCall,
        changes: bool,
        effect: impl FnOnce(&mut SimulatedAccount, &CallFate) -> Result<T, Failure> + Send,
    ) -> Result<T, Failure> {
        let number = self.start_call(call).await;
        let gap = self.gap();
        let answer = self.with(|world| {
            world.state.calls += 1;
            world.state.clock += CALL + gap;
            world.settle();
            let fate = self.settings.faults.fate(world.state.calls, call, changes);
            if let Some(failure) = fate.before {
                return Err(failure);
            }
            let result = effect(world, &fate)?;
            world.settle();
            #[cfg(test)]
            lock(&self.process.witness).observe(call, world);
            fate.after.map_or(Ok(result), Err)
        });
        if self.dies(number, true) {
            self.die().await;
        }
        answer.map_err(|error| call.failure(FailureClass::Fatal, "SandboxFile", error.to_string()))?
    }

    /// Counts a call, and lets it begin, unless the process dies.
    async fn start_call(&self, call: &ApiCall) -> u64 {
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

    fn count(&self, call: &ApiCall) -> u64 {
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

    /// Returns the time since the last call, in milliseconds; 0 if no fault can occur, so that a cloud without faults
    /// does not depend on the speed of the machine. With faults, retries wait for time to pass.
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

    /// Advances simulated time to a moment; waits in real time according to the pace.
    async fn wait_until(&self, call: &ApiCall, moment: u64) -> Result<(), Failure> {
        let now = self.with(|world| world.state.clock);
        let now = now.map_err(|error| call.failure(FailureClass::Fatal, "SandboxFile", error.to_string()))?;
        let left = Duration::from_millis(moment.saturating_sub(now)).mul_f64(self.settings.pace);
        if !left.is_zero() {
            tokio::time::sleep(left).await;
        }
        self.call(call, false, |world, _| {
            world.state.clock = world.state.clock.max(moment);
            world.settle();
            Ok(())
        })
        .await
    }

    /// Runs `change` on the account, alone.
    fn with<T>(&self, change: impl FnOnce(&mut SimulatedAccount) -> T) -> Result<T, SandboxError> {
        self.home.with(|| foreign::found(&self.settings), change)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
