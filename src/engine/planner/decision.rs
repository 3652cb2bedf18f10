//! The decision about one wanted object.

use std::collections::{BTreeMap, BTreeSet};

use super::live_match::{LiveMatch, Ownership, match_live};
use super::removal::ObjectRemoval;
use super::{PlanContext, PlanError};
use crate::engine::diff::{diff, keep_our_tags, strongest};
use crate::engine::{
    Action, Address, AttributeChange, Attributes, Change, ChangeEffect, DifferenceOrigin, Kind, Live, Object,
    ObjectPhase, OutputShape, Reason, Reference, Value,
};

/// The decision about one object.
pub(super) struct Decision {
    /// The change to the object; `None` if it needs none.
    pub(super) change: Option<Change>,
    /// The live object that matches it. For a replacement: the old object.
    pub(super) kept: Option<Live>,
    /// `true` if it may belong to others and is only used.
    pub(super) borrowed: bool,
    /// `true` if its machines would be replaced, and the plan leaves them.
    pub(super) held: bool,
    /// Objects to remove before it is created.
    pub(super) leaving: Vec<Live>,
    /// Objects to remove because another one is kept.
    pub(super) duplicates: Vec<ObjectRemoval>,
    /// The outputs that are known before the plan is applied.
    outputs: BTreeMap<String, String>,
}

impl Decision {
    /// Returns `true` if others wait for its change.
    pub(super) fn is_done_first(&self) -> bool {
        self.change.as_ref().is_some_and(|change| change.action != Action::Wait)
    }
}

/// Decides about an object; everything that it refers to has been decided before.
pub(super) fn decide(
    context: &PlanContext<'_>,
    object: &Object,
    lives: Vec<Live>,
    judged: &BTreeMap<Address, Decision>,
) -> Result<Decision, PlanError> {
    let kind = context.kind(&object.address)?;
    let look_up = |reference: &Reference| judged.get(&reference.address)?.outputs.get(&reference.output).cloned();
    let wanted: Attributes =
        object.attributes.iter().map(|(name, value)| (name.clone(), value.resolve(&look_up))).collect();
    let LiveMatch { mut kept, title, duplicates, leaving } = match_live(context, kind, &wanted, lives);
    let recorded = context.recorded.get(&object.address).map(|recorded| &recorded.attributes);
    if let Some(live) = &mut kept {
        keep_our_tags(kind, &wanted, recorded, &mut live.attributes);
    }
    let mut held = false;
    let change = match &kept {
        None => Some(make(context, object, &wanted, &leaving)),
        Some(_) if title == Ownership::Borrowed => None,
        Some(live) => {
            let change = change(context, kind, object, &wanted, live, title, &mut held);
            change.or_else(|| unfinished(context, &object.address, live))
        }
    };
    let id = kept.as_ref().map(|live| live.id.clone()).unwrap_or_default();
    let duplicates =
        duplicates.into_iter().map(|live| ObjectRemoval::new(live, Reason::Duplicate { kept: id.clone() })).collect();
    let outputs = outputs_after(kind, &wanted, kept.as_ref(), change.as_ref());
    Ok(Decision { change, kept, borrowed: title == Ownership::Borrowed, held, leaving, duplicates, outputs })
}

/// Returns the change that creates an object with these attributes.
pub(super) fn creation(address: &Address, attributes: &Attributes, reason: Reason) -> Change {
    let attributes = attributes
        .iter()
        .map(|(name, value)| AttributeChange {
            name: name.clone(),
            before: None,
            after: Some(value.clone()),
            origin: DifferenceOrigin::File,
            action: Action::Create,
        })
        .collect();
    Change { attributes, ..Change::bare(address, Action::Create, reason) }
}

fn make(context: &PlanContext<'_>, object: &Object, wanted: &Attributes, leaving: &[Live]) -> Change {
    let reason = if context.recorded.contains_key(&object.address) { Reason::Missing } else { Reason::New };
    Change {
        id: leaving.first().map(|live| live.id.clone()),
        lane: object.lane.clone(),
        loses_data: leaving.iter().any(|live| context.holds_data(live)),
        ..creation(&object.address, wanted, reason)
    }
}

fn change(
    context: &PlanContext<'_>,
    kind: &Kind,
    object: &Object,
    wanted: &Attributes,
    live: &Live,
    title: Ownership,
    held: &mut bool,
) -> Option<Change> {
    let recorded = context.recorded.get(&object.address).map(|recorded| &recorded.attributes);
    let mut attributes = diff(kind, wanted, &live.attributes, recorded);
    if context.holds_rolls {
        let all = attributes.len();
        attributes.retain(|change| change.action != Action::Roll);
        *held = attributes.len() < all;
    }
    let refused = refuse(context, &object.address, &mut attributes, wanted);
    let (action, reason) = match strongest(&attributes) {
        None if context.is_recorded(live) => return None,
        None => (Action::Adopt, Reason::Unrecorded),
        Some(_) if title == Ownership::Foreign => (Action::Refuse, Reason::Foreign),
        Some(Action::Refuse) => (Action::Refuse, refused.unwrap_or_else(|| fixed(kind, &attributes))),
        Some(action) => (action, origin(&attributes)),
    };
    Some(Change {
        id: Some(live.id.clone()),
        attributes,
        lane: object.lane.clone(),
        loses_data: action == Action::Replace && context.holds_data(live),
        ..Change::bare(&object.address, action, reason)
    })
}

/// Returns the wait for an object that is as wanted and not usable yet. Without it, a run after a failed one would report
/// success.
fn unfinished(context: &PlanContext<'_>, address: &Address, live: &Live) -> Option<Change> {
    let awaited = live.phase == ObjectPhase::Pending && context.vocabulary.is_awaited(address);
    awaited.then(|| Change { id: Some(live.id.clone()), ..Change::bare(address, Action::Wait, Reason::Unfinished) })
}

/// Refuses changes of a permitted kind that are not possible between these values. Returns the reason of the first.
fn refuse(
    context: &PlanContext<'_>,
    address: &Address,
    attributes: &mut [AttributeChange],
    wanted: &Attributes,
) -> Option<Reason> {
    let mut first = None;
    for change in attributes.iter_mut().filter(|change| change.action != Action::Refuse) {
        if let Some(instead) = context.vocabulary.refuses(address, change, wanted) {
            change.action = Action::Refuse;
            first.get_or_insert(Reason::Fixed { attribute: change.name.clone(), instead });
        }
    }
    first
}

fn fixed(kind: &Kind, attributes: &[AttributeChange]) -> Reason {
    let fixed = attributes.iter().find_map(|change| match kind.attribute(&change.name).effect {
        ChangeEffect::Fixed(instead) => Some((change.name.clone(), instead.to_owned())),
        _ => None,
    });
    let (attribute, instead) = fixed.unwrap_or_default();
    Reason::Fixed { attribute, instead }
}

fn origin(attributes: &[AttributeChange]) -> Reason {
    let all = |origin: DifferenceOrigin| attributes.iter().all(|change| change.origin == origin);
    if all(DifferenceOrigin::File) {
        Reason::File
    } else if all(DifferenceOrigin::Drift) {
        Reason::Drift
    } else {
        Reason::FileAndDrift
    }
}

/// Returns the outputs that others can rely on before the apply: those of the live object that no change affects, and
/// those that repeat an attribute whose new value is known.
fn outputs_after(
    kind: &Kind,
    wanted: &Attributes,
    live: Option<&Live>,
    change: Option<&Change>,
) -> BTreeMap<String, String> {
    let mut outputs = live.map(|live| live.outputs.clone()).unwrap_or_default();
    let Some(change) = change else { return outputs };
    let made = match change.action {
        Action::Create | Action::Replace => true,
        Action::Update | Action::Roll => false,
        Action::Delete | Action::Adopt | Action::Wait | Action::Refuse => return outputs,
    };
    let changed: BTreeSet<&str> = change.attributes.iter().map(|attribute| attribute.name.as_str()).collect();
    let moved: BTreeSet<&str> = changed.iter().flat_map(|name| kind.attribute(name).moves).copied().collect();
    outputs.retain(|name, _| !made && !moved.contains(name.as_str()));
    for output in kind.outputs {
        if let OutputShape::Attribute(attribute) = output.shape
            && (made || changed.contains(attribute))
        {
            outputs.remove(output.name);
            if let Some(text) = wanted.get(attribute).and_then(Value::as_text) {
                outputs.insert(output.name.to_owned(), text.to_owned());
            }
        }
    }
    outputs
}
