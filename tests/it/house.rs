//! The architecture of `docs/architecture.md`: allowed dependencies and pure modules, checked by reading the source.

mod calls;
mod circles;
mod source;

use std::collections::BTreeSet;
use std::process::Command;

use quorate::testkit::skip;
use source::{code, declared, modules_used, root, sources, table};

/// Names that a pure module does not use: waiting, the clock, the environment, the disk, the network.
const IMPURE: &[&str] = &[
    "tokio",
    "std::env",
    "std::fs",
    "std::net",
    "std::process",
    "std::time::Instant",
    "SystemTime",
    "Timestamp::now",
    ".await",
    "aws_",
];

#[test]
fn the_table_names_every_module() {
    let drawn: BTreeSet<String> = table().into_iter().map(|module| module.name).collect();
    assert_eq!(drawn, declared());
}

#[test]
fn modules_use_what_the_table_lists() {
    for module in table() {
        let sources = sources(&module.name);
        for (file, text) in &sources {
            let used = modules_used(text);
            assert!(!used.contains(""), "{} has a `crate::` without a module behind it", file.display());
            let strangers: Vec<_> = used.iter().filter(|used| !declared().contains(*used)).collect();
            assert!(strangers.is_empty(), "{} uses {strangers:?}", file.display());
        }
        let Some(drawn) = module.uses else { continue };
        let used = sources.iter().flat_map(|(_, text)| modules_used(text));
        let used: BTreeSet<String> = used.filter(|used| *used != module.name).collect();
        assert_eq!(used, drawn, "`{}` uses something else than docs/architecture.md lists", module.name);
    }
}

/// A reader follows a use from one file to the next, and does not return to a file on the way.
#[test]
fn no_files_use_each_other_in_a_circle() {
    let found = circles::circles(&["aws", "blueprint", "cli", "engine"]);
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn only_aws_knows_the_sdk() {
    let strangers: Vec<_> = sources("")
        .into_iter()
        .filter(|(file, text)| !file.starts_with("aws") && text.contains("aws_sdk_"))
        .map(|(file, _)| file)
        .collect();
    assert!(strangers.is_empty(), "{strangers:?}");
}

#[test]
fn only_kubernetes_knows_its_client() {
    let strangers: Vec<_> = sources("")
        .into_iter()
        .filter(|(file, _)| !file.starts_with("kubernetes"))
        .filter(|(_, text)| text.contains("kube::") || text.contains("k8s_openapi"))
        .map(|(file, _)| file)
        .collect();
    assert!(strangers.is_empty(), "{strangers:?}");
}

#[test]
fn pure_modules_neither_wait_nor_read_the_environment() {
    let pure: Vec<String> = table().into_iter().filter_map(|module| module.pure).collect();
    assert!(pure.contains(&"spec".to_owned()) && pure.contains(&"engine/planner".to_owned()), "{pure:?}");
    let mut wrong = Vec::new();
    for (file, text) in pure.iter().flat_map(|module| sources(module)) {
        let says = |word: &&&str| code(&text).any(|line| line.contains(**word));
        wrong.extend(IMPURE.iter().filter(says).map(|word| format!("{} contains `{word}`", file.display())));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A text that is broken over lines without a `\` keeps the indentation of the source.
#[test]
fn no_text_holds_a_run_of_spaces() {
    let is_sample = |line: &str| line.starts_with("bad: \"") || line.starts_with("good: \"");
    // An indentation stands at the beginning of its text.
    let has_run = |line: &str| line.match_indices("   ").any(|(at, _)| !line[..at].trim_end().ends_with('"'));
    let mut wrong = Vec::new();
    for (file, text) in sources("") {
        let lines = code(&text).filter(|line| !is_sample(line) && has_run(line));
        wrong.extend(lines.map(|line| format!("{}: {line}", file.display())));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn printing_is_for_the_front_door() {
    let loud: Vec<_> = sources("")
        .into_iter()
        .filter(|(file, _)| !file.starts_with("cli") && !file.ends_with("main.rs"))
        .filter(|(_, text)| ["print!(", "println!(", "eprint!(", "eprintln!("].iter().any(|word| text.contains(word)))
        .map(|(file, _)| file)
        .collect();
    assert!(loud.is_empty(), "{loud:?}");
}

#[test]
fn each_kind_has_a_file_in_the_vocabulary_and_one_on_aws() {
    let kinds = |module: &str| -> BTreeSet<String> {
        sources(module)
            .into_iter()
            .filter(|(_, text)| text.contains("impl Resource for") || text.contains("impl AwsKind for"))
            .filter_map(|(file, _)| Some(file.file_stem()?.to_str()?.to_owned()))
            .collect()
    };
    assert_eq!(kinds("resource"), kinds("aws"));
}

/// `cargo fmt` follows `mod`, and misses modules that a macro declares.
#[test]
fn every_file_is_formatted() {
    let files = sources("").into_iter().map(|(file, _)| root().join("src").join(file));
    let mut rustfmt = Command::new("rustfmt");
    rustfmt.args(["--check", "--edition", "2024", "--config-path"]).arg(root()).args(files);
    let Ok(output) = rustfmt.output() else { return skip("no rustfmt, so the code in macros is not checked") };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}
