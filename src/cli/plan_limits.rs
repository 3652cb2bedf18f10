//! Limits that the user sets for a plan.

use clap::{Args, ValueEnum};

use crate::analysis::Money;
use crate::analysis::availability::RequiredSurvival;
use crate::view::plan::PlanDocument;

use super::error::CliError;

/// Limits of a plan: one that exceeds them is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Args)]
pub struct PlanLimits {
    /// Refuse a plan after which the cluster costs more than this in USD per month, or an unknown amount
    #[arg(long, value_name = "AMOUNT")]
    pub max_monthly_cost: Option<Money>,
    /// Refuse a plan after which the cluster does not survive the loss of any machine, or of any zone
    #[arg(long, value_name = "WHAT")]
    pub require: Option<Requirement>,
}

/// Failures that the cluster must survive after a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Requirement {
    /// The loss of any machine
    Machine,
    /// The loss of any machine or zone
    Zone,
}

impl PlanLimits {
    /// Returns an error if the plan exceeds a limit, or if that is unknown.
    pub(super) fn check(self, document: &PlanDocument) -> Result<(), CliError> {
        self.check_cost(document)?;
        self.check_availability(document)
    }

    fn check_cost(self, document: &PlanDocument) -> Result<(), CliError> {
        let (Some(cost), Some(limit)) = (&document.cost, self.max_monthly_cost) else { return Ok(()) };
        cost.after.within(limit).map_err(|above| {
            CliError::refused(
                format!("{above}: nothing was changed"),
                "see the prices with `quorate cost`; change the file, or pass another --max-monthly-cost",
            )
        })
    }

    fn check_availability(self, document: &PlanDocument) -> Result<(), CliError> {
        let after = document.availability.as_ref().and_then(|availability| availability.after.as_ref());
        let (Some(after), Some(requirement)) = (after, self.require) else { return Ok(()) };
        let required = match requirement {
            Requirement::Machine => RequiredSurvival::Machine,
            Requirement::Zone => RequiredSurvival::Zone,
        };
        after.check(required).map_err(|error| {
            CliError::refused(
                format!("{error}: nothing was changed"),
                format!("{}; `quorate availability` shows all failures", error.advice()),
            )
        })
    }
}
