//! Checks a [`Table`] against the schema: names, types, what is missing. Finds everything at once.
//!
//! What is wrong is reported and marked invalid, so that the rest can still be read and checked.

use super::diagnostic::{Diagnostic, nearest};
use super::rules::file;
use super::schema::Part;
use super::source::Span;
use super::tree::{Key, Node, Table, Value};
use crate::words;

/// The language of the file, for the samples in messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Language {
    /// HCL.
    Hcl,
    /// TOML.
    Toml,
}

/// Checks the whole file.
pub(super) fn check(table: &mut Table, schema: &serde_json::Value, language: Language, problems: &mut Vec<Diagnostic>) {
    let mut walk = Walk { language, problems };
    walk.table(table, Part::root(schema), &Place::top());
}

struct Walk<'p> {
    language: Language,
    problems: &'p mut Vec<Diagnostic>,
}

/// Where the walk is: the names from the top, and the place of the last one.
struct Place {
    path: Vec<String>,
    span: Span,
    /// Whether it is an item of the list at `path`.
    item: bool,
}

impl Place {
    fn top() -> Self {
        Self { path: Vec::new(), span: 0..0, item: false }
    }

    fn inside(&self, key: &Key) -> Self {
        let mut path = self.path.clone();
        path.push(key.name.clone());
        Self { path, span: key.span.clone(), item: false }
    }

    fn item(&self, span: &Span) -> Self {
        Self { path: self.path.clone(), span: span.clone(), item: true }
    }

    /// `masters.count`, or nothing at the top.
    fn name(&self) -> String {
        self.path.join(".")
    }

    /// `masters.count`, or "an item of `zones`".
    fn subject(&self) -> String {
        if self.item { format!("an item of `{}`", self.name()) } else { format!("`{}`", self.name()) }
    }
}

impl Walk<'_> {
    fn table(&mut self, table: &mut Table, part: Part, place: &Place) {
        // What an unknown name was meant to be is not also missing.
        let mut meant = Vec::new();
        for entry in &mut table.entries {
            let inner = place.inside(&entry.key);
            if let Some(part) = part.property(&entry.key.name).or_else(|| part.values()) {
                self.node(&mut entry.node, part, &inner);
            } else {
                meant.extend(self.unknown(&entry.key, part, place));
                entry.node.value = Value::Invalid;
            }
        }
        let missing = |name: &&str| table.get(name).is_none() && !meant.contains(name);
        let missing: Vec<&str> = part.required().filter(missing).collect();
        let misnamed = table.entries.iter().any(|entry| entry.key.label && part.values().is_none());
        if !missing.is_empty() && !misnamed {
            self.missing(&missing, part, place);
        }
    }

    fn node(&mut self, node: &mut Node, part: Part, place: &Place) {
        match (part.kind(), &mut node.value) {
            // In a table, null is as if the setting were not there; a list has no such place.
            (_, Value::Null) if place.item => self.wrong_type(node, part, place),
            (_, Value::Invalid | Value::Null) | (Some("boolean"), Value::Bool(_)) => return,
            (Some("object"), Value::Table(table)) => {
                if self.lacks_label(table, part, place) {
                    node.value = Value::Invalid;
                } else {
                    self.table(table, part, place);
                }
                return;
            }
            (Some("array"), Value::List(items)) => {
                if let Some(part) = part.items() {
                    for item in items {
                        let place = place.item(&item.span);
                        self.node(item, part, &place);
                    }
                }
                return;
            }
            (Some("integer"), Value::Integer(number)) => {
                if self.in_range(*number, &node.span, part, place) {
                    return;
                }
            }
            (_, Value::String(text)) if text_is_wanted(part) => {
                if self.is_choice(text, &node.span, part, place) {
                    return;
                }
            }
            _ => self.wrong_type(node, part, place),
        }
        node.value = Value::Invalid;
    }

    /// Reports an unknown name; returns the setting that was meant, when it is clear.
    fn unknown<'s>(&mut self, key: &Key, part: Part<'s>, place: &Place) -> Option<&'s str> {
        let known: Vec<&str> =
            part.properties().map(|all| all.keys().map(String::as_str).collect()).unwrap_or_default();
        if key.label {
            self.report_label(key, place);
            return None;
        }
        let message = match place.path.as_slice() {
            [] => format!("unknown setting `{}`", key.name),
            _ => format!("`{}` has no setting `{}`", place.name(), key.name),
        };
        let problem = Diagnostic::new(&file::UNKNOWN, key.span.clone(), message);
        if let Some((meant, help)) = self.foreign(&key.name, !place.path.is_empty()) {
            self.problems.push(problem.help(help));
            return known.into_iter().find(|name| *name == meant);
        }
        self.problems.push(
            problem
                .expected(known.iter().map(|name| format!("`{name}`")))
                .did_you_mean(&key.name, known.iter().copied()),
        );
        nearest(&key.name, known)
    }

    fn report_label(&mut self, key: &Key, place: &Place) {
        let name = place.name();
        self.problems.push(
            Diagnostic::new(&file::LABEL, key.span.clone(), format!("`{name}` takes no name: there is only one"))
                .help(format!("write it without: {name} {{ … }}")),
        );
    }

    /// Words from other tools that are not a slip of the finger, with the setting that they mean.
    fn foreign(&self, name: &str, nested: bool) -> Option<(&'static str, &'static str)> {
        let found = match (name, nested) {
            ("variable" | "locals", false) if self.language == Language::Toml => {
                ("", "TOML is literal: variables and locals are for HCL files")
            }
            ("variable" | "locals", false) => {
                ("", "that is a block: `locals { … }`, `variable \"name\" { default = … }`")
            }
            ("region", false) => ("", "the region comes from `zones`"),
            ("version" | "kubernetes_version", false) => {
                ("kubernetes", "the Kubernetes version is `kubernetes = \"1.36\"`")
            }
            ("control_plane" | "controlplane", false) => ("masters", "the control plane is `masters`"),
            ("workers" | "worker" | "node_group" | "node_groups", false) => {
                ("nodes", "worker machines are groups of nodes: `nodes`, with a name for each group")
            }
            ("vpc", false) => ("network", "the VPC is described in `network`"),
            ("instance_type" | "machine_type", true) => ("size", "the instance type is `size`"),
            ("replicas", true) => ("count", "the number of machines is `count`"),
            _ => return None,
        };
        Some(found)
    }

    fn missing(&mut self, names: &[&str], part: Part, place: &Place) {
        let listed = list(names);
        let message = match (place.path.as_slice(), names) {
            ([], [_]) => format!("the setting {listed} is missing"),
            ([], _) => format!("the settings {listed} are missing"),
            _ => format!("`{}` has no {listed}", place.name()),
        };
        let mut problem = Diagnostic::new(&file::MISSING, place.span.clone(), message);
        for name in names {
            let own = part.properties().and_then(|all| all.get(*name));
            problem = problem.help(match own.and_then(super::schema::example_of) {
                Some(example) => format!("for example: {name} = {example}"),
                None if self.language == Language::Toml => format!("add a table: [{name}]"),
                None => format!("add a block: {name} {{ … }}"),
            });
        }
        self.problems.push(problem);
    }

    /// `nodes { count = 3 }`: a table with free names that was given the settings of one of them.
    fn lacks_label(&mut self, table: &Table, part: Part, place: &Place) -> bool {
        let Some(inner) = part.values().filter(|inner| inner.properties().is_some()) else {
            return false;
        };
        let misplaced = |entry: &super::tree::Entry| {
            !entry.key.label
                && inner.property(&entry.key.name).is_some()
                && !matches!(entry.node.value, Value::Table(_) | Value::Invalid)
        };
        if !table.entries.iter().any(misplaced) {
            return false;
        }
        let name = place.name();
        let sample = match self.language {
            Language::Hcl => format!("{name} \"NAME\" {{ … }}"),
            Language::Toml => format!("[{name}.NAME]"),
        };
        self.problems.push(
            Diagnostic::new(&file::LABEL, place.span.clone(), format!("`{name}` needs a name of its own"))
                .note("there can be several of them, so each has a name")
                .help(format!("write {sample}")),
        );
        true
    }

    fn in_range(&mut self, number: i64, span: &Span, part: Part, place: &Place) -> bool {
        let (least, most) = part.range();
        if (least..=most).contains(&number) {
            return true;
        }
        let subject = place.subject();
        let is_open = most == i64::from(u32::MAX) && number < least;
        let wanted = match part.example() {
            // A rule of its own may say which of them are good; the example always is.
            Some(example) if is_open => format!("a whole number, such as {example}"),
            None if is_open => format!("a whole number from {least} up"),
            _ => format!("a whole number from {least} to {most}"),
        };
        self.problems.push(
            Diagnostic::new(&file::RANGE, span.clone(), format!("{subject} cannot be {number}")).expected([wanted]),
        );
        false
    }

    fn is_choice(&mut self, text: &str, span: &Span, part: Part, place: &Place) -> bool {
        let choices = part.choices();
        if choices.is_empty() || choices.contains(&text) {
            return true;
        }
        let message = format!("{} cannot be {text:?}", place.subject());
        let problem = Diagnostic::new(&file::CHOICE, span.clone(), message)
            .expected(choices.iter().map(|choice| format!("{choice:?}")))
            .did_you_mean_as(text, choices, |choice| format!("{choice:?}"));
        self.problems.push(problem);
        false
    }

    fn wrong_type(&mut self, node: &Node, part: Part, place: &Place) {
        let wanted = self.wanted(part);
        let found = found(&node.value, part);
        let message = format!("{} is {wanted}, not {found}", place.subject());
        let span = match node.value {
            // A block's header, not the value behind it, is what somebody typed.
            Value::Table(_) => place.span.clone(),
            _ => node.span.clone(),
        };
        let problem = Diagnostic::new(&file::TYPE, span, message).label(format!("expected {wanted}"));
        self.problems.push(match self.help_type(node, part, place) {
            Some(help) => problem.help(help),
            None => problem,
        });
    }

    fn wanted(&self, part: Part) -> &'static str {
        match part.kind() {
            Some("object") if part.values().is_none() && self.language == Language::Hcl => "a block",
            Some("object") => "a table",
            Some("array") => "a list",
            Some("integer") => "a whole number",
            Some("boolean") => "true or false",
            _ => "a string",
        }
    }

    fn help_type(&self, node: &Node, part: Part, place: &Place) -> Option<String> {
        let name = place.path.last()?;
        let write = |value: String| {
            if place.item { format!("write {value}") } else { format!("write {name} = {value}") }
        };
        match (part.kind()?, &node.value) {
            ("integer", Value::String(text)) if text.trim().parse::<i64>().is_ok() => {
                Some(write(text.trim().to_owned()))
            }
            ("array", Value::String(text)) => Some(write(format!("[{text:?}]"))),
            ("string", Value::Integer(_) | Value::Float(_)) => Some(write(format!("\"{}\"", node.value.to_json()))),
            ("boolean", Value::String(text)) if text == "true" || text == "false" => Some(write(text.clone())),
            ("object", _) => Some(self.block_sample(name, part)),
            _ => None,
        }
    }

    fn block_sample(&self, name: &str, part: Part) -> String {
        let named = part.values().is_some_and(|inner| inner.properties().is_some());
        match (self.language, named, part.values().is_some()) {
            (Language::Hcl, true, _) => format!("write a block: {name} \"NAME\" {{ … }}"),
            (Language::Toml, true, _) => format!("write a table: [{name}.NAME]"),
            (_, false, true) => format!("write {name} = {{ … }}"),
            (Language::Hcl, false, false) => format!("write a block: {name} {{ … }}"),
            (Language::Toml, false, false) => format!("write a table: [{name}]"),
        }
    }
}

fn text_is_wanted(part: Part) -> bool {
    part.kind() == Some("string") || !part.choices().is_empty()
}

/// What stands there: numbers as they are where a number is wanted.
fn found(value: &Value, part: Part) -> String {
    match value {
        Value::Float(number) if part.kind() == Some("integer") && number.fract() == 0.0 => {
            "a number as large as this".to_owned()
        }
        Value::Float(number) if part.kind() == Some("integer") => number.to_string(),
        other => other.kind().to_owned(),
    }
}

/// `a`, `b` and `c`.
fn list(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    words::list(&quoted)
}
