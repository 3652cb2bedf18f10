//! What differs between two values of an attribute, leaf by leaf.

use std::collections::BTreeMap;

use crate::engine::{AttributeChange, Form, Value};
use crate::view::value;

/// One thing that differs.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Difference {
    /// Which: `desired`, `tags.Name`, `health_check.interval`.
    pub(super) name: String,
    /// How.
    pub(super) what: What,
}

/// How something differs.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum What {
    /// Another value.
    Other { before: String, after: String },
    /// A value where there was none.
    Added(String),
    /// No value where there was one.
    Removed(String),
    /// Elements that leave a list, and elements that join it.
    Elements { removed: Vec<String>, added: Vec<String> },
    /// Text of many lines; either may be empty.
    Text { before: String, after: String },
}

/// A value longer than this stands on a line of its own.
const LONG: usize = 60;

/// Everything that differs in an attribute.
pub(super) fn difference(attribute: &AttributeChange, form: Form) -> Vec<Difference> {
    let mut found = Vec::new();
    compare(&value::safe(&attribute.name), attribute.before.as_ref(), attribute.after.as_ref(), form, &mut found);
    found
}

fn compare(name: &str, before: Option<&Value>, after: Option<&Value>, form: Form, found: &mut Vec<Difference>) {
    let nothing = BTreeMap::new();
    let what = match (before, after) {
        (None, None) => return,
        (Some(Value::Map(before)), Some(Value::Map(after))) => return compare_maps(name, before, after, form, found),
        (Some(Value::Map(before)), None) if form != Form::Plain => {
            return compare_maps(name, before, &nothing, form, found);
        }
        (None, Some(Value::Map(after))) if form != Form::Plain => {
            return compare_maps(name, &nothing, after, form, found);
        }
        (Some(Value::List(before)), Some(Value::List(after))) => lists(before, after),
        (None, Some(Value::List(after))) if !after.is_empty() => lists(&[], after),
        (Some(Value::List(before)), None) if !before.is_empty() => lists(before, &[]),
        _ => leaves(before, after, form),
    };
    found.push(Difference { name: name.to_owned(), what });
}

fn compare_maps(
    name: &str,
    before: &BTreeMap<String, Value>,
    after: &BTreeMap<String, Value>,
    form: Form,
    found: &mut Vec<Difference>,
) {
    let keys: std::collections::BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    for key in keys {
        let (old, new) = (before.get(key), after.get(key));
        if old != new {
            compare(&format!("{name}.{}", value::safe(key)), old, new, form, found);
        }
    }
}

/// Elements that left and joined; the whole lists when only the order differs.
fn lists(before: &[Value], after: &[Value]) -> What {
    let removed: Vec<String> = without(before, after);
    let added: Vec<String> = without(after, before);
    if removed.is_empty() && added.is_empty() {
        let whole = |items: &[Value]| value::inline(&Value::List(items.to_vec()));
        return What::Other { before: whole(before), after: whole(after) };
    }
    What::Elements { removed, added }
}

/// The elements of one list that the other lacks, counted.
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

fn leaves(before: Option<&Value>, after: Option<&Value>, form: Form) -> What {
    let (old, new) = (before.and_then(|v| text_of(v, form)), after.and_then(|v| text_of(v, form)));
    let long = |text: &Option<String>| text.as_ref().is_some_and(|text| text.contains('\n'));
    let only_text = (before.is_none() || old.is_some()) && (after.is_none() || new.is_some());
    if only_text && (long(&old) || long(&new)) {
        return What::Text { before: old.unwrap_or_default(), after: new.unwrap_or_default() };
    }
    match (before.map(value::inline), after.map(value::inline)) {
        (Some(before), Some(after)) if before.len().max(after.len()) > LONG => {
            What::Elements { removed: vec![before], added: vec![after] }
        }
        (Some(before), Some(after)) => What::Other { before, after },
        (Some(before), None) => What::Removed(before),
        (None, after) => What::Added(after.unwrap_or_default()),
    }
}

fn text_of(value: &Value, form: Form) -> Option<String> {
    let text = value::text(value)?;
    Some(match form {
        Form::Json => pretty(&text).unwrap_or(text),
        _ => text,
    })
}

/// A JSON document on many lines, in one canonical way: two that mean the same look the same.
fn pretty(text: &str) -> Option<String> {
    let json: serde_json::Value = serde_json::from_str(text).ok()?;
    serde_json::to_string_pretty(&canonical(json)).ok()
}

/// Members sorted; lists of scalars sorted, and a list of one is its only member.
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
