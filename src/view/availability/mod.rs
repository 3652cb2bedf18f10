//! The failures that a cluster survives, as a table, and as JSON.

#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use crate::analysis::availability::{
    Availability, FailureEffects, FailureOutcome, PlanAvailability, PlanDisruption, ServiceEffect,
};
use crate::words;

use super::line::{StyledLine, TextRole, paragraph, screen};
use super::{ClusterHeading, FORMAT, TextStyle, value};

/// The column of failures behind one outcome, and behind two.
const COLUMNS: [usize; 2] = [13, 27];

/// The failures that a cluster survives with its heading, in a versioned format.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AvailabilityDocument {
    /// The version of the format.
    pub format: u32,
    /// The cluster and its account and region.
    #[serde(flatten)]
    pub heading: ClusterHeading,
    /// The availability as the cluster is, while an apply changes it, and as the file describes it.
    #[serde(flatten)]
    pub availability: PlanAvailability,
}

impl AvailabilityDocument {
    /// Combines the availability of a cluster and its heading.
    pub fn new(heading: ClusterHeading, availability: PlanAvailability) -> Self {
        Self { format: FORMAT, heading, availability }
    }
}

/// Returns the availability as text.
pub fn text(document: &AvailabilityDocument, style: TextStyle) -> String {
    let mut lines = document.heading.lines();
    lines.push(StyledLine::default());
    let PlanAvailability { before, during, after } = &document.availability;
    match (before, after) {
        (None, None) => lines.push(StyledLine::at(0).plain("The cluster has no machines.")),
        (Some(before), None) => lines.extend(table(before, None, style)),
        (before, Some(after)) => lines.extend(table(after, before.as_ref(), style)),
    }
    lines.extend(during.iter().flat_map(|during| meanwhile(during, style)));
    screen(&lines, style)
}

/// Returns a table of the failures: with two outcomes where that of a plan differs from that before it.
fn table(after: &Availability, before: Option<&Availability>, style: TextStyle) -> Vec<StyledLine> {
    let groups = alike(&after.failures, before);
    let changes = groups.iter().any(|group| group.before.is_some_and(|before| before != group.effects.outcome));
    let column = COLUMNS[usize::from(changes)];
    let mut lines = vec![StyledLine::at(0).ink(TextRole::Strong, "The loss of one of these, and what it does:")];
    lines.extend(groups.iter().flat_map(|group| group.lines(column, style)));
    let now = before.unwrap_or(after);
    if !now.now.is_empty() {
        lines.push(StyledLine::default());
        lines.push(StyledLine::at(0).ink(TextRole::Danger, "Now, without a failure:"));
        lines.extend(now.now.iter().flat_map(|effect| effect_lines(effect, 2, style)));
    }
    lines.push(StyledLine::default());
    lines.push(total(after));
    lines
}

/// Returns what stops while the changes of the file are applied, and what a failure does then.
fn meanwhile(during: &PlanDisruption, style: TextStyle) -> Vec<StyledLine> {
    let mut lines = Vec::new();
    if !during.effects.is_empty() {
        lines.push(StyledLine::default());
        lines.push(StyledLine::at(0).ink(TextRole::Strong, "While an apply makes the changes of the file:"));
        lines.extend(during.effects.iter().flat_map(|effect| effect_lines(effect, 2, style)));
    }
    if !during.failures.is_empty() {
        lines.push(StyledLine::default());
        lines.push(
            StyledLine::at(0).ink(TextRole::Strong, "The loss of one of these while an apply runs, and what it does:"),
        );
        let groups = alike(&during.failures, None);
        lines.extend(groups.iter().flat_map(|group| group.lines(COLUMNS[0], style)));
    }
    lines
}

/// Failures with the same effects.
struct FailureGroup<'a> {
    names: Vec<String>,
    effects: &'a FailureEffects,
    before: Option<FailureOutcome>,
}

/// Returns the failures; neighbours of one sort with the same effects are together.
fn alike<'a>(failures: &'a [FailureEffects], before: Option<&Availability>) -> Vec<FailureGroup<'a>> {
    let mut groups: Vec<FailureGroup<'a>> = Vec::new();
    for effects in failures {
        let was = before.and_then(|before| before.effects_of(&effects.failure)).map(|effects| effects.outcome);
        let is_same = |group: &&mut FailureGroup<'_>| {
            let same_sort = std::mem::discriminant(&group.effects.failure) == std::mem::discriminant(&effects.failure);
            same_sort && group.effects.effects == effects.effects && group.before == was
        };
        let name = value::safe(&effects.failure.to_string());
        match groups.last_mut().filter(is_same) {
            Some(group) => group.names.push(name),
            None => groups.push(FailureGroup { names: vec![name], effects, before: was }),
        }
    }
    groups
}

impl FailureGroup<'_> {
    fn lines(&self, column: usize, style: TextStyle) -> Vec<StyledLine> {
        let (word, ink) = spoken(self.effects.outcome);
        let word = match self.before {
            Some(before) if before != self.effects.outcome => format!("{} -> {word}", spoken(before).0),
            _ => word.to_owned(),
        };
        let mut names = paragraph(column, TextRole::Strong, &words::list(&self.names), style).into_iter();
        let first = names.next().unwrap_or_default();
        let mut lines = vec![StyledLine::at(0).ink(ink, word).up_to(column).then(first)];
        lines.extend(names);
        lines.extend(self.effects.effects.iter().flat_map(|effect| effect_lines(effect, column, style)));
        lines
    }
}

/// Returns the label of an outcome.
fn spoken(outcome: FailureOutcome) -> (&'static str, TextRole) {
    match outcome {
        FailureOutcome::Survived => ("survived", TextRole::Added),
        FailureOutcome::Interrupted => ("interrupted", TextRole::Changed),
        FailureOutcome::Stopped => ("stopped", TextRole::Danger),
    }
}

/// Returns an effect with its reason, and the remedy.
fn effect_lines(effect: &ServiceEffect, indent: usize, style: TextStyle) -> Vec<StyledLine> {
    let reason = format!("{}: {}", value::safe(&effect.part), value::safe(&effect.reason));
    let mut lines = paragraph(indent, TextRole::Plain, &reason, style);
    lines.extend(paragraph(indent, TextRole::Faint, &format!("-> {}", value::safe(&effect.advice)), style));
    lines
}

/// Returns the number of failures that the cluster survives.
fn total(availability: &Availability) -> StyledLine {
    let all = availability.failures.len();
    let survived = all - availability.not_survived().count();
    let ink = if survived == all { TextRole::Added } else { TextRole::Strong };
    StyledLine::at(0).ink(ink, format!("Survives {survived} of {}.", words::count(all, "single failure")))
}
