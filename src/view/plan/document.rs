//! What a plan's screen says, as one value.

use serde::{Deserialize, Serialize};

use crate::engine::{Action, Address, Mode, Plan};
use crate::view::{FORMAT, Heading};

/// A plan with its heading and what it comes to, under a versioned format.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Document {
    /// The version of the format.
    pub format: u32,
    /// Which cluster, where.
    #[serde(flatten)]
    pub heading: Heading,
    /// The plan.
    pub plan: Plan,
    /// What it comes to.
    pub summary: Summary,
}

/// How many changes of each sort a plan holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// Objects that are made.
    pub create: usize,
    /// Objects that are changed in place.
    pub update: usize,
    /// Objects whose machines are replaced.
    pub roll: usize,
    /// Objects that are replaced by new ones.
    pub replace: usize,
    /// Objects that are removed.
    pub delete: usize,
    /// Objects that are only recorded.
    pub adopt: usize,
    /// Objects that are only waited for.
    #[serde(default)]
    pub wait: usize,
    /// Changes that cannot be made.
    pub refuse: usize,
    /// Objects that are as they should be.
    pub unchanged: usize,
    /// Objects that are lost with their data.
    pub loses_data: Vec<Address>,
}

impl Document {
    /// Puts a plan under its heading.
    pub fn new(heading: Heading, plan: Plan) -> Self {
        let summary = Summary::of(&plan);
        Self { format: FORMAT, heading, plan, summary }
    }
}

impl Summary {
    fn of(plan: &Plan) -> Self {
        Self {
            create: plan.count(Action::Create),
            update: plan.count(Action::Update),
            roll: plan.count(Action::Roll),
            replace: plan.count(Action::Replace),
            delete: plan.count(Action::Delete),
            adopt: plan.count(Action::Adopt),
            wait: plan.count(Action::Wait),
            refuse: plan.count(Action::Refuse),
            unchanged: plan.unchanged,
            loses_data: plan.changes.iter().filter(|c| c.loses_data).map(|c| c.address.clone()).collect(),
        }
    }

    /// `3 to create`, `1 to update`, …: what is not there is not said.
    pub(super) fn spoken(&self, mode: Mode) -> Vec<String> {
        let counts = match mode {
            Mode::Apply | Mode::Destroy => vec![
                (self.create, "to create"),
                (self.update, "to update"),
                (self.roll, "to roll"),
                (self.replace, "to replace"),
                (self.delete, "to delete"),
                (self.adopt, "to adopt"),
                (self.wait, "to wait for"),
            ],
            Mode::Refresh => vec![
                (self.create, "gone"),
                (self.update + self.roll + self.replace, "changed"),
                (self.delete + self.adopt, "new"),
            ],
        };
        let mut spoken: Vec<String> =
            counts.iter().filter(|(count, _)| *count > 0).map(|(count, verb)| format!("{count} {verb}")).collect();
        if self.refuse > 0 {
            spoken.push(format!("{} refused", self.refuse));
        }
        spoken
    }
}
