//! Conversions between types: what an operator, a function or the other side of a condition asks for.

use std::collections::BTreeMap;

use super::number::Number;
use super::value::{Entries, Entry, Node, Type, Value};

/// A value as text.
pub(super) fn to_text(value: &Value) -> Result<String, String> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Number(number) => number.text(),
        Value::Bool(value) => Ok(value.to_string()),
        other => Err(format!("{} is not text", other.kind())),
    }
}

/// A value as a number.
pub(super) fn to_number(value: &Value) -> Result<Number, String> {
    match value {
        Value::Number(number) => Ok(*number),
        Value::String(text) => Number::parse(text)?.ok_or_else(|| format!("{text:?} is not a number")),
        other => Err(format!("needs a number, not {}", other.kind())),
    }
}

/// A value as true or false.
pub(super) fn to_bool(value: &Value) -> Result<bool, String> {
    match value {
        Value::Bool(value) => Ok(*value),
        Value::String(text) => match text.as_str() {
            "true" | "1" => Ok(true),
            "false" | "0" => Ok(false),
            _ => Err(format!("{text:?} is neither true nor false")),
        },
        other => Err(format!("needs true or false, not {}", other.kind())),
    }
}

/// A value as a value of a type. Null stays null.
pub(super) fn convert(node: Node, wanted: &Type) -> Result<Node, String> {
    let span = node.span.clone();
    let value = match (node.value, wanted) {
        (value, Type::Any) => value,
        (Value::Null, _) => Value::Null,
        (value, Type::Bool) => Value::Bool(to_bool(&value)?),
        (value, Type::Number) => Value::Number(to_number(&value)?),
        (value, Type::String) => Value::String(to_text(&value)?),
        (Value::List(items, _), Type::List(item)) => {
            let items = items.into_iter().map(|node| convert(node, item)).collect::<Result<_, _>>()?;
            Value::List(items, Some(item.as_ref().clone()))
        }
        (Value::List(items, None), Type::Tuple(types)) if items.len() == types.len() => {
            let items = items.into_iter().zip(types).map(|(node, wanted)| convert(node, wanted));
            Value::List(items.collect::<Result<_, _>>()?, None)
        }
        (Value::Table(entries, _), Type::Map(item)) => {
            let all: Result<_, String> = entries
                .0
                .into_iter()
                .map(|Entry { key, node }| Ok(Entry { key, node: convert(node, item)? }))
                .collect();
            Value::Table(Entries(all?), Some(item.as_ref().clone()))
        }
        (Value::Table(entries, None), Type::Object(types)) => {
            let mut all = Vec::new();
            for Entry { key, node } in entries.0 {
                let wanted = types.get(&key.name).ok_or_else(|| format!("there is no `{}`", key.name))?;
                all.push(Entry { key, node: convert(node, wanted)? });
            }
            Value::Table(Entries(all), None)
        }
        (value, _) => return Err(format!("{} has another type", value.kind())),
    };
    Ok(Node::new(value, span))
}

/// The type that values of these types can all be converted to.
pub(super) fn unify(types: &[Type]) -> Option<Type> {
    let first = types.iter().find(|of| **of != Type::Any).cloned().unwrap_or(Type::Any);
    if types.iter().all(|of| *of == first) {
        return Some(first);
    }
    let simple = |of: &Type| matches!(of, Type::Bool | Type::Number | Type::String);
    let known: Vec<&Type> = types.iter().filter(|of| **of != Type::Any).collect();
    if known.iter().all(|of| simple(of)) {
        return unify_simple(&known);
    }
    if known.iter().any(|of| simple(of)) {
        return None;
    }
    if known.len() < types.len() {
        // Beside a null, lists and tables keep the types that they have.
        return Some(Type::Any);
    }
    if known.iter().all(|of| matches!(of, Type::Tuple(_) | Type::List(_))) {
        unify_lists(&known)
    } else if known.iter().all(|of| matches!(of, Type::Object(_) | Type::Map(_))) {
        unify_tables(&known)
    } else {
        None
    }
}

fn unify_simple(types: &[&Type]) -> Option<Type> {
    if types.contains(&&Type::String) {
        return Some(Type::String);
    }
    types.iter().all(|of| *of == types[0]).then(|| types[0].clone())
}

fn unify_lists(types: &[&Type]) -> Option<Type> {
    let tuples: Vec<&Vec<Type>> =
        types.iter().filter_map(|of| if let Type::Tuple(items) = of { Some(items) } else { None }).collect();
    if tuples.len() == types.len() && tuples.iter().all(|items| items.len() == tuples[0].len()) {
        let across = |index: usize| unify(&tuples.iter().map(|items| items[index].clone()).collect::<Vec<_>>());
        return (0..tuples[0].len()).map(across).collect::<Option<_>>().map(Type::Tuple);
    }
    let mut items: Vec<Type> = Vec::new();
    for of in types {
        match of {
            Type::Tuple(types) => items.extend(types.iter().cloned()),
            Type::List(item) => items.push(item.as_ref().clone()),
            _ => return None,
        }
    }
    of_one_type(&items).map(|item| Type::List(Box::new(item)))
}

fn unify_tables(types: &[&Type]) -> Option<Type> {
    let objects: Vec<&BTreeMap<String, Type>> =
        types.iter().filter_map(|of| if let Type::Object(names) = of { Some(names) } else { None }).collect();
    if objects.len() == types.len() && objects.iter().all(|names| names.keys().eq(objects[0].keys())) {
        let across = |name: &String| unify(&objects.iter().map(|names| names[name].clone()).collect::<Vec<_>>());
        let names = objects[0].keys().map(|name| Some((name.clone(), across(name)?)));
        return names.collect::<Option<_>>().map(Type::Object);
    }
    let mut items: Vec<Type> = Vec::new();
    for of in types {
        match of {
            Type::Object(names) => items.extend(names.values().cloned()),
            Type::Map(item) => items.push(item.as_ref().clone()),
            _ => return None,
        }
    }
    of_one_type(&items).map(|item| Type::Map(Box::new(item)))
}

/// The one type of a list's items.
fn of_one_type(items: &[Type]) -> Option<Type> {
    let item = unify(items)?;
    let mixed = item == Type::Any && items.iter().any(|of| *of != Type::Any);
    (!mixed).then_some(item)
}
