//! Which live object stands for one that should be.

use std::cmp::Reverse;

use super::Context;
use crate::engine::diff::{diff, replacing};
use crate::engine::{Attributes, Kind, Live, Phase};

/// The live objects of one address, each in its part.
#[derive(Debug, Default)]
pub(super) struct Claim {
    /// The one that stays.
    pub(super) kept: Option<Live>,
    /// What shows whose the kept one is.
    pub(super) title: Title,
    /// More of ours with the same address.
    pub(super) duplicates: Vec<Live>,
    /// On its way out, or beyond use: to be gone before a new one is made.
    pub(super) leaving: Vec<Live>,
}

/// What shows whose an object is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Title {
    /// Its mark, or the record.
    #[default]
    Ours,
    /// Nothing, but it is exactly what we want.
    Matching,
    /// Nothing, and it may be somebody else's: it is used as it is.
    Borrowed,
    /// Nothing, and it is in the way.
    Foreign,
}

/// Sorts the live objects of one address.
pub(super) fn claim(context: &Context<'_>, kind: &Kind, desired: &Attributes, lives: Vec<Live>) -> Claim {
    let is_ours = |live: &Live| live.proven || (!kind.shared && context.is_recorded(live));
    let (ours, others): (Vec<Live>, Vec<Live>) = lives.into_iter().partition(is_ours);
    let (usable, leaving): (Vec<Live>, Vec<Live>) =
        ours.into_iter().partition(|live| matches!(live.phase, Phase::Pending | Phase::Ready));
    let mut usable = best_first(context, kind, desired, usable);
    if !usable.is_empty() {
        let kept = usable.remove(0);
        // One that is being removed goes by itself.
        let beyond_use = leaving.into_iter().filter(|live| live.phase == Phase::Failed);
        let duplicates = usable.into_iter().chain(beyond_use).collect();
        return Claim { kept: Some(kept), duplicates, ..Claim::default() };
    }
    let other = best_first(context, kind, desired, others).into_iter().next();
    let title = other.as_ref().map_or(Title::Ours, |other| title(kind, desired, other));
    Claim { kept: other, title, leaving, ..Claim::default() }
}

fn title(kind: &Kind, desired: &Attributes, unmarked: &Live) -> Title {
    if kind.shared {
        Title::Borrowed
    } else if diff(kind, desired, &unmarked.attributes, None).is_empty() {
        Title::Matching
    } else {
        Title::Foreign
    }
}

/// The one that can stay with the fewest replacements first; then the recorded one, the one with the fewest differences,
/// the oldest, the smallest id.
fn best_first(context: &Context<'_>, kind: &Kind, desired: &Attributes, mut lives: Vec<Live>) -> Vec<Live> {
    if lives.len() > 1 {
        lives.sort_by_cached_key(|live| {
            let differing = diff(kind, desired, &live.attributes, None);
            let age = live.created.map_or((true, None), |created| (false, Some(created)));
            (replacing(&differing), Reverse(context.is_recorded(live)), differing.len(), age, live.id.clone())
        });
    }
    lives
}
