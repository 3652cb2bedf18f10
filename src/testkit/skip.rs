//! Skipped tests: each prints a message, or fails where `tests/run` has set everything up.

use std::collections::BTreeSet;
use std::io::Write;
use std::sync::{Mutex, PoisonError};

/// Messages that were printed already: forty tests may lack the same thing.
static SAID: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// Reports that tests are skipped or incomplete, and why. Not with `eprintln!`, whose output the test runner hides as long
/// as the test passes.
pub fn skip(why: &str) {
    if SAID.lock().unwrap_or_else(PoisonError::into_inner).insert(why.to_owned()) {
        // A line of its own, also in the middle of the test runner's output. Fails only if the output is closed.
        let _ = std::io::stderr().write_all(format!("\nSKIPPED: {why}\n").as_bytes());
    }
}

/// Reports a lack of something that `tests/run` installs and starts: with `QUORATE_TEST_COMPLETE=1` the test fails.
pub fn skip_without_setup(why: &str) {
    let complete = std::env::var_os("QUORATE_TEST_COMPLETE").is_some_and(|value| value == "1");
    assert!(!complete, "tests/run made everything ready, and still: {why}");
    skip(why);
}
