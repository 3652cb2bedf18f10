//! What differs between an object as it should be and as it is, attribute by attribute, and who caused it.

use std::collections::BTreeSet;

use super::canonical::{is_empty, only, same};
use super::{Action, Attribute, AttributeChange, Attributes, Effect, Form, Kind, Origin, Value};

/// Compares what should be with what is, and with what was last applied.
///
/// Only attributes that `desired` has are compared, and of those only what the cloud tells back; and what we set once,
/// no longer want and still see, where the kind says that it is taken away.
pub(crate) fn diff(
    kind: &Kind,
    desired: &Attributes,
    live: &Attributes,
    recorded: Option<&Attributes>,
) -> Vec<AttributeChange> {
    let differing = desired.iter().filter_map(|(name, wanted)| {
        let recorded = recorded.and_then(|attributes| attributes.get(name));
        compare(name, &kind.attribute(name), wanted, live.get(name), recorded)
    });
    let once = recorded.into_iter().flatten().map(|(name, _)| name).filter(|name| !desired.contains_key(*name));
    let gone = once.filter_map(|name| prune(name, &kind.attribute(name), live.get(name)?));
    let mut changes: Vec<AttributeChange> = differing.chain(gone).collect();
    changes.sort_by(|one, other| one.name.cmp(&other.name));
    changes
}

/// Takes away what is there and no longer wanted.
fn prune(name: &str, rule: &Attribute, there: &Value) -> Option<AttributeChange> {
    (rule.pruned && rule.observed).then(|| AttributeChange {
        name: name.to_owned(),
        before: Some(there.clone()),
        after: None,
        origin: Origin::File,
        action: action_of(rule.effect),
    })
}

/// What all changes to attributes together do to the object: the most drastic of them.
pub(crate) fn strongest(changes: &[AttributeChange]) -> Option<Action> {
    let refused = changes.iter().any(|change| change.action == Action::Refuse);
    if refused { Some(Action::Refuse) } else { changes.iter().map(|change| change.action).min() }
}

/// How many attributes can only be changed by making another object.
pub(crate) fn replacing(changes: &[AttributeChange]) -> usize {
    changes.iter().filter(|change| matches!(change.action, Action::Replace | Action::Refuse)).count()
}

/// The tags of a live object that are ours to change: those that we want and those that we once set.
pub(crate) fn keep_our_tags(kind: &Kind, desired: &Attributes, recorded: Option<&Attributes>, live: &mut Attributes) {
    for (name, wanted) in desired {
        if kind.attribute(name).form == Form::Tags
            && let Some(there) = live.get_mut(name)
        {
            *there = only(&our_keys(wanted, recorded.and_then(|attributes| attributes.get(name))), there);
        }
    }
}

fn compare(
    name: &str,
    rule: &Attribute,
    desired: &Value,
    live: Option<&Value>,
    recorded: Option<&Value>,
) -> Option<AttributeChange> {
    if !rule.observed {
        return None;
    }
    let live = match (rule.form, live) {
        (Form::Tags, Some(live)) => Some(only(&our_keys(desired, recorded), live)),
        (_, live) => live.cloned(),
    };
    if desired.is_known() && agree(rule.form, Some(desired), live.as_ref()) {
        return None;
    }
    let origin = match recorded {
        None => Origin::File,
        Some(_) if agree(rule.form, recorded, live.as_ref()) => Origin::File,
        Some(_) if agree(rule.form, recorded, Some(desired)) => Origin::Drift,
        Some(_) => Origin::Both,
    };
    Some(AttributeChange {
        name: name.to_owned(),
        before: live,
        after: Some(desired.clone()),
        origin,
        action: action_of(rule.effect),
    })
}

fn agree(form: Form, one: Option<&Value>, other: Option<&Value>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => same(form, one, other),
        (Some(only), None) | (None, Some(only)) => is_empty(only),
        (None, None) => true,
    }
}

fn our_keys<'a>(desired: &'a Value, recorded: Option<&'a Value>) -> BTreeSet<&'a str> {
    [Some(desired), recorded]
        .into_iter()
        .flatten()
        .filter_map(|value| match value {
            Value::Map(items) => Some(items.keys().map(String::as_str)),
            _ => None,
        })
        .flatten()
        .collect()
}

fn action_of(effect: Effect) -> Action {
    match effect {
        Effect::Update => Action::Update,
        Effect::Roll => Action::Roll,
        Effect::Replace => Action::Replace,
        Effect::Fixed(_) => Action::Refuse,
    }
}
