//! The source as text: what the tests of the house read.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// A module as the table of `docs/architecture.md` draws it.
pub(super) struct Module {
    pub(super) name: String,
    /// The modules of ours that it uses; nothing stated for the one that may use all.
    pub(super) uses: Option<BTreeSet<String>>,
    /// What of it is pure: nothing, itself, or a module of its own.
    pub(super) pure: Option<String>,
}

/// The rows of the table: module, what it does, uses, pure.
pub(super) fn table() -> Vec<Module> {
    let page = read(&root().join("docs/architecture.md"));
    let rows = page.lines().filter(|line| line.starts_with("| `"));
    rows.map(|row| {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        let [name, _, uses, pure] = cells[..] else { panic!("a row of four cells: {row}") };
        let name = name.trim_matches('`').to_owned();
        Module {
            uses: (uses != "all").then(|| quoted(uses)),
            pure: match pure {
                "no" => None,
                "yes" => Some(name.clone()),
                part => Some(format!("{name}/{}", part.trim_matches('`'))),
            },
            name,
        }
    })
    .collect()
}

/// The modules that `lib.rs` declares.
pub(super) fn declared() -> BTreeSet<String> {
    let map = read(&root().join("src/lib.rs"));
    let names = map.lines().filter_map(|line| line.strip_prefix("pub mod "));
    names.map(|name| name.trim_end_matches(';').to_owned()).collect()
}

/// The source files below a module, without tests, as paths below `src` and their text.
pub(super) fn sources(module: &str) -> Vec<(PathBuf, String)> {
    let root = root().join("src");
    let folder = root.join(module);
    let mut files = Vec::new();
    let mut paths = vec![if folder.is_dir() { folder } else { folder.with_extension("rs") }];
    while let Some(path) = paths.pop() {
        if path.is_dir() {
            let entries = std::fs::read_dir(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            let inside = entries.map(|entry| entry.expect("the source can be read").path());
            paths.extend(
                inside.filter(|path| !["tests", "tests.rs", "fake", "testbed"].iter().any(|of| path.ends_with(of))),
            );
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
    let product = |path: PathBuf| {
        let text = read(&path);
        let product = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        (path.strip_prefix(&root).expect("below src").to_owned(), product.to_owned())
    };
    files.into_iter().map(product).collect()
}

/// Its lines without comments.
pub(super) fn code(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim).filter(|line| !line.starts_with("//"))
}

/// The modules of ours that a text names, as `crate::module`; an empty name for what is named in any other way.
pub(super) fn modules_used(text: &str) -> BTreeSet<String> {
    let named = code(text).flat_map(|line| line.split("crate::").skip(1));
    named.map(|rest| rest.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect()).collect()
}

/// The repository.
pub(super) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn quoted(cell: &str) -> BTreeSet<String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
