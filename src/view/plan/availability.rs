//! The failures that a cluster survives after a plan, and while it is applied: a few lines, if the plan changes that.

use crate::analysis::availability::{Availability, FailureEffects, FailureOutcome, PlanAvailability, SingleFailure};
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
    let paragraph = |label: &str, texts: &[String]| match texts {
        [] => Vec::new(),
        texts => labelled(label, TextRole::Strong, &texts.join("\n"), style),
    };
    let mut lines = paragraph("Availability: ", &texts);
    lines.extend(paragraph("During the apply: ", &meanwhile(document)));
    lines
}

/// Returns what stops while the plan is applied, and the failures that are not survived then.
pub(super) fn meanwhile(document: &PlanDocument) -> Vec<String> {
    let availability = document.availability.as_ref();
    let Some(PlanAvailability { during: Some(during), after, .. }) = availability else { return Vec::new() };
    let effects = during.effects.iter();
    let stops = effects.map(|effect| format!("{}: {}.", value::safe(&effect.part), value::safe(&effect.reason)));
    let failures: Vec<&FailureEffects> = during.failures.iter().collect();
    limited(stops.chain(sentences("does not survive the loss of", &failures, after.as_ref())).collect())
}

/// Returns the failures that a new cluster does not survive.
fn first(after: &Availability) -> Vec<String> {
    let lost: Vec<&FailureEffects> = after.not_survived().collect();
    if lost.is_empty() {
        return vec!["survives the loss of any single zone, machine or volume.".to_owned()];
    }
    limited(sentences("does not survive the loss of", &lost, None))
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
    let mut texts = limited(sentences("no longer survives the loss of", &worse, None));
    if !better.is_empty() {
        texts.push(format!("now survives the loss of {}.", words::list(&better)));
    }
    texts
}

/// Returns a sentence for each reason, with the failures that have it. Of the failures in `all`, every one of a sort is one name.
fn sentences(beginning: &str, lost: &[&FailureEffects], all: Option<&Availability>) -> Vec<String> {
    let mut reasons: Vec<(String, Vec<&SingleFailure>)> = Vec::new();
    for effects in lost {
        let Some(worst) = effects.effects.iter().min_by_key(|effect| std::cmp::Reverse(effect.outcome)) else {
            continue;
        };
        let reason = format!("{}: {}", value::safe(&worst.part), value::safe(&worst.reason));
        match reasons.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, failures)) => failures.push(&effects.failure),
            None => reasons.push((reason, vec![&effects.failure])),
        }
    }
    let sentence = |(reason, failures): &(String, Vec<&SingleFailure>)| {
        format!("{beginning} {} ({reason}).", words::list(&names(failures, all)))
    };
    reasons.iter().map(sentence).collect()
}

/// Returns the names of failures; all of one sort, if there are several, have one name.
fn names(failures: &[&SingleFailure], all: Option<&Availability>) -> Vec<String> {
    let all: Vec<&SingleFailure> = all.iter().flat_map(|all| &all.failures).map(|effects| &effects.failure).collect();
    let of_sort = |among: &[&SingleFailure], failure: &SingleFailure| {
        let sort = std::mem::discriminant(failure);
        among.iter().filter(|other| std::mem::discriminant(**other) == sort).count()
    };
    let mut names: Vec<String> = Vec::new();
    for failure in failures {
        let whole = of_sort(failures, failure);
        let name = match failure {
            SingleFailure::Zone(_) => "any zone",
            SingleFailure::Master(_) => "any master",
            SingleFailure::Node(_) => "any node",
            SingleFailure::EtcdVolume(_) => "any etcd volume",
            SingleFailure::Volume(_) => "any volume",
        };
        let is_all = whole > 1 && whole == of_sort(&all, failure);
        let name = if is_all { name.to_owned() } else { value::safe(&failure.to_string()) };
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
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
