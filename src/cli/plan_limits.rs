//! Limits that the user sets for a plan.

use clap::Args;

use crate::analysis::Money;
use crate::view::plan::PlanDocument;

use super::error::CliError;

/// Limits of a plan: one that exceeds them is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Args)]
pub struct PlanLimits {
    /// Refuse a plan after which the cluster costs more than this in USD per month, or an unknown amount
    #[arg(long, value_name = "AMOUNT")]
    pub max_monthly_cost: Option<Money>,
}

impl PlanLimits {
    /// Returns an error if the plan exceeds a limit, or if nobody can tell.
    pub(super) fn check(self, document: &PlanDocument) -> Result<(), CliError> {
        let (Some(cost), Some(limit)) = (&document.cost, self.max_monthly_cost) else { return Ok(()) };
        cost.after.within(limit).map_err(|above| {
            CliError::refused(
                format!("{above}: nothing was changed"),
                "see the prices with `quorate cost`; change the file, or pass another --max-monthly-cost",
            )
        })
    }
}
