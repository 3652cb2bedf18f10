//! What became of a plan.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::engine::{Action, Address, Failure, Mode, Outcome, Plan};
use crate::words;

use super::failure::Report;
use super::line::{self, Ink, Line, paragraph, screen};
use super::plan;
use super::reach::{self, Entrance};
use super::{FORMAT, Heading, Style, value};

/// A plan and what became of it, under a versioned format.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Document {
    /// The version of the format.
    pub format: u32,
    /// Which cluster, where.
    #[serde(flatten)]
    pub heading: Heading,
    /// The plan.
    pub plan: Plan,
    /// The objects whose changes are done.
    pub done: Vec<Address>,
    /// The objects whose changes failed.
    pub failed: Vec<Failed>,
    /// The objects whose changes were made, and that were not waited for, as the run was stopped.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub unfinished: Vec<Address>,
    /// The objects whose changes were not tried.
    pub skipped: Vec<Address>,
    /// Whether the run was stopped before everything was tried.
    pub interrupted: bool,
    /// What the cluster is reached by; a destroy does not say.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub entrances: Vec<Entrance>,
    /// What a last look found; only a destroy that got through takes one.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub remains: Option<Remains>,
}

/// What is left of a cluster that should be gone.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Remains {
    /// The objects, by address.
    pub left: Vec<Left>,
}

/// An object that is left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Left {
    /// Which one.
    pub address: Address,
    /// Its identifier.
    pub id: String,
    /// Why it has to stay; absent if it should be gone.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub because: Option<String>,
}

/// A change that failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failed {
    /// The object.
    pub address: Address,
    /// The service that said no.
    pub service: String,
    /// The call.
    pub action: String,
    /// The service's code.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub code: Option<String>,
    /// The service's message.
    pub message: String,
    /// The request's id, for support.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub request_id: Option<String>,
}

impl Document {
    /// Puts a plan and its outcome together.
    pub fn new(plan: &plan::Document, outcome: &Outcome) -> Self {
        Self {
            format: FORMAT,
            heading: plan.heading.clone(),
            plan: plan.plan.clone(),
            done: outcome.done.clone(),
            failed: outcome.failed.iter().map(|(address, failure)| failed(address, failure)).collect(),
            unfinished: outcome.unfinished.clone(),
            skipped: outcome.skipped.clone(),
            interrupted: outcome.interrupted,
            entrances: if plan.plan.mode == Mode::Apply { reach::entrances(&outcome.recorded) } else { Vec::new() },
            remains: None,
        }
    }

    /// The same, with what a last look found.
    #[must_use]
    pub fn with(self, remains: Option<Remains>) -> Self {
        Self { remains, ..self }
    }
}

fn failed(address: &Address, failure: &Failure) -> Failed {
    Failed {
        address: address.clone(),
        service: failure.service.clone(),
        action: failure.action.clone(),
        code: failure.code.clone(),
        message: failure.message.clone(),
        request_id: failure.request_id.clone(),
    }
}

/// What was done, in one line, and what was not, in another; then by which names the cluster is reached.
pub fn text(document: &Document, style: Style) -> String {
    let mut lines = Vec::new();
    let done = spoken(document);
    if !done.is_empty() {
        let (word, rest) = match document.plan.mode {
            Mode::Destroy => ("Destroyed: ", done),
            _ => ("Applied: ", done),
        };
        lines.push(Line::at(0).ink(Ink::Strong, word).plain(rest.join(", ")).plain("."));
    }
    let mut open = Vec::new();
    if !document.failed.is_empty() {
        open.push(format!("{} failed", document.failed.len()));
    }
    if !document.unfinished.is_empty() {
        open.push(format!("{} not waited for", document.unfinished.len()));
    }
    if !document.skipped.is_empty() {
        open.push(format!("{} not tried", document.skipped.len()));
    }
    if !open.is_empty() {
        lines.push(Line::at(0).ink(Ink::Danger, "Not done: ").plain(open.join(", ")).plain("."));
    }
    lines.extend(reach::lines(&document.entrances, document.heading.sandbox));
    if let Some(remains) = &document.remains {
        lines.extend(what_is_left(&remains.left, style));
    }
    screen(&lines, style)
}

fn what_is_left(left: &[Left], style: Style) -> Vec<Line> {
    let count = words::count(left.len(), "resource");
    if left.is_empty() {
        return vec![Line::at(0).plain(format!("{count} left."))];
    }
    let titles: Vec<String> = left.iter().map(|left| value::safe(&left.address.to_string())).collect();
    let column = line::column(0, titles.iter().map(String::as_str));
    let mut lines = vec![Line::at(0).ink(Ink::Danger, format!("{count} left:"))];
    for (left, title) in left.iter().zip(&titles) {
        lines.push(line::identified(title, &value::short_id(&left.id), column));
        if let Some(because) = &left.because {
            lines.extend(paragraph(2, Ink::Faint, &value::safe(because), style));
        }
    }
    lines
}

/// The failures, if there are any, or that it was stopped.
pub fn report(outcome: &Outcome) -> Option<Report> {
    if outcome.is_through() {
        return None;
    }
    let message = if outcome.failed.is_empty() {
        "stopped before everything was done".to_owned()
    } else {
        format!("{} could not be made", words::count(outcome.failed.len(), "change"))
    };
    let failures = failures(outcome);
    // Nothing is gained by the same command where the same answer would come.
    let lasts = outcome.failed.iter().any(|(_, failure)| !failure.class.is_transient());
    let hint = if lasts {
        "what was done is recorded: once the reasons above are gone, the same command goes on from here"
    } else {
        "what was done is recorded: the same command goes on from here"
    };
    let hints = vec![hint.to_owned()];
    Some(Report { message, causes: Vec::new(), failures, hints })
}

/// What failed, each with its object.
pub fn failures(outcome: &Outcome) -> Vec<(Option<Address>, Failure)> {
    outcome.failed.iter().map(|(address, failure)| (Some(address.clone()), failure.clone())).collect()
}

/// `3 created`, `1 updated`, …
fn spoken(document: &Document) -> Vec<String> {
    let done: BTreeSet<&Address> = document.done.iter().collect();
    let words = [
        (Action::Create, "created"),
        (Action::Update, "updated"),
        (Action::Roll, "rolled"),
        (Action::Replace, "replaced"),
        (Action::Delete, "deleted"),
        (Action::Adopt, "adopted"),
        (Action::Wait, "waited for"),
    ];
    words
        .into_iter()
        .filter_map(|(action, word)| {
            let changes = document.plan.changes.iter().filter(|change| change.action == action);
            let count = changes.filter(|change| done.contains(&change.address)).count();
            (count > 0).then(|| format!("{count} {word}"))
        })
        .collect()
}
