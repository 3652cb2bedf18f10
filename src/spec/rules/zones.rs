//! Availability zones.

use super::super::cluster::Zone;
use super::super::diagnostic::{Diagnostic, Severity::Error};
use super::super::file::ClusterFile;
use super::super::source::Span;
use super::super::zone::ZoneError;
use super::{FileCheck, Rule};

pub(super) static RULES: [&Rule; 5] = [&SHAPE, &REGIONS, &TWICE, &NONE, &NOT_LISTED];

static SHAPE: Rule = Rule {
    code: "Q0208",
    severity: Error,
    title: "that is not an availability zone",
    explanation: "A zone is a region and a letter: `us-east-1a`. Whether your account has it is for \
        AWS to say: `quorate plan` asks it.",
    bad: "zones = [\"us-east-1\"]",
    good: "zones = [\"us-east-1a\"]",
};

static REGIONS: Rule = Rule {
    code: "Q0209",
    severity: Error,
    title: "zones of different regions",
    explanation: "A cluster lives in one region: its network, its load balancers and etcd's latency \
        need that.",
    bad: "zones = [\"us-east-1a\", \"us-west-2b\"]",
    good: "zones = [\"us-east-1a\", \"us-east-1b\"]",
};

static TWICE: Rule = Rule {
    code: "Q0210",
    severity: Error,
    title: "a zone is listed twice",
    explanation: "`zones` lists each zone once; to put two masters in one zone, write \
        `masters.zones`.",
    bad: "zones = [\"us-east-1a\", \"us-east-1a\"]",
    good: "zones = [\"us-east-1a\", \"us-east-1b\"]",
};

static NONE: Rule = Rule {
    code: "Q0211",
    severity: Error,
    title: "no zones",
    explanation: "A cluster has at least one zone, and three to survive the loss of one.",
    bad: "zones = []",
    good: "zones = [\"us-east-1a\", \"us-east-1b\", \"us-east-1c\"]",
};

pub(super) static NOT_LISTED: Rule = Rule {
    code: "Q0212",
    severity: Error,
    title: "a zone that the cluster does not have",
    explanation: "Masters, nodes and subnets can only be in the zones that `zones` lists.",
    bad: "zones = [\"us-east-1a\"]\n\nnodes \"workers\" {\n  count = 2\n  size  = \"t3.large\"\n  zones = [\"us-east-1b\"]\n}",
    good: "zones = [\"us-east-1a\", \"us-east-1b\"]\n\nnodes \"workers\" {\n  count = 2\n  size  = \"t3.large\"\n  zones = [\"us-east-1b\"]\n}",
};

/// Returns the zones of a file that are well formed, each once, in file order.
pub(super) fn listed(file: &ClusterFile) -> Vec<Zone> {
    let mut zones = Vec::new();
    for zone in file.zones.iter().flatten().filter_map(|text| Zone::parse(text).ok()) {
        if !zones.contains(&zone) {
            zones.push(zone);
        }
    }
    zones
}

pub(super) fn check(check: &mut FileCheck) {
    if check.file.zones.is_none() {
        return;
    }
    // An item of the wrong type is left out of the list, so the tree decides whether it is empty.
    if check.tree.find(&["zones", "0"]).is_none() {
        let problem = check
            .at(&NONE, &["zones"], "a cluster has at least one zone")
            .help("list one, or three to survive the loss of one");
        check.report(problem);
    }
    let mut seen: Vec<(Zone, Span)> = Vec::new();
    for (text, span) in check.texts(&["zones"]) {
        match Zone::parse(&text) {
            Err(error) => check.report(malformed(&text, span, &error)),
            Ok(zone) => match seen.iter().find(|(other, _)| *other == zone) {
                Some((_, first)) => check.report(twice(&zone, span, first.clone())),
                None => seen.push((zone, span)),
            },
        }
    }
    one_region(check, &seen);
}

/// Returns `true` if every listed zone is valid and of one region. Rules that depend on the zones need a complete list.
pub(super) fn all_good(check: &FileCheck) -> bool {
    let listed = match check.tree.find(&["zones"]).map(|node| &node.value) {
        Some(super::FileValue::List(items)) => items.len(),
        _ => 0,
    };
    listed == check.zones.len() && check.zones.iter().all(|zone| check.zones[0].region() == zone.region())
}

/// Checks that a zone named elsewhere is one of the cluster's.
pub(super) fn check_listed(check: &mut FileCheck, text: &str, span: Span) -> Option<Zone> {
    match Zone::parse(text) {
        Err(error) => {
            check.report(malformed(text, span, &error));
            None
        }
        Ok(zone) if check.zones.contains(&zone) => Some(zone),
        Ok(zone) => {
            let names: Vec<&str> = check.zones.iter().map(Zone::as_str).collect();
            let problem = Diagnostic::new(&NOT_LISTED, span, format!("{zone} is not among the cluster's zones"))
                .expected(check.zone_list())
                .help(format!("add {:?} to `zones`, or name one of those", zone.as_str()));
            // The cluster's own zones may all be malformed, and are then reported already.
            if !names.is_empty() {
                check.report(problem);
            }
            None
        }
    }
}

fn malformed(text: &str, span: Span, error: &ZoneError) -> Diagnostic {
    let problem =
        Diagnostic::new(&SHAPE, span, format!("{text:?} is not an availability zone")).label(error.to_string());
    let tidied = text.trim().to_lowercase();
    match error {
        ZoneError::Region => problem.help(format!("for example: \"{text}a\"")),
        ZoneError::Shape if Zone::parse(&tidied).is_ok() => problem.help(format!("write \"{tidied}\"")),
        ZoneError::Shape => problem.help("for example: \"us-east-1a\""),
    }
}

fn twice(zone: &Zone, span: Span, first: Span) -> Diagnostic {
    Diagnostic::new(&TWICE, span, format!("{zone} is listed twice"))
        .label("again here")
        .related(first, "first here")
        .help("list each zone once; `masters.zones` can put two masters in one zone")
}

fn one_region(check: &mut FileCheck, zones: &[(Zone, Span)]) {
    let Some(((first, first_span), rest)) = zones.split_first() else {
        return;
    };
    for (zone, span) in rest.iter().filter(|(zone, _)| zone.region() != first.region()) {
        let problem = Diagnostic::new(
            &REGIONS,
            span.clone(),
            format!("{zone} is in {}, and {first} in {}", zone.region(), first.region()),
        )
        .label(zone.region())
        .related(first_span.clone(), first.region())
        .note("a cluster lives in one region")
        .help(format!("keep the zones of {}, and give the others a file of their own", first.region()));
        check.report(problem);
    }
}
