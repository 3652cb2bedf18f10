//! Generates the pages of `docs/` from the schema and the rules.

use std::fmt::Write as _;

use serde_json::Value;

use super::Rule;
use super::living::LivingSetting;
use super::schema::{example_of, schema};

const GENERATED: &str =
    "<!-- Made by the tests from src/spec: change it there, then run them with UPDATE_SCHEMA=1. -->";

/// Generates `docs/cluster-file.md`.
pub(super) fn cluster_file() -> String {
    let schema = schema();
    let mut page = format!("# The cluster file\n\n{GENERATED}\n\n{}\n", include_str!("reference.md").trim_end());
    page.push_str("\n## Settings\n");
    table(schema, schema, "", &mut page);
    let mut waiting: Vec<(String, &Value)> = children(schema, schema, "");
    while !waiting.is_empty() {
        let (path, part) = waiting.remove(0);
        let _ = write!(page, "\n### `{path}`\n\n{}\n", description(part));
        table(schema, part, &path, &mut page);
        let mut inner = children(schema, part, &path);
        inner.append(&mut waiting);
        waiting = inner;
    }
    page
}

/// Returns the path of every setting that has a value of its own, or a name.
pub(super) fn settings() -> Vec<String> {
    let schema = schema();
    let mut found = Vec::new();
    let mut waiting = vec![(String::new(), schema)];
    while let Some((path, part)) = waiting.pop() {
        for (name, own) in part.get("properties").and_then(Value::as_object).into_iter().flatten() {
            let inner = section(schema, own);
            // A table of strings is one setting, whatever its keys are.
            let path = match inner {
                Some(_) => join(&path, name, own, schema),
                None if path.is_empty() => name.to_owned(),
                None => format!("{path}.{name}"),
            };
            if inner.is_none() || is_switch(schema, own) || path.rsplit('.').next() == Some("NAME") {
                found.push(path.clone());
            }
            waiting.extend(inner.map(|inner| (path, inner)));
        }
    }
    found
}

/// Generates `docs/rules.md`.
pub(super) fn rules() -> String {
    let mut page = format!(
        "# The rules of the cluster file\n\n{GENERATED}\n\nEvery problem that `quorate check` finds \
         has a code. `quorate explain CODE` shows the same text.\n\n| code | | rule |\n|---|---|---|\n"
    );
    let mut all: Vec<&Rule> = super::rules().collect();
    all.sort_by_key(|rule| rule.code);
    for rule in &all {
        let code = rule.code;
        let anchor = code.to_lowercase();
        let _ = writeln!(page, "| [{code}](#{anchor}) | {} | {} |", rule.severity.name(), rule.title);
    }
    for rule in all {
        let _ = write!(
            page,
            "\n## {}\n\n**{}** ({}). {}\n",
            rule.code,
            sentence(rule.title),
            rule.severity.name(),
            rule.explanation,
        );
        // What is wrong with another file has no example in this one.
        for (title, example) in [("Wrong", rule.bad), ("Right", rule.good)].iter().filter(|(_, it)| !it.is_empty()) {
            let _ = write!(page, "\n{title}:\n\n```hcl\n{example}\n```\n");
        }
    }
    page
}

fn sentence(title: &str) -> String {
    let mut letters = title.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

fn table(root: &Value, part: &Value, path: &str, page: &mut String) {
    let Some(properties) = part.get("properties").and_then(Value::as_object) else {
        return;
    };
    page.push_str("\n| setting | type | | what it is | change on a living cluster |\n|---|---|---|---|---|\n");
    let required: Vec<&str> =
        part.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
    for (name, own) in properties {
        let inner = follow(root, own);
        let must = if required.contains(&name.as_str()) { "required" } else { "" };
        let link = if has_page(root, own) {
            format!("[`{name}`](#{})", anchor(&join(path, name, own, root)))
        } else {
            format!("`{name}`")
        };
        let own_path = match section(root, own) {
            Some(_) => join(path, name, own, root),
            None if path.is_empty() => name.to_owned(),
            None => format!("{path}.{name}"),
        };
        let kind = if is_switch(root, own) { "true or false, or block" } else { kind(inner) };
        let living = LivingSetting::find(&own_path).map(LivingSetting::cell).unwrap_or_default();
        let _ = writeln!(page, "| {link} | {} | {must} | {} | {living} |", kind, cell(own, inner));
    }
}

fn cell(own: &Value, inner: &Value) -> String {
    let mut text = description(if own.get("description").is_some() { own } else { inner });
    let choices = inner.get("oneOf").and_then(Value::as_array).into_iter().flatten();
    for choice in choices {
        if let Some(value) = choice.get("const").and_then(Value::as_str) {
            let _ = write!(text, " `\"{value}\"`: {}", description(choice));
        }
    }
    if let (Some(least), Some(most)) = (inner.get("minimum"), inner.get("maximum")) {
        let _ = write!(text, " From {least} to {most}.");
    }
    if let Some(example) = example_of(own) {
        let _ = write!(text, " Example: `{example}`.");
    }
    text
}

fn description(part: &Value) -> String {
    part.get("description").and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn kind(part: &Value) -> &'static str {
    match part.get("type").and_then(Value::as_str) {
        Some("object") if part.get("properties").is_some() => "block",
        Some("object") => match part.pointer("/additionalProperties/type") {
            Some(_) => "table of strings",
            None => "named blocks",
        },
        Some("array") => "list of strings",
        Some("integer") => "whole number",
        Some("boolean") => "true or false",
        _ => "string",
    }
}

/// Follows references; of a setting that is a switch or a block, to the block.
fn follow<'s>(root: &'s Value, own: &'s Value) -> &'s Value {
    let target = target(root, own);
    match target.get("anyOf").and_then(Value::as_array) {
        Some(branches) => branches
            .iter()
            .map(|branch| self::target(root, branch))
            .find(|part| part.get("properties").is_some())
            .unwrap_or(target),
        None => target,
    }
}

fn target<'s>(root: &'s Value, own: &'s Value) -> &'s Value {
    let reference = own.get("$ref").and_then(Value::as_str);
    reference.and_then(|r| root.pointer(r.strip_prefix('#')?)).unwrap_or(own)
}

/// Returns `true` for a setting that is a switch or a block.
fn is_switch(root: &Value, own: &Value) -> bool {
    target(root, own).get("anyOf").is_some()
}

/// Returns the schema of a setting's own section: the block, or the block behind each name.
fn section<'s>(root: &'s Value, own: &'s Value) -> Option<&'s Value> {
    let part = follow(root, own);
    let part = match part.get("additionalProperties").filter(|inner| inner.is_object()) {
        Some(inner) => follow(root, inner),
        None => part,
    };
    part.get("properties").map(|_| part)
}

fn has_page(root: &Value, own: &Value) -> bool {
    section(root, own).is_some()
}

fn children<'s>(root: &'s Value, part: &'s Value, path: &str) -> Vec<(String, &'s Value)> {
    let properties = part.get("properties").and_then(Value::as_object);
    properties
        .into_iter()
        .flatten()
        .filter_map(|(name, own)| Some((join(path, name, own, root), section(root, own)?)))
        .collect()
}

fn join(path: &str, name: &str, own: &Value, root: &Value) -> String {
    let named = follow(root, own).get("additionalProperties").is_some_and(Value::is_object);
    let name = if named { format!("{name}.NAME") } else { name.to_owned() };
    if path.is_empty() { name } else { format!("{path}.{name}") }
}

/// Returns the anchor that Markdown gives a heading.
fn anchor(heading: &str) -> String {
    heading.chars().filter(|c| c.is_alphanumeric() || *c == '-').collect::<String>().to_lowercase()
}
