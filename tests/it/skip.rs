//! Tests that cannot run here say so, and where everything was made ready for them they fail.

use std::collections::BTreeSet;
use std::io::Write;
use std::sync::{Mutex, PoisonError};

/// What was said already: forty tests may lack the same thing.
static SAID: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// Says that tests do not run for want of something, or leave something out: not with `eprintln!`, which the test runner
/// keeps to itself as long as all goes well.
pub(crate) fn skip(why: &str) {
    if SAID.lock().unwrap_or_else(PoisonError::into_inner).insert(why.to_owned()) {
        // A line of its own, whatever the test runner was about to say. Fails only when nobody reads it.
        let _ = std::io::stderr().write_all(format!("\nSKIPPED: {why}\n").as_bytes());
    }
}

/// The same for want of what `tests/run` installs and starts: under it (`QUORATE_TEST_COMPLETE=1`) the test fails.
pub(crate) fn skip_without_setup(why: &str) {
    let complete = std::env::var_os("QUORATE_TEST_COMPLETE").is_some_and(|value| value == "1");
    assert!(!complete, "tests/run made everything ready, and still: {why}");
    skip(why);
}
