//! The differences between two values of an attribute, leaf by leaf.

use std::collections::BTreeMap;

use crate::engine::{AttributeChange, Comparison, Value};
use crate::view::value;

/// One difference.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct AttributeDiff {
    /// The name of the leaf: `desired`, `tags.Name`, `health_check.interval`.
    pub(super) name: String,
    /// The kind of difference.
    pub(super) what: DiffKind,
}

/// The kind of difference between two values.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum DiffKind {
    /// A changed value.
    Other { before: String, after: String },
    /// An added value.
    Added(String),
    /// A removed value.
    Removed(String),
    /// Elements that are removed from a list, and elements that are added to it.
    Elements { removed: Vec<String>, added: Vec<String> },
    /// Text of many lines; either may be empty.
    Text { before: String, after: String },
}

/// Maximum length of a value that shares its line with another one.
const LONG: usize = 60;

/// Returns all differences in an attribute.
pub(super) fn difference(attribute: &AttributeChange, form: Comparison) -> Vec<AttributeDiff> {
    let mut found = Vec::new();
    compare(&value::safe(&attribute.name), attribute.before.as_ref(), attribute.after.as_ref(), form, &mut found);
    found
}

fn compare(
    name: &str,
    before: Option<&Value>,
    after: Option<&Value>,
    form: Comparison,
    found: &mut Vec<AttributeDiff>,
) {
    let nothing = BTreeMap::new();
    let what = match (before, after) {
        (None, None) => return,
        (Some(Value::Map(before)), Some(Value::Map(after))) => return compare_maps(name, before, after, form, found),
        (Some(Value::Map(before)), None) if form != Comparison::Plain => {
            return compare_maps(name, before, &nothing, form, found);
        }
        (None, Some(Value::Map(after))) if form != Comparison::Plain => {
            return compare_maps(name, &nothing, after, form, found);
        }
        (Some(Value::List(before)), Some(Value::List(after))) => lists(before, after),
        (None, Some(Value::List(after))) if !after.is_empty() => lists(&[], after),
        (Some(Value::List(before)), None) if !before.is_empty() => lists(before, &[]),
        _ => leaves(before, after, form),
    };
    found.push(AttributeDiff { name: name.to_owned(), what });
}

fn compare_maps(
    name: &str,
    before: &BTreeMap<String, Value>,
    after: &BTreeMap<String, Value>,
    form: Comparison,
    found: &mut Vec<AttributeDiff>,
) {
    let keys: std::collections::BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    for key in keys {
        let (old, new) = (before.get(key), after.get(key));
        if old != new {
            compare(&format!("{name}.{}", value::safe(key)), old, new, form, found);
        }
    }
}

/// Returns the elements that were removed and added; the whole lists if only the order differs.
fn lists(before: &[Value], after: &[Value]) -> DiffKind {
    let removed: Vec<String> = without(before, after);
    let added: Vec<String> = without(after, before);
    if removed.is_empty() && added.is_empty() {
        let whole = |items: &[Value]| value::inline(&Value::List(items.to_vec()));
        return DiffKind::Other { before: whole(before), after: whole(after) };
    }
    DiffKind::Elements { removed, added }
}

/// Returns the elements of one list that the other lacks; repeated elements are counted.
fn without(items: &[Value], others: &[Value]) -> Vec<String> {
    let mut others: Vec<&Value> = others.iter().collect();
    let mut left: Vec<String> = Vec::new();
    for item in items {
        match others.iter().position(|other| *other == item) {
            Some(place) => drop(others.swap_remove(place)),
            None => left.push(value::inline(item)),
        }
    }
    left.sort();
    left
}

fn leaves(before: Option<&Value>, after: Option<&Value>, form: Comparison) -> DiffKind {
    let (old, new) = (before.and_then(|v| text_of(v, form)), after.and_then(|v| text_of(v, form)));
    let long = |text: &Option<String>| text.as_ref().is_some_and(|text| text.contains('\n'));
    let only_text = (before.is_none() || old.is_some()) && (after.is_none() || new.is_some());
    if only_text && (long(&old) || long(&new)) {
        return DiffKind::Text { before: old.unwrap_or_default(), after: new.unwrap_or_default() };
    }
    match (before.map(value::inline), after.map(value::inline)) {
        (Some(before), Some(after)) if before.len().max(after.len()) > LONG => {
            DiffKind::Elements { removed: vec![before], added: vec![after] }
        }
        (Some(before), Some(after)) => DiffKind::Other { before, after },
        (Some(before), None) => DiffKind::Removed(before),
        (None, after) => DiffKind::Added(after.unwrap_or_default()),
    }
}

fn text_of(value: &Value, form: Comparison) -> Option<String> {
    let text = value::text(value)?;
    Some(match form {
        Comparison::Json => pretty(&text).unwrap_or(text),
        _ => text,
    })
}

/// Returns a JSON document on many lines, in one canonical form: documents with the same meaning are equal.
fn pretty(text: &str) -> Option<String> {
    let json: serde_json::Value = serde_json::from_str(text).ok()?;
    serde_json::to_string_pretty(&canonical(json)).ok()
}

/// Returns a JSON value with sorted members and sorted lists of scalars; a list of one element becomes that element.
fn canonical(json: serde_json::Value) -> serde_json::Value {
    use serde_json::Value as Json;
    match json {
        Json::Object(members) => {
            let sorted: BTreeMap<String, Json> =
                members.into_iter().map(|(name, member)| (name, canonical(member))).collect();
            Json::Object(sorted.into_iter().collect())
        }
        Json::Array(items) => {
            let mut items: Vec<Json> = items.into_iter().map(canonical).collect();
            if items.iter().all(|item| !item.is_object() && !item.is_array()) {
                items.sort_by_key(ToString::to_string);
            }
            if items.len() == 1 { items.remove(0) } else { Json::Array(items) }
        }
        leaf => leaf,
    }
}
