//! Rules about the control plane: number of masters, zones, instance sizes.

use std::collections::BTreeMap;

use super::super::cluster::{InstanceSize, Zone};
use super::super::defaults;
use super::super::diagnostic::{
    Diagnostic,
    Severity::{Error, Warning},
};
use super::super::file::{ClusterFile, MastersFile};
use super::{FileCheck, Rule, image, nodes, size, zones};

pub(super) static RULES: [&Rule; 10] =
    [&EVEN, &NONE, &TOO_MANY, &SPREAD, &size::MALFORMED, &image::MALFORMED, &QUORUM, &SINGLE, &BURSTABLE, &TINY];

const MOST: u32 = 7;
/// Number of nodes above which the control plane's idle load uses up the credits of a burstable size.
const CREDITS_LAST_FOR: u64 = 10;

static EVEN: Rule = Rule {
    code: "Q0401",
    severity: Error,
    title: "an even number of masters",
    explanation: "etcd needs more than half of its members. Four masters survive the loss of one, \
        as three do; the fourth costs money and makes a loss more likely.",
    bad: "masters {\n  count = 4\n  size  = \"t3.medium\"\n}",
    good: "masters {\n  count = 3\n  size  = \"t3.medium\"\n}",
};

static NONE: Rule = Rule {
    code: "Q0402",
    severity: Error,
    title: "no masters",
    explanation: "The control plane runs on the masters: one for trying things out, three for \
        work that matters.",
    bad: "masters {\n  count = 0\n  size  = \"t3.medium\"\n}",
    good: "masters {\n  count = 1\n  size  = \"t3.medium\"\n}",
};

static TOO_MANY: Rule = Rule {
    code: "Q0403",
    severity: Error,
    title: "too many masters",
    explanation: "Every write goes to every etcd member, so more than seven make the cluster \
        slower and no safer. Larger clusters take larger masters.",
    bad: "masters {\n  count = 9\n  size  = \"t3.medium\"\n}",
    good: "masters {\n  count = 5\n  size  = \"m7g.large\"\n}",
};

static SPREAD: Rule = Rule {
    code: "Q0404",
    severity: Error,
    title: "`masters.zones` does not name a zone for each master",
    explanation: "`masters.zones` has one entry for each master. It may name a zone more than once. \
        New masters take the entries in order; another order moves no master. Without it, new masters \
        go round the cluster's zones.",
    bad: "zones = [\"us-east-1a\", \"us-east-1b\"]\n\nmasters {\n  count = 3\n  size  = \"t3.medium\"\n  zones = [\"us-east-1a\", \"us-east-1b\"]\n}",
    good: "zones = [\"us-east-1a\", \"us-east-1b\"]\n\nmasters {\n  count = 3\n  size  = \"t3.medium\"\n  zones = [\"us-east-1a\", \"us-east-1b\", \"us-east-1b\"]\n}",
};

static QUORUM: Rule = Rule {
    code: "Q0411",
    severity: Warning,
    title: "the loss of one zone loses the quorum",
    explanation: "When a zone holds half of the masters or more, its loss stops the control plane: \
        running pods keep running, but nothing can be changed or healed until the zone is back. \
        Three zones with a master each survive the loss of any one of them.",
    bad: "zones = [\"us-east-1a\", \"us-east-1b\"]",
    good: "zones = [\"us-east-1a\", \"us-east-1b\", \"us-east-1c\"]",
};

static SINGLE: Rule = Rule {
    code: "Q0412",
    severity: Warning,
    title: "a single master",
    explanation: "One master survives nothing: while it is replaced, nothing can be changed or \
        healed. Its data is on a volume of its own and comes back.",
    bad: "masters {\n  count = 1\n  size  = \"t3.medium\"\n}",
    good: "masters {\n  count = 3\n  size  = \"t3.medium\"\n}",
};

static BURSTABLE: Rule = Rule {
    code: "Q0413",
    severity: Warning,
    title: "masters on CPU credits",
    explanation: "The `t` families run on credits. A control plane works all the time; on a small \
        size, or with more than ten nodes, the credits run out and either etcd misses heartbeats or \
        the extra CPU is charged.",
    bad: "masters {\n  size = \"t3.small\"\n}",
    good: "masters {\n  size = \"t3.medium\"\n}",
};

static TINY: Rule = Rule {
    code: "Q0414",
    severity: Warning,
    title: "masters with too little memory",
    explanation: "etcd, the API server and the controllers need about 2 GiB. On less they start and \
        are killed again, most often a few minutes after the cluster looked ready.",
    bad: "masters {\n  size = \"t2.micro\"\n}",
    good: "masters {\n  size = \"t3.medium\"\n}",
};

/// Returns the number of masters of a file.
pub(super) fn count(file: &ClusterFile) -> u32 {
    let listed = |masters: &MastersFile| Some(u32::try_from(masters.zones.as_ref()?.len()).unwrap_or(u32::MAX));
    let masters = file.masters.as_ref();
    masters.and_then(|m| m.count.or_else(|| listed(m))).unwrap_or(defaults::MASTERS)
}

pub(super) fn check(check: &mut FileCheck) {
    let Some(masters) = &check.file.masters else {
        return;
    };
    let placed = placed(check);
    let counted = number(check);
    let size = size::read(check, &["masters", "size"], masters.size.as_deref());
    if let Some(size) = size {
        load(check, &size);
    }
    image::check(check, &["masters", "image"], masters.image.as_deref());
    match placed {
        Some(zones) if counted && zones::all_good(check) => quorum(check, &zones),
        _ => {}
    }
}

/// Returns the zones of the masters, if all of them are known.
fn placed(check: &mut FileCheck) -> Option<Vec<Zone>> {
    let wanted = count(check.file);
    let path = ["masters", "zones"];
    if check.tree.find(&path).is_none() {
        return Some(defaults::master_zones(wanted.min(MOST), &check.zones));
    }
    let texts = check.texts(&path);
    let listed = texts.len();
    let zones: Vec<Zone> =
        texts.into_iter().filter_map(|(text, span)| zones::check_listed(check, &text, span)).collect();
    if check.file.masters.as_ref()?.count.is_some() && usize::try_from(wanted) != Ok(listed) {
        let mut problem =
            check.at(&SPREAD, &path, format!("`masters.zones` lists {listed} zones for {wanted} masters"));
        if let Some(span) = check.span(&["masters", "count"]) {
            problem = problem.related(span, format!("{wanted} masters"));
        }
        check.report(problem.help("list a zone for each master, or remove `count` or `zones`"));
        return None;
    }
    (zones.len() == listed).then_some(zones)
}

/// Checks that etcd can work with the number of masters.
fn number(check: &mut FileCheck) -> bool {
    let number = count(check.file);
    let path: &[&str] = match check.span(&["masters", "count"]) {
        Some(_) => &["masters", "count"],
        None => &["masters", "zones"],
    };
    let problem = match number {
        0 => check
            .at(&NONE, path, "a cluster has at least one master")
            .help("write 1 to try things out, 3 to survive the loss of a zone"),
        n if n > MOST => check
            .at(&TOO_MANY, path, format!("{n} masters are too many"))
            .expected(["1", "3", "5", "7"])
            .note("every write goes to every master: more of them are slower, not safer"),
        n if n % 2 == 0 => even(check, path, n),
        _ => return true,
    };
    check.report(problem);
    false
}

fn even(check: &FileCheck, path: &[&str], number: u32) -> Diagnostic {
    let survives = (number - 1) / 2;
    let fewer = number - 1;
    let problem = check.at(&EVEN, path, format!("{number} masters are an even number")).note(match survives {
        0 => "2 masters survive the loss of none, as one does, and fail twice as often".to_owned(),
        _ => format!("{number} masters survive the loss of {survives}, as {fewer} do"),
    });
    problem.help(format!("write {fewer} or {}", number + 1))
}

fn load(check: &mut FileCheck, size: &InstanceSize) {
    let path = ["masters", "size"];
    let nodes: u64 = check.file.nodes.iter().flatten().map(|(_, group)| nodes::most(group)).sum();
    if size.tiny() {
        let problem = check
            .at(&TINY, &path, format!("a {size} has too little memory for a control plane"))
            .note("etcd and the API server need about 2 GiB")
            .help("use at least a t3.medium or t4g.medium");
        check.report(problem);
    } else if size.burstable() && (size.size() == "small" || nodes > CREDITS_LAST_FOR) {
        let family = size.family();
        let why = if nodes > CREDITS_LAST_FOR {
            format!("with {nodes} nodes, a master uses more CPU than a {size} earns in credits")
        } else {
            format!("a control plane at rest uses about what a {size} earns in credits")
        };
        let other = if family == "t4g" { "m7g.large" } else { "m7i.large" };
        let problem = check.at(&BURSTABLE, &path, format!("masters of size {size} run on CPU credits")).note(why).help(
            match size.size() {
                "small" if nodes <= CREDITS_LAST_FOR => format!("use at least a {family}.medium"),
                _ => format!("use a size without credits, for example {other}"),
            },
        );
        check.report(problem);
    }
}

/// Warns about zones whose loss would lose the quorum.
fn quorum(check: &mut FileCheck, placed: &[Zone]) {
    let total = placed.len();
    if total == 1 {
        let path = ["masters", "count"];
        let problem = match check.span(&path) {
            Some(_) => check.at(&SINGLE, &path, "one master survives nothing"),
            None => check.at(&SINGLE, &["masters"], "one master survives nothing"),
        };
        check.report(
            problem
                .note("while it is replaced, nothing can be changed or healed")
                .help("write count = 3 and three zones to survive the loss of any one of them"),
        );
        return;
    }
    let mut held: BTreeMap<&Zone, usize> = BTreeMap::new();
    for zone in placed {
        *held.entry(zone).or_default() += 1;
    }
    let needed = total / 2 + 1;
    for (zone, holds) in held.into_iter().filter(|(_, holds)| total - holds < needed) {
        let problem = fatal_zone(check, zone, holds, total);
        check.report(problem);
    }
}

fn fatal_zone(check: &FileCheck, zone: &Zone, holds: usize, total: usize) -> Diagnostic {
    let path: &[&str] = match check.span(&["masters", "zones"]) {
        Some(_) => &["masters", "zones"],
        None => &["zones"],
    };
    let problem = check
        .at(&QUORUM, path, format!("losing {zone} loses the quorum: it holds {holds} of {total} masters"))
        .note(format!("{} of {total} masters must be up for anything to be changed or healed", total / 2 + 1));
    if check.zones.len() >= 3 {
        return problem.help("spread the masters over three zones: remove `masters.zones`");
    }
    let problem = match check.span(&["masters", "zones"]) {
        Some(_) => problem.note("remove `masters.zones` when there are three zones"),
        None => problem,
    };
    problem.help(format!("list a third zone, for example: zones = [{}]", three_zones(check).join(", ")))
}

/// Returns the cluster's zones and as many others of the region as make three.
fn three_zones(check: &FileCheck) -> Vec<String> {
    let mut zones = check.zone_list();
    let region = check.zones.first().map_or("us-east-1", Zone::region);
    for letter in 'a'..='f' {
        let candidate = format!("\"{region}{letter}\"");
        if zones.len() < 3 && !zones.contains(&candidate) {
            zones.push(candidate);
        }
    }
    zones
}
