//! The check of the caller's permissions before a plan is executed.

use crate::analysis::permissions::{LeastPolicy, NeededActions, PlanPermissions, RunPurpose};
use crate::cli::command::iam_policy::policy_target;
use crate::cli::error::CliError;
use crate::engine::{FailureClass, Plan, PlanMode};
use crate::view::plan::PlanDocument;
use crate::words;

use super::ClusterContext;

/// Maximum number of actions that an error names.
const NAMED: usize = 4;

/// Returns the permissions of the caller for the calls of a plan; `None` in a cloud without permissions, and for the root user of
/// the account.
pub(in crate::cli) async fn check(
    context: &ClusterContext<'_>,
    plan: &Plan,
) -> Result<Option<PlanPermissions>, CliError> {
    let Some(simulator) = context.cloud.permission_simulator() else {
        context.ui.note("the simulated cloud has no permissions: none were checked");
        return Ok(None);
    };
    let purpose = match plan.mode {
        PlanMode::Apply => RunPurpose::Apply,
        PlanMode::Destroy => RunPurpose::Destroy,
        PlanMode::Refresh => RunPurpose::Plan,
    };
    let account =
        context.interrupt.or(context.cloud.account()).await?.map_err(CliError::cloud("asking for the account"))?;
    let principal = context.interrupt.or(simulator.principal()).await?;
    let Some(principal) = principal.map_err(CliError::cloud("asking for the role of the caller"))? else {
        context
            .ui
            .note("the caller is the root user of the account, whom no policy limits: no permissions were checked");
        return Ok(None);
    };
    let needed = NeededActions::of_plan(purpose, plan);
    let policy = LeastPolicy::new(&needed, &policy_target(&context.cluster));
    let refused = context.interrupt.or(simulator.refused(&principal, &policy.checks(&account))).await?;
    let refused = refused.map_err(|failure| {
        if failure.class == FailureClass::Denied {
            return CliError::refused(
                format!("the permissions could not be checked: {}", failure.message),
                "allow `iam:SimulatePrincipalPolicy` (and `iam:GetRole` for a role), or run it without --check-permissions",
            );
        }
        CliError::cloud("checking the permissions")(failure)
    })?;
    Ok(Some(PlanPermissions::new(&principal, &needed, &refused)))
}

/// Returns an error if permissions of a plan are missing.
pub(in crate::cli) fn refuse_missing(document: &PlanDocument) -> Result<(), CliError> {
    let missing = document.permissions.as_ref().map(|permissions| permissions.missing.as_slice()).unwrap_or_default();
    if missing.is_empty() {
        return Ok(());
    }
    let actions: Vec<String> = missing.iter().map(|missing| missing.action.clone()).collect();
    Err(CliError::refused(
        format!(
            "{} missing: {}",
            words::count(missing.len(), "permission") + if missing.len() == 1 { " is" } else { " are" },
            words::first(&actions, NAMED)
        ),
        "`quorate iam-policy` prints a policy that allows them",
    ))
}
