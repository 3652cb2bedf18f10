//! Limits that the user sets for a plan.

use clap::{Args, ValueEnum};

use crate::analysis::Money;
use crate::analysis::availability::{RequiredSurvival, SurvivalError};
use crate::spec::{Cluster, Survives};
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

impl From<Survives> for Requirement {
    fn from(survives: Survives) -> Self {
        match survives {
            Survives::Machine => Self::Machine,
            Survives::Zone => Self::Zone,
        }
    }
}

impl PlanLimits {
    /// Returns an error if the plan exceeds a limit of the user or of the cluster file, or if that is unknown.
    pub(super) fn check(self, cluster: &Cluster, document: &PlanDocument) -> Result<(), CliError> {
        self.check_cost(document)?;
        if let Some(requirement) = self.require {
            survives(requirement, document).map_err(|error| refused(&error, ""))?;
        }
        match unmet(cluster, document) {
            Some(Unmet::ByPlan(error)) => Err(refused(&error, ", as `require` in the cluster file demands")),
            Some(Unmet::Before(_)) | None => Ok(()),
        }
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
}

/// The requirement of a cluster file that a plan does not keep to.
enum Unmet {
    /// The cluster keeps to it before the plan, or does not exist yet.
    ByPlan(SurvivalError),
    /// The cluster does not keep to it before the plan either: a plan that repairs it must be possible.
    Before(SurvivalError),
}

fn unmet(cluster: &Cluster, document: &PlanDocument) -> Option<Unmet> {
    let requirement = cluster.survives?.into();
    let error = survives(requirement, document).err()?;
    let before = document.availability.as_ref().and_then(|availability| availability.before.as_ref());
    let was_unmet = before.is_some_and(|before| before.check(required(requirement)).is_err());
    Some(if was_unmet { Unmet::Before(error) } else { Unmet::ByPlan(error) })
}

/// Returns a warning if the cluster keeps to the requirement of its file neither before nor after the plan.
pub(super) fn unmet_requirement(cluster: &Cluster, document: &PlanDocument) -> Option<String> {
    match unmet(cluster, document)? {
        Unmet::Before(error) => Some(format!(
            "{error}, as `require` in the cluster file demands: {}. It does not now either",
            error.advice()
        )),
        Unmet::ByPlan(_) => None,
    }
}

fn survives(requirement: Requirement, document: &PlanDocument) -> Result<(), SurvivalError> {
    let after = document.availability.as_ref().and_then(|availability| availability.after.as_ref());
    after.map_or(Ok(()), |after| after.check(required(requirement)))
}

fn required(requirement: Requirement) -> RequiredSurvival {
    match requirement {
        Requirement::Machine => RequiredSurvival::Machine,
        Requirement::Zone => RequiredSurvival::Zone,
    }
}

fn refused(error: &SurvivalError, by: &str) -> CliError {
    CliError::refused(
        format!("{error}{by}: nothing was changed"),
        format!("{}; `quorate availability` shows all failures", error.advice()),
    )
}
