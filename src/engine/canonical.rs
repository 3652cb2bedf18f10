//! Comparison of two values of an attribute.

use std::collections::{BTreeMap, BTreeSet};

use super::{Comparison, Value};

/// Returns `true` if two values are equal in this form.
pub(crate) fn same(form: Comparison, one: &Value, other: &Value) -> bool {
    one == other || (form != Comparison::Plain && canonical(form, one) == canonical(form, other))
}

/// Returns the value in its normal form: two values are equal in a form exactly when their normal forms are equal.
pub(crate) fn canonical(form: Comparison, value: &Value) -> Value {
    match form {
        Comparison::Plain | Comparison::Tags => value.clone(),
        Comparison::Set => map_tree(value, &Value::clone, &as_set),
        Comparison::Json => map_tree(value, &json_leaf, &Value::List),
    }
}

/// Returns `true` if the value is an empty list or map: clouds leave out empty values.
pub(crate) fn is_empty(value: &Value) -> bool {
    match value {
        Value::List(items) => items.is_empty(),
        Value::Map(items) => items.is_empty(),
        _ => false,
    }
}

/// Returns the map with these keys only; any other value unchanged.
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

/// Parses JSON text; text that is not JSON is compared as text.
fn json_leaf(value: &Value) -> Value {
    match value {
        Value::Text(text) => {
            serde_json::from_str(text).map_or_else(|_| value.clone(), |json| Value::Text(canonical_json(&json)))
        }
        other => other.clone(),
    }
}

/// Returns JSON without order or repetition; a list of one item equals the item, as in IAM's policies.
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

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Value {
        Value::Text(text.to_owned())
    }

    fn texts(items: &[&str]) -> Value {
        Value::List(items.iter().map(|item| text(item)).collect())
    }

    #[test]
    fn plain_values_are_compared_as_they_stand() {
        assert!(same(Comparison::Plain, &text("a"), &text("a")));
        assert!(!same(Comparison::Plain, &texts(&["a", "b"]), &texts(&["b", "a"])));
        assert!(!same(Comparison::Plain, &text("1"), &Value::Integer(1)));
    }

    #[test]
    fn sets_have_no_order_and_no_repetition() {
        assert!(same(Comparison::Set, &texts(&["a", "b", "a"]), &texts(&["b", "a"])));
        assert!(!same(Comparison::Set, &texts(&["a"]), &texts(&["a", "b"])));
        let nested = |order: &[&str]| Value::Map([("peers".to_owned(), texts(order))].into());
        assert!(same(Comparison::Set, &nested(&["a", "b"]), &nested(&["b", "a"])));
    }

    #[test]
    fn json_has_no_order_and_a_list_of_one_is_its_member() {
        let json = |one: &str, other: &str| same(Comparison::Json, &text(one), &text(other));
        assert!(json(r#"{"a": 1, "b": [1, 2]}"#, r#"{"b":[2,1,2],"a":1}"#));
        assert!(json(r#"{"Action":"s3:Get"}"#, r#"{"Action":["s3:Get"]}"#));
        assert!(json(r#"{"Statement":[{"Action":["a","b"]}]}"#, r#"{"Statement":{"Action":["b","a"]}}"#));
        assert!(!json(r#"{"a":[]}"#, r#"{"a":""}"#));
        assert!(!json(r#"{"a":"1"}"#, r#"{"a":1}"#));
        assert!(!json(r#"{"a":["b","c"]}"#, r#"{"a":["b"]}"#));
        assert!(!json(r#"["a,b"]"#, r#"["a","b"]"#), "a comma in a text is no separator");
    }

    #[test]
    fn text_that_is_no_json_is_compared_as_text() {
        assert!(same(Comparison::Json, &text("{not json"), &text("{not json")));
        assert!(!same(Comparison::Json, &text("{not json"), &text("{ not json")));
    }

    #[test]
    fn json_inside_a_map_is_compared_by_its_leaves() {
        let policies = |policy: &str| Value::Map([("p".to_owned(), text(policy))].into());
        assert!(same(Comparison::Json, &policies("[1,2]"), &policies("[2, 1]")));
        assert!(!same(Comparison::Json, &policies("[1]"), &Value::Map([("q".to_owned(), text("[1]"))].into())));
    }
}
