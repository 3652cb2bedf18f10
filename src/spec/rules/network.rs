//! Rules about the cluster's address ranges, and the number of machines that they allow.

use ipnet::Ipv4Net;

use super::super::cluster::{Network, NetworkPlugin};
use super::super::defaults;
use super::super::diagnostic::{Diagnostic, Severity::Error};
use super::super::file::PluginFile;
use super::masters::MastersDraft;
use super::nodes::NodesDraft;
use super::subnets::SubnetSet;
use super::{ErrorReported, LoweringContext, OptionalSetting, Rule, Span, Spanned, cidr, private_network, subnets};

pub(super) static RULES: [&Rule; 12] = [
    &cidr::MALFORMED,
    &cidr::IPV6,
    &cidr::BOUNDARY,
    &SIZE,
    &OVERLAP,
    &subnets::OUTSIDE,
    &subnets::NO_ROOM,
    &ROUTES,
    &PODS,
    &private_network::NOT_PRIVATE,
    &private_network::ZONE_TABLES,
    &private_network::NO_WAY_OUT,
];

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

pub(super) static OVERLAP: Rule = Rule {
    code: "Q0305",
    severity: Error,
    title: "address ranges that overlap",
    explanation: "The VPC, the pods, the services, and the subnets among themselves each have \
        addresses of their own; otherwise a packet would have two destinations.",
    bad: "network {\n  cidr     = \"10.0.0.0/16\"\n  services = \"10.0.128.0/17\"\n}",
    good: "network {\n  cidr     = \"10.0.0.0/16\"\n  services = \"10.1.0.0/17\"\n}",
};

static ROUTES: Rule = Rule {
    code: "Q0308",
    severity: Error,
    title: "more machines than the route table can hold",
    explanation: "With `plugin = \"routes\"` the VPC's route table has a route for each machine, and \
        AWS lets a table have 500. For more machines, use `plugin = \"none\"` and install a CNI \
        (Cilium, Calico, the AWS VPC CNI) yourself.",
    bad: "nodes \"workers\" {\n  count = 600\n  size  = \"t3.large\"\n}",
    good: "network {\n  plugin = \"none\"\n}\n\nnodes \"workers\" {\n  count = 600\n  size  = \"t3.large\"\n}",
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
    let plugin = file.map_or(Ok(None), |file| file.plugin.optional());
    let subnets = subnets::read(context, file, vpc, private_network::is_private(file));
    let private = private_network::read(context, file, vpc, &subnets);
    let machines = u64::from(masters.count) + nodes.most();
    if let Ok(None | Some(PluginFile::Routes)) = plugin {
        routes(context, machines, nodes);
    }
    if let Ok(pods) = pods {
        pod_ranges(context, pods, machines, places[1].clone());
    }
    let SubnetSet { ranges, given } = subnets?;
    Ok(Network {
        cidr: vpc?,
        subnets: ranges,
        given: given.into_keys().collect(),
        pods: pods?,
        services: services?,
        plugin: match plugin? {
            None | Some(PluginFile::Routes) => NetworkPlugin::Routes,
            Some(PluginFile::None) => NetworkPlugin::None,
        },
        private: private?,
    })
}

/// The prefix lengths that a range may have.
pub(super) type Sizes = std::ops::RangeInclusive<u8>;

pub(super) const VPC_SIZE: Sizes = 16..=28;
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

pub(super) fn sized(
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

pub(super) fn overlap(a: Ipv4Net, b: Ipv4Net) -> bool {
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
