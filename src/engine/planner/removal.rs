//! What is to be removed.

use super::{Context, verdict};
use crate::engine::{Action, AttributeChange, Change, Live, Origin, Reason};

/// A live object that has to go.
#[derive(Debug, Clone)]
pub(super) struct Removal {
    pub(super) live: Live,
    pub(super) reason: Reason,
    /// Whether others hold the same data.
    pub(super) spare: bool,
}

impl Removal {
    /// The removal of an object that is the only one with its data.
    pub(super) fn new(live: Live, reason: Reason) -> Self {
        Self { live, reason, spare: false }
    }

    /// The removal as a change of the plan.
    pub(super) fn change(&self, context: &Context<'_>) -> Change {
        Change {
            id: Some(self.live.id.clone()),
            attributes: self.live.attributes.iter().map(removed).collect(),
            loses_data: !self.spare && context.holds_data(&self.live),
            ..verdict::bare(&self.live.address, Action::Delete, self.reason.clone())
        }
    }
}

fn removed((name, value): (&String, &crate::engine::Value)) -> AttributeChange {
    AttributeChange {
        name: name.clone(),
        before: Some(value.clone()),
        after: None,
        origin: Origin::File,
        action: Action::Delete,
    }
}
