//! Rules about the placement of a service's pods.

use std::collections::BTreeSet;

use super::super::complete::taint;
use super::super::diagnostic::Severity::Error;
use super::super::file::ServiceFile;
use super::{FileCheck, Rule, zones};

pub(super) static RULES: [&Rule; 3] = [&GROUP, &TAINT, &NOWHERE];

static GROUP: Rule = Rule {
    code: "Q0531",
    severity: Error,
    title: "a node group that the cluster does not have",
    explanation: "`placement.nodes` names node groups of this file. Pods that only run on nodes which are not there never run.",
    bad: "nodes \"workers\" {\n  count = 2\n  size  = \"t3.large\"\n}\n\nservice \"web\" {\n  image = \"nginx:1.27\"\n  placement {\n    nodes = [\"worker\"]\n  }\n}",
    good: "nodes \"workers\" {\n  count = 2\n  size  = \"t3.large\"\n}\n\nservice \"web\" {\n  image = \"nginx:1.27\"\n  placement {\n    nodes = [\"workers\"]\n  }\n}",
};

static TAINT: Rule = Rule {
    code: "Q0532",
    severity: Error,
    title: "that is not a taint",
    explanation: "A taint is written as kubectl writes it: a key, a value behind `=` if it has one, an effect behind a colon \
        if only that one is meant (`NoSchedule`, `PreferNoSchedule`, `NoExecute`).",
    bad: "service \"web\" {\n  image = \"nginx:1.27\"\n  placement {\n    tolerate = [\"dedicated=web:Never\"]\n  }\n}",
    good: "service \"web\" {\n  image = \"nginx:1.27\"\n  placement {\n    tolerate = [\"dedicated=web:NoSchedule\"]\n  }\n}",
};

static NOWHERE: Rule = Rule {
    code: "Q0533",
    severity: Error,
    title: "no node is where the pods may run",
    explanation: "`placement.nodes` and `placement.zones` hold together: pods run on nodes of one of the groups which are in \
        one of the zones. No group that is named has a node in a zone that is named.",
    bad: "nodes \"workers\" {\n  count = 2\n  size  = \"t3.large\"\n  zones = [\"us-east-1a\"]\n}\n\nservice \"web\" {\n  image = \"nginx:1.27\"\n  placement {\n    zones = [\"us-east-1b\"]\n  }\n}",
    good: "nodes \"workers\" {\n  count = 2\n  size  = \"t3.large\"\n  zones = [\"us-east-1a\"]\n}\n\nservice \"web\" {\n  image = \"nginx:1.27\"\n  placement {\n    zones = [\"us-east-1a\"]\n  }\n}",
};

pub(super) fn check(check: &mut FileCheck, name: &str, service: &ServiceFile) {
    if service.placement.is_none() {
        return;
    }
    for (text, span) in check.texts(&["service", name, "placement", "tolerate"]) {
        if taint(&text).is_none() {
            let problem = super::Diagnostic::new(&TAINT, span, format!("{text:?} is not a taint"))
                .expected(["a key, a value, an effect, for example \"dedicated=web:NoSchedule\""]);
            check.report(problem);
        }
    }
    let groups = groups(check, name);
    let listed = check.texts(&["service", name, "placement", "zones"]);
    let zones: Vec<Option<_>> =
        listed.into_iter().map(|(text, span)| zones::check_listed(check, &text, span)).collect();
    // What is wrong already is not judged once more.
    if let (Some(groups), Some(zones)) = (groups, zones.into_iter().collect::<Option<Vec<_>>>()) {
        let zones: BTreeSet<String> = zones.iter().map(ToString::to_string).collect();
        nowhere(check, name, &groups, &zones);
    }
}

/// Returns the named node groups; all of them if none is named; `None` if one does not exist.
fn groups(check: &mut FileCheck, name: &str) -> Option<Vec<String>> {
    let known: Vec<String> = check.file.nodes.iter().flatten().map(|(name, _)| name.clone()).collect();
    let named = check.texts(&["service", name, "placement", "nodes"]);
    let mut good = true;
    for (group, span) in &named {
        if known.contains(group) {
            continue;
        }
        good = false;
        let all = || known.iter().map(String::as_str);
        let problem = super::Diagnostic::new(&GROUP, span.clone(), format!("there is no node group {group:?}"))
            .expected(all().map(|name| format!("{name:?}")))
            .did_you_mean_as(group, all(), |name| format!("{name:?}"));
        check.report(problem);
    }
    let named: Vec<String> = named.into_iter().map(|(group, _)| group).collect();
    good.then_some(if named.is_empty() { known } else { named })
}

fn nowhere(check: &mut FileCheck, name: &str, groups: &[String], zones: &BTreeSet<String>) {
    let spans = |group: &String| {
        let own = check.file.nodes.as_ref().and_then(|all| all.get(group)?.zones.as_ref());
        own.is_none_or(|own| own.iter().any(|zone| zones.contains(zone)))
    };
    if zones.is_empty() || groups.is_empty() || groups.iter().any(spans) {
        return;
    }
    let what =
        if groups.len() == 1 { format!("the node group {}", groups[0]) } else { "none of the groups".to_owned() };
    let verb = if groups.len() == 1 { "is not" } else { "is" };
    let problem = check
        .at(&NOWHERE, &["service", name, "placement", "zones"], format!("{what} {verb} in any of these zones"))
        .help("name a zone that a group spans, or remove `zones`");
    check.report(problem);
}
