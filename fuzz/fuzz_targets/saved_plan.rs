//! Any bytes have an answer as a saved plan: `cargo +nightly fuzz run saved_plan`.
#![no_main]

#[path = "../../src/engine/mod.rs"]
#[allow(dead_code, unreachable_pub, unused_imports, reason = "a fuzz target uses a part of it")]
mod engine;
#[path = "../../src/state/mod.rs"]
#[allow(dead_code, unreachable_pub, unused_imports, reason = "a fuzz target uses a part of it")]
mod state;
#[path = "../../src/store/mod.rs"]
#[allow(dead_code, unreachable_pub, unused_imports, reason = "a fuzz target uses a part of it")]
mod store;
#[path = "../../src/words.rs"]
#[allow(dead_code, unreachable_pub, unused_imports, reason = "a fuzz target uses a part of it")]
mod words;

use libfuzzer_sys::fuzz_target;

use state::SavedPlan;

fuzz_target!(|data: &[u8]| {
    let Ok(saved) = SavedPlan::from_bytes(data) else { return };
    let bytes = saved.to_bytes().expect("a parsed plan can be written");
    let again = SavedPlan::from_bytes(&bytes).expect("a written plan can be parsed");
    assert_eq!(again, saved);
    saved.check_changes(&again.plan).expect("it makes its own changes");
    let _ = saved.check_record(None);
});
