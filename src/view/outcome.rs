//! The result of a plan.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::engine::{Action, Address, Failure, Outcome, Plan, PlanMode};
use crate::words;

use super::endpoint::{self, Endpoint};
use super::failure::FailureReport;
use super::line::{self, StyledLine, TextRole, paragraph, screen};
use super::plan;
use super::{ClusterHeading, FORMAT, TextStyle, value};

/// A plan and its result, in a versioned format.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OutcomeDocument {
    /// The version of the format.
    pub format: u32,
    /// The cluster and its account and region.
    #[serde(flatten)]
    pub heading: ClusterHeading,
    /// The plan.
    pub plan: Plan,
    /// The objects whose changes are complete.
    pub done: Vec<Address>,
    /// The objects whose changes failed.
    pub failed: Vec<FailedChange>,
    /// The objects whose changes were made but not waited for, because the run was stopped.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub unfinished: Vec<Address>,
    /// The objects whose changes are left to a later run.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub deferred: Vec<Address>,
    /// The reason of the deferral.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub deferred_because: Option<String>,
    /// The objects whose changes were not tried.
    pub skipped: Vec<Address>,
    /// `true` if the run was stopped before all changes were tried.
    pub interrupted: bool,
    /// The DNS names of the cluster; empty for a destroy.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub endpoints: Vec<Endpoint>,
    /// The result of the final scan, which only a complete destroy makes.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub remains: Option<RemainingObjects>,
}

/// The objects that are left of a destroyed cluster.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct RemainingObjects {
    /// The objects, by address.
    pub left: Vec<RemainingObject>,
}

/// An object that is left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RemainingObject {
    /// The object's address.
    pub address: Address,
    /// Its identifier.
    pub id: String,
    /// The reason why it stays; absent if it should be deleted.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub because: Option<String>,
}

/// A change that failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailedChange {
    /// The object.
    pub address: Address,
    /// The service that returned the error.
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

impl OutcomeDocument {
    /// Combines a plan and its outcome.
    pub fn new(plan: &plan::PlanDocument, outcome: &Outcome) -> Self {
        Self {
            format: FORMAT,
            heading: plan.heading.clone(),
            plan: plan.plan.clone(),
            done: outcome.done.clone(),
            failed: outcome.failed.iter().map(|(address, failure)| failed(address, failure)).collect(),
            unfinished: outcome.unfinished.clone(),
            deferred: outcome.deferred.clone(),
            deferred_because: outcome.deferred_because.clone(),
            skipped: outcome.skipped.clone(),
            interrupted: outcome.interrupted,
            endpoints: if plan.plan.mode == PlanMode::Apply {
                endpoint::endpoints(&outcome.recorded)
            } else {
                Vec::new()
            },
            remains: None,
        }
    }

    /// Adds the result of the final scan.
    #[must_use]
    pub fn with(self, remains: Option<RemainingObjects>) -> Self {
        Self { remains, ..self }
    }
}

fn failed(address: &Address, failure: &Failure) -> FailedChange {
    FailedChange {
        address: address.clone(),
        service: failure.service.clone(),
        action: failure.action.clone(),
        code: failure.code.clone(),
        message: failure.message.clone(),
        request_id: failure.request_id.clone(),
    }
}

/// Returns the completed changes on one line, and the others on another one; then the names of the cluster.
pub fn text(document: &OutcomeDocument, style: TextStyle) -> String {
    let mut lines = Vec::new();
    let done = spoken(document);
    if !done.is_empty() {
        let (label, rest) = match document.plan.mode {
            PlanMode::Destroy => ("Destroyed: ", done),
            _ => ("Applied: ", done),
        };
        lines.push(StyledLine::at(0).ink(TextRole::Strong, label).plain(rest.join(", ")).plain("."));
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
        lines.push(StyledLine::at(0).ink(TextRole::Danger, "Not done: ").plain(open.join(", ")).plain("."));
    }
    if let Some(because) = &document.deferred_because {
        let changes = words::count(document.deferred.len(), "change");
        lines.extend(paragraph(0, TextRole::Plain, &format!("Deferred: {changes}. {}", value::safe(because)), style));
    }
    lines.extend(endpoint::lines(&document.endpoints, document.heading.sandbox));
    if let Some(remains) = &document.remains {
        lines.extend(what_is_left(&remains.left, style));
    }
    screen(&lines, style)
}

fn what_is_left(left: &[RemainingObject], style: TextStyle) -> Vec<StyledLine> {
    let count = words::count(left.len(), "resource");
    if left.is_empty() {
        return vec![StyledLine::at(0).plain(format!("{count} left."))];
    }
    let titles: Vec<String> = left.iter().map(|left| value::safe(&left.address.to_string())).collect();
    let column = line::column(0, titles.iter().map(String::as_str));
    let mut lines = vec![StyledLine::at(0).ink(TextRole::Danger, format!("{count} left:"))];
    for (left, title) in left.iter().zip(&titles) {
        lines.push(line::identified(title, &value::short_id(&left.id), column));
        if let Some(because) = &left.because {
            lines.extend(paragraph(2, TextRole::Faint, &value::safe(because), style));
        }
    }
    lines
}

/// Returns a report of the failures or of the interruption, if there are any.
pub fn report(outcome: &Outcome) -> Option<FailureReport> {
    if outcome.failed.is_empty() && !outcome.interrupted {
        return None;
    }
    let message = if outcome.failed.is_empty() {
        "stopped before everything was done".to_owned()
    } else {
        format!("{} failed", words::count(outcome.failed.len(), "change"))
    };
    let failures = failures(outcome);
    // Running the same command again is no help if it would get the same answer.
    let lasts = outcome.failed.iter().any(|(_, failure)| !failure.class.is_transient());
    let hint = if lasts {
        "completed changes are recorded: fix the errors above, then run the command again to resume"
    } else {
        "completed changes are recorded: run the command again to resume"
    };
    let hints = vec![hint.to_owned()];
    Some(FailureReport { message, causes: Vec::new(), failures, hints })
}

/// Returns the failures, each with its object.
pub fn failures(outcome: &Outcome) -> Vec<(Option<Address>, Failure)> {
    outcome.failed.iter().map(|(address, failure)| (Some(address.clone()), failure.clone())).collect()
}

/// Returns the counts of changes: `3 created`, `1 updated`, …
fn spoken(document: &OutcomeDocument) -> Vec<String> {
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
