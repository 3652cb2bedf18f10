//! Comparing wanted objects that their cloud could not complete by a dry run.

use super::PlanContext;
use crate::engine::{Live, Object, Value};

/// Removes the attributes of a wanted object that cannot be compared: those that are never recorded, and empty ones that the
/// live object does not have, which clouds do not store.
pub(super) fn ignore_incomparable(context: &PlanContext<'_>, object: &mut Object, live: Option<&Live>) {
    let Some(kind) = context.vocabulary.kind(object.address.kind()) else { return };
    let is_there = |name: &str| live.is_none_or(|live| live.attributes.contains_key(name));
    object.attributes.retain(|name, value| kind.attribute(name).recorded && (is_there(name) || !is_empty(value)));
}

fn is_empty(value: &Value) -> bool {
    matches!(value, Value::Bool(false) | Value::Integer(0)) || value.as_text() == Some("")
}
