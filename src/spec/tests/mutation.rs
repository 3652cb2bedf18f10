//! A bounded fuzz: mutations of every example and every broken file find no panic.
//!
//! The unbounded one is `fuzz/`.

use std::collections::BTreeMap;

use super::cluster_files;
use crate::spec::{Diagnostic, parse};

const ROUNDS: usize = 4000;

/// Pieces that matter to the parsers.
const PIECES: [&str; 24] = [
    "\"",
    "${",
    "}",
    "{",
    "[",
    "]",
    "=",
    "\n",
    "\r\n",
    "\0",
    "\u{feff}",
    "ü",
    "%{ if ",
    "<<EOT\n",
    "-",
    "9223372036854775808",
    "for",
    "null",
    "var.",
    "local.",
    "*",
    "/*",
    "'''",
    ".",
];

#[test]
fn mutations_do_not_panic() {
    let mut corpus = cluster_files("examples");
    corpus.extend(cluster_files("tests/broken"));
    let mut random = fastrand::Rng::with_seed(0x51_07_a7_e5);
    for _ in 0..ROUNDS {
        let (name, text) = &corpus[random.usize(..corpus.len())];
        let mut text = text.clone();
        for _ in 0..random.usize(1..5) {
            let other = &corpus[random.usize(..corpus.len())].1;
            text = mutate(&text, other, &mut random);
        }
        // Either language must survive the other's text.
        let name = if random.u8(..8) == 0 { "swapped.toml" } else { name };
        let parsed = parse(name, &text, &BTreeMap::new());
        let _ = parsed.render(random.bool(), random.usize(..120));
        assert_eq!(parsed.cluster.is_err(), parsed.has_errors(), "{text}");
        // The schema lets nothing through that the type of the same file refuses.
        let slipped = |p: &&Diagnostic| p.code == "Q0105" && p.span == (0..0);
        assert_eq!(parsed.diagnostics.iter().find(slipped), None, "{text}");
    }
}

fn mutate(text: &str, other: &str, random: &mut fastrand::Rng) -> String {
    let characters: Vec<char> = text.chars().collect();
    let at = random.usize(..=characters.len());
    let end = (at + random.usize(..20)).min(characters.len());
    let cut = |range: std::ops::Range<usize>| characters[range].iter().collect::<String>();
    let (before, middle, after) = (cut(0..at), cut(at..end), cut(end..characters.len()));
    match random.u8(..5) {
        0 => before + &after,
        1 => format!("{before}{middle}{middle}{after}"),
        2 => format!("{before}{}{middle}{after}", PIECES[random.usize(..PIECES.len())]),
        3 => {
            let line = other.lines().nth(random.usize(..20)).unwrap_or_default();
            format!("{before}\n{line}\n{middle}{after}")
        }
        _ => format!("{before}{}{after}", random.char(..)),
    }
}
