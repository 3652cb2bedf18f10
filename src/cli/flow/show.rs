//! `show`: what exists.

use crate::cli::Exit;
use crate::cli::error::CliError;
use crate::view;

use super::Flow;
use super::neighbours::Neighbours;
use super::survey::{Memory, survey};

/// Shows every object of the cluster with its identifier.
pub async fn show(flow: &Flow<'_>) -> Result<Exit, CliError> {
    let survey = survey(flow, Memory::Stored, Neighbours::Left).await?;
    let recorded = survey.record.as_ref();
    let ours = survey.live.iter().filter(|live| {
        let known = recorded.and_then(|record| record.objects.get(&live.address));
        live.proven || known.is_some_and(|known| known.id == live.id)
    });
    let document = view::show::Document::new(flow.heading(survey.facts.account.clone()), ours.cloned().collect());
    flow.ui.document(&document, |style| view::show::text(&document, style))?;
    Ok(Exit::Done)
}
