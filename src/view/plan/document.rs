//! The contents of a plan's screen as one value.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::analysis::availability::PlanAvailability;
use crate::analysis::causes::RollCause;
use crate::analysis::cost::PlanCost;
use crate::analysis::duration::PlanDuration;
use crate::analysis::permissions::PlanPermissions;
use crate::engine::{Action, Address, Plan, PlanMode};
use crate::health::UpgradeFinding;
use crate::view::{ClusterHeading, FORMAT};

/// A plan with its heading and its summary, in a versioned format.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PlanDocument {
    /// The version of the format.
    #[schemars(extend("const" = FORMAT))]
    pub format: u32,
    /// The cluster and its account and region.
    #[serde(flatten)]
    pub heading: ClusterHeading,
    /// The plan.
    pub plan: Plan,
    /// The summary.
    pub summary: PlanSummary,
    /// The causes of machine replacements, and changes of recorded versions.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub causes: Vec<RollCause>,
    /// The cost of the cluster before and after the plan; `None` for a plan that only shows differences.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub cost: Option<PlanCost>,
    /// The check before an upgrade of the minor version of Kubernetes; `None` for a plan without one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub upgrade: Option<UpgradeCheck>,
    /// The expected time of the plan; `None` for a plan that changes nothing, or only shows differences.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub duration: Option<PlanDuration>,
    /// The permissions of the caller for the calls of the plan; `None` if they were not checked.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub permissions: Option<PlanPermissions>,
    /// The failures that the cluster survives before and after the plan; `None` for a plan that only shows differences.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub availability: Option<PlanAvailability>,
}

/// The check before an upgrade of the minor version of Kubernetes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UpgradeCheck {
    /// The version that all machines have.
    pub from: String,
    /// The version after the upgrade.
    pub to: String,
    /// The reason that nothing was checked.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub not_checked: Option<String>,
    /// Reasons not to upgrade yet.
    pub findings: Vec<UpgradeFinding>,
}

/// Number of changes of each sort in a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PlanSummary {
    /// Objects that are created.
    pub create: usize,
    /// Objects that are changed in place.
    pub update: usize,
    /// Objects whose machines are replaced.
    pub roll: usize,
    /// Objects that are replaced by new ones.
    pub replace: usize,
    /// Objects that are deleted.
    pub delete: usize,
    /// Objects that are only recorded.
    pub adopt: usize,
    /// Objects that are only waited for.
    #[serde(default)]
    pub wait: usize,
    /// Changes that cannot be made.
    pub refuse: usize,
    /// Objects without changes.
    pub unchanged: usize,
    /// Objects that are lost with their data.
    pub loses_data: Vec<Address>,
}

impl PlanDocument {
    /// Combines a plan and its heading.
    pub fn new(heading: ClusterHeading, plan: Plan) -> Self {
        let summary = PlanSummary::of(&plan);
        Self {
            format: FORMAT,
            heading,
            plan,
            summary,
            causes: Vec::new(),
            cost: None,
            upgrade: None,
            duration: None,
            permissions: None,
            availability: None,
        }
    }

    /// Adds the causes of machine replacements.
    #[must_use]
    pub fn with_causes(self, causes: Vec<RollCause>) -> Self {
        Self { causes, ..self }
    }

    /// Adds the expected time of the plan.
    #[must_use]
    pub fn with_duration(self, duration: Option<PlanDuration>) -> Self {
        Self { duration, ..self }
    }

    /// Adds the meaning of the plan: its cost, and the failures that the cluster survives.
    #[must_use]
    pub fn with_analysis(self, cost: Option<PlanCost>, availability: Option<PlanAvailability>) -> Self {
        Self { cost, availability, ..self }
    }
}

impl PlanSummary {
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

    /// Returns the counts of changes, without those that are zero: `3 to create`, `1 to update`, …
    pub(in crate::view) fn spoken(&self, mode: PlanMode) -> Vec<String> {
        let counts = match mode {
            PlanMode::Apply | PlanMode::Destroy => vec![
                (self.create, "to create"),
                (self.update, "to update"),
                (self.roll, "to roll"),
                (self.replace, "to replace"),
                (self.delete, "to delete"),
                (self.adopt, "to adopt"),
                (self.wait, "to wait for"),
            ],
            PlanMode::Refresh => vec![
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
