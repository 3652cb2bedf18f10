//! Files of the repository that tests generate.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::path::Path;

/// Compares a generated file with the one in the repository, or writes it with `UPDATE_SCHEMA=1`.
///
/// # Panics
/// Panics if the file differs.
pub fn assert_generated(relative: &str, text: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(relative);
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, text).unwrap();
    }
    let found = fs::read_to_string(&file).unwrap_or_default();
    assert!(found == text, "{relative} is stale: run the tests with UPDATE_SCHEMA=1");
}
