//! Any text, in either language, has an answer: `cargo +nightly fuzz run parse`.
//!
//! The first byte chooses the language, the rest is the file. A good start is
//! `cargo +nightly fuzz run parse fuzz/corpus/parse examples tests/broken`.
#![no_main]

#[path = "../../src/limits/mod.rs"]
#[allow(dead_code, unreachable_pub, unused_imports, reason = "a fuzz target uses a part of it")]
mod limits;
#[path = "../../src/spec/mod.rs"]
#[allow(dead_code, unreachable_pub, unused_imports, reason = "a fuzz target uses a part of it")]
mod spec;
#[path = "../../src/words.rs"]
#[allow(dead_code, unreachable_pub, unused_imports, reason = "a fuzz target uses a part of it")]
mod words;

use std::collections::BTreeMap;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((choice, bytes)) = data.split_first() else { return };
    let text = String::from_utf8_lossy(bytes);
    let name = if choice % 2 == 0 { "cluster.hcl" } else { "cluster.toml" };
    let parsed = spec::parse(name, &text, &BTreeMap::new());
    assert_eq!(parsed.cluster.is_err(), parsed.has_errors());
    let _ = parsed.render(choice % 4 > 1, usize::from(*choice));
});
