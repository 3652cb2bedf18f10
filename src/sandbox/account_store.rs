//! The storage of the simulated account.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::SandboxError;
use super::account::{FORMAT, SimulatedAccount};
use crate::store::file::{self, FileLock, WriteDurability};

/// The file as last read, so that it is parsed only when another process has changed it.
type LastRead = Mutex<Option<(Vec<u8>, SimulatedAccount)>>;

/// The storage of the account: a directory for the commands, memory for property tests with thousands of clusters.
#[derive(Debug)]
pub(super) enum AccountStore {
    /// A file, shared with other processes.
    Directory {
        root: PathBuf,
        /// The file as last read.
        last: Box<LastRead>,
    },
    /// Memory, shared with all handles of the same account.
    Memory(Arc<Mutex<SimulatedAccount>>),
}

impl AccountStore {
    /// Creates storage in a directory.
    pub(super) fn directory(root: &Path) -> Self {
        Self::Directory { root: root.to_owned(), last: Box::default() }
    }

    /// Returns the file of a directory.
    fn file(root: &Path) -> PathBuf {
        root.join("cloud.json")
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
            Self::Memory(world) => Ok(change(&mut lock(world))),
            Self::Directory { root, last } => {
                let place = Self::file(root);
                let file_error = |source: io::Error| SandboxError::File { place: place.clone(), source };
                std::fs::create_dir_all(root).map_err(file_error)?;
                let _lock = FileLock::acquire(&root.join(".lock")).map_err(file_error)?;
                let mut last = lock(last);
                let bytes = file::read(&place).map_err(file_error)?;
                let mut world = match (bytes, last.take()) {
                    (Some(bytes), Some((stored, world))) if bytes == stored => world,
                    (Some(bytes), _) => parse(&bytes, &place)?,
                    (None, _) => found(),
                };
                let result = change(&mut world);
                let bytes = write(&world, &place)?;
                file::replace(&place, &bytes, WriteDurability::Process).map_err(file_error)?;
                *last = Some((bytes, world));
                Ok(result)
            }
        }
    }

    /// A copy of an account in memory; another handle of one in a directory.
    #[cfg(test)]
    pub(super) fn fork(&self) -> Self {
        match self {
            Self::Memory(world) => Self::Memory(Arc::new(Mutex::new(lock(world).clone()))),
            Self::Directory { root, .. } => Self::directory(root),
        }
    }

    /// Deletes the account.
    pub(super) fn clear(&self, found: impl FnOnce() -> SimulatedAccount) -> Result<(), SandboxError> {
        match self {
            Self::Memory(world) => *lock(world) = found(),
            Self::Directory { root, last } => {
                let place = Self::file(root);
                let file_error = |source: io::Error| SandboxError::File { place: place.clone(), source };
                if !root.exists() {
                    return Ok(());
                }
                let _lock = FileLock::acquire(&root.join(".lock")).map_err(file_error)?;
                *lock(last) = None;
                file::found(std::fs::remove_file(&place)).map_err(file_error)?;
                file::found(std::fs::remove_dir_all(root.join("s3"))).map_err(file_error)?;
            }
        }
        Ok(())
    }
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
    if format != FORMAT {
        return Err(SandboxError::OtherFormat { place: place.to_owned(), format, known: FORMAT });
    }
    serde_json::from_slice(bytes).map_err(file_error)
}

fn write(world: &SimulatedAccount, place: &Path) -> Result<Vec<u8>, SandboxError> {
    let mut bytes = serde_json::to_vec_pretty(world)
        .map_err(|source| SandboxError::Unreadable { place: place.to_owned(), source })?;
    bytes.push(b'\n');
    Ok(bytes)
}
