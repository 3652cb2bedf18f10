//! The failures that a cluster survives after a plan: a few lines, if the plan changes that.

use crate::analysis::availability::{Availability, FailureEffects, FailureOutcome};
use crate::view::line::{StyledLine, TextRole, labelled};
use crate::view::{TextStyle, value};
use crate::words;

use super::PlanDocument;

/// Maximum number of effects that are shown.
const SHOWN: usize = 3;

/// Returns what the plan changes about the failures that the cluster survives.
pub(super) fn lines(document: &PlanDocument, style: TextStyle) -> Vec<StyledLine> {
    let Some(availability) = &document.availability else { return Vec::new() };
    let Some(after) = &availability.after else { return Vec::new() };
    let texts = match &availability.before {
        None => first(after),
        Some(before) => changed(before, after),
    };
    if texts.is_empty() { Vec::new() } else { labelled("Availability: ", TextRole::Strong, &texts.join("\n"), style) }
}

/// Returns the failures that a new cluster does not survive.
fn first(after: &Availability) -> Vec<String> {
    let lost: Vec<&FailureEffects> = after.not_survived().collect();
    if lost.is_empty() {
        return vec!["survives the loss of any single zone, machine or volume.".to_owned()];
    }
    limited(sentences("does not survive the loss of", &lost))
}

/// Returns the failures whose outcome a plan changes.
fn changed(before: &Availability, after: &Availability) -> Vec<String> {
    let was = |effects: &FailureEffects| {
        let known = before.effects_of(&effects.failure);
        known.map_or(FailureOutcome::Survived, |known| known.outcome)
    };
    let worse: Vec<&FailureEffects> = after.failures.iter().filter(|effects| effects.outcome > was(effects)).collect();
    let better = after.failures.iter().filter(|effects| effects.is_survived() && was(effects) > effects.outcome);
    let better: Vec<String> = better.map(|effects| value::safe(&effects.failure.to_string())).collect();
    let mut texts = limited(sentences("no longer survives the loss of", &worse));
    if !better.is_empty() {
        texts.push(format!("now survives the loss of {}.", words::list(&better)));
    }
    texts
}

/// Returns a sentence for each reason, with the failures that have it.
pub(super) fn sentences(beginning: &str, lost: &[&FailureEffects]) -> Vec<String> {
    let mut reasons: Vec<(String, Vec<String>)> = Vec::new();
    for effects in lost {
        let Some(worst) = effects.effects.iter().min_by_key(|effect| std::cmp::Reverse(effect.outcome)) else {
            continue;
        };
        let reason = format!("{}: {}", value::safe(&worst.part), value::safe(&worst.reason));
        let name = value::safe(&effects.failure.to_string());
        match reasons.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, names)) => names.push(name),
            None => reasons.push((reason, vec![name])),
        }
    }
    let sentence = |(reason, names): &(String, Vec<String>)| format!("{beginning} {} ({reason}).", words::list(names));
    reasons.iter().map(sentence).collect()
}

/// Keeps the first sentences, and refers to the command that shows the others.
fn limited(mut texts: Vec<String>) -> Vec<String> {
    let more = texts.len().saturating_sub(SHOWN);
    texts.truncate(SHOWN);
    if more > 0 {
        texts.push(format!("{more} more: see `quorate availability`."));
    }
    texts
}
