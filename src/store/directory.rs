//! A directory as a store.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use sha2::{Digest, Sha256};

use super::file::{self, FileLock, WriteDurability};
use super::{is_key, not_a_key};
use crate::engine::{BoxFuture, Etag, Failure, FailureClass, ObjectStore, StoredObject, WriteCondition, WriteOutcome};

/// The file whose lock orders the writes to the directory.
const LOCK: &str = ".lock";

/// A directory whose files are the objects, for `state = "file:./dir"`.
///
/// Writers of all processes exclude each other with a file lock, and a file is replaced by renaming, so a reader never
/// sees a partial file. An object's version is the hash of its content and of its time of writing; its age is computed
/// from that time. The calls block for as long as the disk does: the files are few and small.
#[derive(Debug, Clone)]
pub struct DirectoryStore {
    root: PathBuf,
}

impl DirectoryStore {
    /// Returns the store in this directory, which need not exist yet.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    fn path(&self, action: &str, key: &str) -> Result<PathBuf, Failure> {
        if is_key(key) && key != LOCK && !file::is_draft(Path::new(key)) {
            Ok(self.root.join(key))
        } else {
            Err(not_a_key("directory", action, key))
        }
    }

    fn lock(&self) -> io::Result<FileLock> {
        fs::create_dir_all(&self.root)?;
        FileLock::acquire(&self.root.join(LOCK))
    }

    fn write(&self, path: &Path, bytes: &[u8], condition: &WriteCondition) -> io::Result<WriteOutcome> {
        let _lock = self.lock()?;
        let now = read(path)?.map(|stored| stored.etag);
        let holds = match condition {
            WriteCondition::Absent => now.is_none(),
            WriteCondition::Matches(etag) => now.as_ref() == Some(etag),
        };
        if !holds {
            return Ok(WriteOutcome::Lost);
        }
        file::replace(path, bytes, WriteDurability::Power)?;
        Ok(read(path)?.map_or(WriteOutcome::Lost, |stored| WriteOutcome::Yes(stored.etag)))
    }

    fn delete(&self, path: &Path, etag: &Etag) -> io::Result<bool> {
        let _lock = self.lock()?;
        if read(path)?.is_none_or(|stored| stored.etag != *etag) {
            return Ok(false);
        }
        fs::remove_file(path)?;
        self.prune(path);
        Ok(true)
    }

    fn keys(&self, prefix: &str) -> io::Result<Vec<String>> {
        let mut keys = Vec::new();
        walk(&self.root, "", &mut keys)?;
        keys.retain(|key| key.starts_with(prefix) && key != LOCK && !file::is_draft(Path::new(key)));
        keys.sort();
        Ok(keys)
    }

    fn clear(&self, prefix: &str) -> io::Result<()> {
        if !self.root.exists() {
            return Ok(());
        }
        let _lock = self.lock()?;
        for key in self.keys(prefix)? {
            let path = self.root.join(key);
            file::found(fs::remove_file(&path))?;
            self.prune(&path);
        }
        Ok(())
    }

    fn drop_file(&self, path: &Path) -> io::Result<()> {
        if !self.root.exists() {
            return Ok(());
        }
        let _lock = self.lock()?;
        file::found(fs::remove_file(path))?;
        self.prune(path);
        Ok(())
    }

    /// Removes the directories above a removed file that are now empty; any other directory stays.
    fn prune(&self, path: &Path) {
        let above = path.ancestors().skip(1).take_while(|directory| *directory != self.root);
        for directory in above {
            if fs::remove_dir(directory).is_err() {
                break;
            }
        }
    }
}

impl ObjectStore for DirectoryStore {
    fn location(&self) -> String {
        format!("file:{}", self.root.display())
    }

    fn get<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<StoredObject>, Failure>> {
        Box::pin(async move { read(&self.path("Get", key)?).map_err(|error| failure("Get", &error)) })
    }

    fn put<'a>(
        &'a self,
        key: &'a str,
        bytes: &'a [u8],
        condition: &'a WriteCondition,
    ) -> BoxFuture<'a, Result<WriteOutcome, Failure>> {
        Box::pin(async move {
            let path = self.path("Put", key)?;
            self.write(&path, bytes, condition).map_err(|error| failure("Put", &error))
        })
    }

    fn remove<'a>(&'a self, key: &'a str, etag: &'a Etag) -> BoxFuture<'a, Result<bool, Failure>> {
        Box::pin(async move {
            let path = self.path("Remove", key)?;
            self.delete(&path, etag).map_err(|error| failure("Remove", &error))
        })
    }

    fn list<'a>(&'a self, prefix: &'a str) -> BoxFuture<'a, Result<Vec<String>, Failure>> {
        Box::pin(async move { self.keys(prefix).map_err(|error| failure("List", &error)) })
    }

    fn erase<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(async move {
            let path = self.path("Erase", key)?;
            self.drop_file(&path).map_err(|error| failure("Erase", &error))
        })
    }

    fn purge<'a>(&'a self, prefix: &'a str) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(async move { self.clear(prefix).map_err(|error| failure("Purge", &error)) })
    }
}

/// Reads content and time through one handle, so that they belong to the same version.
fn read(path: &Path) -> io::Result<Option<StoredObject>> {
    let Some(mut file) = file::found(File::open(path))? else { return Ok(None) };
    let modified = file.metadata()?.modified()?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    // A time in the future is a clock that was set back; such an object counts as new.
    let age = SystemTime::now().duration_since(modified).unwrap_or(Duration::ZERO);
    let etag = Etag(version(&bytes, modified));
    let written = jiff::Timestamp::try_from(modified).map_err(io::Error::other)?;
    Ok(Some(StoredObject { bytes, etag, age, written }))
}

fn version(bytes: &[u8], modified: SystemTime) -> String {
    let since = modified.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let mut hash = Sha256::new();
    hash.update(since.as_nanos().to_be_bytes());
    hash.update(bytes);
    hex::encode(&hash.finalize()[..16])
}

fn walk(directory: &Path, prefix: &str, keys: &mut Vec<String>) -> io::Result<()> {
    let Some(entries) = file::found(fs::read_dir(directory))? else { return Ok(()) };
    for entry in entries {
        let entry = entry?;
        let key = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() {
            walk(&entry.path(), &format!("{key}/"), keys)?;
        } else {
            keys.push(key);
        }
    }
    Ok(())
}

fn failure(action: &str, error: &io::Error) -> Failure {
    let (class, code) = match error.kind() {
        io::ErrorKind::PermissionDenied => (FailureClass::Denied, "PermissionDenied"),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => (FailureClass::Quota, "StorageFull"),
        _ => (FailureClass::Fatal, "IoError"),
    };
    Failure {
        class,
        service: "directory".to_owned(),
        action: action.to_owned(),
        code: Some(code.to_owned()),
        message: error.to_string(),
        request_id: None,
    }
}
