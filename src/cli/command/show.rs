//! `quorate show`: the existing objects.

use clap::Args;

use crate::cli::connect::open_cluster;
use crate::cli::file::ShownDiagnostics;
use crate::cli::run::foreign_cluster::ForeignClusterPolicy;
use crate::cli::run::run_lock::RecordSource;
use crate::cli::run::snapshot::snapshot;
use crate::cli::{ApiWait, CliError, ClusterContext, Exit, Session};
use crate::view;

/// List the cluster's objects and machines with their identifiers
///
/// Machines are listed below their Auto Scaling group.
#[derive(Debug, Clone, Args)]
pub struct ShowArgs {}

impl ShowArgs {
    pub(super) async fn run(self, session: &Session) -> Result<Exit, CliError> {
        let context = open_cluster(session, ShownDiagnostics::Errors, ApiWait::UntilReady).await?;
        show(&context).await
    }
}

/// Lists every object of the cluster with its identifier.
///
/// # Errors
/// Returns an error if the cloud or the record cannot be read.
pub(in crate::cli) async fn show(context: &ClusterContext<'_>) -> Result<Exit, CliError> {
    let snapshot = snapshot(context, RecordSource::Stored, ForeignClusterPolicy::Left).await?;
    let recorded = snapshot.record.as_ref();
    let ours = snapshot.live.iter().filter(|live| {
        let known = recorded.and_then(|record| record.objects.get(&live.address));
        live.proven || known.is_some_and(|known| known.id == live.id)
    });
    let document =
        view::show::ObjectsDocument::new(context.heading(snapshot.facts.account.clone()), ours.cloned().collect());
    context.ui.document(&document, |style| view::show::text(&document, style))?;
    Ok(Exit::Done)
}
