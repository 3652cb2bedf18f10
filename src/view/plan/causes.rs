//! The causes of machine replacements, at the head of a plan.

use std::collections::{BTreeMap, BTreeSet};

use crate::analysis::causes::RollCause;
use crate::engine::{Address, PlanMode};
use crate::resource::master_of_group;
use crate::view::TextStyle;
use crate::view::line::{StyledLine, TextRole, paragraph};
use crate::words;

use super::PlanDocument;

/// Returns the changes that are not shown one by one, because a cause stands for them.
pub(super) fn folded(document: &PlanDocument, style: TextStyle) -> BTreeSet<&Address> {
    let is_shown = !style.verbose && document.plan.mode == PlanMode::Apply && document.summary.refuse == 0;
    let causes = document.causes.iter().filter(|_| is_shown);
    causes.flat_map(|cause| &cause.changes).collect()
}

/// Returns the causes: one sentence each, and the machines below those that replace the same ones.
/// `folded` is the number of changes that are not shown.
pub(super) fn lines(document: &PlanDocument, folded: usize, style: TextStyle) -> Vec<StyledLine> {
    if document.causes.is_empty() || document.plan.mode != PlanMode::Apply || document.summary.refuse > 0 {
        return Vec::new();
    }
    let mut lines = vec![StyledLine::at(0).ink(TextRole::Strong, "Changes")];
    for SharedCauses { causes, effect } in shared(document) {
        for cause in causes {
            lines.extend(paragraph(2, TextRole::Rolled, &cause, style));
        }
        if let Some(effect) = effect {
            lines.extend(paragraph(4, TextRole::Plain, &effect, style));
        }
    }
    if folded > 0 {
        let text = format!(
            "{} of boot files, launch templates, groups and add-ons {} from this: --verbose shows them.",
            words::count(folded, "change"),
            if folded == 1 { "follows" } else { "follow" }
        );
        lines.extend(paragraph(2, TextRole::Faint, &text, style));
    }
    lines.push(StyledLine::default());
    lines
}

/// Causes that replace the same machines.
pub(super) struct SharedCauses {
    pub(super) causes: Vec<String>,
    /// The machines that they replace; `None` if they replace none.
    pub(super) effect: Option<String>,
}

/// Returns the causes of a plan; those that replace the same machines stand together.
pub(super) fn shared(document: &PlanDocument) -> Vec<SharedCauses> {
    let mut groups: Vec<&[String]> = Vec::new();
    for cause in &document.causes {
        if !groups.contains(&cause.groups.as_slice()) {
            groups.push(&cause.groups);
        }
    }
    let of = |groups: &[String]| {
        let causes: Vec<&RollCause> = document.causes.iter().filter(|cause| cause.groups == groups).collect();
        // Causes of the same groups have the same limits.
        let at_once = causes.first().map(|cause| cause.at_once.clone()).unwrap_or_default();
        let is_partly = causes.iter().all(|cause| cause.partly);
        let effect = if is_partly { format!("in the {}", places(groups)) } else { machines(groups, &at_once) };
        SharedCauses {
            causes: causes.into_iter().map(sentence).collect(),
            effect: (!groups.is_empty()).then_some(effect),
        }
    };
    groups.into_iter().map(of).collect()
}

fn sentence(cause: &RollCause) -> String {
    match (&cause.from, &cause.to) {
        (Some(from), Some(to)) => format!("{} {from} -> {to}", cause.subject),
        _ => cause.subject.clone(),
    }
}

/// Returns the masters and the node groups among these groups, by their short names.
fn by_role(groups: &[String]) -> (Vec<String>, Vec<String>) {
    let masters = groups.iter().filter_map(|group| master_of_group(group)).map(str::to_owned).collect();
    let nodes = groups.iter().filter_map(|group| group.strip_prefix("nodes-")).map(str::to_owned).collect();
    (masters, nodes)
}

fn named(singular: &str, names: &[String]) -> String {
    let plural = if names.len() == 1 { "" } else { "s" };
    format!("{singular}{plural} {}", words::list(names))
}

/// Returns the groups of machines that are named, in the order of their rolls.
fn places(groups: &[String]) -> String {
    let (masters, nodes) = by_role(groups);
    let pace = if masters.len() > 1 { ", one at a time, then in the " } else { " and the " };
    let parts = [("master", masters), ("node group", nodes)].into_iter().filter(|(_, names)| !names.is_empty());
    parts.map(|(singular, names)| named(singular, &names)).collect::<Vec<_>>().join(pace)
}

/// Returns the machines that are replaced, in their order.
fn machines(groups: &[String], at_once: &BTreeMap<String, usize>) -> String {
    let (masters, nodes) = by_role(groups);
    let mut parts = Vec::new();
    if !masters.is_empty() {
        let pace = if masters.len() > 1 { ", one at a time" } else { "" };
        parts.push(format!("the {}{pace}", named("master", &masters)));
    }
    if !nodes.is_empty() {
        parts.push(format!("the machines of the {}", paced(&nodes, at_once)));
    }
    format!("replaces {}", parts.join(", then "))
}

/// Returns node groups with the number of machines of each that are replaced at the same time.
fn paced(nodes: &[String], at_once: &BTreeMap<String, usize>) -> String {
    let pace = |name: &String| match at_once.get(&format!("nodes-{name}")) {
        None => "one at a time".to_owned(),
        Some(several) => format!("at most {several} at a time"),
    };
    let paces: BTreeSet<String> = nodes.iter().map(pace).collect();
    match (nodes, paces.first()) {
        ([_], Some(pace)) => format!("{}, {pace}", named("node group", nodes)),
        (_, Some(pace)) if paces.len() == 1 => format!("{}, {pace} in each group", named("node group", nodes)),
        _ => {
            let each: Vec<String> = nodes.iter().map(|name| format!("{name} ({})", pace(name))).collect();
            named("node group", &each)
        }
    }
}
