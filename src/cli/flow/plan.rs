//! `plan`: look, compare, show.

use crate::cli::Exit;
use crate::cli::error::CliError;
use crate::engine::Mode;
use crate::resource::{API, LoadBalancer, Resource};
use crate::view;

use super::Flow;
use super::draft::draft;
use super::neighbours::Neighbours;
use super::pass::announce;
use super::survey::{Memory, survey};

/// What a plan is for and how its end is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// What the plan is for.
    pub mode: Mode,
    /// Whether the exit code tells that something differs.
    pub detailed: bool,
}

/// Shows what an apply (or a destroy) would do. Changes nothing, and takes no lease.
pub async fn plan(flow: &Flow<'_>, look: Look) -> Result<Exit, CliError> {
    let neighbours = if look.mode == Mode::Destroy { Neighbours::LeftBeside } else { Neighbours::Refused };
    let survey = survey(flow, Memory::Stored, neighbours).await?;
    let draft = draft(flow, &survey, look.mode).await?;
    let document = draft.document(flow, &survey);
    flow.ui.document(&document, |style| view::plan::text(&document, style))?;
    draft.say_notes(flow);
    if look.mode == Mode::Apply {
        announce(flow, survey.live.iter().any(|live| live.address == LoadBalancer::address(API)));
    }
    Ok(if look.detailed && !document.plan.is_empty() { Exit::Differs } else { Exit::Done })
}
