//! Server-side apply: the manager of each field, and the result of applying a manifest to an object.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value as Json, json};

use crate::resource::{FieldPath, FieldStep, is_atom, item_key, leaves};

/// The fields that each manager has set.
pub(super) type FieldManagers = BTreeMap<String, BTreeSet<FieldPath>>;

/// A field that another manager holds with another value: its path and its manager.
pub(super) type MergeConflict = (String, String);

/// Returns an object after an apply, with the managers of its fields; or the conflicts.
pub(super) fn apply(
    live: Option<&Json>,
    managers: &FieldManagers,
    manifest: &Json,
    manager: &str,
    force: bool,
) -> Result<(Json, FieldManagers), Vec<MergeConflict>> {
    let mut managers = managers.clone();
    let wanted = set_fields(manifest);
    let nothing = json!({});
    let live = live.unwrap_or(&nothing);
    let mut conflicts = Vec::new();
    for (owner, fields) in managers.iter_mut().filter(|(owner, _)| *owner != manager) {
        let taken: Vec<FieldPath> =
            fields.intersection(&wanted).filter(|path| at(live, path) != at(manifest, path)).cloned().collect();
        for path in taken {
            conflicts.push((path.to_string(), owner.clone()));
            fields.remove(&path);
        }
    }
    if !force && !conflicts.is_empty() {
        return Err(conflicts);
    }
    let mut merged = live.clone();
    merge("", &mut merged, manifest);
    let before = managers.insert(manager.to_owned(), wanted.clone()).unwrap_or_default();
    let held: BTreeSet<&FieldPath> = managers.values().flatten().collect();
    for gone in before.iter().filter(|path| !held.contains(path)) {
        remove(&mut merged, &gone.0);
    }
    Ok((merged, managers))
}

/// Assigns the fields in which two states of an object differ to the manager that made the change.
pub(super) fn take(managers: &mut FieldManagers, before: &Json, after: &Json, manager: &str) {
    let changed: BTreeSet<FieldPath> =
        set_fields(after).into_iter().filter(|path| at(before, path) != at(after, path)).collect();
    for fields in managers.values_mut() {
        fields.retain(|path| !changed.contains(path) && at(after, path).is_some());
    }
    managers.entry(manager.to_owned()).or_default().extend(changed);
}

/// Returns `managedFields`, as far as it is read.
pub(super) fn shown(managers: &FieldManagers, api_version: &Json) -> Json {
    let entries = managers.iter().filter(|(_, fields)| !fields.is_empty()).map(|(manager, fields)| {
        let fields = nested(fields);
        json!({ "manager": manager, "operation": "Apply", "apiVersion": api_version, "fieldsType": "FieldsV1", "fieldsV1": fields })
    });
    entries.collect()
}

/// Returns the fields in the nested form of `managedFields`: `{"f:spec": {"f:replicas": {}}}`.
fn nested(fields: &BTreeSet<FieldPath>) -> Json {
    let mut all = json!({});
    for path in fields {
        let mut here = &mut all;
        for step in &path.0 {
            let name = match step {
                FieldStep::Field(name) => format!("f:{name}"),
                FieldStep::Item(key) => format!("k:{key}"),
            };
            here = &mut here[name];
        }
        if here.is_null() {
            *here = json!({});
        }
    }
    all
}

/// Returns the fields that a manifest sets. Fields that identify the object have no manager.
fn set_fields(manifest: &Json) -> BTreeSet<FieldPath> {
    let field = |path: &FieldPath, steps: &[&str]| {
        path.0.len() == steps.len() && path.0.iter().zip(steps).all(|(a, b)| *a == FieldStep::Field((*b).to_owned()))
    };
    let names = |path: &FieldPath| {
        [&["apiVersion"][..], &["kind"], &["metadata", "name"], &["metadata", "namespace"]]
            .iter()
            .any(|steps| field(path, steps))
    };
    leaves(manifest).into_iter().map(|(path, _)| path).filter(|path| !names(path)).collect()
}

fn merge(name: &str, into: &mut Json, from: &Json) {
    match (into, from) {
        (Json::Object(into), Json::Object(from)) if !is_atom(name) => {
            for (name, value) in from {
                match into.get_mut(name) {
                    Some(there) => merge(name, there, value),
                    None => drop(into.insert(name.clone(), value.clone())),
                }
            }
        }
        (Json::Array(into), Json::Array(from))
            if from.iter().chain(&*into).all(|item| item_key(name, item).is_some()) =>
        {
            for item in from {
                match into.iter_mut().find(|there| item_key(name, there) == item_key(name, item)) {
                    Some(there) => merge("", there, item),
                    None => into.push(item.clone()),
                }
            }
        }
        (into, from) => *into = from.clone(),
    }
}

/// Returns the field at a path.
fn at<'a>(object: &'a Json, path: &FieldPath) -> Option<&'a Json> {
    let mut here = object;
    let mut list = "";
    for step in &path.0 {
        here = match step {
            FieldStep::Field(name) => {
                list = name;
                here.get(name)?
            }
            FieldStep::Item(key) => here.as_array()?.iter().find(|item| item_key(list, item).as_ref() == Some(key))?,
        };
    }
    Some(here)
}

/// Removes a field, and its parents that are empty without it.
fn remove(object: &mut Json, steps: &[FieldStep]) {
    let Some((FieldStep::Field(name), rest)) = steps.split_first() else { return };
    let Some(members) = object.as_object_mut() else { return };
    let Some(member) = members.get_mut(name) else { return };
    let empty = match rest.split_first() {
        None => true,
        Some((FieldStep::Field(_), _)) => {
            remove(member, rest);
            member.as_object().is_some_and(Map::is_empty)
        }
        Some((FieldStep::Item(key), inner)) => {
            let items = member.as_array_mut().map(std::mem::take).unwrap_or_default();
            let kept: Vec<Json> = items
                .into_iter()
                .filter_map(|mut item| {
                    let this = item_key(name, &item).as_ref() == Some(key);
                    if this {
                        remove(&mut item, inner);
                    }
                    // An item without its key is no item any more.
                    (!this || item_key(name, &item).is_some()).then_some(item)
                })
                .collect();
            *member = Json::Array(kept);
            member.as_array().is_some_and(Vec::is_empty)
        }
    };
    if empty {
        members.remove(name);
    }
}
