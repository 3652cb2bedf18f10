//! Rules about the cluster's address ranges, and the number of machines that they allow.

use std::collections::BTreeMap;

use ipnet::Ipv4Net;

use super::super::cluster::Zone;
use super::super::defaults;
use super::super::diagnostic::{Diagnostic, Severity::Error};
use super::super::file::PluginFile;
use super::{FileCheck, Rule, cidr, masters, nodes, zones};

pub(super) static RULES: [&Rule; 9] =
    [&cidr::MALFORMED, &cidr::IPV6, &cidr::BOUNDARY, &SIZE, &OVERLAP, &OUTSIDE, &NO_ROOM, &ROUTES, &PODS];

/// AWS lets a route table have 50 routes; one leads to the internet.
const MOST_ROUTES: u64 = 49;

static SIZE: Rule = Rule {
    code: "Q0304",
    severity: Error,
    title: "an address range that is too small or too large",
    explanation: "AWS makes VPCs and subnets from /16 to /28. Each node takes a /24 of the pod \
        addresses, so they are at least a /22. Kubernetes takes service addresses from /12 to /24.",
    bad: "network {\n  cidr = \"10.0.0.0/8\"\n}",
    good: "network {\n  cidr = \"10.0.0.0/16\"\n}",
};

static OVERLAP: Rule = Rule {
    code: "Q0305",
    severity: Error,
    title: "address ranges that overlap",
    explanation: "The VPC, the pods, the services, and the subnets among themselves each have \
        addresses of their own; otherwise a packet would have two destinations.",
    bad: "network {\n  cidr     = \"10.0.0.0/16\"\n  services = \"10.0.128.0/17\"\n}",
    good: "network {\n  cidr     = \"10.0.0.0/16\"\n  services = \"10.1.0.0/17\"\n}",
};

static OUTSIDE: Rule = Rule {
    code: "Q0306",
    severity: Error,
    title: "a subnet outside the VPC",
    explanation: "A subnet is a part of its VPC's range (`network.cidr`, by default 172.20.0.0/16).",
    bad: "zones = [\"us-east-1a\"]\n\nnetwork {\n  subnets = { \"us-east-1a\" = \"10.0.0.0/24\" }\n}",
    good: "zones = [\"us-east-1a\"]\n\nnetwork {\n  cidr    = \"10.0.0.0/16\"\n  subnets = { \"us-east-1a\" = \"10.0.0.0/24\" }\n}",
};

static NO_ROOM: Rule = Rule {
    code: "Q0307",
    severity: Error,
    title: "no room for a zone's subnet",
    explanation: "Without `network.subnets`, the VPC's range is cut into eight equal parts, one for \
        each zone. In a range smaller than /25, or with more than eight zones, the subnets must be \
        given.",
    bad: "network {\n  cidr = \"10.0.0.0/26\"\n}",
    good: "network {\n  cidr = \"10.0.0.0/25\"\n}",
};

static ROUTES: Rule = Rule {
    code: "Q0308",
    severity: Error,
    title: "more machines than the route table can hold",
    explanation: "With `plugin = \"routes\"` the VPC's route table has a route for each machine, and \
        AWS lets a table have 50. For more machines, use `plugin = \"none\"` and install a CNI \
        (Cilium, Calico, the AWS VPC CNI) yourself.",
    bad: "nodes \"workers\" {\n  count = 60\n  size  = \"t3.large\"\n}",
    good: "network {\n  plugin = \"none\"\n}\n\nnodes \"workers\" {\n  count = 60\n  size  = \"t3.large\"\n}",
};

static PODS: Rule = Rule {
    code: "Q0309",
    severity: Error,
    title: "more machines than the pod addresses carry",
    explanation: "Each machine takes a /24 of the pod addresses.",
    bad: "network {\n  pods = \"100.96.0.0/22\"\n}\n\nnodes \"workers\" {\n  count = 6\n  size  = \"t3.large\"\n}",
    good: "network {\n  pods = \"100.96.0.0/18\"\n}\n\nnodes \"workers\" {\n  count = 6\n  size  = \"t3.large\"\n}",
};

pub(super) fn check(check: &mut FileCheck) {
    let network = check.file.network.as_ref();
    let vpc = range(check, "cidr", network.and_then(|n| n.cidr.as_deref()), defaults::VPC, 16, 28);
    let pods = range(check, "pods", network.and_then(|n| n.pods.as_deref()), defaults::PODS, 8, 22);
    let services = network.and_then(|n| n.services.as_deref());
    let services = range(check, "services", services, defaults::SERVICES, 12, 24);
    overlaps(check, &[("cidr", vpc), ("pods", pods), ("services", services)]);
    subnets(check, vpc);
    routes(check);
    if let Some(pods) = pods {
        pod_ranges(check, pods);
    }
}

/// Parses a range with a size; nothing if it is wrong, which is then reported.
fn range(
    check: &mut FileCheck,
    name: &str,
    text: Option<&str>,
    default: Ipv4Net,
    largest: u8,
    smallest: u8,
) -> Option<Ipv4Net> {
    let Some(text) = text else {
        // What is there but has the wrong type is reported already, and is not the default.
        return check.tree.find(&["network", name]).is_none().then_some(default);
    };
    let span = check.tree.span(&["network", name]);
    match cidr::read(text, &span, default.prefix_len()) {
        Err(problem) => {
            check.report(*problem);
            None
        }
        Ok(network) if (largest..=smallest).contains(&network.prefix_len()) => Some(network),
        Ok(network) => {
            check.report(wrong_size(name, network, span, largest, smallest));
            None
        }
    }
}

fn wrong_size(name: &str, network: Ipv4Net, span: std::ops::Range<usize>, largest: u8, smallest: u8) -> Diagnostic {
    let too = if network.prefix_len() < largest { "large" } else { "small" };
    let what = match name {
        "cidr" => "a VPC",
        "pods" => "the pods",
        "services" => "the services",
        _ => "a subnet",
    };
    Diagnostic::new(&SIZE, span, format!("{network} is too {too} for {what}"))
        .expected([format!("a prefix length from /{largest} to /{smallest}")])
}

fn overlaps(check: &mut FileCheck, ranges: &[(&str, Option<Ipv4Net>)]) {
    let known: Vec<(&str, Ipv4Net)> = ranges.iter().filter_map(|(name, range)| Some((*name, (*range)?))).collect();
    for (index, (name, range)) in known.iter().enumerate() {
        for (other_name, other) in &known[..index] {
            if overlap(*range, *other) {
                report_overlap(check, (name, *range), (other_name, *other));
            }
        }
    }
}

fn overlap(a: Ipv4Net, b: Ipv4Net) -> bool {
    a.contains(&b) || b.contains(&a)
}

fn report_overlap(check: &mut FileCheck, new: (&str, Ipv4Net), old: (&str, Ipv4Net)) {
    // The caret goes to a range that the file gives: the other may be a default.
    let given = |name: &str| check.span(&["network", name]).is_some();
    let (new, old) = if given(new.0) { (new, old) } else { (old, new) };
    let message = format!("`network.{}` overlaps `network.{}`", new.0, old.0);
    let mut problem = check.at(&OVERLAP, &["network", new.0], message);
    match check.span(&["network", old.0]) {
        Some(span) => problem = problem.related(span, format!("`{}` is {}", old.0, old.1)),
        None => problem = problem.note(format!("`network.{}` is {} by default", old.0, old.1)),
    }
    check.report(problem.help("choose ranges that have no address in common"));
}

fn subnets(check: &mut FileCheck, vpc: Option<Ipv4Net>) {
    let given = given_subnets(check);
    let Some(vpc) = vpc else { return };
    for (zone, subnet) in &given {
        if !vpc.contains(subnet) {
            let message = format!("the subnet {subnet} is outside the VPC, {vpc}");
            let mut problem = check.at(&OUTSIDE, &["network", "subnets", zone.as_str()], message);
            if let Some(span) = check.span(&["network", "cidr"]) {
                problem = problem.related(span, "the VPC");
            }
            check.report(problem.help("choose a part of the VPC's range, or change `network.cidr`"));
        }
    }
    let all = defaults::subnets(vpc, &check.zones, &given);
    overlapping_subnets(check, &all, &given);
    no_room(check, vpc, &all);
}

fn given_subnets(check: &mut FileCheck) -> BTreeMap<Zone, Ipv4Net> {
    let mut given = BTreeMap::new();
    let subnets = check.file.network.as_ref().and_then(|network| network.subnets.as_ref());
    for (name, text) in subnets.into_iter().flatten() {
        let span = check.tree.span(&["network", "subnets", name]);
        let key_span = check.tree.key_span(&["network", "subnets", name]);
        let zone = zones::check_listed(check, name, key_span);
        match (cidr::read(text, &span, 19), zone) {
            (Err(problem), _) => check.report(*problem),
            (Ok(subnet), _) if !(16..=28).contains(&subnet.prefix_len()) => {
                check.report(wrong_size("subnet", subnet, span, 16, 28));
            }
            (Ok(subnet), Some(zone)) => {
                given.insert(zone, subnet);
            }
            (Ok(_), None) => {}
        }
    }
    given
}

fn overlapping_subnets(check: &mut FileCheck, all: &BTreeMap<Zone, Ipv4Net>, given: &BTreeMap<Zone, Ipv4Net>) {
    for (zone, subnet) in given {
        let clash = all.iter().find(|(other, range)| {
            // Of two given subnets, only the second is the problem.
            let counts = !given.contains_key(*other) || *other < zone;
            *other != zone && counts && overlap(**range, *subnet)
        });
        let Some((other, range)) = clash else {
            continue;
        };
        let message = format!("the subnet of {zone} overlaps the subnet of {other}");
        let problem = check.at(&OVERLAP, &["network", "subnets", zone.as_str()], message);
        let problem = match check.span(&["network", "subnets", other.as_str()]) {
            Some(span) => problem.related(span, format!("the subnet of {other}")),
            None => problem
                .note(format!("the subnet of {other} is {range} by default"))
                .help(format!("choose another range, or give {other} a subnet too")),
        };
        check.report(problem);
    }
}

fn no_room(check: &mut FileCheck, vpc: Ipv4Net, all: &BTreeMap<Zone, Ipv4Net>) {
    let without: Vec<&str> = check.zones.iter().filter(|zone| !all.contains_key(*zone)).map(Zone::as_str).collect();
    // A zone whose given subnet is wrong has its problem already.
    let given = |zone: &&str| check.tree.find(&["network", "subnets", zone]).is_none();
    let without: Vec<&str> = without.into_iter().filter(given).collect();
    let Some(first) = without.first() else { return };
    let path: &[&str] = if check.zones.len() > 8 { &["zones"] } else { &["network", "cidr"] };
    let problem = check
        .at(&NO_ROOM, path, format!("the VPC {vpc} has no room for the subnet of {first}"))
        .note("without `network.subnets`, it is cut into eight equal parts of at least /28")
        .help("use a VPC of /16 to /25 and at most eight zones, or give each zone a subnet");
    check.report(problem);
}

fn routes(check: &mut FileCheck) {
    let plugin = check.file.network.as_ref().and_then(|network| network.plugin);
    let machines = machines(check);
    if machines <= MOST_ROUTES || plugin == Some(PluginFile::None) {
        return;
    }
    let help = check.block("network", "plugin = \"none\"");
    let problem = check
        .at_key(&ROUTES, &largest_group(check), format!("{machines} machines are more than the route table can hold"))
        .note(format!(
            "with `plugin = \"routes\"`, each machine has a route, and AWS allows {MOST_ROUTES} beside our own"
        ))
        .help(format!("write {help} and install a CNI yourself, or have fewer machines"));
    check.report(problem);
}

fn pod_ranges(check: &mut FileCheck, pods: Ipv4Net) {
    let ranges = 1_u64 << 24_u8.saturating_sub(pods.prefix_len());
    let machines = machines(check);
    if machines > ranges {
        let message = format!("{pods} has pod addresses for {ranges} machines, and there are up to {machines}");
        let path: &[&str] = &["network", "pods"];
        let problem = check
            .at(&PODS, path, message)
            .note("each machine takes a /24")
            .help("use a larger range, for example 100.96.0.0/11");
        check.report(problem);
    }
}

/// Returns the maximum number of masters and nodes.
fn machines(check: &FileCheck) -> u64 {
    let nodes: u64 = check.file.nodes.iter().flatten().map(|(_, group)| nodes::most(group)).sum();
    u64::from(masters::count(check.file)) + nodes
}

fn largest_group<'f>(check: &FileCheck<'f>) -> Vec<&'f str> {
    let groups = check.file.nodes.iter().flatten();
    let largest = groups.max_by_key(|(_, group)| nodes::most(group));
    largest.map_or(vec!["masters"], |(name, _)| vec!["nodes", name])
}
