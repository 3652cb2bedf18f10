//! What can be said of an add-on's manifest without a cluster: whether it is YAML, and which objects it holds.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::diagnostic::Diagnostic;
use super::rules::addons::{ABSENT, NOT_YAML, TWICE, TYPE};
use super::source::{Source, Span};

/// Whether a type of object, by its `apiVersion` and `kind`, is in namespaces. `None`: no such type is known.
pub type Namespaced<'a> = &'a dyn Fn(&str, &str) -> Option<bool>;

/// Everything that is wrong with an add-on's manifest, in its order.
pub fn check_manifest(addon: &str, source: &Source, namespaced: Namespaced<'_>) -> Vec<Diagnostic> {
    let mut check = Check { addon, namespaced, seen: BTreeMap::new(), found: Vec::new() };
    for document in documents(source.text()) {
        check.document(&source.text()[document.clone()], document.start);
    }
    for problem in &mut check.found {
        problem.locate(source);
    }
    check.found
}

/// The problem of a manifest that cannot be read, in the cluster file that names it as `written`.
pub fn absent_manifest(addon: &str, written: &str, why: &str, file: &Source) -> Diagnostic {
    let quoted = format!("{written:?}");
    let span = file.text().find(&quoted).map_or(0..0, |start| start..start + quoted.len());
    let message = format!("the manifest of the add-on `{addon}` cannot be read: {why}");
    let mut problem = Diagnostic::new(&ABSENT, span, message).help("paths start in the directory of the cluster file");
    problem.locate(file);
    problem
}

struct Check<'a> {
    addon: &'a str,
    namespaced: Namespaced<'a>,
    /// Where each object is, by kind, namespace and name.
    seen: BTreeMap<(String, String, String), Span>,
    found: Vec<Diagnostic>,
}

impl Check<'_> {
    fn document(&mut self, text: &str, start: usize) {
        let at = |line: &str| span_of(text, line, start);
        let manifest: Json = match serde_saphyr::from_str(text) {
            Ok(manifest) => manifest,
            Err(error) => {
                let place = error.location().map_or(0..0, |place| span_at(text, place.line(), place.column(), start));
                let why = error.without_snippet().to_string();
                // Where that is counts from the document's first line there, and stands above the caret anyway.
                let why = why.lines().next().and_then(|line| line.split(" at line ").next()).unwrap_or_default();
                return self.report(Diagnostic::new(&NOT_YAML, place, self.of(&format!("is not YAML: {why}"))));
            }
        };
        // What is in a list is looked at when it is laid out.
        if manifest.is_null() || (manifest["kind"] == "List" && manifest["apiVersion"] == "v1") {
            return;
        }
        let said = |field: &Json| field.as_str().unwrap_or_default().to_owned();
        let (version, kind) = (said(&manifest["apiVersion"]), said(&manifest["kind"]));
        let name = said(&manifest["metadata"]["name"]);
        let missing = [("apiVersion", &version), ("kind", &kind), ("metadata.name", &name)];
        if let Some((missing, _)) = missing.into_iter().find(|(_, text)| text.is_empty()) {
            let message = self.of(&format!("holds a document without `{missing}`"));
            return self.report(Diagnostic::new(&TYPE, at("kind:"), message));
        }
        let Some(namespaced) = (self.namespaced)(&version, &kind) else {
            let message = self.of(&format!("holds a {kind} of {version}, which is no type that is known"));
            let help = "bring its CustomResourceDefinition as an add-on too, or apply it with kubectl";
            return self.report(Diagnostic::new(&TYPE, at("kind:"), message).help(help));
        };
        let namespace = if namespaced { manifest["metadata"]["namespace"].as_str().unwrap_or("default") } else { "" };
        self.remember((kind, namespace.to_owned(), name), at("kind:"));
    }

    fn remember(&mut self, object: (String, String, String), place: Span) {
        if let Some(first) = self.seen.get(&object).cloned() {
            let (kind, namespace, name) = &object;
            let place_of = if namespace.is_empty() { String::new() } else { format!(" in {namespace}") };
            let message = self.of(&format!("holds the {kind} {name}{place_of} twice"));
            self.report(
                Diagnostic::new(&TWICE, place, message)
                    .related(first, "the first one")
                    .help("take one of the two documents out"),
            );
        } else {
            self.seen.insert(object, place);
        }
    }

    /// A sentence about the manifest.
    fn of(&self, predicate: &str) -> String {
        format!("the manifest of the add-on `{}` {predicate}", self.addon)
    }

    fn report(&mut self, problem: Diagnostic) {
        self.found.push(problem);
    }
}

/// The documents of a manifest: what stands between lines of three dashes, unless it is nothing but comments.
fn documents(text: &str) -> Vec<Span> {
    let mut documents = Vec::new();
    let (mut start, mut next) = (0, 0);
    for line in text.split_inclusive('\n') {
        if line.trim_end() == "---" || line.starts_with("--- ") {
            documents.push(start..next);
            start = next + line.len();
        }
        next += line.len();
    }
    documents.push(start..next);
    let says = |line: &str| !matches!(line.trim_start().chars().next(), None | Some('#' | '%'));
    documents.retain(|document| text[document.clone()].lines().any(says));
    documents
}

/// The line of a document that begins so, or its first one that says something.
fn span_of(text: &str, begins: &str, start: usize) -> Span {
    let mut offset = start;
    let mut first = None;
    for line in text.split_inclusive('\n') {
        let place = offset..offset + line.trim_end().len();
        if line.starts_with(begins) {
            return place;
        }
        if first.is_none() && !line.trim().is_empty() {
            first = Some(place);
        }
        offset += line.len();
    }
    first.unwrap_or(start..start)
}

/// One character, by its line and column in a document, both from 1.
fn span_at(text: &str, line: u64, column: u64, start: usize) -> Span {
    let number = |number: u64| usize::try_from(number.saturating_sub(1)).unwrap_or(usize::MAX);
    let before: usize = text.split_inclusive('\n').take(number(line)).map(str::len).sum();
    let within: usize = text[before..].chars().take(number(column)).map(char::len_utf8).sum();
    let place = start + before + within;
    place..place + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(version: &str, kind: &str) -> Option<bool> {
        match (version, kind) {
            ("v1", "Namespace") => Some(false),
            ("v1", "ConfigMap") => Some(true),
            _ => None,
        }
    }

    fn told(text: &str) -> Vec<String> {
        let found = check_manifest("metrics", &Source::new("metrics.yaml", text), &known);
        found
            .iter()
            .map(|problem| format!("{}:{}: {} {}", problem.file, problem.line, problem.code, problem.message))
            .collect()
    }

    #[test]
    fn everything_that_is_wrong_is_told_in_one_pass_with_its_line() {
        let text = "# metrics\n---\napiVersion: v1\nkind: Namespace\nmetadata:\n  name: metrics\n---\n\
                    apiVersion: v2\nkind: Gadget\nmetadata:\n  name: a\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {}\n---\n\
                    a: [1\n---\napiVersion: v1\nkind: Namespace\nmetadata:\n  name: metrics\n";
        let told = told(text);
        let of = "the manifest of the add-on `metrics`";
        assert_eq!(told.len(), 4, "{told:#?}");
        assert_eq!(told[0], format!("metrics.yaml:9: Q0603 {of} holds a Gadget of v2, which is no type that is known"));
        assert_eq!(told[1], format!("metrics.yaml:14: Q0603 {of} holds a document without `metadata.name`"));
        assert!(told[2].contains(&format!(": Q0602 {of} is not YAML: ")), "{told:#?}");
        assert_eq!(told[3], format!("metrics.yaml:20: Q0604 {of} holds the Namespace metrics twice"));
    }

    #[test]
    fn objects_of_one_name_in_two_namespaces_are_two_and_no_namespace_is_the_default_one() {
        let map = |namespace: &str| format!("---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n{namespace}");
        assert_eq!(told(&(map("") + &map("  namespace: b\n"))), Vec::<String>::new());
        assert!(told(&(map("") + &map("  namespace: default\n")))[0].ends_with("ConfigMap a in default twice"));
    }
}
