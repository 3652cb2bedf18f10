//! `quorate cost`: the cost of the cluster, as it is and as the file describes it.

use clap::Args;

use crate::analysis::cost::CostReport;
use crate::cli::connect::open_cluster;
use crate::cli::file::ShownDiagnostics;
use crate::cli::run::foreign_cluster::ForeignClusterPolicy;
use crate::cli::run::plan_request::PlanRequest;
use crate::cli::run::planned_run;
use crate::cli::run::run_lock::RecordSource;
use crate::cli::run::snapshot::snapshot;
use crate::cli::{ApiWait, CliError, ClusterContext, Exit, Session};
use crate::view;

/// Show what the cluster costs per month
///
/// Lists machines, volumes, load balancers, public addresses and hosted zones with their prices, as the cluster is and as the
/// file describes it. AWS is asked for prices that this release does not have. A price that is not known is shown as unknown. Changes nothing. With --sandbox, it needs
/// no account.
#[derive(Debug, Clone, Args)]
pub struct CostArgs {}

impl CostArgs {
    pub(super) async fn run(self, session: &Session) -> Result<Exit, CliError> {
        let context = open_cluster(session, ShownDiagnostics::Errors, ApiWait::UntilReady).await?;
        cost(&context).await
    }
}

/// Shows the cost of the cluster per month. Changes nothing, and acquires no lease.
///
/// # Errors
/// Returns an error if the plan could not be made.
pub(in crate::cli) async fn cost(context: &ClusterContext<'_>) -> Result<Exit, CliError> {
    let snapshot = snapshot(context, RecordSource::Stored, ForeignClusterPolicy::Refused).await?;
    let planned = planned_run::plan(context, &snapshot, &PlanRequest::default()).await?;
    let report = CostReport::new(&planned.prepared, &snapshot.facts.region, &planned.prices.table);
    let document = view::cost::CostDocument::new(planned.document.heading, report);
    context.ui.document(&document, |style| view::cost::text(&document, style))?;
    planned.prices.note.iter().for_each(|note| context.ui.note(note));
    Ok(Exit::Done)
}
