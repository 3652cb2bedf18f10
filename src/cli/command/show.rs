//! `quorate show`: the machines, node groups and services of the cluster.

use std::collections::BTreeMap;

use clap::Args;

use crate::cli::client_access;
use crate::cli::connect::open_cluster;
use crate::cli::file::ShownDiagnostics;
use crate::cli::run::foreign_cluster::ForeignClusterPolicy;
use crate::cli::run::run_lock::RecordSource;
use crate::cli::run::snapshot::snapshot;
use crate::cli::{ApiWait, CliError, ClusterContext, Exit, Session};
use crate::engine::{Failure, Live};
use crate::resource::KubernetesState;
use crate::view;
use crate::view::show::{ClusterDocument, ShownCluster};

/// Show the machines, node groups and services of the cluster
///
/// Shows each machine with its zone, size, kubelet version, age and state, each service with its pods, ports and address,
/// and the URL of the Kubernetes API. While the Kubernetes API does not answer, what only it knows is `-`. Changes nothing.
#[derive(Debug, Clone, Args)]
pub struct ShowArgs {
    /// List all objects with their identifiers too
    #[arg(long)]
    all: bool,
}

impl ShowArgs {
    pub(super) async fn run(self, session: &Session) -> Result<Exit, CliError> {
        let context = open_cluster(session, ShownDiagnostics::Errors, ApiWait::UntilReady).await?;
        show(&context, self.all).await
    }
}

/// Shows the cluster; with every object if `all`.
///
/// # Errors
/// Returns an error if the cloud or the record cannot be read.
pub async fn show(context: &ClusterContext<'_>, all: bool) -> Result<Exit, CliError> {
    let snapshot = snapshot(context, RecordSource::Stored, ForeignClusterPolicy::Left).await?;
    let kubernetes = kubernetes_state(context, snapshot.unreachable.as_ref()).await?;
    let now = context.cloud.now().await.map_err(CliError::cloud("reading the clock"))?;
    let record = snapshot.record.as_ref();
    let is_ours = |live: &Live| {
        let known = record.and_then(|record| record.objects.get(&live.address));
        live.proven || known.is_some_and(|known| known.id == live.id)
    };
    let nothing = BTreeMap::new();
    let cluster = ShownCluster {
        live: snapshot.live.iter().filter(|live| is_ours(live)).cloned().collect(),
        recorded: record.map_or(&nothing, |record| &record.objects),
        endpoint: record.and_then(|record| client_access::address(record, context.name())),
        kubernetes,
    };
    let document = ClusterDocument::new(context.heading(snapshot.facts.account.clone()), cluster, all);
    context.ui.document(&document, |style| view::show::text(&document, now, style))?;
    Ok(Exit::Done)
}

/// Returns the nodes and pods, or the reason why they are not known. An API that did not answer before is not asked again.
async fn kubernetes_state(
    context: &ClusterContext<'_>,
    unreachable: Option<&Failure>,
) -> Result<Result<KubernetesState, String>, CliError> {
    let silent = |failure: &Failure| format!("the Kubernetes API does not answer ({})", failure.message);
    if let Some(failure) = unreachable {
        return Ok(Err(silent(failure)));
    }
    Ok(match context.interrupt.or(context.cloud.kubernetes_state()).await? {
        Ok(Some(state)) => Ok(state),
        Ok(None) if context.sandbox => Err("simulated machines run no Kubernetes".to_owned()),
        Ok(None) => Err("the cluster has no Kubernetes API yet".to_owned()),
        Err(failure) => Err(silent(&failure)),
    })
}
