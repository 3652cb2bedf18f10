//! `docs/plan-json.md`, generated from the schema.

use std::fmt::Write as _;

use serde_json::Value;

use super::schema::schema;
use crate::testkit::assert_generated;

const GENERATED: &str = "<!-- Made by the tests from src/view/plan and the types of a plan: change it there, then run them with \
                         UPDATE_SCHEMA=1. -->";

#[test]
fn the_page_about_the_json_of_a_plan_is_up_to_date() {
    assert_generated("docs/plan-json.md", &page(&schema()));
}

fn page(schema: &Value) -> String {
    let intro = include_str!("../reference.md").trim_end();
    let mut page = format!("# The JSON of a plan\n\n{GENERATED}\n\n{intro}\n\n## Members\n");
    members(schema, &mut page);
    for name in definitions(schema) {
        let part = &schema["$defs"][&name];
        let _ = write!(page, "\n### {name}\n\n{}\n", text(part));
        members(part, &mut page);
        variants(part, &mut page);
        if part.get("properties").is_none() && part.get("oneOf").is_none() {
            let _ = writeln!(page, "\nType: {}.", kind(part));
        }
    }
    page
}

/// Returns the names of all definitions, in the order in which they are referred to.
fn definitions(schema: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let mut root = schema.clone();
    root.as_object_mut().unwrap().remove("$defs");
    references(&root, &mut found);
    let mut next = 0;
    while let Some(name) = found.get(next).cloned() {
        references(&schema["$defs"][name], &mut found);
        next += 1;
    }
    found
}

fn references(part: &Value, found: &mut Vec<String>) {
    match part {
        Value::Object(members) => {
            let name = part.get("$ref").and_then(referred).filter(|name| !found.contains(name));
            found.extend(name);
            members.values().for_each(|member| references(member, found));
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        _ => {}
    }
}

fn referred(reference: &Value) -> Option<String> {
    reference.as_str()?.strip_prefix("#/$defs/").map(str::to_owned)
}

/// Writes the table of an object's members.
fn members(part: &Value, page: &mut String) {
    let Some(properties) = part.get("properties").and_then(Value::as_object) else { return };
    page.push_str("\n| member | type | content |\n|---|---|---|\n");
    for (name, own) in properties {
        let is_required = part["required"].as_array().into_iter().flatten().any(|required| required == name.as_str());
        let absent = if is_required { String::new() } else { absent(own) };
        let _ = writeln!(page, "| `{name}` | {} | {}{absent} |", kind(own), text(own));
    }
}

/// Returns the sentence about a member that is left out.
fn absent(own: &Value) -> String {
    match own.get("default") {
        _ if text(own).contains("absent") => String::new(),
        Some(Value::Array(_)) => " Absent if it is empty.".to_owned(),
        Some(default) => format!(" Absent if it is {default}."),
        None => " Absent if there is none.".to_owned(),
    }
}

/// Writes the table of the values of an enumeration, or of its variants with their members.
fn variants(part: &Value, page: &mut String) {
    let variants: Vec<&Value> = part["oneOf"].as_array().into_iter().flatten().collect();
    if variants.is_empty() {
        return;
    }
    page.push_str("\n| value | meaning |\n|---|---|\n");
    for variant in variants {
        match variant.get("const").and_then(Value::as_str) {
            Some(value) => _ = writeln!(page, "| `{value}` | {} |", text(variant)),
            None => _ = writeln!(page, "| {} | {} |", object(variant), text(variant)),
        }
    }
}

/// Returns the members of a variant: `kind: duplicate`, `kept`.
fn object(variant: &Value) -> String {
    let properties = variant["properties"].as_object().into_iter().flatten();
    let (constants, others): (Vec<_>, Vec<_>) = properties.partition(|(_, own)| own.get("const").is_some());
    let constants = constants.iter().map(|(name, own)| format!("`{name}`: `{}`", own["const"].as_str().unwrap()));
    let others = others.iter().map(|(name, own)| match text(own) {
        "" => format!("`{name}`"),
        text => format!("`{name}` ({})", text.trim_end_matches('.')),
    });
    constants.chain(others).collect::<Vec<_>>().join(", ")
}

/// Returns the type of a value, with links to the definitions.
fn kind(own: &Value) -> String {
    if let Some(name) = own.get("$ref").and_then(referred) {
        return format!("[{name}](#{})", name.to_lowercase());
    }
    if let Some(branches) = own.get("anyOf").and_then(Value::as_array) {
        return branches.iter().map(kind).collect::<Vec<_>>().join(" or ");
    }
    if let Some(types) = own["type"].as_array() {
        return types.iter().map(|name| simple(name, own)).collect::<Vec<_>>().join(" or ");
    }
    simple(&own["type"], own)
}

fn simple(name: &Value, own: &Value) -> String {
    match name.as_str() {
        Some("array") => format!("list of {}", kind(&own["items"])),
        Some("integer") => "whole number".to_owned(),
        Some(name) => name.to_owned(),
        None => "any".to_owned(),
    }
}

fn text(part: &Value) -> &str {
    part["description"].as_str().unwrap_or_default()
}
