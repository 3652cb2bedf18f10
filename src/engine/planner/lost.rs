//! What is gone, still needed, and cannot be made again.

use std::collections::BTreeMap;

use super::Context;
use super::desire::Desire;
use super::verdict::Verdict;
use crate::engine::{Action, Address, Reason};

/// Refuses to make a new object in the place of a lost one while something that is there was made with the lost one.
///
/// The record is not asked: who lost a key may have lost the record with it.
pub(super) fn refuse(context: &Context<'_>, desire: &Desire, verdicts: &mut BTreeMap<Address, Verdict>) {
    let lost: Vec<(Address, &'static str)> = verdicts
        .iter()
        .filter(|(_, verdict)| verdict.kept.is_none())
        .filter_map(|(address, _)| Some((address.clone(), context.vocabulary.irreplaceable(address)?)))
        .filter(|(address, _)| {
            let mut users = desire.objects().values().filter(|object| object.depends_on.contains(address));
            users.any(|user| verdicts.get(&user.address).is_some_and(|verdict| verdict.kept.is_some()))
        })
        .collect();
    for (address, instead) in lost {
        if let Some(change) = verdicts.get_mut(&address).and_then(|verdict| verdict.change.as_mut()) {
            change.action = Action::Refuse;
            change.reason = Reason::Lost { instead: instead.to_owned() };
            change.attributes.clear();
        }
    }
}
