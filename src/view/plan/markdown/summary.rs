//! The part of a plan's Markdown that is not folded: what it means.

use crate::analysis::Money;
use crate::analysis::availability::{Availability, FailureEffects, FailureOutcome, PlanAvailability};
use crate::analysis::cost::{CostTotal, PlanCost};
use crate::engine::{Action, Change, PlanMode};
use crate::resource::{API, ApplicationLoadBalancer, DEPLOYMENT, LoadBalancer, POD_TEMPLATE, Resource, STATEFUL_SET};
use crate::view::duration;
use crate::view::plan::{PlanDocument, availability, causes, cost, is_refused};
use crate::words;

use super::escape::{clipped, code, text};

/// Maximum number of rows of the table about failures, and of items of a list.
const ROWS: usize = 12;
/// Maximum number of characters of a sentence.
const SENTENCE: usize = 400;
/// Maximum number of characters of a name.
const NAME: usize = 100;

/// Returns the heading: the number of changes of each sort.
pub(super) fn heading(document: &PlanDocument) -> String {
    let mode = document.plan.mode;
    let title = match mode {
        PlanMode::Apply => "Plan",
        PlanMode::Destroy => "Plan of a destroy",
        PlanMode::Refresh => "Changes outside Quorate",
    };
    let counts = document.summary.spoken(mode).join(", ");
    match (document.plan.is_empty(), mode) {
        (true, PlanMode::Destroy) => format!("### {title}: nothing of the cluster is left"),
        (true, PlanMode::Refresh) => format!("### {title}: none"),
        (true, PlanMode::Apply) => format!("### {title}: no changes"),
        (false, _) => format!("### {title}: {counts}"),
    }
}

/// Returns the line with the cluster's name, account and region.
pub(super) fn subject(document: &PlanDocument) -> String {
    let heading = &document.heading;
    let unchanged = match document.summary.unchanged {
        0 => String::new(),
        number => format!(" {} unchanged.", words::count(number, "object")),
    };
    format!(
        "{} in account {}, {}. State: {}.{unchanged}",
        name(&heading.cluster),
        text(&clipped(&heading.account, NAME)),
        text(&clipped(&heading.region, NAME)),
        name(&heading.state),
    )
}

/// Returns what a reader must not overlook, one quoted block each.
pub(super) fn alerts(document: &PlanDocument, refusal: Option<&str>, warnings: &[String]) -> Vec<String> {
    let mut alerts = Vec::new();
    if document.heading.sandbox {
        alerts.push(alert("NOTE", &["SANDBOX: a simulated cloud. Nothing here is real.".to_owned()]));
    }
    if is_refused(document) {
        let refused = "Refused: as long as a part of it cannot be done, nothing of the plan is applied.";
        alerts.push(alert("CAUTION", &[refused.to_owned()]));
    }
    if let Some(refusal) = refusal {
        alerts.push(alert("CAUTION", &[text(&clipped(&format!("Refused: {refusal}"), SENTENCE))]));
    }
    if !document.summary.loses_data.is_empty() {
        alerts.push(alert("CAUTION", &[lost_data(document)]));
    }
    if !warnings.is_empty() {
        alerts.push(alert("WARNING", &limited(warnings.iter().map(|warning| sentence(warning)))));
    }
    alerts
}

fn alert(kind: &str, lines: &[String]) -> String {
    let lines: Vec<String> = lines.iter().map(|line| format!("> {line}")).collect();
    format!("> [!{kind}]\n{}", lines.join("\n>\n"))
}

fn lost_data(document: &PlanDocument) -> String {
    let names = document.summary.loses_data.iter().map(|address| name(&address.to_string()));
    let confirmation = match document.plan.mode {
        PlanMode::Apply => " `apply` does that only with `--delete-data`.",
        PlanMode::Destroy | PlanMode::Refresh => "",
    };
    format!("This deletes data permanently: {}.{confirmation}", words::list(&limited(names)))
}

/// Returns the table of the cost and the availability, before and after the plan.
pub(super) fn table(document: &PlanDocument) -> String {
    let mut rows: Vec<[String; 3]> = document.cost.as_ref().map(cost_rows).unwrap_or_default();
    rows.extend(document.availability.as_ref().map(availability_rows).unwrap_or_default());
    let expected = document.duration.as_ref().map(|expected| duration::about(expected.seconds));
    rows.extend(expected.map(|expected| ["Time of the apply".to_owned(), String::new(), expected]));
    if rows.is_empty() {
        return String::new();
    }
    let rows = rows.iter().map(|[what, before, after]| format!("| {what} | {before} | {after} |\n"));
    format!("| | before | after |\n|---|---|---|\n{}", rows.collect::<String>())
}

fn cost_rows(cost: &PlanCost) -> Vec<[String; 3]> {
    if cost.prices.date.is_none() {
        let unknown = format!("no prices of {}", text(&clipped(&cost.prices.region, NAME)));
        return vec![["Cost per month".to_owned(), "unknown".to_owned(), unknown]];
    }
    let amount = |total: &CostTotal| {
        if total.is_nothing() { "–".to_owned() } else { format!("{} USD", cost::amount(total)) }
    };
    let difference = cost.difference.filter(|difference| *difference != Money::ZERO);
    let difference = difference.map(|difference| format!(" ({})", difference.signed())).unwrap_or_default();
    let mut rows =
        vec![["Cost per month".to_owned(), amount(&cost.before), format!("**{}**{difference}", amount(&cost.after))]];
    let most = |total: &CostTotal| format!("{} USD", total.monthly_at_most);
    if cost.after.monthly_at_most > cost.after.monthly {
        rows.push(["with all node groups at `max`".to_owned(), most(&cost.before), most(&cost.after)]);
    }
    let unknown: Vec<String> = cost.after.unknown.iter().map(|unknown| name(unknown)).collect();
    if !unknown.is_empty() {
        rows.push(["price unknown".to_owned(), String::new(), words::first(&unknown, cost::NAMED)]);
    }
    rows
}

fn availability_rows(availability: &PlanAvailability) -> Vec<[String; 3]> {
    let survived = |side: Option<&Availability>| match side {
        Some(side) => {
            format!("{} of {}", side.failures.len() - side.not_survived().count(), side.failures.len())
        }
        None => "–".to_owned(),
    };
    let (before, after) = (availability.before.as_ref(), availability.after.as_ref());
    if before.is_none() && after.is_none() {
        return Vec::new();
    }
    let mut rows =
        vec![["Single failures that it survives".to_owned(), survived(before), format!("**{}**", survived(after))]];
    let shown: Vec<&FailureEffects> = after.into_iter().flat_map(|after| shown_failures(before, after)).collect();
    let row = |effects: &&FailureEffects| {
        let before = availability.effects_before(&effects.failure);
        [
            format!("Loss of {}", text(&clipped(&effects.failure.to_string(), NAME))),
            before.map_or("–", |before| outcome(before.outcome)).to_owned(),
            format!("**{}**", outcome(effects.outcome)),
        ]
    };
    rows.extend(shown.iter().take(ROWS).map(row));
    if shown.len() > ROWS {
        rows.push([format!("{} more: `quorate availability`", shown.len() - ROWS), String::new(), String::new()]);
    }
    rows
}

/// Returns the failures that a cluster does not survive, or did not survive before.
fn shown_failures<'a>(before: Option<&Availability>, after: &'a Availability) -> Vec<&'a FailureEffects> {
    let was_survived = |effects: &FailureEffects| {
        before.and_then(|before| before.effects_of(&effects.failure)).is_none_or(FailureEffects::is_survived)
    };
    after.failures.iter().filter(|effects| !effects.is_survived() || !was_survived(effects)).collect()
}

fn outcome(outcome: FailureOutcome) -> &'static str {
    match outcome {
        FailureOutcome::Survived => "survived",
        FailureOutcome::Interrupted => "interrupted",
        FailureOutcome::Stopped => "stopped",
    }
}

/// Returns the reasons why failures are not survived, with their remedies; equal ones stand together.
pub(super) fn reasons(document: &PlanDocument) -> String {
    let after = document.availability.as_ref().and_then(|availability| availability.after.as_ref());
    let mut reasons: Vec<(String, Vec<String>)> = Vec::new();
    for effects in after.into_iter().flat_map(Availability::not_survived) {
        let worst = effects.effects.iter().min_by_key(|effect| std::cmp::Reverse(effect.outcome));
        let Some(worst) = worst else { continue };
        let reason = sentence(&format!("{}: {}. Remedy: {}.", worst.part, worst.reason, worst.advice));
        let failure = text(&clipped(&effects.failure.to_string(), NAME));
        match reasons.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, failures)) => failures.push(failure),
            None => reasons.push((reason, vec![failure])),
        }
    }
    let lines = reasons
        .iter()
        .map(|(reason, failures)| format!("Loss of {}: {reason}", words::list(&limited(failures.iter().cloned()))));
    list("Not survived:", &limited(lines))
}

/// Returns what is interrupted while the plan is applied: machines that are replaced, and services that are removed or restarted.
pub(super) fn interruptions(document: &PlanDocument) -> String {
    if document.plan.mode != PlanMode::Apply || document.plan.is_empty() || is_refused(document) {
        return String::new();
    }
    let machines = causes::shared(document).into_iter().map(|shared| {
        let causes = words::list(&limited(shared.causes.iter().map(|cause| format!("**{}**", sentence(cause)))));
        match shared.effect {
            Some(effect) => format!("{causes} {}", sentence(&effect)),
            None => causes,
        }
    });
    let services = document.plan.changes.iter().filter_map(of_service);
    let lines: Vec<String> = machines.chain(services).collect();
    let meanwhile: Vec<String> = availability::meanwhile(document).iter().map(|text| sentence(text)).collect();
    let replaced = match lines.as_slice() {
        [] => "No machine is replaced, and no service is removed or restarted.".to_owned(),
        lines => list("What is replaced, removed or restarted:", &limited(lines.iter().cloned())),
    };
    let parts = [replaced, list("During the apply:", &meanwhile)];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n")
}

/// Returns what a change does to a service while it is made.
fn of_service(change: &Change) -> Option<String> {
    let address = name(&change.address.to_string());
    let is_template = |name: &str| name.starts_with(POD_TEMPLATE);
    match (change.address.kind(), change.action) {
        (DEPLOYMENT | STATEFUL_SET, Action::Delete) => Some(format!("{address} is deleted with its pods")),
        (DEPLOYMENT | STATEFUL_SET, Action::Replace) => Some(format!("{address} is replaced with its pods")),
        (DEPLOYMENT | STATEFUL_SET, Action::Update)
            if change.attributes.iter().any(|attribute| is_template(&attribute.name)) =>
        {
            Some(format!("{address}: its pods are replaced, a few at a time"))
        }
        (kind, Action::Delete) if [LoadBalancer::KIND.name, ApplicationLoadBalancer::KIND.name].contains(&kind) => {
            Some(format!("{address} is deleted with its address"))
        }
        (kind, Action::Replace) if kind == LoadBalancer::KIND.name => {
            let whose = if change.address.name() == API { "the address of the Kubernetes API" } else { "its address" };
            Some(format!("{address} is replaced: {whose} changes"))
        }
        _ => None,
    }
}

/// Returns the sentences about an upgrade, and about costs that are easy to overlook.
pub(super) fn remarks(document: &PlanDocument) -> String {
    if is_refused(document) {
        return String::new();
    }
    let traffic = cost::between_zones(document).map(|text| format!("Cost: {text}"));
    let mut lines: Vec<String> = traffic.iter().map(|text| sentence(text)).collect();
    if let Some(check) = &document.upgrade {
        let findings = check.findings.iter().map(|finding| sentence(&format!("Upgrade: {finding}")));
        lines.extend(findings);
        lines.extend(
            check
                .not_checked
                .as_ref()
                .map(|why| sentence(&format!("Upgrade: the cluster was not checked for obstacles: {why}."))),
        );
    }
    limited(lines.into_iter()).join("\n\n")
}

/// Returns the notes.
pub(super) fn notes(notes: &[String]) -> String {
    if notes.is_empty() {
        return String::new();
    }
    let lines = limited(notes.iter().map(|note| sentence(note)));
    format!("<details><summary>Notes ({})</summary>\n\n{}\n</details>", notes.len(), items(&lines))
}

fn list(title: &str, lines: &[String]) -> String {
    if lines.is_empty() {
        return String::new();
    }
    format!("{title}\n{}", items(lines))
}

/// Returns lines as the items of a list.
fn items(lines: &[String]) -> String {
    lines.iter().fold(String::new(), |items, line| items + "- " + line + "\n")
}

/// Keeps the first items, and counts the others.
fn limited(items: impl Iterator<Item = String>) -> Vec<String> {
    let mut items: Vec<String> = items.collect();
    let more = items.len().saturating_sub(ROWS);
    items.truncate(ROWS);
    if more > 0 {
        items.push(format!("{more} more"));
    }
    items
}

fn sentence(sentence: &str) -> String {
    text(&clipped(sentence, SENTENCE))
}

fn name(name: &str) -> String {
    code(&clipped(name, NAME))
}
