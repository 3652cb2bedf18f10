//! The storage of the simulated account: a snapshot, and a journal of the changes since.
//!
//! A call appends one line to the journal before it is answered, so it costs as much as it changes, not as much as the account
//! holds. When the journal has become longer than the snapshot, a new snapshot takes its place. `docs/sandbox.md` describes the
//! files.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use super::SandboxError;
use super::account::{FORMAT, SimulatedAccount};
use super::account_journal::{JournalEntry, JournalHeader, complete_lines, line};
use crate::store::file::{self, FileLock, WriteDurability};

/// The length of a journal, in bytes, up to which no new snapshot is written, however small the last one is. In tests, the
/// journal of a small cluster is longer.
const SHORTEST: u64 = if cfg!(test) { 32 * 1024 } else { 256 * 1024 };
/// The length of a journal at which a new snapshot is written, as a multiple of the length of the last one. So snapshots cost
/// half as much as the journal, however large the account is.
const LONGEST: u64 = 2;

/// The storage of the account: a directory for the commands, memory for property tests with thousands of clusters.
#[derive(Debug)]
pub(super) enum AccountStore {
    /// Files, shared with other processes.
    Directory(AccountDirectory),
    /// Memory, shared with all handles of the same account.
    Memory(Arc<Mutex<SimulatedAccount>>),
}

/// The directory of an account.
#[derive(Debug)]
pub(super) struct AccountDirectory {
    root: PathBuf,
    /// The account as last read or written, so that only the changes of other processes are read.
    last: Mutex<Option<LoadedAccount>>,
    #[cfg(test)]
    written: Mutex<WriteCounts>,
}

/// Writes of a handle, counted by tests.
#[cfg(test)]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct WriteCounts {
    pub(super) lines: u64,
    pub(super) line_bytes: u64,
    pub(super) snapshots: u64,
    pub(super) snapshot_bytes: u64,
}

/// An account, and the files that it was read from.
#[derive(Debug)]
struct LoadedAccount {
    account: Box<SimulatedAccount>,
    /// The snapshot; `None` if a new one must be written: there is none, or one of an older format.
    snapshot: Option<FileVersion>,
    /// Number of bytes of the journal that belong to the account; 0 if there is no journal of this snapshot.
    journal: u64,
}

/// The version of a file that is replaced as a whole: its time of modification grows with each replacement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct FileVersion {
    modified: SystemTime,
    length: u64,
}

impl AccountStore {
    /// Creates storage in a directory.
    pub(super) fn directory(root: &Path) -> Self {
        Self::Directory(AccountDirectory {
            root: root.to_owned(),
            last: Mutex::default(),
            #[cfg(test)]
            written: Mutex::default(),
        })
    }

    /// Runs `change` on the account under a lock, and stores the result before the lock is released.
    ///
    /// `found` creates the account if there is none yet.
    pub(super) fn with<T>(
        &self,
        found: impl FnOnce() -> SimulatedAccount,
        change: impl FnOnce(&mut SimulatedAccount) -> T,
    ) -> Result<T, SandboxError> {
        match self {
            Self::Memory(account) => {
                let mut account = lock(account);
                let result = change(&mut account);
                drop(account.take_changes());
                Ok(result)
            }
            Self::Directory(directory) => directory.with(found, change),
        }
    }

    /// A copy of an account in memory; another handle of one in a directory.
    #[cfg(test)]
    pub(super) fn fork(&self) -> Self {
        match self {
            Self::Memory(account) => Self::Memory(Arc::new(Mutex::new(lock(account).clone()))),
            Self::Directory(directory) => Self::directory(&directory.root),
        }
    }

    /// Returns the writes of this handle; none for an account in memory.
    #[cfg(test)]
    pub(super) fn written(&self) -> WriteCounts {
        match self {
            Self::Memory(_) => WriteCounts::default(),
            Self::Directory(directory) => *lock(&directory.written),
        }
    }

    /// Deletes the account.
    pub(super) fn clear(&self, found: impl FnOnce() -> SimulatedAccount) -> Result<(), SandboxError> {
        match self {
            Self::Memory(account) => *lock(account) = found(),
            Self::Directory(directory) => directory.clear()?,
        }
        Ok(())
    }
}

impl AccountDirectory {
    fn snapshot(&self) -> PathBuf {
        self.root.join("cloud.json")
    }

    fn journal(&self) -> PathBuf {
        self.root.join("cloud.journal")
    }

    fn with<T>(
        &self,
        found: impl FnOnce() -> SimulatedAccount,
        change: impl FnOnce(&mut SimulatedAccount) -> T,
    ) -> Result<T, SandboxError> {
        let place = self.snapshot();
        let file_error = |source: io::Error| SandboxError::File { place: place.clone(), source };
        fs::create_dir_all(&self.root).map_err(file_error)?;
        let _lock = FileLock::acquire(&self.root.join(".lock")).map_err(file_error)?;
        let mut last = lock(&self.last);
        // If anything fails from here on, the account is read again.
        let mut loaded = self.load(last.take(), found)?;
        let before = loaded.account.state.clone();
        let result = change(&mut loaded.account);
        self.store(&mut loaded, &before)?;
        *last = Some(loaded);
        Ok(result)
    }

    /// Returns the account as all processes have left it.
    fn load(
        &self,
        last: Option<LoadedAccount>,
        found: impl FnOnce() -> SimulatedAccount,
    ) -> Result<LoadedAccount, SandboxError> {
        let file_error = |source| SandboxError::File { place: self.snapshot(), source };
        let Some(version) = FileVersion::of(&self.snapshot()).map_err(file_error)? else {
            return Ok(LoadedAccount { account: Box::new(found()), snapshot: None, journal: 0 });
        };
        let length = FileVersion::of(&self.journal()).map_err(file_error)?.map_or(0, |journal| journal.length);
        let mut loaded = match last {
            Some(loaded) if loaded.snapshot == Some(version) && loaded.journal <= length => loaded,
            _ => self.read_snapshot(version)?,
        };
        if loaded.snapshot.is_some() && length > loaded.journal {
            self.read_journal(&mut loaded)?;
        }
        Ok(loaded)
    }

    fn read_snapshot(&self, version: FileVersion) -> Result<LoadedAccount, SandboxError> {
        let place = self.snapshot();
        let bytes = fs::read(&place).map_err(|source| SandboxError::File { place: place.clone(), source })?;
        let account = Box::new(parse(&bytes, &place)?);
        let snapshot = (account.format == FORMAT).then_some(version);
        Ok(LoadedAccount { account, snapshot, journal: 0 })
    }

    /// Repeats the calls that were written to the journal since it was last read.
    fn read_journal(&self, loaded: &mut LoadedAccount) -> Result<(), SandboxError> {
        let place = self.journal();
        let file_error = |source: io::Error| SandboxError::File { place: place.clone(), source };
        let mut journal = File::open(&place).map_err(file_error)?;
        journal.seek(SeekFrom::Start(loaded.journal)).map_err(file_error)?;
        let mut text = Vec::new();
        journal.read_to_end(&mut text).map_err(file_error)?;
        let (lines, length) = complete_lines(&text);
        let mut lines = (1..).zip(lines);
        let unreadable = |line, source| SandboxError::UnreadableLine { place: place.clone(), line, source };
        if loaded.journal == 0 {
            let Some((_, header)) = lines.next() else { return Ok(()) };
            let header: JournalHeader = serde_json::from_slice(header).map_err(|source| unreadable(1, source))?;
            if header.snapshot != loaded.account.snapshot {
                // A process was killed between a new snapshot, which holds all of this journal, and its removal.
                return Ok(());
            }
        }
        for (number, line) in lines {
            let entry: JournalEntry<'_> = serde_json::from_slice(line).map_err(|source| unreadable(number, source))?;
            entry.apply(&mut loaded.account);
        }
        drop(loaded.account.take_changes());
        loaded.journal += length as u64;
        Ok(())
    }

    /// Stores what a call has changed.
    fn store(&self, loaded: &mut LoadedAccount, before: &super::account::AccountState) -> Result<(), SandboxError> {
        let changes = loaded.account.take_changes();
        let Some(snapshot) = loaded.snapshot else { return self.write_snapshot(loaded) };
        if changes.is_empty() && loaded.account.state == *before {
            return Ok(());
        }
        let place = self.journal();
        let unreadable = |source| SandboxError::Unreadable { place: place.clone(), source };
        let mut bytes = Vec::new();
        if loaded.journal == 0 {
            bytes = line(&JournalHeader::new(loaded.account.snapshot)).map_err(unreadable)?;
        }
        bytes.extend(line(&JournalEntry::new(&loaded.account, &changes)).map_err(unreadable)?);
        if loaded.journal + bytes.len() as u64 > SHORTEST.max(snapshot.length.saturating_mul(LONGEST)) {
            return self.write_snapshot(loaded);
        }
        append(&place, loaded.journal, &bytes).map_err(|source| SandboxError::File { place, source })?;
        loaded.journal += bytes.len() as u64;
        #[cfg(test)]
        self.count(|written| (&mut written.lines, &mut written.line_bytes), bytes.len());
        Ok(())
    }

    /// Writes the whole account, in place of the last snapshot and its journal.
    fn write_snapshot(&self, loaded: &mut LoadedAccount) -> Result<(), SandboxError> {
        let place = self.snapshot();
        let file_error = |source: io::Error| SandboxError::File { place: place.clone(), source };
        // A journal that a killed process has left must not become that of the new snapshot.
        let left = self.journal_header().map_err(file_error)?.map_or(0, |header| header.snapshot);
        loaded.account.format = FORMAT;
        loaded.account.snapshot = left.max(loaded.account.snapshot) + 1;
        let mut bytes = serde_json::to_vec_pretty(&loaded.account)
            .map_err(|source| SandboxError::Unreadable { place: place.clone(), source })?;
        bytes.push(b'\n');
        file::replace(&place, &bytes, WriteDurability::Process).map_err(file_error)?;
        file::found(fs::remove_file(self.journal())).map_err(file_error)?;
        loaded.snapshot = FileVersion::of(&place).map_err(file_error)?;
        loaded.journal = 0;
        #[cfg(test)]
        self.count(|written| (&mut written.snapshots, &mut written.snapshot_bytes), bytes.len());
        Ok(())
    }

    /// Returns the first line of the journal; `None` without a complete one.
    fn journal_header(&self) -> io::Result<Option<JournalHeader>> {
        let Some(mut journal) = file::found(File::open(self.journal()))? else { return Ok(None) };
        let mut start = [0; 128];
        let read = journal.read(&mut start)?;
        let header = complete_lines(&start[..read]).0.next().map(serde_json::from_slice);
        Ok(header.and_then(Result::ok))
    }

    fn clear(&self) -> Result<(), SandboxError> {
        let place = self.snapshot();
        let file_error = |source: io::Error| SandboxError::File { place: place.clone(), source };
        if !self.root.exists() {
            return Ok(());
        }
        let _lock = FileLock::acquire(&self.root.join(".lock")).map_err(file_error)?;
        *lock(&self.last) = None;
        // The snapshot first: a journal without one is never read.
        file::found(fs::remove_file(&place)).map_err(file_error)?;
        file::found(fs::remove_file(self.journal())).map_err(file_error)?;
        file::found(fs::remove_dir_all(self.root.join("s3"))).map_err(file_error)?;
        Ok(())
    }

    #[cfg(test)]
    fn count(&self, which: impl FnOnce(&mut WriteCounts) -> (&mut u64, &mut u64), length: usize) {
        let mut written = lock(&self.written);
        let (writes, bytes) = which(&mut written);
        *writes += 1;
        *bytes += length as u64;
    }
}

impl FileVersion {
    /// Returns the version of a file; `None` if there is none.
    fn of(path: &Path) -> io::Result<Option<Self>> {
        let Some(metadata) = file::found(fs::metadata(path))? else { return Ok(None) };
        Ok(Some(Self { modified: metadata.modified()?, length: metadata.len() }))
    }
}

/// Appends to a file of which `length` bytes count. Others behind them are a line that a killed process did not complete, or a
/// journal of an earlier snapshot.
fn append(path: &Path, length: u64, bytes: &[u8]) -> io::Result<()> {
    let mut journal = File::options().create(true).truncate(false).write(true).open(path)?;
    if journal.metadata()?.len() > length {
        journal.set_len(length)?;
    }
    journal.seek(SeekFrom::Start(length))?;
    journal.write_all(bytes)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn parse(bytes: &[u8], place: &Path) -> Result<SimulatedAccount, SandboxError> {
    #[derive(serde::Deserialize)]
    struct StoredFormat {
        format: u32,
    }
    let file_error = |source| SandboxError::Unreadable { place: place.to_owned(), source };
    let StoredFormat { format } = serde_json::from_slice(bytes).map_err(file_error)?;
    if !(1..=FORMAT).contains(&format) {
        return Err(SandboxError::OtherFormat { place: place.to_owned(), format, known: FORMAT });
    }
    let mut account: SimulatedAccount = serde_json::from_slice(bytes).map_err(file_error)?;
    if format == 1 {
        account.state = serde_json::from_slice(bytes).map_err(file_error)?;
    }
    account.reindex();
    Ok(account)
}
