//! The objects that stay or are removed, and the uses among them.

use std::collections::{BTreeMap, BTreeSet};

use super::PlanContext;
use super::decision::Decision;
use super::dependencies::{Confidence, Dependency, observed_uses, without_circles};
use super::desired_graph::DesiredGraph;
use super::removal::{ObjectRemoval, RemovalPart};
use crate::engine::{Action, Address, Live, Reason};

/// A live or a wanted object: it can use others, and be used.
pub(super) struct PlanNode<'a> {
    pub(super) address: &'a Address,
    pub(super) live: Option<&'a Live>,
    /// `true` if the plan has a change for it.
    pub(super) changes: bool,
    /// The change that its removal is part of; `None` if it stays.
    pub(super) going: Option<RemovalPart>,
    /// Its index among the removals of the plan.
    pub(super) removal: Option<usize>,
    pub(super) lane: Option<&'a String>,
}

impl PlanNode<'_> {
    pub(super) fn goes(&self) -> bool {
        self.going.is_some()
    }
}

/// Returns all objects of the plan. A replaced object is included twice: as the new one and as the old one.
pub(super) fn plan_nodes<'a>(
    desire: &'a DesiredGraph,
    decisions: &'a BTreeMap<Address, Decision>,
    removals: &'a [ObjectRemoval],
) -> Vec<PlanNode<'a>> {
    let mut nodes = Vec::with_capacity(decisions.len() + removals.len());
    for address in desire.order() {
        let Some(decision) = decisions.get(address) else { continue };
        let change = decision.change.as_ref();
        let stays = PlanNode {
            address,
            live: decision.kept.as_ref(),
            changes: change.is_some(),
            going: None,
            removal: None,
            lane: change.and_then(|change| change.lane.as_ref()),
        };
        if change.is_some_and(|change| change.action == Action::Replace) {
            nodes.push(PlanNode { live: None, ..stays });
            nodes.push(PlanNode { going: Some(RemovalPart::Replacement), ..stays });
        } else {
            nodes.push(stays);
        }
    }
    nodes.extend(removals.iter().enumerate().map(|(number, removal)| removed(number, removal)));
    nodes
}

/// Returns the uses among objects, now or while the plan is applied, without cycles.
pub(super) fn uses(context: &PlanContext<'_>, desire: &DesiredGraph, nodes: &[PlanNode<'_>]) -> Vec<Dependency> {
    let mut at: BTreeMap<&Address, Vec<usize>> = BTreeMap::new();
    for (number, node) in nodes.iter().enumerate() {
        at.entry(node.address).or_default().push(number);
    }
    let lives: Vec<(usize, &Live)> =
        nodes.iter().enumerate().filter_map(|(number, node)| Some((number, node.live?))).collect();
    let mut uses = observed_uses(context, &lives);
    for (&address, users) in &at {
        if let Some(object) = desire.objects().get(address) {
            let staying = users.iter().copied().filter(|&user| !nodes[user].goes());
            let wanted = object.needs();
            for user in staying {
                // The old one, or a second one, goes only after the one that stays is as it should be.
                uses.extend(users.iter().map(|&used| Dependency { user, used, evidence: Confidence::Replacement }));
                let needs = wanted.iter().filter_map(|need| at.get(need)).flatten();
                uses.extend(needs.map(|&used| Dependency { user, used, evidence: Confidence::Desire }));
            }
        }
        if let Some(recorded) = context.recorded.get(address) {
            uses.extend(pairs(users, &recorded.needs, &at));
        }
    }
    without_circles(nodes.len(), uses)
}

fn pairs<'a>(
    users: &'a [usize],
    needs: &'a BTreeSet<Address>,
    at: &'a BTreeMap<&Address, Vec<usize>>,
) -> impl Iterator<Item = Dependency> + 'a {
    let used = needs.iter().filter_map(|need| at.get(need)).flatten();
    used.flat_map(move |&used| users.iter().map(move |&user| Dependency { user, used, evidence: Confidence::Record }))
}

fn removed(number: usize, removal: &ObjectRemoval) -> PlanNode<'_> {
    let duplicate = matches!(removal.reason, Reason::Duplicate { .. });
    PlanNode {
        address: &removal.live.address,
        live: Some(&removal.live),
        changes: true,
        going: Some(if duplicate { RemovalPart::Duplicate } else { RemovalPart::Whole }),
        removal: Some(number),
        lane: None,
    }
}
