//! What stays and what goes, and who of them uses whom.

use std::collections::{BTreeMap, BTreeSet};

use super::Context;
use super::desire::Desire;
use super::removal::Removal;
use super::steps::Part;
use super::users::{Evidence, Use, seen, without_circles};
use super::verdict::Verdict;
use crate::engine::{Action, Address, Live, Reason};

/// A live object, or one that should be: something that can use, and be used.
pub(super) struct Thing<'a> {
    pub(super) address: &'a Address,
    pub(super) live: Option<&'a Live>,
    /// Whether the plan has a change for it.
    pub(super) changes: bool,
    /// What its removal is part of; `None` if it stays.
    pub(super) going: Option<Part>,
    /// Its place among the removals of the plan.
    pub(super) removal: Option<usize>,
    pub(super) lane: Option<&'a String>,
}

impl Thing<'_> {
    pub(super) fn goes(&self) -> bool {
        self.going.is_some()
    }
}

/// Everything that the plan is about. What is replaced is there twice: as the new one and as the old one.
pub(super) fn things<'a>(
    desire: &'a Desire,
    verdicts: &'a BTreeMap<Address, Verdict>,
    removals: &'a [Removal],
) -> Vec<Thing<'a>> {
    let mut things = Vec::with_capacity(verdicts.len() + removals.len());
    for address in desire.order() {
        let Some(verdict) = verdicts.get(address) else { continue };
        let change = verdict.change.as_ref();
        let stays = Thing {
            address,
            live: verdict.kept.as_ref(),
            changes: change.is_some(),
            going: None,
            removal: None,
            lane: change.and_then(|change| change.lane.as_ref()),
        };
        if change.is_some_and(|change| change.action == Action::Replace) {
            things.push(Thing { live: None, ..stays });
            things.push(Thing { going: Some(Part::Replacement), ..stays });
        } else {
            things.push(stays);
        }
    }
    things.extend(removals.iter().enumerate().map(|(number, removal)| removed(number, removal)));
    things
}

/// Who uses whom, now or when the plan is carried out, without circles.
pub(super) fn uses(context: &Context<'_>, desire: &Desire, things: &[Thing<'_>]) -> Vec<Use> {
    let mut at: BTreeMap<&Address, Vec<usize>> = BTreeMap::new();
    for (number, thing) in things.iter().enumerate() {
        at.entry(thing.address).or_default().push(number);
    }
    let lives: Vec<(usize, &Live)> =
        things.iter().enumerate().filter_map(|(number, thing)| Some((number, thing.live?))).collect();
    let mut uses = seen(context, &lives);
    for (&address, users) in &at {
        if let Some(object) = desire.objects().get(address) {
            let staying = users.iter().copied().filter(|&user| !things[user].goes());
            let wanted = object.needs();
            for user in staying {
                // The old one, or a second one, goes only after the one that stays is as it should be.
                let others = users.iter().chain(wanted.iter().filter_map(|need| at.get(need)).flatten());
                uses.extend(others.map(|&used| Use { user, used, evidence: Evidence::Desire }));
            }
        }
        if let Some(recorded) = context.recorded.get(address) {
            uses.extend(pairs(users, &recorded.needs, &at));
        }
    }
    without_circles(things.len(), uses)
}

fn pairs<'a>(
    users: &'a [usize],
    needs: &'a BTreeSet<Address>,
    at: &'a BTreeMap<&Address, Vec<usize>>,
) -> impl Iterator<Item = Use> + 'a {
    let used = needs.iter().filter_map(|need| at.get(need)).flatten();
    used.flat_map(move |&used| users.iter().map(move |&user| Use { user, used, evidence: Evidence::Record }))
}

fn removed(number: usize, removal: &Removal) -> Thing<'_> {
    let duplicate = matches!(removal.reason, Reason::Duplicate { .. });
    Thing {
        address: &removal.live.address,
        live: Some(&removal.live),
        changes: true,
        going: Some(if duplicate { Part::Duplicate } else { Part::Whole }),
        removal: Some(number),
        lane: None,
    }
}
