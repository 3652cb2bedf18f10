//! Stores on this machine: a directory, and memory. Both write only under a condition, as S3 does.

mod directory;
pub mod file;
mod memory;

#[cfg(test)]
mod tests;

pub use directory::DirectoryStore;
pub use memory::MemoryStore;

use crate::engine::{Failure, FailureClass};

/// Returns `true` if text can be a key: a relative path of plain segments, so that no key leads out of its store.
fn is_key(key: &str) -> bool {
    !key.contains(['\\', '\0']) && key.split('/').all(|segment| !matches!(segment, "" | "." | ".."))
}

/// Returns the failure for an invalid key.
fn not_a_key(service: &str, action: &str, key: &str) -> Failure {
    Failure {
        class: FailureClass::Invalid,
        service: service.to_owned(),
        action: action.to_owned(),
        code: Some("InvalidKey".to_owned()),
        message: format!("`{key}` cannot be the key of an object"),
        request_id: None,
    }
}
