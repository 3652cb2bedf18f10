//! The house as `docs/architecture.md` draws it: who may know whom, and what is pure. Held by reading the source.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Each module and the modules of ours that it may use.
const MAY_USE: &[(&str, &[&str])] = &[
    ("spec", &[]),
    ("engine", &[]),
    ("resource", &["engine", "spec"]),
    ("pki", &["resource"]),
    ("kubeconfig", &["pki"]),
    ("blueprint", &["engine", "resource", "spec"]),
    ("analysis", &["engine", "resource", "spec"]),
    ("health", &[]),
    ("view", &["analysis", "blueprint", "health", "engine", "resource", "spec", "state"]),
    ("store", &["engine"]),
    ("state", &["engine", "store"]),
    ("sandbox", &["engine", "pki", "resource", "spec", "store"]),
    ("aws", &["engine", "health", "pki", "resource", "spec"]),
    ("kubernetes", &["engine", "health", "resource"]),
];

/// What a pure module does without: waiting, the clock, the environment, the disk, the network.
const PURE: &[&str] =
    &["spec", "resource", "pki", "kubeconfig", "blueprint", "analysis", "health", "view", "engine/planner"];
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
fn modules_use_only_those_below_them() {
    let mut wrong = Vec::new();
    for (module, allowed) in MAY_USE {
        for (file, text) in sources(module) {
            let used = modules_used(&text);
            wrong.extend(
                used.iter()
                    .filter(|used| *used != module && !allowed.contains(&used.as_str()))
                    .map(|used| format!("{} uses {used}", file.display())),
            );
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
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
fn pure_modules_neither_wait_nor_look_around() {
    let mut wrong = Vec::new();
    for module in PURE {
        for (file, text) in sources(module) {
            let code: Vec<&str> = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
            wrong.extend(
                IMPURE
                    .iter()
                    .filter(|word| code.iter().any(|line| line.contains(*word)))
                    .map(|word| format!("{} says `{word}`", file.display())),
            );
        }
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

/// `cargo fmt` follows `mod`, and does not see those that a macro declares.
#[test]
fn every_file_is_formatted() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let files = sources("").into_iter().map(|(file, _)| root.join("src").join(file));
    let mut rustfmt = Command::new("rustfmt");
    rustfmt.args(["--check", "--edition", "2024", "--config-path"]).arg(root).args(files);
    // Whoever only runs the tests need not have it.
    let Ok(output) = rustfmt.output() else { return };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

/// The source files below a module, without tests, as paths below `src` and their text.
fn sources(module: &str) -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    let mut folders = vec![root.join(module)];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else { continue };
        for entry in entries {
            let path = entry.expect("the source can be read").path();
            if path.is_dir() && !path.ends_with("tests") && !path.ends_with("fake") && !path.ends_with("testbed") {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") && !path.ends_with("tests.rs") {
                let text = std::fs::read_to_string(&path).expect("the source can be read");
                let product = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default().to_owned();
                found.push((path.strip_prefix(&root).expect("below src").to_owned(), product));
            }
        }
    }
    found.sort();
    found
}

/// The modules of ours that a text names, as `crate::module`.
fn modules_used(text: &str) -> BTreeSet<String> {
    text.lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .flat_map(|line| line.split("crate::").skip(1))
        .map(|rest| rest.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect())
        .filter(|module: &String| !module.is_empty())
        .collect()
}
