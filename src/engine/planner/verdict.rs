//! What has to be done to one object that should be.

use std::collections::{BTreeMap, BTreeSet};

use super::claim::{Claim, Title, claim};
use super::removal::Removal;
use super::{Context, PlanError};
use crate::engine::diff::{diff, keep_our_tags, strongest};
use crate::engine::{
    Action, Address, AttributeChange, Attributes, Change, Effect, Kind, Live, Object, Origin, Phase, Reason, Reference,
    Shape, Value,
};

/// The judgement on one object.
pub(super) struct Verdict {
    /// What is done to it, if anything.
    pub(super) change: Option<Change>,
    /// The live object that stands for it. Of one that is replaced: the old one.
    pub(super) kept: Option<Live>,
    /// It may be somebody else's and is only used.
    pub(super) borrowed: bool,
    /// To be removed before it is made.
    pub(super) leaving: Vec<Live>,
    /// To be removed because another one stays.
    pub(super) duplicates: Vec<Removal>,
    /// The outputs that are known before the plan is carried out.
    outputs: BTreeMap<String, String>,
}

impl Verdict {
    /// Whether others wait for what is done to it.
    pub(super) fn is_done_first(&self) -> bool {
        self.change.as_ref().is_some_and(|change| change.action != Action::Wait)
    }
}

/// Judges an object; everything that it refers to has been judged already.
pub(super) fn judge(
    context: &Context<'_>,
    object: &Object,
    lives: Vec<Live>,
    judged: &BTreeMap<Address, Verdict>,
) -> Result<Verdict, PlanError> {
    let kind = context.kind(&object.address)?;
    let look_up = |reference: &Reference| judged.get(&reference.address)?.outputs.get(&reference.output).cloned();
    let wanted: Attributes =
        object.attributes.iter().map(|(name, value)| (name.clone(), value.resolve(&look_up))).collect();
    let Claim { mut kept, title, duplicates, leaving } = claim(context, kind, &wanted, lives);
    let recorded = context.recorded.get(&object.address).map(|recorded| &recorded.attributes);
    if let Some(live) = &mut kept {
        keep_our_tags(kind, &wanted, recorded, &mut live.attributes);
    }
    let change = match &kept {
        None => Some(make(context, object, &wanted, &leaving)),
        Some(_) if title == Title::Borrowed => None,
        Some(live) => {
            change(context, kind, object, &wanted, live, title).or_else(|| unfinished(context, &object.address, live))
        }
    };
    let id = kept.as_ref().map(|live| live.id.clone()).unwrap_or_default();
    let duplicates =
        duplicates.into_iter().map(|live| Removal::new(live, Reason::Duplicate { kept: id.clone() })).collect();
    let outputs = outputs_after(kind, &wanted, kept.as_ref(), change.as_ref());
    Ok(Verdict { change, kept, borrowed: title == Title::Borrowed, leaving, duplicates, outputs })
}

/// The change that makes an object with these attributes.
pub(super) fn creation(address: &Address, attributes: &Attributes, reason: Reason) -> Change {
    let attributes = attributes
        .iter()
        .map(|(name, value)| AttributeChange {
            name: name.clone(),
            before: None,
            after: Some(value.clone()),
            origin: Origin::File,
            action: Action::Create,
        })
        .collect();
    Change { attributes, ..bare(address, Action::Create, reason) }
}

/// A change that names no attribute and needs nothing.
pub(super) fn bare(address: &Address, action: Action, reason: Reason) -> Change {
    Change {
        address: address.clone(),
        action,
        reason,
        id: None,
        attributes: Vec::new(),
        needs: BTreeSet::new(),
        lane: None,
        loses_data: false,
    }
}

fn make(context: &Context<'_>, object: &Object, wanted: &Attributes, leaving: &[Live]) -> Change {
    let reason = if context.recorded.contains_key(&object.address) { Reason::Missing } else { Reason::New };
    Change {
        id: leaving.first().map(|live| live.id.clone()),
        lane: object.lane.clone(),
        loses_data: leaving.iter().any(|live| context.holds_data(live)),
        ..creation(&object.address, wanted, reason)
    }
}

fn change(
    context: &Context<'_>,
    kind: &Kind,
    object: &Object,
    wanted: &Attributes,
    live: &Live,
    title: Title,
) -> Option<Change> {
    let recorded = context.recorded.get(&object.address).map(|recorded| &recorded.attributes);
    let mut attributes = diff(kind, wanted, &live.attributes, recorded);
    let refused = refuse(context, &object.address, &mut attributes, wanted);
    let (action, reason) = match strongest(&attributes) {
        None if context.is_recorded(live) => return None,
        None => (Action::Adopt, Reason::Unrecorded),
        Some(_) if title == Title::Foreign => (Action::Refuse, Reason::Foreign),
        Some(Action::Refuse) => (Action::Refuse, refused.unwrap_or_else(|| fixed(kind, &attributes))),
        Some(action) => (action, origin(&attributes)),
    };
    Some(Change {
        id: Some(live.id.clone()),
        attributes,
        lane: object.lane.clone(),
        loses_data: action == Action::Replace && context.holds_data(live),
        ..bare(&object.address, action, reason)
    })
}

/// What is as it should be and cannot be used yet is waited for, or a run that comes after a failed one says that all is
/// well.
fn unfinished(context: &Context<'_>, address: &Address, live: &Live) -> Option<Change> {
    let awaited = live.phase == Phase::Pending && context.vocabulary.is_awaited(address);
    awaited.then(|| Change { id: Some(live.id.clone()), ..bare(address, Action::Wait, Reason::Unfinished) })
}

/// Refuses the changes that can be made, but not from this value to that one. Returns the reason of the first.
fn refuse(
    context: &Context<'_>,
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
        Effect::Fixed(instead) => Some((change.name.clone(), instead.to_owned())),
        _ => None,
    });
    let (attribute, instead) = fixed.unwrap_or_default();
    Reason::Fixed { attribute, instead }
}

fn origin(attributes: &[AttributeChange]) -> Reason {
    let all = |origin: Origin| attributes.iter().all(|change| change.origin == origin);
    if all(Origin::File) {
        Reason::File
    } else if all(Origin::Drift) {
        Reason::Drift
    } else {
        Reason::FileAndDrift
    }
}

/// The outputs that others can rely on before anything is done: those of the live object that no change moves, and
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
        if let Shape::Attribute(attribute) = output.shape
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
