//! Rules about node groups: number of nodes, zones, instance sizes.

use super::super::diagnostic::Severity::{Error, Warning};
use super::super::file::NodesFile;
use super::super::name::check_label;
use super::{FileCheck, Rule, image, size, zones};

pub(super) static RULES: [&Rule; 6] = [&SCALE, &ORDER, &NAME, &EMPTY, &NO_ZONES, &NO_NODES];

/// Maximum length of a group's name, which is part of the names of AWS resources, beside the cluster's.
const LONGEST_NAME: usize = 32;

static SCALE: Rule = Rule {
    code: "Q0421",
    severity: Error,
    title: "a node group's size is not said, or said twice",
    explanation: "`count` gives the number to this file. `min` and `max`, together, give it to an \
        autoscaler. Both at once would have two owners.",
    bad: "nodes \"workers\" {\n  count = 3\n  max   = 9\n  size  = \"t3.large\"\n}",
    good: "nodes \"workers\" {\n  min  = 3\n  max  = 9\n  size = \"t3.large\"\n}",
};

static ORDER: Rule = Rule {
    code: "Q0422",
    severity: Error,
    title: "a node group's `min` is larger than its `max`",
    explanation: "`min` is the fewest nodes and `max` the most.",
    bad: "nodes \"workers\" {\n  min  = 9\n  max  = 3\n  size = \"t3.large\"\n}",
    good: "nodes \"workers\" {\n  min  = 3\n  max  = 9\n  size = \"t3.large\"\n}",
};

pub(super) static NAME: Rule = Rule {
    code: "Q0423",
    severity: Error,
    title: "a name that cannot be the name of a node group or service",
    explanation: "Names of node groups and services are parts of names in AWS and Kubernetes: lower \
        case letters, digits and hyphens, at most 32 of them for a node group and 63 for a service.",
    bad: "nodes \"Web_Workers\" {\n  count = 2\n  size  = \"t3.large\"\n}",
    good: "nodes \"web-workers\" {\n  count = 2\n  size  = \"t3.large\"\n}",
};

static EMPTY: Rule = Rule {
    code: "Q0424",
    severity: Error,
    title: "a node group without nodes",
    explanation: "A group has at least one node (`count`) or may have one (`max`). To have none, \
        remove the group; with an autoscaler, `min = 0` is possible.",
    bad: "nodes \"workers\" {\n  count = 0\n  size  = \"t3.large\"\n}",
    good: "nodes \"workers\" {\n  min  = 0\n  max  = 3\n  size = \"t3.large\"\n}",
};

static NO_ZONES: Rule = Rule {
    code: "Q0425",
    severity: Error,
    title: "a node group without zones, or with one twice",
    explanation: "Without `zones` a group spans all of the cluster's. A list names at least one, \
        and each once.",
    bad: "nodes \"workers\" {\n  count = 2\n  size  = \"t3.large\"\n  zones = []\n}",
    good: "nodes \"workers\" {\n  count = 2\n  size  = \"t3.large\"\n}",
};

static NO_NODES: Rule = Rule {
    code: "Q0426",
    severity: Warning,
    title: "no node groups",
    explanation: "Masters take no work but their own, so without nodes no service and no DNS inside \
        the cluster can run.",
    bad: "nodes = {}",
    good: "nodes \"workers\" {\n  count = 2\n  size  = \"t3.large\"\n}",
};

/// Returns the maximum number of nodes of a group.
pub(super) fn most(group: &NodesFile) -> u64 {
    let number = group.count.into_iter().chain(group.max).chain(group.min).max();
    u64::from(number.unwrap_or(0))
}

pub(super) fn check(check: &mut FileCheck) {
    let none = check.tree.find(&["nodes"]).is_none_or(|node| match &node.value {
        super::FileValue::Table(table) => table.entries.is_empty(),
        _ => false,
    });
    // Without masters the file is only begun: what is missing is said already.
    if none && check.file.masters.is_some() {
        let sample = match check.language {
            super::FileLanguage::Hcl => "nodes \"workers\" { … }",
            super::FileLanguage::Toml => "[nodes.workers]",
        };
        let problem = check
            .at_key(&NO_NODES, &["nodes"], "the cluster has no nodes: nothing can run on it")
            .help(format!("add a node group: {sample}"));
        check.report(problem);
    }
    for (name, group) in check.file.nodes.iter().flatten() {
        group_name(check, name);
        scale(check, name, group);
        size::read(check, &["nodes", name, "size"], group.size.as_deref());
        image::check(check, &["nodes", name, "image"], group.image.as_deref());
        group_zones(check, name);
    }
}

fn group_name(check: &mut FileCheck, name: &str) {
    check_name(check, &["nodes", name], LONGEST_NAME, "a node group");
}

/// Checks the name of a node group or service.
pub(super) fn check_name(check: &mut FileCheck, path: &[&str], longest: usize, what: &str) {
    let Some(name) = path.last() else { return };
    let problem = check.at_key(&NAME, path, format!("{name:?} cannot be the name of {what}"));
    let problem = match check_label(name) {
        Ok(()) if name.len() <= longest => return,
        Ok(()) => problem.label(format!("{} characters; {longest} are the most", name.len())),
        Err(error) => problem.label(error.to_string()),
    };
    let tidied = name.to_lowercase().replace(['_', ' ', '.'], "-");
    check.report(match check_label(&tidied) {
        Ok(()) if tidied != *name && tidied.len() <= longest => problem.help(format!("write \"{tidied}\"")),
        _ => problem.note("lower case letters, digits and hyphens"),
    });
}

fn scale(check: &mut FileCheck, name: &str, group: &NodesFile) {
    let has = |setting: &str| check.tree.find(&["nodes", name, setting]).is_some();
    let (count, min, max) = (has("count"), has("min"), has("max"));
    let range = if min { "min" } else { "max" };
    let problem = match (count, min, max) {
        (true, false, false) | (false, true, true) => return bounds(check, name, group),
        (true, _, _) => check
            .at_key(&SCALE, &["nodes", name, range], format!("`nodes.{name}` has both `count` and `{range}`"))
            .related(check.tree.key_span(&["nodes", name, "count"]), "the count")
            .help("keep `count` to own the number, or `min` and `max` to leave it to an autoscaler"),
        (false, false, false) => check
            .at_key(&SCALE, &["nodes", name], format!("`nodes.{name}` does not say how many nodes it has"))
            .help("write count = 3, or min = 3 and max = 9"),
        (false, _, _) => check
            .at_key(&SCALE, &["nodes", name, range], format!("`nodes.{name}` has `{range}` alone"))
            .help(format!("add `{}`, or write `count`", if min { "max" } else { "min" })),
    };
    check.report(problem);
}

fn bounds(check: &mut FileCheck, name: &str, group: &NodesFile) {
    let problem = match (group.count, group.min, group.max) {
        (Some(0), _, _) => check
            .at(&EMPTY, &["nodes", name, "count"], format!("`nodes.{name}` has no nodes"))
            .help("remove the group, or write how many nodes it has"),
        (_, Some(min), Some(max)) if min > max => check
            .at(&ORDER, &["nodes", name, "min"], format!("`nodes.{name}` has a `min` of {min} and a `max` of {max}"))
            .related(check.tree.span(&["nodes", name, "max"]), "the most")
            .help(format!("write min = {max} and max = {min}")),
        (_, Some(_), Some(0)) => check
            .at(&EMPTY, &["nodes", name, "max"], format!("`nodes.{name}` can have no nodes"))
            .help("remove the group, or write how many nodes it may have"),
        _ => return,
    };
    check.report(problem);
}

fn group_zones(check: &mut FileCheck, name: &str) {
    let path = ["nodes", name, "zones"];
    let Some(node) = check.tree.find(&path) else {
        return;
    };
    if matches!(&node.value, super::FileValue::List(items) if items.is_empty()) {
        let problem = check
            .at(&NO_ZONES, &path, format!("`nodes.{name}` has no zones"))
            .help("remove `zones` to span all of the cluster's");
        check.report(problem);
    }
    let mut seen = Vec::new();
    for (text, span) in check.texts(&path) {
        let Some(zone) = zones::check_listed(check, &text, span.clone()) else {
            continue;
        };
        if seen.contains(&zone) {
            let problem = super::Diagnostic::new(&NO_ZONES, span, format!("`nodes.{name}` lists {zone} twice"))
                .help("list each zone once");
            check.report(problem);
        }
        seen.push(zone);
    }
}
