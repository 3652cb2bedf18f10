//! `plan`: observe, compare, show.

use crate::cli::Exit;
use crate::cli::error::CliError;
use crate::engine::PlanMode;
use crate::resource::{API, LoadBalancer, Resource};
use crate::view;

use super::CommandContext;
use super::foreign_cluster::ForeignClusterPolicy;
use super::planned_run::draft;
use super::snapshot::{RecordSource, snapshot};
use super::temporary_access::announce;

/// The options of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlanOptions {
    /// The purpose of the plan.
    pub mode: PlanMode,
    /// `true` if the exit code reports differences.
    pub detailed: bool,
}

/// Shows the changes of an apply (or a destroy). Changes nothing, and acquires no lease.
pub async fn plan(context: &CommandContext<'_>, look: PlanOptions) -> Result<Exit, CliError> {
    let neighbours =
        if look.mode == PlanMode::Destroy { ForeignClusterPolicy::LeftBeside } else { ForeignClusterPolicy::Refused };
    let snapshot = snapshot(context, RecordSource::Stored, neighbours).await?;
    let draft = draft(context, &snapshot, look.mode).await?;
    let document = draft.document(context, &snapshot);
    context.ui.document(&document, |style| view::plan::text(&document, style))?;
    draft.show_notes(context);
    if look.mode == PlanMode::Apply {
        let is_built = snapshot.live.iter().any(|live| live.address == LoadBalancer::address(API));
        announce(context, is_built, draft.unreachable.as_ref());
    }
    let differs = !document.plan.is_empty() || !draft.cleared.is_empty();
    Ok(if look.detailed && differs { Exit::Differs } else { Exit::Done })
}
