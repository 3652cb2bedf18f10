//! Objects that hold the same data as others: a new one gets it from them, so replacing one loses nothing.

use std::collections::BTreeMap;

use super::Context;
use super::desire::Desire;
use super::verdict::Verdict;
use crate::engine::diff::{diff, replacing};
use crate::engine::{Action, Address, Live, Reason, Replicas};

/// Says of each replaced object of a set that its data comes from the others, and refuses to replace the only one.
///
/// Those of a set are replaced one at a time by what uses them: the rolls of a lane.
pub(super) fn settle(context: &Context<'_>, desire: &Desire, verdicts: &mut BTreeMap<Address, Verdict>) {
    let mut alive: BTreeMap<&'static str, usize> = BTreeMap::new();
    for (address, verdict) in verdicts.iter() {
        if let Some(replicas) = verdict.kept.as_ref().and_then(|kept| of(context, desire, address, kept)) {
            *alive.entry(replicas.set).or_default() += 1;
        }
    }
    for (address, verdict) in verdicts.iter_mut() {
        let Some(replicas) = verdict.kept.as_ref().and_then(|kept| of(context, desire, address, kept)) else {
            continue;
        };
        let alone = alive.get(replicas.set).is_none_or(|alive| *alive < 2);
        if !alone {
            spare(context, desire, address, verdict);
        }
        let Some(change) = verdict.change.as_mut().filter(|change| change.action == Action::Replace) else { continue };
        if alone {
            change.action = Action::Refuse;
            change.loses_data = false;
            change.reason = Reason::Needed { instead: replicas.alone.to_owned() };
        } else {
            change.loses_data = false;
            change.reason = Reason::Moved { how: replicas.moved };
        }
    }
}

fn of(context: &Context<'_>, desire: &Desire, address: &Address, live: &Live) -> Option<Replicas> {
    context.vocabulary.replicas(address, &live.attributes, &desire.object(address).attributes)
}

/// Second objects that would have to be replaced are what a run that did not finish has moved away from.
fn spare(context: &Context<'_>, desire: &Desire, address: &Address, verdict: &mut Verdict) {
    let Some(kind) = context.vocabulary.kind(address.kind()) else { return };
    let wanted = &desire.object(address).attributes;
    for removal in &mut verdict.duplicates {
        removal.spare = replacing(&diff(kind, wanted, &removal.live.attributes, None)) > 0;
    }
}
