//! The request for a plan: its purpose, and the choices that the file does not contain.

use serde::{Deserialize, Serialize};

use crate::blueprint::{Pins, Upgrade};
use crate::engine::PlanMode;

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
pub struct PlanChoices {
    /// The recorded versions that the plan replaces.
    #[serde(default)]
    pub upgrade: Upgrade,
    /// The pins of a saved plan; `None` to use those of the record, changed by `upgrade`.
    #[serde(default)]
    pub pins: Option<Pins>,
}

impl PlanRequest {
    /// Returns the request for a plan without choices.
    pub fn new(mode: PlanMode) -> Self {
        Self { mode, choices: PlanChoices::default() }
    }

    /// Returns the request for an apply with newer versions.
    pub fn upgrade(upgrade: Upgrade) -> Self {
        Self { mode: PlanMode::Apply, choices: PlanChoices { upgrade, ..PlanChoices::default() } }
    }
}
