//! The differences between an object as wanted and as observed, for each attribute, with the origin of each.

use std::collections::BTreeSet;

use super::canonical::{is_empty, only, same};
use super::{
    Action, Attribute, AttributeChange, Attributes, ChangeEffect, ComparedWith, Comparison, DifferenceOrigin, Kind,
    Value,
};

/// Compares the wanted attributes with the observed ones, and with those that were last applied.
///
/// Only attributes of `desired` are compared, and of those only the ones that the cloud returns or that are compared with the
/// record; and attributes that were
/// set once, are no longer wanted and still exist, if the kind prunes them.
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

/// Removes a value that exists and is no longer wanted.
fn prune(name: &str, rule: &Attribute, there: &Value) -> Option<AttributeChange> {
    (rule.pruned && rule.is_observed()).then(|| AttributeChange {
        name: name.to_owned(),
        before: Some(there.clone()),
        after: None,
        origin: DifferenceOrigin::File,
        action: action_of(rule.effect),
    })
}

/// Returns the combined action of all attribute changes on the object: the most drastic one.
pub(crate) fn strongest(changes: &[AttributeChange]) -> Option<Action> {
    let refused = changes.iter().any(|change| change.action == Action::Refuse);
    if refused { Some(Action::Refuse) } else { changes.iter().map(|change| change.action).min() }
}

/// Returns the number of attributes that can only be changed by a replacement.
pub(crate) fn replacing(changes: &[AttributeChange]) -> usize {
    changes.iter().filter(|change| matches!(change.action, Action::Replace | Action::Refuse)).count()
}

/// Keeps the tags of a live object that Quorate may change: those that are wanted and those that it once set.
pub(crate) fn keep_our_tags(kind: &Kind, desired: &Attributes, recorded: Option<&Attributes>, live: &mut Attributes) {
    for (name, wanted) in desired {
        if kind.attribute(name).form == Comparison::Tags
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
    if !rule.is_observed() {
        let is_compared = rule.compared == ComparedWith::Record;
        let before = recorded.filter(|before| is_compared && !agree(rule.form, Some(*before), Some(desired)))?;
        return Some(AttributeChange {
            name: name.to_owned(),
            before: Some(before.clone()),
            after: Some(desired.clone()),
            origin: DifferenceOrigin::File,
            action: action_of(rule.effect),
        });
    }
    let live = match (rule.form, live) {
        (Comparison::Tags, Some(live)) => Some(only(&our_keys(desired, recorded), live)),
        (_, live) => live.cloned(),
    };
    if desired.is_known() && agree(rule.form, Some(desired), live.as_ref()) {
        return None;
    }
    let origin = match recorded {
        None => DifferenceOrigin::File,
        Some(_) if agree(rule.form, recorded, live.as_ref()) => DifferenceOrigin::File,
        Some(_) if agree(rule.form, recorded, Some(desired)) => DifferenceOrigin::Drift,
        Some(_) => DifferenceOrigin::Both,
    };
    Some(AttributeChange {
        name: name.to_owned(),
        before: live,
        after: Some(desired.clone()),
        origin,
        action: action_of(rule.effect),
    })
}

fn agree(form: Comparison, one: Option<&Value>, other: Option<&Value>) -> bool {
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

fn action_of(effect: ChangeEffect) -> Action {
    match effect {
        ChangeEffect::Update => Action::Update,
        ChangeEffect::Roll => Action::Roll,
        ChangeEffect::Replace => Action::Replace,
        ChangeEffect::Fixed(_) => Action::Refuse,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KIND: Kind = Kind {
        name: "file",
        title: "file",
        attributes: &[
            Attribute::replace("key"),
            Attribute::update("content").by_record(),
            Attribute::update("hint").unobserved(),
        ],
        outputs: &[],
        data: false,
        shared: false,
        seconds: 1,
    };

    fn attributes(key: &str, rest: &[(&str, &str)]) -> Attributes {
        let all = std::iter::once(("key", key)).chain(rest.iter().copied());
        all.map(|(name, text)| (name.to_owned(), Value::Text(text.to_owned()))).collect()
    }

    #[test]
    fn what_the_cloud_does_not_return_is_compared_with_the_record_if_its_rule_says_so() {
        let wanted = attributes("2", &[("content", "new"), ("hint", "new")]);
        let recorded = attributes("1", &[("content", "old"), ("hint", "old")]);
        let names = |live: &str, recorded: Option<&Attributes>| -> Vec<String> {
            diff(&KIND, &wanted, &attributes(live, &[]), recorded).into_iter().map(|change| change.name).collect()
        };
        assert_eq!(names("1", Some(&recorded)), ["content", "key"]);
        assert_eq!(names("2", Some(&wanted)), [""; 0]);
        assert_eq!(names("2", None), [""; 0], "nothing is known of it without a record");
    }
}
