//! Every shell script of the repository, read by shellcheck.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::node;

/// Files that git knows and that begin as a shell script does.
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

#[test]
fn shellcheck_has_nothing_to_say() {
    let Some(shellcheck) =
        std::env::var_os("QUORATE_TEST_PYTHON").map(|python| Path::new(&python).with_file_name("shellcheck"))
    else {
        eprintln!("SKIPPED: shellcheck is not installed; `tests/run` installs it");
        return;
    };
    // node.sh is written in parts, which know of each other only once they are put together.
    let whole = tempfile::NamedTempFile::new().expect("a file can be made");
    std::fs::write(whole.path(), &node::files()["node.sh"]).expect("it is ours");
    let part = |file: &PathBuf| {
        file.components().any(|part| part.as_os_str() == "bootstrap") && file.ends_with("node/10-begin.sh")
    };
    let mut files: Vec<PathBuf> = scripts().into_iter().filter(|file| !part(file)).collect();
    assert!(files.len() > 5, "{files:?}");
    files.push(whole.path().to_owned());
    let output = Command::new(shellcheck).args(&files).output().expect("shellcheck starts");
    assert!(
        output.status.success(),
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}
