//! The source as text, for the architecture tests.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// A module in the table of `docs/architecture.md`.
pub(super) struct ModuleRow {
    pub(super) name: String,
    /// Our modules that it uses; `None` for a module that may use all.
    pub(super) uses: Option<BTreeSet<String>>,
    /// The pure part: nothing, the module itself, or a module of its own.
    pub(super) pure: Option<String>,
}

/// Returns the rows of the table: module, what it does, uses, pure.
pub(super) fn table() -> Vec<ModuleRow> {
    let page = read(&root().join("docs/architecture.md"));
    let rows = page.lines().filter(|line| line.starts_with("| `"));
    rows.map(|row| {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        let [name, _, uses, pure] = cells[..] else { panic!("a row of four cells: {row}") };
        let name = name.trim_matches('`').to_owned();
        ModuleRow {
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

/// Returns the modules that `lib.rs` declares.
pub(super) fn declared() -> BTreeSet<String> {
    let map = read(&root().join("src/lib.rs"));
    let names = map.lines().filter_map(|line| line.strip_prefix("pub mod "));
    // Test doubles are no part of the program.
    names.map(|name| name.trim_end_matches(';').to_owned()).filter(|name| name != "testkit").collect()
}

/// Returns the source files below a module, without tests, as paths below `src` and their text.
pub(super) fn sources(module: &str) -> Vec<(PathBuf, String)> {
    let root = root().join("src");
    let folder = root.join(module);
    let mut files = Vec::new();
    let mut paths = vec![if folder.is_dir() { folder } else { folder.with_extension("rs") }];
    while let Some(path) = paths.pop() {
        if path.is_dir() {
            let entries = std::fs::read_dir(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            let inside = entries.map(|entry| entry.expect("the source can be read").path());
            paths.extend(inside.filter(|path| !["tests", "tests.rs", "testkit"].iter().any(|of| path.ends_with(of))));
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

/// Returns the modules of ours that a text names, as `crate::module`; an empty name for what is named in any other way.
pub(super) fn modules_used(text: &str) -> BTreeSet<String> {
    let named = code(text).flat_map(|line| line.split("crate::").skip(1));
    named.map(|rest| rest.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect()).collect()
}

/// Returns the path of the repository.
pub(super) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn quoted(cell: &str) -> BTreeSet<String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
