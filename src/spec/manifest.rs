//! Checks an add-on's manifest without a cluster: its YAML, and the objects that it holds.

mod limits;

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::diagnostic::Diagnostic;
use super::rules::addons::{ABSENT, NOT_YAML, REFUSED, REPEATED, TWICE, TYPE};
use super::source::{SourceText, Span};
use super::yaml::{parts, read_part};

/// Lookup by `apiVersion` and `kind`: `true` for a namespaced type, `false` for another, `None` for an unknown one.
pub type NamespaceScope<'a> = &'a dyn Fn(&str, &str) -> Option<bool>;

/// Returns every problem of an add-on's manifest, in its order.
pub fn check_manifest(addon: &str, source: &SourceText, namespaced: NamespaceScope<'_>) -> Vec<Diagnostic> {
    let mut check = ManifestCheck { addon, namespaced, objects: BTreeMap::new(), found: Vec::new() };
    for document in parts(source.text()) {
        check.document(&source.text()[document.clone()], document.start);
    }
    for problem in &mut check.found {
        problem.locate(source);
    }
    check.found
}

/// Returns the objects of a document: a list is replaced by its items.
pub fn unfolded(mut document: Json) -> Vec<Json> {
    if !is_list(&document) {
        return vec![document];
    }
    let items = document["items"].as_array_mut().map(std::mem::take).unwrap_or_default();
    items.into_iter().flat_map(unfolded).collect()
}

fn is_list(document: &Json) -> bool {
    document["kind"] == "List" && document["apiVersion"] == "v1"
}

/// Returns the problem of a manifest that cannot be read, in the cluster file that names it as `written`.
pub fn absent_manifest(addon: &str, written: &str, why: &str, file: &SourceText) -> Diagnostic {
    let quoted = format!("{written:?}");
    let span = file.text().find(&quoted).map_or(0..0, |start| start..start + quoted.len());
    let message = format!("the manifest of the add-on `{addon}` cannot be read: {why}");
    let mut problem = Diagnostic::new(&ABSENT, span, message).help("paths start in the directory of the cluster file");
    problem.locate(file);
    problem
}

struct ManifestCheck<'a> {
    addon: &'a str,
    namespaced: NamespaceScope<'a>,
    /// The place of each object, by kind, namespace and name.
    objects: BTreeMap<(String, String, String), Span>,
    found: Vec<Diagnostic>,
}

impl ManifestCheck<'_> {
    fn document(&mut self, text: &str, start: usize) {
        let shifted = |place: &Span| start + place.start..start + place.end;
        let documents = match read_part(text) {
            Ok(documents) => documents,
            Err(error) => {
                let message = self.of(&format!("is not YAML: {error}"));
                return self.report(Diagnostic::new(&NOT_YAML, shifted(&error.place), message));
            }
        };
        for (key, place) in &documents.repeated {
            let message = self.of(&format!("has the key `{key}` twice in one mapping"));
            self.report(
                Diagnostic::new(&REPEATED, shifted(place), message).note("the last one counts, as with kubectl"),
            );
        }
        for manifest in documents.values {
            self.manifest(manifest, text, start);
        }
    }

    fn manifest(&mut self, manifest: Json, text: &str, start: usize) {
        if manifest.is_null() {
            return;
        }
        if !is_list(&manifest) {
            return self.object(&manifest, text, start);
        }
        let objects = unfolded(manifest);
        let items = items(text);
        for (number, object) in objects.iter().enumerate() {
            // If its own place is not known, as in a list in a list, it is the list's.
            let own = items.get(number).filter(|_| items.len() == objects.len()).cloned();
            let item = own.unwrap_or(0..text.len());
            self.object(object, &text[item.clone()], start + item.start);
        }
    }

    fn object(&mut self, manifest: &Json, text: &str, start: usize) {
        let place = kind_at(text, start);
        let fields = [
            ("apiVersion", &manifest["apiVersion"]),
            ("kind", &manifest["kind"]),
            ("metadata.name", &manifest["metadata"]["name"]),
        ];
        if let Some((field, value)) = fields.into_iter().find(|(_, value)| value.is_boolean() || value.is_number()) {
            return self.not_a_text(field, value, text, start);
        }
        let text_of = |field: &Json| field.as_str().unwrap_or_default().to_owned();
        let (version, kind) = (text_of(&manifest["apiVersion"]), text_of(&manifest["kind"]));
        let name = text_of(&manifest["metadata"]["name"]);
        let missing = [("apiVersion", &version), ("kind", &kind), ("metadata.name", &name)];
        if let Some((missing, _)) = missing.into_iter().find(|(_, text)| text.is_empty()) {
            let message = self.of(&format!("holds a document without `{missing}`"));
            return self.report(Diagnostic::new(&TYPE, place, message));
        }
        let Some(namespaced) = (self.namespaced)(&version, &kind) else {
            let message = self.of(&format!("holds a {kind} of {version}, which is not a known type"));
            let help = "add its CustomResourceDefinition as an add-on too, or apply it with kubectl";
            return self.report(Diagnostic::new(&TYPE, place, message).help(help));
        };
        if let Some(why) = limits::problem(manifest) {
            let message = self.of(&format!("holds a {kind} {why}"));
            self.report(Diagnostic::new(&REFUSED, place.clone(), message));
        }
        let namespace = if namespaced { manifest["metadata"]["namespace"].as_str().unwrap_or("default") } else { "" };
        self.remember((kind, namespace.to_owned(), name), place);
    }

    /// Reports a field that YAML does not read as a text.
    fn not_a_text(&mut self, field: &str, value: &Json, text: &str, start: usize) {
        let written = written(text, field.rsplit('.').next().unwrap_or(field), value);
        let read_as = match value {
            Json::Bool(value) => format!("the boolean {value}"),
            other => format!("the number {other}"),
        };
        let message = match &written {
            Some(place) => {
                let literal = &text[place.clone()];
                self.of(&format!("holds a document whose `{field}`, `{literal}`, is read as {read_as}"))
            }
            None => self.of(&format!("holds a document whose `{field}` is read as {read_as}")),
        };
        let place = written.as_ref().map_or_else(|| kind_at(text, start), |at| start + at.start..start + at.end);
        let literal = written.map_or_else(|| value.to_string(), |at| text[at].to_owned());
        let problem = Diagnostic::new(&TYPE, place, message).help(format!("write it in quotes: \"{literal}\""));
        let why = "kubectl reads YAML 1.1, in which y, n, yes, no, on and off without quotes are booleans";
        self.report(if value.is_boolean() { problem.note(why) } else { problem });
    }

    fn remember(&mut self, object: (String, String, String), place: Span) {
        if let Some(first) = self.objects.get(&object).cloned() {
            let (kind, namespace, name) = &object;
            let place_of = if namespace.is_empty() { String::new() } else { format!(" in {namespace}") };
            let message = self.of(&format!("holds the {kind} {name}{place_of} twice"));
            self.report(
                Diagnostic::new(&TWICE, place, message)
                    .related(first, "the first one")
                    .help("remove one of the two documents"),
            );
        } else {
            self.objects.insert(object, place);
        }
    }

    /// Returns a sentence about the manifest.
    fn of(&self, predicate: &str) -> String {
        format!("the manifest of the add-on `{}` {predicate}", self.addon)
    }

    fn report(&mut self, problem: Diagnostic) {
        self.found.push(problem);
    }
}

/// Returns the items of a list, as far as each begins on a line of its own.
fn items(text: &str) -> Vec<Span> {
    let mut items: Vec<Span> = Vec::new();
    let (mut depth, mut listed, mut next) = (None, false, 0);
    for line in text.split_inclusive('\n') {
        let begins = line.trim_start().starts_with("- ").then(|| indent(line));
        if listed && begins.is_some_and(|begins| begins == *depth.get_or_insert(begins)) {
            items.push(next..next);
        }
        listed |= line.starts_with("items:");
        next += line.len();
        // What follows on a list at the same depth belongs to the last one, too; nothing is sought there.
        if let Some(item) = items.last_mut() {
            item.end = next;
        }
    }
    items
}

/// Returns the line with an object's kind, or the object's first line with content. An item of a list begins with a dash.
fn kind_at(text: &str, start: usize) -> Span {
    let (mut offset, mut first, mut depth) = (start, None, None);
    for line in text.split_inclusive('\n') {
        let fields = line.trim_start_matches([' ', '-']);
        let column = line.len() - fields.len();
        let place = offset + indent(line)..offset + line.trim_end().len();
        let says = !fields.trim().is_empty() && !fields.starts_with('#');
        if says && column == *depth.get_or_insert(column) && fields.starts_with("kind:") {
            return place;
        }
        if !place.is_empty() {
            first.get_or_insert(place);
        }
        offset += line.len();
    }
    first.unwrap_or(start..start)
}

/// Returns the place of a value without quotes behind the first `field:` that has it.
fn written(text: &str, field: &str, value: &Json) -> Option<Span> {
    let label = format!("{field}:");
    text.match_indices(&label).find_map(|(at, _)| {
        let rest = &text[at + label.len()..];
        let line = rest.split(['\n', ',', '}', '#']).next().unwrap_or_default();
        let literal = line.trim();
        let begin = at + label.len() + line.len() - line.trim_start().len();
        let read = read_part(literal).ok()?.values.into_iter().next()?;
        (read == *value).then(|| begin..begin + literal.len())
    })
}

/// Returns the size of a line's indentation, in bytes.
fn indent(line: &str) -> usize {
    line.len() - line.trim_start().len()
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

    fn reported(text: &str) -> Vec<String> {
        let found = check_manifest("metrics", &SourceText::new("metrics.yaml", text), &known);
        found
            .iter()
            .map(|problem| format!("{}:{}: {} {}", problem.file, problem.line, problem.code, problem.message))
            .collect()
    }

    #[test]
    fn every_problem_is_reported_in_one_pass_with_its_line() {
        let text = "# metrics\n---\napiVersion: v1\nkind: Namespace\nmetadata:\n  name: metrics\n---\n\
                    apiVersion: v2\nkind: Gadget\nmetadata:\n  name: a\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {}\n---\n\
                    a: [1\n---\napiVersion: v1\nkind: Namespace\nmetadata:\n  name: metrics\n";
        let reported = reported(text);
        let of = "the manifest of the add-on `metrics`";
        assert_eq!(reported.len(), 4, "{reported:#?}");
        assert_eq!(reported[0], format!("metrics.yaml:9: Q0603 {of} holds a Gadget of v2, which is not a known type"));
        assert_eq!(reported[1], format!("metrics.yaml:14: Q0603 {of} holds a document without `metadata.name`"));
        assert!(reported[2].contains(&format!(": Q0602 {of} is not YAML: ")), "{reported:#?}");
        assert_eq!(reported[3], format!("metrics.yaml:20: Q0604 {of} holds the Namespace metrics twice"));
    }

    #[test]
    fn a_name_that_yaml_reads_as_another_type_is_reported_as_written() {
        for (metadata, line, message) in [
            ("metadata: { name: y }\n", 3, "`metadata.name`, `y`, is read as the boolean true"),
            (
                "metadata:\n  labels: { name: a }\n  name: off # low\n",
                5,
                "`metadata.name`, `off`, is read as the boolean false",
            ),
            ("metadata:\n  name: 0o17\n", 4, "`metadata.name`, `0o17`, is read as the number 15"),
        ] {
            let text = format!("apiVersion: v1\nkind: ConfigMap\n{metadata}");
            let found = check_manifest("metrics", &SourceText::new("metrics.yaml", &text), &known);
            assert_eq!(found.len(), 1, "{text}");
            assert_eq!((found[0].code, found[0].line), ("Q0603", line), "{text}");
            assert!(found[0].message.ends_with(message), "{}", found[0].message);
        }
        let list =
            "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: ConfigMap\n  metadata:\n    name: no\n";
        assert!(reported(list)[0].starts_with("metrics.yaml:7: Q0603"), "{:?}", reported(list));
        assert_eq!(reported("apiVersion: v1\nkind: ConfigMap\nmetadata: { name: \"y\" }\n"), Vec::<String>::new());
    }

    #[test]
    fn items_of_a_list_are_checked_like_documents() {
        let list = "apiVersion: v1\nitems:\n- apiVersion: v2\n  kind: Gadget\n  metadata:\n    name: a\n\
                    - kind: Namespace\n  apiVersion: v1\n  metadata: { name: a }\n  parts:\n  - kind: Gadget\nkind: List\n---\n\
                    apiVersion: v1\nkind: Namespace\nmetadata: { name: a }\n---\n\
                    { apiVersion: v1, kind: List, items: [{ apiVersion: v2, kind: Gadget, metadata: { name: a } }] }\n";
        let reported = reported(list);
        assert_eq!(reported.len(), 3, "{reported:#?}");
        assert!(reported[0].starts_with("metrics.yaml:4: Q0603"), "{reported:#?}");
        assert!(
            reported[1].starts_with("metrics.yaml:15: Q0604") && reported[1].ends_with("the Namespace a twice"),
            "{reported:#?}"
        );
        assert!(reported[2].starts_with("metrics.yaml:18: Q0603"), "{reported:#?}");
    }

    #[test]
    fn objects_of_one_name_in_two_namespaces_are_two_and_no_namespace_is_the_default_one() {
        let map = |namespace: &str| format!("---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n{namespace}");
        assert_eq!(reported(&(map("") + &map("  namespace: b\n"))), Vec::<String>::new());
        assert!(reported(&(map("") + &map("  namespace: default\n")))[0].ends_with("ConfigMap a in default twice"));
    }
}
