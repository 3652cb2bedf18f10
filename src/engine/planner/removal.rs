//! Objects to remove.

use super::PlanContext;
use crate::engine::{Action, AttributeChange, Change, DifferenceOrigin, Live, Reason};

/// The change that a removal is part of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RemovalPart {
    /// A separate change.
    Whole,
    /// A separate change, beside the object that is kept.
    Duplicate,
    /// The end of a replacement.
    Replacement,
}

/// A live object to remove.
#[derive(Debug, Clone)]
pub(super) struct ObjectRemoval {
    pub(super) live: Live,
    pub(super) reason: Reason,
    /// `true` if others hold the same data.
    pub(super) spare: bool,
}

impl ObjectRemoval {
    /// Returns the removal of an object that is the only one with its data.
    pub(super) fn new(live: Live, reason: Reason) -> Self {
        Self { live, reason, spare: false }
    }

    /// Returns the removal as a change of the plan.
    pub(super) fn change(&self, context: &PlanContext<'_>) -> Change {
        Change {
            id: Some(self.live.id.clone()),
            attributes: self.live.attributes.iter().map(removed).collect(),
            loses_data: !self.spare && context.holds_data(&self.live),
            ..Change::bare(&self.live.address, Action::Delete, self.reason.clone())
        }
    }
}

fn removed((name, value): (&String, &crate::engine::Value)) -> AttributeChange {
    AttributeChange {
        name: name.clone(),
        before: Some(value.clone()),
        after: None,
        origin: DifferenceOrigin::File,
        action: Action::Delete,
    }
}
