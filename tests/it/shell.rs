//! Every shell script of the repository, checked by shellcheck.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::node;
use quorate::testkit::skip_without_setup;

/// Returns the files in git that begin as a shell script does.
fn scripts() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let listed = Command::new("git").arg("-C").arg(root).args(["ls-files"]).output().expect("git is there");
    let names = String::from_utf8(listed.stdout).expect("names are UTF-8");
    let files = names.lines().map(|name| root.join(name));
    files.filter(|file| std::fs::read_to_string(file).is_ok_and(|text| is_shell(&text))).collect()
}

fn is_shell(text: &str) -> bool {
    let first = text.lines().next().unwrap_or_default();
    first.starts_with("#!") && (first.ends_with("sh") || first.contains("/sh "))
}

/// Returns shellcheck where tests have their Python; `None`, with a message, elsewhere.
fn shellcheck() -> Option<Command> {
    let python = std::env::var_os("QUORATE_TEST_PYTHON");
    if python.is_none() {
        skip_without_setup("shellcheck is not installed; `tests/run` installs it");
    }
    python.map(|python| Command::new(Path::new(&python).with_file_name("shellcheck")))
}

/// Returns the parts of node.sh in order. They refer to each other, so they must be checked as one script.
fn parts() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/bootstrap/node");
    let listed = std::fs::read_dir(folder).expect("it is there");
    let mut files: Vec<PathBuf> = listed.map(|entry| entry.expect("it is ours").path()).collect();
    files.sort();
    files.iter().map(|file| std::fs::read_to_string(file).expect("it is text")).collect()
}

fn script(text: &str) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().expect("a file can be made");
    std::fs::write(file.path(), text).expect("it is ours");
    file
}

#[test]
fn shellcheck_has_no_findings() {
    let Some(mut shellcheck) = shellcheck() else { return };
    let whole = script(&node::files()["node.sh"]);
    let part = |file: &PathBuf| {
        file.components().any(|part| part.as_os_str() == "bootstrap") && file.ends_with("node/10-begin.sh")
    };
    let mut files: Vec<PathBuf> = scripts().into_iter().filter(|file| !part(file)).collect();
    assert!(files.len() > 5, "{files:?}");
    files.push(whole.path().to_owned());
    let output = shellcheck.args(&files).output().expect("shellcheck starts");
    assert!(
        output.status.success(),
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn every_part_of_node_sh_is_in_it() {
    assert_eq!(parts().concat(), node::files()["node.sh"]);
}

#[test]
fn shellcheck_reads_every_part_of_node_sh() {
    let Some(mut shellcheck) = shellcheck() else { return };
    let parts = parts();
    let planted = |(number, part): (usize, &String)| format!("\nplanted_{number}() {{\n  rm $1\n}}\n{part}");
    // The first part begins with the line that names the interpreter.
    let (begin, rest) = parts.split_first().expect("there are parts");
    let whole = script(&(begin.clone() + &rest.iter().enumerate().map(planted).collect::<Vec<_>>().concat()));
    let output = shellcheck.args(["--format=gcc", "--include=SC2086"]).arg(whole.path()).output().expect("it starts");
    let messages = String::from_utf8_lossy(&output.stdout);
    assert!(!output.status.success());
    assert_eq!(messages.lines().filter(|line| line.ends_with("[SC2086]")).count(), rest.len(), "{messages}");
}
