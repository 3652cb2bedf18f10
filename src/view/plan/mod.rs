//! A plan as text, as Markdown and as JSON; all of them are rendered from the JSON's own value, so they cannot disagree.

mod alike;
mod availability;
mod causes;
mod change;
mod cost;
mod creation;
mod difference;
mod document;
mod duration;
mod markdown;
mod permissions;
mod section;
mod textual;
mod upgrade;

#[cfg(test)]
pub(in crate::view) mod sample;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use crate::engine::{Address, Change, PlanMode};
use crate::resource::{KINDS, KUBERNETES_KINDS};
use crate::words;

use super::TextStyle;
use super::line::{StyledLine, TextRole, labelled, paragraph, screen};

pub use document::{PlanDocument, PlanSummary, UpgradeCheck};
pub use markdown::{MAX_COMMENT, PlanComment, markdown};
use section::{PlanSection, SECTIONS};

/// Returns the plan as text, without its heading: for a plan below another screen.
pub fn body(document: &PlanDocument, style: TextStyle) -> String {
    let mut lines = Vec::new();
    let refused = is_refused(document);
    let folded = causes::folded(document, style);
    lines.extend(causes::lines(document, folded.len(), style));
    for section in SECTIONS.iter().filter(|section| style.verbose || !refused || section.refuses()) {
        lines.extend(section_lines(section, document, &folded, style));
    }
    lines.extend(summary(document, style));
    screen(&lines, style)
}

/// Returns the plan as text.
pub fn text(document: &PlanDocument, style: TextStyle) -> String {
    let mut heading = document.heading.lines();
    heading.push(StyledLine::default());
    screen(&heading, style) + &body(document, style)
}

/// Returns `true` if no change of the plan will be made: only the reasons for that are shown then.
fn is_refused(document: &PlanDocument) -> bool {
    document.summary.refuse > 0 && document.plan.mode == PlanMode::Apply
}

/// A section with its changes, as lines.
struct SectionText {
    title: Vec<StyledLine>,
    body: Vec<StyledLine>,
    /// Number of changes in it.
    changes: usize,
}

fn section_lines(
    section: &PlanSection,
    document: &PlanDocument,
    folded: &BTreeSet<&Address>,
    style: TextStyle,
) -> Vec<StyledLine> {
    let shown = document.plan.changes.iter().filter(|change| !folded.contains(&change.address));
    let Some(SectionText { mut title, body, .. }) = section_text(section, shown, document.plan.mode, style) else {
        return Vec::new();
    };
    title.extend(body);
    title.push(StyledLine::default());
    title
}

/// Returns the changes of a section; `None` if it has none.
fn section_text<'a>(
    section: &PlanSection,
    changes: impl Iterator<Item = &'a Change>,
    mode: PlanMode,
    style: TextStyle,
) -> Option<SectionText> {
    let mut changes: Vec<&Change> = changes.filter(|change| section.holds(change, mode)).collect();
    changes.sort_by_key(|change| (place(change), &change.address));
    let first = changes.first()?;
    let shared = changes.iter().all(|change| change.reason == first.reason).then_some(&first.reason);
    let title = section.title(mode, shared, style);
    let body = if section.folds(mode, style) {
        creation::folded(&changes, shared.is_some(), style)
    } else {
        alike::alike(&changes, shared.is_some(), mode, style)
    };
    Some(SectionText { title, body, changes: changes.len() })
}

/// Returns the position of the kind in the registries: the network before the machines, not in alphabetical order.
fn place(change: &Change) -> usize {
    let all = KINDS.iter().chain(KUBERNETES_KINDS);
    all.clone().position(|kind| kind.name == change.address.kind()).unwrap_or(all.count())
}

/// Returns the summary: the last lines of every plan.
fn summary(document: &PlanDocument, style: TextStyle) -> Vec<StyledLine> {
    if document.plan.is_empty() {
        return vec![no_changes(document)];
    }
    let summary = &document.summary;
    let mut counts = summary.spoken(document.plan.mode).join(", ") + ".";
    if summary.unchanged > 0 {
        counts = format!("{counts} {} unchanged.", summary.unchanged);
    }
    let label = if document.plan.mode == PlanMode::Refresh { "Outside: " } else { "Plan: " };
    let mut lines = labelled(label, TextRole::Strong, &counts, style);
    if is_refused(document) {
        let rest = if style.verbose { "" } else { " The rest of it is not shown (--verbose shows it)." };
        let text = format!("Refused: as long as a part of it cannot be done, nothing of the plan is applied.{rest}");
        lines.extend(paragraph(0, TextRole::Danger, &text, style));
        return lines;
    }
    lines.extend(upgrade::lines(document, style));
    lines.extend(availability::lines(document, style));
    lines.extend(cost::lines(document, style));
    lines.extend(duration::lines(document, style));
    lines.extend(permissions::lines(document, style));
    if !summary.loses_data.is_empty() {
        let names: Vec<String> = summary.loses_data.iter().map(ToString::to_string).collect();
        let confirmation =
            if document.plan.mode == PlanMode::Apply { " `apply` does that only with --delete-data." } else { "" };
        let text = format!("This deletes data permanently: {}.{confirmation}", words::list(&names));
        lines.extend(paragraph(0, TextRole::Danger, &text, style));
    }
    lines
}

fn no_changes(document: &PlanDocument) -> StyledLine {
    let objects = words::count(document.plan.unchanged, "object");
    let text = match document.plan.mode {
        PlanMode::Apply if document.plan.unchanged == 1 => format!("{objects} matches the file."),
        PlanMode::Apply => format!("{objects} match the file."),
        PlanMode::Destroy => "Nothing of this cluster is left.".to_owned(),
        PlanMode::Refresh => "Nothing was changed outside since the last apply.".to_owned(),
    };
    StyledLine::at(0).ink(TextRole::Strong, "No changes. ").plain(text)
}
