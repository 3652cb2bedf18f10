//! When two values of an attribute say the same.

use std::collections::{BTreeMap, BTreeSet};

use super::{Form, Value};

/// Whether two values say the same in this form.
pub(crate) fn same(form: Form, one: &Value, other: &Value) -> bool {
    one == other || (form != Form::Plain && canonical(form, one) == canonical(form, other))
}

/// The value in its normal form: two values of a form say the same exactly when their normal forms are equal.
pub(crate) fn canonical(form: Form, value: &Value) -> Value {
    match form {
        Form::Plain | Form::Tags => value.clone(),
        Form::Set => map_tree(value, &Value::clone, &as_set),
        Form::Json => map_tree(value, &json_leaf, &Value::List),
    }
}

/// Whether there is nothing in the value: clouds leave out what is empty.
pub(crate) fn is_empty(value: &Value) -> bool {
    match value {
        Value::List(items) => items.is_empty(),
        Value::Map(items) => items.is_empty(),
        _ => false,
    }
}

/// The map with these keys only; anything else as it is.
pub(crate) fn only(keys: &BTreeSet<&str>, value: &Value) -> Value {
    match value {
        Value::Map(items) => {
            Value::Map(items.iter().filter(|(key, _)| keys.contains(key.as_str())).map(clone_entry).collect())
        }
        other => other.clone(),
    }
}

fn clone_entry((key, value): (&String, &Value)) -> (String, Value) {
    (key.clone(), value.clone())
}

fn map_tree(value: &Value, leaf: &impl Fn(&Value) -> Value, list: &impl Fn(Vec<Value>) -> Value) -> Value {
    match value {
        Value::List(items) => list(items.iter().map(|item| map_tree(item, leaf, list)).collect()),
        Value::Map(items) => {
            Value::Map(items.iter().map(|(key, item)| (key.clone(), map_tree(item, leaf, list))).collect())
        }
        other => leaf(other),
    }
}

fn as_set(mut items: Vec<Value>) -> Value {
    items.sort();
    items.dedup();
    Value::List(items)
}

/// Text that is no JSON is compared as text.
fn json_leaf(value: &Value) -> Value {
    match value {
        Value::Text(text) => {
            serde_json::from_str(text).map_or_else(|_| value.clone(), |json| Value::Text(canonical_json(&json)))
        }
        other => other.clone(),
    }
}

/// JSON without order or repetition; a list of one is its only member, as in IAM's policies.
fn canonical_json(json: &serde_json::Value) -> String {
    match json {
        serde_json::Value::Array(items) => {
            let items: BTreeSet<String> = items.iter().map(canonical_json).collect();
            match items.len() {
                1 => items.into_iter().collect(),
                _ => format!("[{}]", Vec::from_iter(items).join(",")),
            }
        }
        serde_json::Value::Object(members) => {
            let members: BTreeMap<&String, String> =
                members.iter().map(|(key, member)| (key, canonical_json(member))).collect();
            let members: Vec<String> = members
                .into_iter()
                .map(|(key, member)| format!("{}:{member}", serde_json::Value::from(key.as_str())))
                .collect();
            format!("{{{}}}", members.join(","))
        }
        scalar => scalar.to_string(),
    }
}
