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
        assert!(same(Form::Plain, &text("a"), &text("a")));
        assert!(!same(Form::Plain, &texts(&["a", "b"]), &texts(&["b", "a"])));
        assert!(!same(Form::Plain, &text("1"), &Value::Integer(1)));
    }

    #[test]
    fn sets_have_no_order_and_no_repetition() {
        assert!(same(Form::Set, &texts(&["a", "b", "a"]), &texts(&["b", "a"])));
        assert!(!same(Form::Set, &texts(&["a"]), &texts(&["a", "b"])));
        let nested = |order: &[&str]| Value::Map([("peers".to_owned(), texts(order))].into());
        assert!(same(Form::Set, &nested(&["a", "b"]), &nested(&["b", "a"])));
    }

    #[test]
    fn json_has_no_order_and_a_list_of_one_is_its_member() {
        let json = |one: &str, other: &str| same(Form::Json, &text(one), &text(other));
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
        assert!(same(Form::Json, &text("{not json"), &text("{not json")));
        assert!(!same(Form::Json, &text("{not json"), &text("{ not json")));
    }

    #[test]
    fn json_inside_a_map_is_compared_by_its_leaves() {
        let policies = |policy: &str| Value::Map([("p".to_owned(), text(policy))].into());
        assert!(same(Form::Json, &policies("[1,2]"), &policies("[2, 1]")));
        assert!(!same(Form::Json, &policies("[1]"), &Value::Map([("q".to_owned(), text("[1]"))].into())));
    }
}
