//! Rules about private machines: their subnets, and their way to the internet.

use ipnet::Ipv4Net;

use super::super::cluster::{NatGateways, PrivateNetwork};
use super::super::diagnostic::{
    Diagnostic,
    Severity::{Error, Warning},
};
use super::super::file::{NatFile, NetworkFile, PluginFile, TopologyFile};
use super::network::{OVERLAP, overlap};
use super::subnets::{self, SubnetParts, SubnetSet};
use super::{ErrorReported, LoweringContext, OptionalSetting, Rule, Span};

pub(super) static NOT_PRIVATE: Rule = Rule {
    code: "Q0310",
    severity: Error,
    title: "a setting of private machines in a public network",
    explanation: "`nat` and `private_subnets` are settings of machines without a public address: \
        `topology = \"private\"`. With `topology = \"public\"`, the default, machines are in public subnets and need no \
        NAT gateway.",
    bad: "network {\n  nat = \"shared\"\n}",
    good: "network {\n  topology = \"private\"\n  nat      = \"shared\"\n}",
};

pub(super) static ZONE_TABLES: Rule = Rule {
    code: "Q0311",
    severity: Error,
    title: "a NAT gateway in each zone together with pod routes",
    explanation: "With a NAT gateway in each zone, each zone has a route table of its own. With `plugin = \"routes\"`, \
        the cloud controller of Kubernetes writes the routes of pods into one table, so pods of other zones would not be \
        reached. A regional NAT gateway also has an address in each zone, and needs one table.",
    bad: "network {\n  topology = \"private\"\n  nat      = \"per_zone\"\n}",
    good: "network {\n  topology = \"private\"\n  nat      = \"regional\"\n}",
};

pub(super) static NO_WAY_OUT: Rule = Rule {
    code: "Q0312",
    severity: Warning,
    title: "private machines without a NAT gateway",
    explanation: "With `nat = \"none\"`, machines reach S3 and nothing else outside the VPC. They need the APIs of EC2, \
        EC2 Auto Scaling, Elastic Load Balancing, Route 53 and STS, the registries of their images, and the package \
        repositories, unless their image has the packages. You provide these: interface endpoints, a proxy, or a transit \
        gateway.",
    bad: "network {\n  topology = \"private\"\n  nat      = \"none\"\n}",
    good: "network {\n  topology = \"private\"\n}",
};

/// Returns `true` if the file says that machines are private.
pub(super) fn is_private(file: Option<&NetworkFile>) -> bool {
    let topology = file.map_or(Ok(None), |file| file.topology.optional());
    matches!(topology, Ok(Some(TopologyFile::Private)))
}

/// Reads the private subnets, and the NAT gateways.
pub(super) fn read(
    context: &mut LoweringContext,
    file: Option<&NetworkFile>,
    vpc: Result<Ipv4Net, ErrorReported>,
    public: &Result<SubnetSet, ErrorReported>,
) -> Result<Option<PrivateNetwork>, ErrorReported> {
    let Some(file) = file else { return Ok(None) };
    let (topology, nat) = (file.topology.optional(), file.nat.optional());
    if !is_private(Some(file)) {
        topology?;
        needless(context, file)?;
        nat?;
        return Ok(None);
    }
    let subnets = subnets::of(context, Some(file), SubnetParts::OfMachines, file.private_subnets.as_ref(), vpc);
    if let (Ok(public), Ok(private)) = (public, &subnets) {
        apart(context, public, private);
    }
    let nat = match nat?.copied().unwrap_or(NatFile::Regional) {
        NatFile::Regional => NatGateways::Regional,
        NatFile::PerZone => NatGateways::PerZone,
        NatFile::Shared => NatGateways::Shared,
        NatFile::None => NatGateways::None,
    };
    let place = || file.nat.as_ref().map(|nat| nat.span.clone()).unwrap_or_default();
    if nat == NatGateways::PerZone && matches!(file.plugin.optional(), Ok(None | Some(PluginFile::Routes))) {
        let problem = Diagnostic::new(&ZONE_TABLES, place(), "pods of different zones would not reach each other")
            .note("`plugin = \"routes\"` writes the routes of pods into one route table, and each zone would have its own")
            .help("use `nat = \"regional\"`, which also survives the loss of a zone, or `plugin = \"none\"`");
        context.error(problem);
    }
    if nat == NatGateways::None {
        let problem = Diagnostic::new(&NO_WAY_OUT, place(), "the machines reach S3 and nothing else outside the VPC")
            .note("they need APIs of AWS, image registries and package repositories")
            .help("provide them yourself, or use a NAT gateway: `nat = \"regional\"`");
        context.warn(problem);
    }
    let SubnetSet { ranges, given } = subnets?;
    Ok(Some(PrivateNetwork { subnets: ranges, given: given.into_keys().collect(), nat }))
}

/// Refuses the settings of private machines in a public network.
fn needless(context: &mut LoweringContext, file: &NetworkFile) -> Result<(), ErrorReported> {
    let written: [(&str, Option<&Span>); 2] = [
        ("nat", file.nat.as_ref().map(|nat| &nat.span)),
        ("private_subnets", file.private_subnets.as_ref().map(|subnets| &subnets.span)),
    ];
    let mut outcome = Ok(());
    for (setting, place) in written {
        let Some(place) = place else { continue };
        let message = format!("`network.{setting}` is a setting of private machines, and these are public");
        let problem = Diagnostic::new(&NOT_PRIVATE, place.clone(), message)
            .help(format!("add `topology = \"private\"`, or take `{setting}` out"));
        outcome = Err(context.error(problem));
    }
    outcome
}

/// Reports a private subnet that overlaps a public one.
fn apart(context: &mut LoweringContext, public: &SubnetSet, private: &SubnetSet) {
    for (zone, range) in &private.ranges {
        let Some((other, taken)) = public.ranges.iter().find(|(_, taken)| overlap(**taken, *range)) else { continue };
        let given = [private.given.get(zone), public.given.get(other)].into_iter().flatten();
        let place = given.map(|(_, place)| place.clone()).next().unwrap_or_default();
        let message = format!("the private subnet of {zone} overlaps the public subnet of {other}");
        let problem = Diagnostic::new(&OVERLAP, place, message)
            .note(format!("the private subnet is {range}, the public one {taken}"))
            .help("choose ranges that have no address in common");
        context.error(problem);
        return;
    }
}
