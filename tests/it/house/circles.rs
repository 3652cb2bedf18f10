//! The uses among files, as their `use` lines and paths show them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use regex::Regex;

use super::source::{code, sources};

/// The path of a module: `["aws", "kind"]`.
type ModulePath = Vec<String>;

/// The files of some modules, and the names that each brings into its scope.
struct SourceTree {
    files: BTreeMap<ModulePath, String>,
    /// For each file: name, and the module that the name is from. A module itself has no item.
    imports: BTreeMap<ModulePath, BTreeMap<String, (ModulePath, Option<String>)>>,
}

/// Returns the uses among files of these modules that lie on a circle, as `a -> b`. Parents and their children may use each
/// other.
pub(super) fn circles(modules: &[&str]) -> Vec<String> {
    let files = modules.iter().flat_map(|module| sources(module));
    SourceTree::new(files.map(|(path, text)| (module_of(&path), text))).circles()
}

fn module_of(path: &Path) -> ModulePath {
    let mut module: ModulePath =
        path.with_extension("").iter().map(|part| part.to_string_lossy().into_owned()).collect();
    module.pop_if(|last| last == "mod");
    module
}

fn related(one: &[String], other: &[String]) -> bool {
    one.starts_with(other) || other.starts_with(one)
}

impl SourceTree {
    fn circles(&self) -> Vec<String> {
        let mut uses: BTreeMap<&ModulePath, BTreeSet<ModulePath>> = BTreeMap::new();
        for file in self.files.keys() {
            let others = self.used(file).into_iter().filter(|other| !related(file, other));
            uses.insert(file, others.filter(|other| self.files.contains_key(other)).collect());
        }
        // Whatever uses nothing is on no circle, and what is left in the end is on one, or leads to one.
        loop {
            let ends: BTreeSet<ModulePath> =
                uses.iter().filter(|(_, used)| used.is_empty()).map(|(file, _)| (*file).clone()).collect();
            if ends.is_empty() {
                break;
            }
            uses.retain(|file, _| !ends.contains(*file));
            for used in uses.values_mut() {
                used.retain(|other| !ends.contains(other));
            }
        }
        let shown = |file: &ModulePath, other: &ModulePath| format!("{} -> {}", file.join("/"), other.join("/"));
        uses.iter().flat_map(|(file, used)| used.iter().map(move |other| shown(file, other))).collect()
    }

    fn new(files: impl Iterator<Item = (ModulePath, String)>) -> Self {
        let files = files.map(|(module, text)| (module, code(&text).collect::<Vec<_>>().join("\n"))).collect();
        let mut tree = Self { files, imports: BTreeMap::new() };
        let lines = Regex::new(r"(?m)^(?:pub(?:\([^)]*\))? )?use ([^;]+);").expect("a pattern");
        for (file, text) in &tree.files {
            let paths = lines.captures_iter(text).flat_map(|line| expanded(&line[1]));
            let named = paths.filter_map(|path| {
                let name = path.rsplit("::").next()?.to_owned();
                Some((name, tree.resolve(file, &path)?))
            });
            let named: BTreeMap<_, _> = named.collect();
            tree.imports.insert(file.clone(), named);
        }
        tree
    }

    /// Returns the module of a path, and the item in it.
    fn resolve(&self, file: &[String], path: &str) -> Option<(ModulePath, Option<String>)> {
        let mut parts: Vec<&str> = path.split("::").map(str::trim).collect();
        let mut module = file.to_vec();
        match *parts.first()? {
            "crate" => module.clear(),
            "super" => drop(module.pop()),
            "self" => {}
            child if self.files.contains_key(&joined(file, child)) => parts.insert(0, "self"),
            _ => return None,
        }
        parts.remove(0);
        while parts.first() == Some(&"super") {
            module.pop();
            parts.remove(0);
        }
        while let Some(inner) = parts.first().map(|part| joined(&module, part))
            && self.files.contains_key(&inner)
        {
            module = inner;
            parts.remove(0);
        }
        Some((module, parts.first().map(|&item| item.to_owned())))
    }

    /// Follows the names that modules pass on, to the file that defines the item.
    fn origin(&self, mut module: ModulePath, item: &str) -> ModulePath {
        for _ in 0..8 {
            match self.imports.get(&module).and_then(|names| names.get(item)) {
                Some((from, Some(_))) if *from != module => module = from.clone(),
                _ => break,
            }
        }
        module
    }

    /// Returns the files that a file uses.
    fn used(&self, file: &ModulePath) -> BTreeSet<ModulePath> {
        let mut used = BTreeSet::new();
        let text = &self.files[file];
        for (name, (module, item)) in &self.imports[file] {
            if let Some(item) = item {
                used.insert(self.origin(module.clone(), item));
            } else {
                let paths = Regex::new(&format!(r"(?:^|[^\w:]){name}::(\w+)")).expect("a name");
                used.extend(paths.captures_iter(text).map(|path| self.origin(module.clone(), &path[1])));
            }
        }
        let paths = Regex::new(r"\b((?:crate|super)(?:::\w+)+)").expect("a pattern");
        for path in paths.captures_iter(text) {
            if let Some((module, Some(item))) = self.resolve(file, &path[1]) {
                used.insert(self.origin(module, &item));
            }
        }
        used.remove(file);
        used
    }
}

fn joined(module: &[String], name: &str) -> ModulePath {
    module.iter().cloned().chain([name.to_owned()]).collect()
}

/// Returns the paths of a `use` tree: `a::{b, c::d}` becomes `a::b` and `a::c::d`.
fn expanded(tree: &str) -> Vec<String> {
    let tree = tree.trim();
    let Some((before, inside)) = tree.strip_suffix('}').and_then(|tree| tree.split_once('{')) else {
        return vec![tree.split(" as ").next().unwrap_or(tree).to_owned()];
    };
    let mut depth = 0;
    let parts = inside.split(|c| {
        depth += i32::from(c == '{') - i32::from(c == '}');
        c == ',' && depth == 0
    });
    let parts = parts.map(str::trim).filter(|part| !part.is_empty());
    parts.flat_map(|part| expanded(&format!("{before}{part}"))).map(|path| path.replace("::self", "")).collect()
}

#[test]
fn a_tree_of_uses_is_all_of_its_paths() {
    assert_eq!(expanded("a::{self, b, c::{d, e as f}}"), ["a", "a::b", "a::c::d", "a::c::e"]);
    assert_eq!(expanded("std::io"), ["std::io"]);
}

#[test]
fn a_circle_is_found_and_a_parent_may_use_its_child() {
    let tree = |files: [(&str, &str); 4]| {
        let files = files.map(|(path, text)| (path.split('/').map(str::to_owned).collect(), text.to_owned()));
        SourceTree::new(files.into_iter()).circles()
    };
    let parent = "mod left;\nmod right;\npub use left::Left;\nuse right::Right;";
    let free = [("a", parent), ("a/left", "use super::Right;"), ("a/right", ""), ("b", "use crate::a::Left;")];
    assert_eq!(tree(free), Vec::<String>::new());
    let circle = [
        ("a", parent),
        ("a/left", "use super::Right;"),
        ("a/right", "use crate::b::{B, C};"),
        ("b", "use crate::a;\nfn f() { a::Left }"),
    ];
    assert_eq!(tree(circle), ["a/left -> a/right", "a/right -> b", "b -> a/left"]);
}
