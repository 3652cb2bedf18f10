//! Files that several processes change: one at a time, each change completely or not at all.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A lock between processes, held until it is dropped (or its process dies).
#[derive(Debug)]
pub struct FileLock {
    _file: File,
}

impl FileLock {
    /// Waits until no other process holds the lock of this path. The file stays after the lock is released: removing it would
    /// let two processes lock two different files of one name.
    pub fn acquire(path: &Path) -> io::Result<Self> {
        let file = File::options().create(true).truncate(false).write(true).open(path)?;
        file.lock()?;
        Ok(Self { _file: file })
    }
}

/// The durability of a finished write: it survives the loss of power, or only the end of its process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriteDurability {
    /// Written through to the disk.
    Power,
    /// Written to the operating system.
    Process,
}

/// Replaces a file as a whole: a reader gets the old content or the new one, never a part.
///
/// Its time of modification grows with every replacement, even within one tick of the disk's clock. The caller holds
/// the lock.
pub fn replace(path: &Path, bytes: &[u8], durability: WriteDurability) -> io::Result<()> {
    if let Some(directory) = path.parent() {
        fs::create_dir_all(directory)?;
    }
    let draft = beside(path);
    let mut file = File::create(&draft)?;
    file.write_all(bytes)?;
    if let Some(before) = modified(path)?
        && file.metadata()?.modified()? <= before
    {
        file.set_modified(before + Duration::from_micros(1))?;
    }
    if durability == WriteDurability::Power {
        file.sync_all()?;
    }
    drop(file);
    fs::rename(&draft, path)
}

/// Returns the content of a file, if it exists.
pub fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    found(fs::read(path))
}

/// Returns `None` instead of an error, if the file does not exist.
pub fn found<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Returns `true` if a file is the draft of a replacement, which a killed process leaves behind.
pub fn is_draft(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "draft")
}

fn modified(path: &Path) -> io::Result<Option<std::time::SystemTime>> {
    found(fs::metadata(path).and_then(|metadata| metadata.modified()))
}

fn beside(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".draft");
    path.with_file_name(name)
}
