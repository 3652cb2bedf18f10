//! Rules about the subnets: one for each zone, public or private.

use std::collections::BTreeMap;

use ipnet::Ipv4Net;

use super::super::cluster::Zone;
use super::super::defaults;
use super::super::diagnostic::{Diagnostic, Severity::Error};
use super::super::file::NetworkFile;
use super::network::{OVERLAP, VPC_SIZE, overlap, sized};
use super::{ErrorReported, LoweringContext, OptionalSetting, Rule, Span, Spanned, zones};
use crate::spec::spanned::Map;

pub(super) static OUTSIDE: Rule = Rule {
    code: "Q0306",
    severity: Error,
    title: "a subnet outside the VPC",
    explanation: "A subnet is a part of its VPC's range (`network.cidr`, by default 172.20.0.0/16).",
    bad: "zones = [\"us-east-1a\"]\n\nnetwork {\n  subnets = { \"us-east-1a\" = \"10.0.0.0/24\" }\n}",
    good: "zones = [\"us-east-1a\"]\n\nnetwork {\n  cidr    = \"10.0.0.0/16\"\n  subnets = { \"us-east-1a\" = \"10.0.0.0/24\" }\n}",
};

pub(super) static NO_ROOM: Rule = Rule {
    code: "Q0307",
    severity: Error,
    title: "no room for a zone's subnet",
    explanation: "Without `network.subnets`, the VPC's range is cut into eight equal parts, one for \
        each zone. In a range smaller than /25, or with more than eight zones, the subnets must be \
        given.",
    bad: "network {\n  cidr = \"10.0.0.0/26\"\n}",
    good: "network {\n  cidr = \"10.0.0.0/25\"\n}",
};

/// The subnets of one sort.
#[derive(Debug, Clone)]
pub(super) struct SubnetSet {
    /// The range of each zone.
    pub(super) ranges: BTreeMap<Zone, Ipv4Net>,
    /// Those that the file gives, each with its place.
    pub(super) given: GivenSubnets,
}

/// The parts of a VPC that subnets are by default.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SubnetParts {
    /// An eighth of it for each zone.
    OfMachines,
    /// An eighth of an eighth for each zone: beside private subnets, public ones have load balancers alone.
    BesidePrivate,
}

impl SubnetParts {
    fn of(self, vpc: Ipv4Net) -> Vec<Ipv4Net> {
        defaults::parts_of_public(vpc, self == Self::BesidePrivate)
    }
}

/// The subnets that the file gives, each with its place.
type GivenSubnets = BTreeMap<Zone, (Ipv4Net, Span)>;

/// Reads the public subnets.
pub(super) fn read(
    context: &mut LoweringContext,
    file: Option<&NetworkFile>,
    vpc: Result<Ipv4Net, ErrorReported>,
    has_private: bool,
) -> Result<SubnetSet, ErrorReported> {
    let written = file.and_then(|file| file.subnets.as_ref());
    let parts = if has_private { SubnetParts::BesidePrivate } else { SubnetParts::OfMachines };
    of(context, file, parts, written, vpc)
}

/// Reads the subnets of one sort: those of the file, and a part of the VPC for each other zone.
pub(super) fn of(
    context: &mut LoweringContext,
    file: Option<&NetworkFile>,
    parts: SubnetParts,
    written: Option<&Spanned<Map<String>>>,
    vpc: Result<Ipv4Net, ErrorReported>,
) -> Result<SubnetSet, ErrorReported> {
    let cidr = file.and_then(|file| file.cidr.as_ref());
    let written = written.map_or(Ok(None), |written| written.value().map(Some))?;
    let (given, readable) = given_subnets(context, written);
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
    let ranges = defaults::subnets(parts.of(vpc), &context.zones, &plain);
    overlapping_subnets(context, &ranges, &given);
    let room = no_room(context, vpc, &ranges, (parts, written), cidr);
    readable?;
    room?;
    Ok(SubnetSet { ranges, given })
}

/// The subnets that can be read, and whether that is all of them.
fn given_subnets(
    context: &mut LoweringContext,
    file: Option<&Map<String>>,
) -> (GivenSubnets, Result<(), ErrorReported>) {
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

fn overlapping_subnets(context: &mut LoweringContext, all: &BTreeMap<Zone, Ipv4Net>, given: &GivenSubnets) {
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
    (parts, file): (SubnetParts, Option<&Map<String>>),
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
    let problem = Diagnostic::new(&NO_ROOM, place, format!("the VPC {vpc} has no room for the subnet of {first}"));
    let problem = match parts {
        SubnetParts::OfMachines => problem
            .note("without `network.subnets`, it is cut into eight equal parts of at least /28")
            .help("use a VPC of /16 to /25 and at most eight zones, or give each zone a subnet"),
        SubnetParts::BesidePrivate => problem
            .note("without `network.subnets`, public subnets are eighths of its first eighth, of at least /28")
            .help("use a VPC of /16 to /22 and at most eight zones, or give each zone a subnet"),
    };
    Err(context.error(problem))
}
