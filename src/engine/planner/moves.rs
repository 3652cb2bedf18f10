//! Objects that hold the same data: a new one gets the data from the others, so a replacement loses nothing.

use std::collections::BTreeMap;

use super::PlanContext;
use super::decision::Decision;
use super::desired_graph::DesiredGraph;
use crate::engine::diff::{diff, replacing};
use crate::engine::{Action, Address, DataReplicas, Live, Reason};

/// Notes on each replaced object of a set that its data comes from the others, and refuses to replace the only one.
///
/// The objects of a set are replaced one at a time by those that use them: the rolls of a lane.
pub(super) fn settle(context: &PlanContext<'_>, desire: &DesiredGraph, decisions: &mut BTreeMap<Address, Decision>) {
    let mut alive: BTreeMap<&'static str, usize> = BTreeMap::new();
    for (address, decision) in decisions.iter() {
        if let Some(replicas) = decision.kept.as_ref().and_then(|kept| of(context, desire, address, kept)) {
            *alive.entry(replicas.set).or_default() += 1;
        }
    }
    for (address, decision) in decisions.iter_mut() {
        let Some(replicas) = decision.kept.as_ref().and_then(|kept| of(context, desire, address, kept)) else {
            continue;
        };
        let alone = alive.get(replicas.set).is_none_or(|alive| *alive < 2);
        if !alone {
            spare(context, desire, address, decision);
        }
        let Some(change) = decision.change.as_mut().filter(|change| change.action == Action::Replace) else { continue };
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

fn of(context: &PlanContext<'_>, desire: &DesiredGraph, address: &Address, live: &Live) -> Option<DataReplicas> {
    context.vocabulary.replicas(address, &live.attributes, &desire.object(address).attributes)
}

/// Marks duplicates that would need a replacement as spare: an unfinished run has moved their data to another object.
fn spare(context: &PlanContext<'_>, desire: &DesiredGraph, address: &Address, decision: &mut Decision) {
    let Some(kind) = context.vocabulary.kind(address.kind()) else { return };
    let wanted = &desire.object(address).attributes;
    for removal in &mut decision.duplicates {
        removal.spare = replacing(&diff(kind, wanted, &removal.live.attributes, None)) > 0;
    }
}
