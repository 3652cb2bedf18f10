//! Converts TOML to a [`FileTable`]. Every syntax error is shown, not only the first.

use ::toml::Spanned;
use ::toml::de::{DeTable, DeValue, Error};

use super::diagnostic::Diagnostic;
use super::rules::file;
use super::sink::{DiagnosticSink, ErrorReported};
use super::tree::{FileKey, FileNode, FileTable, FileValue};

/// Maximum number of syntax errors that are shown: a file with more is not TOML at all.
const MAX_ERRORS: usize = 50;

/// Parses TOML; reports everything that cannot be read.
pub(super) fn parse(text: &str, sink: &mut DiagnosticSink) -> Result<FileTable, ErrorReported> {
    let (document, errors) = DeTable::parse_recoverable(text);
    let shown = without_echoes(text, &errors).take(MAX_ERRORS).map(|error| sink.error(explain(text, error)));
    // Each is reported; any of them is the proof.
    match shown.last() {
        Some(proof) => Err(proof),
        None => Ok(table(document.get_ref())),
    }
}

fn table(source: &DeTable) -> FileTable {
    let mut table = FileTable::default();
    for (key, value) in source {
        table.push(FileKey::new(key.get_ref().as_ref(), key.span()), node(value));
    }
    // The map is sorted by name; messages about the first and the second want the file's order.
    table.entries.sort_by_key(|entry| entry.key.span.start);
    table
}

fn node(source: &Spanned<DeValue>) -> FileNode {
    let value = match source.get_ref() {
        DeValue::String(text) => FileValue::String(text.to_string()),
        DeValue::Integer(number) => {
            let parsed = i64::from_str_radix(number.as_str(), number.radix());
            parsed.map_or(FileValue::Float(f64::MAX), FileValue::Integer)
        }
        DeValue::Float(number) => number.as_str().parse().map_or(FileValue::Invalid, FileValue::Float),
        DeValue::Boolean(value) => FileValue::Bool(*value),
        DeValue::Datetime(date) => FileValue::Date(date.to_string()),
        DeValue::Array(items) => FileValue::List(items.iter().map(node).collect()),
        DeValue::Table(inner) => FileValue::Table(table(inner)),
    };
    FileNode::new(value, source.span())
}

/// Drops the errors that follow from a repeated table: its settings are repeated, too.
fn without_echoes<'e>(text: &'e str, errors: &'e [Error]) -> impl Iterator<Item = &'e Error> {
    let mut inside: Option<usize> = None;
    errors.iter().filter(move |error| {
        let at = error.span().map_or(0, |span| span.start);
        let header = |start: usize| text.get(start..at).is_some_and(|t| t.contains("\n["));
        let duplicate = error.message().contains("duplicate key");
        let echo = duplicate && inside.is_some_and(|start| !header(start));
        if duplicate && !echo {
            inside = line_before(text, at).trim_start().starts_with('[').then_some(at);
        }
        !echo
    })
}

/// Returns the part of a line that stands before an offset.
fn line_before(text: &str, offset: usize) -> &str {
    text.get(..offset).and_then(|before| before.rsplit('\n').next()).unwrap_or_default()
}

fn explain(text: &str, error: &Error) -> Diagnostic {
    let span = error.span().unwrap_or_default();
    let cause = error.message();
    if cause.contains("duplicate key") {
        let name = text.get(span.clone()).unwrap_or_default().trim();
        return Diagnostic::new(&file::DUPLICATE, span, format!("`{name}` is defined twice")).help("keep one of them");
    }
    if let Some(name) = bare_value(text, span.start) {
        return Diagnostic::new(&file::SYNTAX, span, "this is not TOML: a string without quotes")
            .help(format!("write {name} = \"…\"; variables and functions are for HCL files"));
    }
    let (message, expected) = match cause.split_once(", expected ") {
        Some((message, expected)) => (message, Some(expected)),
        None => (cause, None),
    };
    let problem = Diagnostic::new(&file::SYNTAX, span.clone(), format!("this is not TOML: {message}"));
    let problem = match expected {
        Some(set) => problem.expected(set.split(", ")),
        None => problem,
    };
    match hint(text, span.start) {
        Some(hint) => problem.help(hint),
        None => problem,
    }
}

/// Returns the name of a setting whose value starts with a letter where an error is.
fn bare_value(text: &str, offset: usize) -> Option<&str> {
    let (name, before) = line_before(text, offset).split_once('=')?;
    let first = text.get(offset..)?.chars().next()?;
    (before.trim().is_empty() && first.is_alphabetic()).then_some(name.trim())
}

fn hint(text: &str, offset: usize) -> Option<String> {
    let start = offset - line_before(text, offset).len();
    let line = text.get(start..)?.lines().next()?.trim();
    let block = line.ends_with('{') && !line.contains('=');
    block.then(|| "this is HCL syntax: name the file .hcl, or write a table: [masters]".to_owned())
}
