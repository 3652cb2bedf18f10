//! `show`: the existing objects.

use crate::cli::Exit;
use crate::cli::error::CliError;
use crate::view;

use super::CommandContext;
use super::foreign_cluster::ForeignClusterPolicy;
use super::snapshot::{RecordSource, snapshot};

/// Lists every object of the cluster with its identifier.
pub async fn show(context: &CommandContext<'_>) -> Result<Exit, CliError> {
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
