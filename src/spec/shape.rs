//! Checks a [`FileTable`] against the schema: names, types, what is missing. Finds everything at once.
//!
//! Wrong values are reported and marked invalid, so that the rest can still be read and checked.

use super::diagnostic::{Diagnostic, nearest};
use super::rules::file;
use super::schema::SchemaPart;
use super::sink::DiagnosticSink;
use super::source::Span;
use super::tree::{FileKey, FileNode, FileTable, FileValue};
use crate::words;

/// The language of the file, for the samples in messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FileLanguage {
    /// HCL.
    Hcl,
    /// TOML.
    Toml,
}

/// Checks the whole file.
pub(super) fn check(
    table: &mut FileTable,
    schema: &serde_json::Value,
    language: FileLanguage,
    sink: &mut DiagnosticSink,
) {
    let mut walk = ShapeWalk { language, sink };
    walk.table(table, SchemaPart::root(schema), &SettingPath::top());
}

struct ShapeWalk<'p> {
    language: FileLanguage,
    sink: &'p mut DiagnosticSink,
}

/// The position of the walk: the names from the top, and the place of the last one.
struct SettingPath {
    path: Vec<String>,
    span: Span,
    /// `true` for an item of the list at `path`.
    item: bool,
}

impl SettingPath {
    fn top() -> Self {
        Self { path: Vec::new(), span: 0..0, item: false }
    }

    fn inside(&self, key: &FileKey) -> Self {
        let mut path = self.path.clone();
        path.push(key.name.clone());
        Self { path, span: key.span.clone(), item: false }
    }

    fn item(&self, span: &Span) -> Self {
        Self { path: self.path.clone(), span: span.clone(), item: true }
    }

    /// Returns `masters.count`, or nothing at the top.
    fn name(&self) -> String {
        self.path.join(".")
    }

    /// Returns `masters.count`, or "an item of `zones`".
    fn subject(&self) -> String {
        if self.item { format!("an item of `{}`", self.name()) } else { format!("`{}`", self.name()) }
    }
}

impl ShapeWalk<'_> {
    fn table(&mut self, table: &mut FileTable, part: SchemaPart, place: &SettingPath) {
        // What an unknown name was meant to be is not also missing.
        let mut meant = Vec::new();
        for entry in &mut table.entries {
            let inner = place.inside(&entry.key);
            if let Some(part) = part.property(&entry.key.name).or_else(|| part.values()) {
                self.node(&mut entry.node, part, &inner);
            } else {
                meant.extend(self.unknown(&entry.key, part, place));
                entry.node.value = FileValue::Invalid;
            }
        }
        let missing = |name: &&str| table.get(name).is_none() && !meant.contains(name);
        let missing: Vec<&str> = part.required().filter(missing).collect();
        let misnamed = table.entries.iter().any(|entry| entry.key.label && part.values().is_none());
        if !missing.is_empty() && !misnamed {
            self.missing(&missing, part, place);
        }
    }

    fn node(&mut self, node: &mut FileNode, part: SchemaPart, place: &SettingPath) {
        let part = alternative(&node.value, part);
        match (part.kind(), &mut node.value) {
            // In a table, null is as if the setting were not there; a list has no such place.
            (_, FileValue::Null) if place.item => self.wrong_type(node, part, place),
            (_, FileValue::Invalid | FileValue::Null) | (Some("boolean"), FileValue::Bool(_)) => return,
            (Some("object"), FileValue::Table(table)) => {
                if self.lacks_label(table, part, place) {
                    node.value = FileValue::Invalid;
                } else {
                    self.table(table, part, place);
                }
                return;
            }
            (Some("array"), FileValue::List(items)) => {
                if let Some(part) = part.items() {
                    for item in items {
                        let place = place.item(&item.span);
                        self.node(item, part, &place);
                    }
                }
                return;
            }
            (Some("integer"), FileValue::Integer(number)) => {
                if self.in_range(*number, &node.span, part, place) {
                    return;
                }
            }
            (_, FileValue::String(text)) if text_is_wanted(part) => {
                if self.is_choice(text, &node.span, part, place) {
                    return;
                }
            }
            _ => self.wrong_type(node, part, place),
        }
        node.value = FileValue::Invalid;
    }

    /// Reports an unknown name; returns the setting that was meant, if that is clear.
    fn unknown<'s>(&mut self, key: &FileKey, part: SchemaPart<'s>, place: &SettingPath) -> Option<&'s str> {
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
            self.sink.error(problem.help(help));
            return known.into_iter().find(|name| *name == meant);
        }
        self.sink.error(
            problem
                .expected(known.iter().map(|name| format!("`{name}`")))
                .did_you_mean(&key.name, known.iter().copied()),
        );
        nearest(&key.name, known)
    }

    fn report_label(&mut self, key: &FileKey, place: &SettingPath) {
        let name = place.name();
        self.sink.error(
            Diagnostic::new(&file::LABEL, key.span.clone(), format!("`{name}` takes no name: there is only one"))
                .help(format!("write it without: {name} {{ … }}")),
        );
    }

    /// Returns the setting that a term of another tool means, and a hint.
    fn foreign(&self, name: &str, nested: bool) -> Option<(&'static str, &'static str)> {
        let found = match (name, nested) {
            ("variable" | "locals", false) if self.language == FileLanguage::Toml => {
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

    fn missing(&mut self, names: &[&str], part: SchemaPart, place: &SettingPath) {
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
                None if self.language == FileLanguage::Toml => format!("add a table: [{name}]"),
                None => format!("add a block: {name} {{ … }}"),
            });
        }
        self.sink.error(problem);
    }

    /// Reports `nodes { count = 3 }`: a table with free names that has the settings of one of them.
    fn lacks_label(&mut self, table: &FileTable, part: SchemaPart, place: &SettingPath) -> bool {
        let Some(inner) = part.values().filter(|inner| inner.properties().is_some()) else {
            return false;
        };
        let misplaced = |entry: &super::tree::FileEntry| {
            !entry.key.label
                && inner.property(&entry.key.name).is_some()
                && !matches!(entry.node.value, FileValue::Table(_) | FileValue::Invalid)
        };
        if !table.entries.iter().any(misplaced) {
            return false;
        }
        let name = place.name();
        let sample = match self.language {
            FileLanguage::Hcl => format!("{name} \"NAME\" {{ … }}"),
            FileLanguage::Toml => format!("[{name}.NAME]"),
        };
        self.sink.error(
            Diagnostic::new(&file::LABEL, place.span.clone(), format!("`{name}` needs a name of its own"))
                .note("there can be several of them, so each has a name")
                .help(format!("write {sample}")),
        );
        true
    }

    fn in_range(&mut self, number: i64, span: &Span, part: SchemaPart, place: &SettingPath) -> bool {
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
        self.sink.error(
            Diagnostic::new(&file::RANGE, span.clone(), format!("{subject} cannot be {number}")).expected([wanted]),
        );
        false
    }

    fn is_choice(&mut self, text: &str, span: &Span, part: SchemaPart, place: &SettingPath) -> bool {
        let choices = part.choices();
        if choices.is_empty() || choices.contains(&text) {
            return true;
        }
        let message = format!("{} cannot be {text:?}", place.subject());
        let problem = Diagnostic::new(&file::CHOICE, span.clone(), message)
            .expected(choices.iter().map(|choice| format!("{choice:?}")))
            .did_you_mean_as(text, choices, |choice| format!("{choice:?}"));
        self.sink.error(problem);
        false
    }

    fn wrong_type(&mut self, node: &FileNode, part: SchemaPart, place: &SettingPath) {
        let wanted = self.wanted(part);
        let found = found(&node.value, part);
        let message = format!("{} is {wanted}, not {found}", place.subject());
        let span = match node.value {
            // The user wrote a block's header, not the value behind it.
            FileValue::Table(_) => place.span.clone(),
            _ => node.span.clone(),
        };
        let problem = Diagnostic::new(&file::TYPE, span, message).label(format!("expected {wanted}"));
        self.sink.error(match self.help_type(node, part, place) {
            Some(help) => problem.help(help),
            None => problem,
        });
    }

    fn wanted(&self, part: SchemaPart) -> &'static str {
        match part.kind() {
            Some("object") if part.values().is_none() && self.language == FileLanguage::Hcl => "a block",
            Some("object") => "a table",
            Some("array") => "a list",
            Some("integer") => "a whole number",
            Some("boolean") => "true or false",
            _ => "a string",
        }
    }

    fn help_type(&self, node: &FileNode, part: SchemaPart, place: &SettingPath) -> Option<String> {
        let name = place.path.last()?;
        let write = |value: String| {
            if place.item { format!("write {value}") } else { format!("write {name} = {value}") }
        };
        match (part.kind()?, &node.value) {
            ("integer", FileValue::String(text)) if text.trim().parse::<i64>().is_ok() => {
                Some(write(text.trim().to_owned()))
            }
            ("array", FileValue::String(text)) => Some(write(format!("[{text:?}]"))),
            ("string", number) => number.digits().map(|digits| write(format!("\"{digits}\""))),
            ("boolean", FileValue::String(text)) if text == "true" || text == "false" => Some(write(text.clone())),
            ("object", _) => Some(self.block_sample(name, part)),
            _ => None,
        }
    }

    fn block_sample(&self, name: &str, part: SchemaPart) -> String {
        let named = part.values().is_some_and(|inner| inner.properties().is_some());
        match (self.language, named, part.values().is_some()) {
            (FileLanguage::Hcl, true, _) => format!("write a block: {name} \"NAME\" {{ … }}"),
            (FileLanguage::Toml, true, _) => format!("write a table: [{name}.NAME]"),
            (_, false, true) => format!("write {name} = {{ … }}"),
            (FileLanguage::Hcl, false, false) => format!("write a block: {name} {{ … }}"),
            (FileLanguage::Toml, false, false) => format!("write a table: [{name}]"),
        }
    }
}

/// Returns the alternative of a setting that the value is meant for: `true` or `false`, unless it is a table.
fn alternative<'s>(value: &FileValue, part: SchemaPart<'s>) -> SchemaPart<'s> {
    let is_table = matches!(value, FileValue::Table(_));
    let wanted = |part: &SchemaPart| (part.kind() == Some("object")) == is_table;
    part.alternatives().into_iter().find(wanted).unwrap_or(part)
}

fn text_is_wanted(part: SchemaPart) -> bool {
    part.kind() == Some("string") || !part.choices().is_empty()
}

/// Describes the value that was found: a number by its value, if a number is expected.
fn found(value: &FileValue, part: SchemaPart) -> String {
    match value {
        FileValue::Float(number) if part.kind() == Some("integer") && number.fract() == 0.0 => {
            "a number as large as this".to_owned()
        }
        FileValue::Float(number) if part.kind() == Some("integer") => number.to_string(),
        other => other.kind().to_owned(),
    }
}

/// Returns `a`, `b` and `c`.
fn list(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    words::list(&quoted)
}
