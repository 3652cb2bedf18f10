//! Rules about the cluster's address ranges, and the number of machines that they allow.

use std::collections::BTreeMap;

use ipnet::Ipv4Net;

use super::super::cluster::{Network, NetworkPlugin, Zone};
use super::super::defaults;
use super::super::diagnostic::{Diagnostic, Severity::Error};
use super::super::file::PluginFile;
use super::masters::MastersDraft;
use super::nodes::NodesDraft;
use super::{ErrorReported, LoweringContext, OptionalSetting, Rule, Span, Spanned, cidr, zones};
use crate::spec::spanned::Map;

pub(super) static RULES: [&Rule; 9] =
    [&cidr::MALFORMED, &cidr::IPV6, &cidr::BOUNDARY, &SIZE, &OVERLAP, &OUTSIDE, &NO_ROOM, &ROUTES, &PODS];

/// Maximum number of machines that have a route.
const MOST_ROUTES: u64 = crate::limits::aws::MACHINE_ROUTES as u64;

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

pub(super) fn read(
    context: &mut LoweringContext,
    masters: &MastersDraft,
    nodes: &NodesDraft,
) -> Result<Network, ErrorReported> {
    let file = context.file.network.optional()?;
    let cidr = file.and_then(|file| file.cidr.as_ref());
    let pods = file.and_then(|file| file.pods.as_ref());
    let services = file.and_then(|file| file.services.as_ref());
    let ranges = [
        range(context, cidr, defaults::VPC, VPC_SIZE, "a VPC"),
        range(context, pods, defaults::PODS, POD_SIZE, "the pods"),
        range(context, services, defaults::SERVICES, SERVICE_SIZE, "the services"),
    ];
    let places = [cidr, pods, services].map(|written| written.map(|written| written.span.clone()));
    overlaps(context, &ranges, &places);
    let [vpc, pods, services] = ranges;
    let given = file.and_then(|file| file.subnets.as_ref());
    let subnets = subnets(context, given, vpc, cidr);
    let plugin = file.map_or(Ok(None), |file| file.plugin.optional());
    let machines = u64::from(masters.count) + nodes.most();
    if let Ok(None | Some(PluginFile::Routes)) = plugin {
        routes(context, machines, nodes);
    }
    if let Ok(pods) = pods {
        pod_ranges(context, pods, machines, places[1].clone());
    }
    let (subnets, given) = subnets?;
    Ok(Network {
        cidr: vpc?,
        subnets,
        given: given.into_keys().collect(),
        pods: pods?,
        services: services?,
        plugin: match plugin? {
            None | Some(PluginFile::Routes) => NetworkPlugin::Routes,
            Some(PluginFile::None) => NetworkPlugin::None,
        },
    })
}

/// The prefix lengths that a range may have.
type Sizes = std::ops::RangeInclusive<u8>;

const VPC_SIZE: Sizes = 16..=28;
const POD_SIZE: Sizes = 8..=22;
const SERVICE_SIZE: Sizes = 12..=24;

/// Reads a range with a size.
fn range(
    context: &mut LoweringContext,
    written: Option<&Spanned<String>>,
    default: Ipv4Net,
    sizes: Sizes,
    what: &str,
) -> Result<Ipv4Net, ErrorReported> {
    match written {
        Some(written) => sized(context, written, default.prefix_len(), sizes, what),
        None => Ok(default),
    }
}

fn sized(
    context: &mut LoweringContext,
    written: &Spanned<String>,
    usual: u8,
    sizes: Sizes,
    what: &str,
) -> Result<Ipv4Net, ErrorReported> {
    let network = cidr::read(context, written, usual)?;
    if sizes.contains(&network.prefix_len()) {
        return Ok(network);
    }
    let too = if network.prefix_len() < *sizes.start() { "large" } else { "small" };
    let problem = Diagnostic::new(&SIZE, written.span.clone(), format!("{network} is too {too} for {what}"))
        .expected([format!("a prefix length from /{} to /{}", sizes.start(), sizes.end())]);
    Err(context.error(problem))
}

const NAMES: [&str; 3] = ["cidr", "pods", "services"];

fn overlaps(context: &mut LoweringContext, ranges: &[Result<Ipv4Net, ErrorReported>; 3], places: &[Option<Span>; 3]) {
    for (index, range) in ranges.iter().enumerate() {
        for (other, other_range) in ranges[..index].iter().enumerate() {
            if let (Ok(range), Ok(other_range)) = (range, other_range)
                && overlap(*range, *other_range)
            {
                // The caret goes to a range that the file gives: the other may be a default.
                let (new, old) = if places[index].is_some() { (index, other) } else { (other, index) };
                let old_range = if old == other { other_range } else { range };
                let problem = overlap_problem((new, &places[new]), (old, &places[old]), *old_range);
                context.error(problem);
            }
        }
    }
}

fn overlap(a: Ipv4Net, b: Ipv4Net) -> bool {
    a.contains(&b) || b.contains(&a)
}

fn overlap_problem(new: (usize, &Option<Span>), old: (usize, &Option<Span>), range: Ipv4Net) -> Diagnostic {
    let (name, other) = (NAMES[new.0], NAMES[old.0]);
    let message = format!("`network.{name}` overlaps `network.{other}`");
    let problem = Diagnostic::new(&OVERLAP, new.1.clone().unwrap_or_default(), message);
    let problem = match old.1 {
        Some(span) => problem.related(span.clone(), format!("`{other}` is {range}")),
        None => problem.note(format!("`network.{other}` is {range} by default")),
    };
    problem.help("choose ranges that have no address in common")
}

/// The subnets that the file gives, each with its place.
type Given = BTreeMap<Zone, (Ipv4Net, Span)>;
/// The subnet of each zone, and those of them that the file gives.
type Subnets = (BTreeMap<Zone, Ipv4Net>, BTreeMap<Zone, Ipv4Net>);

fn subnets(
    context: &mut LoweringContext,
    written: Option<&Spanned<Map<String>>>,
    vpc: Result<Ipv4Net, ErrorReported>,
    cidr: Option<&Spanned<String>>,
) -> Result<Subnets, ErrorReported> {
    let file = written.map_or(Ok(None), |written| written.value().map(Some))?;
    let (given, readable) = given_subnets(context, file);
    let vpc = vpc?;
    for (subnet, place) in given.values().filter(|(subnet, _)| !vpc.contains(subnet)) {
        let message = format!("the subnet {subnet} is outside the VPC, {vpc}");
        let mut problem = Diagnostic::new(&OUTSIDE, place.clone(), message);
        if let Some(cidr) = cidr {
            problem = problem.related(cidr.span.clone(), "the VPC");
        }
        context.error(problem.help("choose a part of the VPC's range, or change `network.cidr`"));
    }
    let plain: BTreeMap<Zone, Ipv4Net> = given.iter().map(|(zone, (subnet, _))| (zone.clone(), *subnet)).collect();
    let subnets = defaults::subnets(vpc, &context.zones, &plain);
    overlapping_subnets(context, &subnets, &given);
    let room = no_room(context, vpc, &subnets, file, cidr);
    readable?;
    room?;
    Ok((subnets, plain))
}

/// The subnets that can be read, and whether that is all of them.
fn given_subnets(context: &mut LoweringContext, file: Option<&Map<String>>) -> (Given, Result<(), ErrorReported>) {
    let mut readable = Ok(());
    let mut given = BTreeMap::new();
    for (name, written) in file.into_iter().flatten() {
        let zone = zones::listed_text(context, name, &written.key);
        let subnet = sized(context, written, 19, VPC_SIZE, "a subnet");
        match zone.and_then(|zone| Ok((zone, subnet?))) {
            Ok((zone, subnet)) => {
                given.insert(zone, (subnet, written.span.clone()));
            }
            Err(proof) => readable = Err(proof),
        }
    }
    (given, readable)
}

fn overlapping_subnets(context: &mut LoweringContext, all: &BTreeMap<Zone, Ipv4Net>, given: &Given) {
    for (zone, (subnet, place)) in given {
        let clash = all.iter().find(|(other, range)| {
            // Of two given subnets, only the second is the problem.
            let counts = !given.contains_key(*other) || *other < zone;
            *other != zone && counts && overlap(**range, *subnet)
        });
        let Some((other, range)) = clash else {
            continue;
        };
        let message = format!("the subnet of {zone} overlaps the subnet of {other}");
        let problem = Diagnostic::new(&OVERLAP, place.clone(), message);
        context.error(match given.get(other) {
            Some((_, span)) => problem.related(span.clone(), format!("the subnet of {other}")),
            None => problem
                .note(format!("the subnet of {other} is {range} by default"))
                .help(format!("choose another range, or give {other} a subnet too")),
        });
    }
}

fn no_room(
    context: &mut LoweringContext,
    vpc: Ipv4Net,
    all: &BTreeMap<Zone, Ipv4Net>,
    file: Option<&Map<String>>,
    cidr: Option<&Spanned<String>>,
) -> Result<(), ErrorReported> {
    // A zone whose given subnet is wrong has its problem already.
    let given = |zone: &Zone| file.is_some_and(|file| file.contains_key(zone.as_str()));
    let Some(first) = context.zones.iter().find(|zone| !all.contains_key(*zone) && !given(zone)) else {
        return Ok(());
    };
    let place = match cidr {
        Some(cidr) if context.zones.len() <= 8 => cidr.span.clone(),
        _ => context.file.zones.place(),
    };
    let problem = Diagnostic::new(&NO_ROOM, place, format!("the VPC {vpc} has no room for the subnet of {first}"))
        .note("without `network.subnets`, it is cut into eight equal parts of at least /28")
        .help("use a VPC of /16 to /25 and at most eight zones, or give each zone a subnet");
    Err(context.error(problem))
}

fn routes(context: &mut LoweringContext, machines: u64, nodes: &NodesDraft) {
    if machines <= MOST_ROUTES {
        return;
    }
    let help = context.block("network", "plugin = \"none\"");
    let message = format!("{machines} machines are more than the route table can hold");
    let problem = Diagnostic::new(&ROUTES, largest_group(context, nodes), message)
        .note(format!(
            "with `plugin = \"routes\"`, each machine has a route, and AWS allows {MOST_ROUTES} beside our own"
        ))
        .help(format!("write {help} and install a CNI yourself, or have fewer machines"));
    context.error(problem);
}

fn pod_ranges(context: &mut LoweringContext, pods: Ipv4Net, machines: u64, place: Option<Span>) {
    let ranges = 1_u64 << 24_u8.saturating_sub(pods.prefix_len());
    if machines > ranges {
        let message = format!("{pods} has pod addresses for {ranges} machines, and there are up to {machines}");
        let place = place.unwrap_or_else(|| context.file.network.place());
        let problem = Diagnostic::new(&PODS, place, message)
            .note("each machine takes a /24")
            .help("use a larger range, for example 100.96.0.0/11");
        context.error(problem);
    }
}

/// The place of the group with the most nodes, or of the masters.
fn largest_group(context: &LoweringContext, nodes: &NodesDraft) -> Span {
    let file = context.file;
    let largest = nodes.groups.iter().max_by_key(|(_, group)| group.most);
    let written = largest.and_then(|(name, _)| file.nodes.given()?.get(name));
    written.map_or_else(|| file.masters.key(), |written| written.key.clone())
}
