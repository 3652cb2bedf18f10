//! `quorate availability`: the failures that the cluster survives, as it is and as the file describes it.

use clap::Args;

use crate::analysis::availability::PlanAvailability;
use crate::cli::connect::open_cluster;
use crate::cli::file::ShownDiagnostics;
use crate::cli::run::foreign_cluster::ForeignClusterPolicy;
use crate::cli::run::plan_request::PlanRequest;
use crate::cli::run::planned_run;
use crate::cli::run::run_lock::RecordSource;
use crate::cli::run::snapshot::snapshot;
use crate::cli::{ApiWait, CliError, ClusterContext, Exit, Session};
use crate::view;
use crate::view::plan::PlanDocument;

/// Show which single zone, machine or volume the cluster can lose
///
/// Judges etcd's quorum, the API, the pods of each service, their volumes and load balancers, and the room for their
/// requests on the nodes that are left: as the cluster is, and as the file describes it. Each failure that is not
/// survived has its reason and a remedy. Changes nothing. With --sandbox, it needs no account.
#[derive(Debug, Clone, Args)]
pub struct AvailabilityArgs {}

impl AvailabilityArgs {
    pub(super) async fn run(self, session: &Session) -> Result<Exit, CliError> {
        let context = open_cluster(session, ShownDiagnostics::Errors, ApiWait::UntilReady).await?;
        availability(&context).await
    }
}

/// Shows the failures that the cluster survives. Changes nothing, and acquires no lease.
///
/// # Errors
/// Returns an error if the plan could not be made.
pub(in crate::cli) async fn availability(context: &ClusterContext<'_>) -> Result<Exit, CliError> {
    let snapshot = snapshot(context, RecordSource::Stored, ForeignClusterPolicy::Refused).await?;
    let planned = planned_run::plan(context, &snapshot, &PlanRequest::default()).await?;
    let PlanDocument { heading, availability, .. } = planned.document;
    let availability = availability.unwrap_or(PlanAvailability { before: None, during: None, after: None });
    let document = view::availability::AvailabilityDocument::new(heading, availability);
    context.ui.document(&document, |style| view::availability::text(&document, style))?;
    Ok(Exit::Done)
}
