//! The match between wanted and live objects.

use std::cmp::Reverse;

use super::PlanContext;
use crate::engine::diff::{diff, replacing};
use crate::engine::{Attributes, Kind, Live, ObjectPhase};

/// The live objects of one address, each in its role.
#[derive(Debug, Default)]
pub(super) struct LiveMatch {
    /// The object that is kept.
    pub(super) kept: Option<Live>,
    /// The proof of ownership of the kept object.
    pub(super) title: Ownership,
    /// Further objects of the cluster with the same address.
    pub(super) duplicates: Vec<Live>,
    /// Objects that are being removed, or cannot become usable: they must be gone before a new one is created.
    pub(super) leaving: Vec<Live>,
}

/// The proof of ownership of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Ownership {
    /// The mark of the object, or the record.
    #[default]
    Ours,
    /// No proof, but the object is exactly as wanted.
    Matching,
    /// No proof, and the object may belong to others: it is used as it is.
    Borrowed,
    /// No proof, and the object has the name of the desired one.
    Foreign,
}

/// Sorts the live objects of one address.
pub(super) fn match_live(context: &PlanContext<'_>, kind: &Kind, desired: &Attributes, lives: Vec<Live>) -> LiveMatch {
    let is_ours = |live: &Live| live.proven || (!kind.shared && context.is_recorded(live));
    let (ours, others): (Vec<Live>, Vec<Live>) = lives.into_iter().partition(is_ours);
    let (usable, leaving): (Vec<Live>, Vec<Live>) =
        ours.into_iter().partition(|live| matches!(live.phase, ObjectPhase::Pending | ObjectPhase::Ready));
    let mut usable = best_first(context, kind, desired, usable);
    if !usable.is_empty() {
        let kept = usable.remove(0);
        // One that is being removed goes by itself.
        let beyond_use = leaving.into_iter().filter(|live| live.phase == ObjectPhase::Failed);
        let duplicates = usable.into_iter().chain(beyond_use).collect();
        return LiveMatch { kept: Some(kept), duplicates, ..LiveMatch::default() };
    }
    let other = best_first(context, kind, desired, others).into_iter().next();
    let title = other.as_ref().map_or(Ownership::Ours, |other| ownership(kind, desired, other));
    LiveMatch { kept: other, title, leaving, ..LiveMatch::default() }
}

fn ownership(kind: &Kind, desired: &Attributes, unmarked: &Live) -> Ownership {
    if kind.shared {
        Ownership::Borrowed
    } else if diff(kind, desired, &unmarked.attributes, None).is_empty() {
        Ownership::Matching
    } else {
        Ownership::Foreign
    }
}

/// Sorts the best object to keep first: the one with the fewest replacements; then the recorded one, the one with the fewest
/// differences, the oldest, the one with the smallest id.
fn best_first(context: &PlanContext<'_>, kind: &Kind, desired: &Attributes, mut lives: Vec<Live>) -> Vec<Live> {
    if lives.len() > 1 {
        lives.sort_by_cached_key(|live| {
            let differing = diff(kind, desired, &live.attributes, None);
            let age = live.created.map_or((true, None), |created| (false, Some(created)));
            (replacing(&differing), Reverse(context.is_recorded(live)), differing.len(), age, live.id.clone())
        });
    }
    lives
}
