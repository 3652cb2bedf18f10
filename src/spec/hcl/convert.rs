//! Conversions between types, for operators, functions and conditions.

use std::collections::BTreeMap;

use super::number::HclNumber;
use super::value::{HclEntries, HclEntry, HclNode, HclType, HclValue};

/// Converts a value to text.
pub(super) fn to_text(value: &HclValue) -> Result<String, String> {
    match value {
        HclValue::String(text) => Ok(text.clone()),
        HclValue::Number(number) => number.text(),
        HclValue::Bool(value) => Ok(value.to_string()),
        other => Err(format!("{} is not text", other.kind())),
    }
}

/// Converts a value to a number.
pub(super) fn to_number(value: &HclValue) -> Result<HclNumber, String> {
    match value {
        HclValue::Number(number) => Ok(*number),
        HclValue::String(text) => HclNumber::parse(text)?.ok_or_else(|| format!("{text:?} is not a number")),
        other => Err(format!("needs a number, not {}", other.kind())),
    }
}

/// Converts a value to a boolean.
pub(super) fn to_bool(value: &HclValue) -> Result<bool, String> {
    match value {
        HclValue::Bool(value) => Ok(*value),
        HclValue::String(text) => match text.as_str() {
            "true" | "1" => Ok(true),
            "false" | "0" => Ok(false),
            _ => Err(format!("{text:?} is neither true nor false")),
        },
        other => Err(format!("needs true or false, not {}", other.kind())),
    }
}

/// Converts a value to a type. Null stays null.
pub(super) fn convert(node: HclNode, wanted: &HclType) -> Result<HclNode, String> {
    let span = node.span.clone();
    let value = match (node.value, wanted) {
        (value, HclType::Any) => value,
        (HclValue::Null, _) => HclValue::Null,
        (value, HclType::Bool) => HclValue::Bool(to_bool(&value)?),
        (value, HclType::Number) => HclValue::Number(to_number(&value)?),
        (value, HclType::String) => HclValue::String(to_text(&value)?),
        (HclValue::List(items, _), HclType::List(item)) => {
            let items = items.into_iter().map(|node| convert(node, item)).collect::<Result<_, _>>()?;
            HclValue::List(items, Some(item.as_ref().clone()))
        }
        (HclValue::List(items, None), HclType::Tuple(types)) if items.len() == types.len() => {
            let items = items.into_iter().zip(types).map(|(node, wanted)| convert(node, wanted));
            HclValue::List(items.collect::<Result<_, _>>()?, None)
        }
        (HclValue::Table(entries, _), HclType::Map(item)) => {
            let all: Result<_, String> = entries
                .0
                .into_iter()
                .map(|HclEntry { key, node }| Ok(HclEntry { key, node: convert(node, item)? }))
                .collect();
            HclValue::Table(HclEntries(all?), Some(item.as_ref().clone()))
        }
        (HclValue::Table(entries, None), HclType::Object(types)) => {
            let mut all = Vec::new();
            for HclEntry { key, node } in entries.0 {
                let wanted = types.get(&key.name).ok_or_else(|| format!("there is no `{}`", key.name))?;
                all.push(HclEntry { key, node: convert(node, wanted)? });
            }
            HclValue::Table(HclEntries(all), None)
        }
        (value, _) => return Err(format!("{} has another type", value.kind())),
    };
    Ok(HclNode::new(value, span))
}

/// Returns the type that values of these types can all be converted to.
pub(super) fn unify(types: &[HclType]) -> Option<HclType> {
    let first = types.iter().find(|of| **of != HclType::Any).cloned().unwrap_or(HclType::Any);
    if types.iter().all(|of| *of == first) {
        return Some(first);
    }
    let simple = |of: &HclType| matches!(of, HclType::Bool | HclType::Number | HclType::String);
    let known: Vec<&HclType> = types.iter().filter(|of| **of != HclType::Any).collect();
    if known.iter().all(|of| simple(of)) {
        return unify_simple(&known);
    }
    if known.iter().any(|of| simple(of)) {
        return None;
    }
    if known.len() < types.len() {
        // Beside a null, lists and tables keep the types that they have.
        return Some(HclType::Any);
    }
    if known.iter().all(|of| matches!(of, HclType::Tuple(_) | HclType::List(_))) {
        unify_lists(&known)
    } else if known.iter().all(|of| matches!(of, HclType::Object(_) | HclType::Map(_))) {
        unify_tables(&known)
    } else {
        None
    }
}

fn unify_simple(types: &[&HclType]) -> Option<HclType> {
    if types.contains(&&HclType::String) {
        return Some(HclType::String);
    }
    types.iter().all(|of| *of == types[0]).then(|| types[0].clone())
}

fn unify_lists(types: &[&HclType]) -> Option<HclType> {
    let tuples: Vec<&Vec<HclType>> =
        types.iter().filter_map(|of| if let HclType::Tuple(items) = of { Some(items) } else { None }).collect();
    if tuples.len() == types.len() && tuples.iter().all(|items| items.len() == tuples[0].len()) {
        let across = |index: usize| unify(&tuples.iter().map(|items| items[index].clone()).collect::<Vec<_>>());
        return (0..tuples[0].len()).map(across).collect::<Option<_>>().map(HclType::Tuple);
    }
    let mut items: Vec<HclType> = Vec::new();
    for of in types {
        match of {
            HclType::Tuple(types) => items.extend(types.iter().cloned()),
            HclType::List(item) => items.push(item.as_ref().clone()),
            _ => return None,
        }
    }
    of_one_type(&items).map(|item| HclType::List(Box::new(item)))
}

fn unify_tables(types: &[&HclType]) -> Option<HclType> {
    let objects: Vec<&BTreeMap<String, HclType>> =
        types.iter().filter_map(|of| if let HclType::Object(names) = of { Some(names) } else { None }).collect();
    if objects.len() == types.len() && objects.iter().all(|names| names.keys().eq(objects[0].keys())) {
        let across = |name: &String| unify(&objects.iter().map(|names| names[name].clone()).collect::<Vec<_>>());
        let names = objects[0].keys().map(|name| Some((name.clone(), across(name)?)));
        return names.collect::<Option<_>>().map(HclType::Object);
    }
    let mut items: Vec<HclType> = Vec::new();
    for of in types {
        match of {
            HclType::Object(names) => items.extend(names.values().cloned()),
            HclType::Map(item) => items.push(item.as_ref().clone()),
            _ => return None,
        }
    }
    of_one_type(&items).map(|item| HclType::Map(Box::new(item)))
}

/// Returns the common type of a list's items.
fn of_one_type(items: &[HclType]) -> Option<HclType> {
    let item = unify(items)?;
    let mixed = item == HclType::Any && items.iter().any(|of| *of != HclType::Any);
    (!mixed).then_some(item)
}
