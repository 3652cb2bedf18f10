//! Objects that are gone, still needed, and cannot be created again.

use std::collections::BTreeMap;

use super::PlanContext;
use super::decision::Decision;
use super::desired_graph::DesiredGraph;
use crate::engine::{Action, Address, Reason};

/// Refuses to create an object in the place of a lost one while an existing object depends on the lost one.
///
/// The record is not used: if a key was lost, the record may be lost with it.
pub(super) fn refuse(context: &PlanContext<'_>, desire: &DesiredGraph, decisions: &mut BTreeMap<Address, Decision>) {
    let lost: Vec<(Address, &'static str)> = decisions
        .iter()
        .filter(|(_, decision)| decision.kept.is_none())
        .filter_map(|(address, _)| Some((address.clone(), context.vocabulary.irreplaceable(address)?)))
        .filter(|(address, _)| {
            let mut users = desire.objects().values().filter(|object| object.depends_on.contains(address));
            users.any(|user| decisions.get(&user.address).is_some_and(|decision| decision.kept.is_some()))
        })
        .collect();
    for (address, instead) in lost {
        if let Some(change) = decisions.get_mut(&address).and_then(|decision| decision.change.as_mut()) {
            change.action = Action::Refuse;
            change.reason = Reason::Lost { instead: instead.to_owned() };
            change.attributes.clear();
        }
    }
}
