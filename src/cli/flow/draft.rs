//! From a survey to a plan.

use std::collections::BTreeMap;

use crate::blueprint::{self, Pins};
use crate::cli::error::CliError;
use crate::engine::{self, Inputs, Mode, Prepared};
use crate::resource::Kinds;
use crate::state::Record;
use crate::view::plan::Document;

use super::Flow;
use super::survey::Survey;

/// A plan that can be carried out.
pub(super) struct Draft {
    pub(super) prepared: Prepared,
    /// The choices that it rests on; none when nothing is built.
    pub(super) pins: Option<Pins>,
    notes: Vec<String>,
}

/// Makes the plan.
pub(super) fn draft(flow: &Flow<'_>, survey: &Survey, mode: Mode) -> Result<Draft, CliError> {
    let mut notes = Vec::new();
    let mut pins = None;
    let mut desired = Vec::new();
    if mode == Mode::Apply {
        let blueprint = blueprint::blueprint(flow.cluster, &survey.facts, &pinned(survey.record.as_ref())?)
            .map_err(CliError::Impossible)?;
        notes.extend(blueprint.notes.iter().map(ToString::to_string));
        notes.extend(services(flow));
        desired = blueprint.objects;
        pins = Some(blueprint.pins);
    }
    let nothing = BTreeMap::new();
    let prepared = engine::plan(Inputs {
        mode,
        desired,
        live: survey.live.clone(),
        recorded: survey.record.as_ref().map_or(&nothing, |record| &record.objects),
        serial: survey.record.as_ref().map_or(0, |record| record.serial),
        vocabulary: &Kinds,
    })?;
    Ok(Draft { prepared, pins, notes })
}

impl Draft {
    /// The plan under its heading.
    pub(super) fn document(&self, flow: &Flow<'_>, survey: &Survey) -> Document {
        Document::new(flow.heading(&survey.facts), self.prepared.plan.clone())
    }

    /// Says what the user may want to know beside the plan.
    pub(super) fn say_notes(&self, flow: &Flow<'_>) {
        for note in &self.notes {
            flow.ui.note(note);
        }
    }
}

/// The choices of the last apply.
fn pinned(record: Option<&Record>) -> Result<Pins, CliError> {
    match record.map(|record| &record.pins) {
        None | Some(serde_json::Value::Null) => Ok(Pins::default()),
        Some(pins) => Ok(serde_json::from_value(pins.clone())?),
    }
}

fn services(flow: &Flow<'_>) -> Option<String> {
    let names: Vec<&str> = flow.cluster.services.keys().map(String::as_str).collect();
    match names.as_slice() {
        [] => None,
        [only] => Some(format!("the service {only} is checked, but this release does not apply services yet")),
        many => {
            Some(format!("the services {} are checked, but this release does not apply services yet", many.join(", ")))
        }
    }
}
