//! The request for a plan: its purpose, and the choices that the file does not contain.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::blueprint::Upgrade;
use crate::engine::PlanMode;

use super::replacement::MachineSelection;

/// The request for a plan.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PlanRequest {
    /// The purpose of the plan.
    pub mode: PlanMode,
    /// The choices that the file does not contain. Only [`PlanMode::Apply`] uses them.
    pub choices: PlanChoices,
}

/// The choices of a plan that the file does not contain. A saved plan contains them too.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlanChoices {
    /// The recorded versions that the plan replaces.
    #[serde(default)]
    pub upgrade: Upgrade,
    /// `true` to leave machines as they are that would be replaced.
    #[serde(default)]
    pub no_roll: bool,
    /// The machines that are replaced although nothing of them changes.
    #[serde(skip)]
    pub replace: Option<MachineSelection>,
    /// The ids of the same machines in a saved plan. It has no versions: those of the record and of the upgrade count, so that
    /// an edited file brings no other image onto machines.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub replaced: BTreeSet<String>,
}

impl PlanRequest {
    /// Returns the name of the command that applies it, for the lease.
    pub(in crate::cli) fn command(&self) -> &'static str {
        match &self.choices {
            choices if choices.replace.is_some() => "replacement",
            choices if choices.upgrade != Upgrade::default() => "upgrade",
            _ => "apply",
        }
    }

    /// Returns the request for a plan without choices.
    pub fn new(mode: PlanMode) -> Self {
        Self { mode, choices: PlanChoices::default() }
    }

    /// Returns the request for an apply with newer versions.
    pub fn upgrade(upgrade: Upgrade) -> Self {
        Self { mode: PlanMode::Apply, choices: PlanChoices { upgrade, ..PlanChoices::default() } }
    }

    /// Returns the request for an apply that replaces machines.
    pub fn replace(machines: MachineSelection) -> Self {
        Self { mode: PlanMode::Apply, choices: PlanChoices { replace: Some(machines), ..PlanChoices::default() } }
    }

    /// Returns the same request, with the machines left as they are if this is `true`.
    #[must_use]
    pub fn without_rolls(self, no_roll: bool) -> Self {
        Self { choices: PlanChoices { no_roll, ..self.choices }, ..self }
    }
}
