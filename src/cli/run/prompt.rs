//! The confirmation of a plan by the user.

use crate::cli::error::CliError;

use super::ClusterContext;

/// The permissions that are granted without a prompt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Consent {
    /// The plan is confirmed, whatever it contains.
    pub yes: bool,
    /// Changes that lose data are allowed.
    pub delete_data: bool,
}

/// Prompts the user. Returns an error unless the answer is exactly `wanted`. `flags` confirm without a prompt.
pub(in crate::cli) async fn ask(
    context: &ClusterContext<'_>,
    question: &str,
    wanted: &str,
    flags: &str,
) -> Result<(), CliError> {
    if !context.ui.can_ask() {
        return Err(CliError::refused(
            "not a terminal, and --yes was not given: nothing was changed",
            format!("pass {flags} to confirm"),
        ));
    }
    match context.interrupt.or(context.ui.ask(question)).await? {
        Some(answer) if answer == wanted => Ok(()),
        _ => Err(CliError::refused(format!("nothing was changed: the answer was not `{wanted}`"), "")),
    }
}
