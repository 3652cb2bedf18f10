//! Availability zones.

use super::super::cluster::Zone;
use super::super::diagnostic::{Diagnostic, Severity::Error};
use super::super::file::ClusterFile;
use super::super::zone::ZoneError;
use super::{ErrorReported, LoweringContext, OptionalSetting, Rule, Span, Spanned, all};

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

/// The cluster's region and its zones.
pub(super) type RegionZones = (String, Vec<Zone>);

/// Returns the zones of a file that are well formed, each once, in file order.
pub(super) fn known(file: &ClusterFile) -> Vec<Zone> {
    let mut zones = Vec::new();
    let texts = file.zones.given().into_iter().flatten().filter_map(Spanned::given);
    for zone in texts.filter_map(|text| Zone::parse(text).ok()) {
        if !zones.contains(&zone) {
            zones.push(zone);
        }
    }
    zones
}

/// The cluster's region and its zones: at least one, each once, all of one region.
pub(super) fn read(context: &mut LoweringContext) -> Result<RegionZones, ErrorReported> {
    let setting = &context.file.zones;
    let listed = context.required(setting, "zones")?;
    let mut known: Vec<(Zone, Span)> = Vec::new();
    let zones: Result<Vec<Zone>, ErrorReported> = all(listed.iter().map(|item| {
        let zone = parse(context, item)?;
        if let Some((_, first)) = known.iter().find(|(other, _)| *other == zone) {
            return Err(context.error(twice(&zone, item.span.clone(), first.clone())));
        }
        known.push((zone.clone(), item.span.clone()));
        Ok(zone)
    }));
    one_region(context, &known)?;
    let zones = zones?;
    let Some(first) = zones.first() else {
        let problem = Diagnostic::new(&NONE, setting.place(), "a cluster has at least one zone");
        return Err(context.error(problem.help("list one, or three to survive the loss of one")));
    };
    Ok((first.region().to_owned(), zones))
}

fn parse(context: &mut LoweringContext, item: &Spanned<String>) -> Result<Zone, ErrorReported> {
    let text = item.value()?;
    Zone::parse(text).map_err(|error| context.error(malformed(text, item.span.clone(), &error)))
}

/// A zone named elsewhere, which has to be one of the cluster's.
pub(super) fn listed(context: &mut LoweringContext, item: &Spanned<String>) -> Result<Zone, ErrorReported> {
    listed_text(context, item.value()?, &item.span)
}

/// The same, of a text that is the name of a setting.
pub(super) fn listed_text(context: &mut LoweringContext, text: &str, span: &Span) -> Result<Zone, ErrorReported> {
    let zone = Zone::parse(text).map_err(|error| context.error(malformed(text, span.clone(), &error)))?;
    if context.zones.contains(&zone) {
        return Ok(zone);
    }
    let problem = Diagnostic::new(&NOT_LISTED, span.clone(), format!("{zone} is not among the cluster's zones"))
        .expected(context.zone_list())
        .help(format!("add {:?} to `zones`, or name one of those", zone.as_str()));
    // The cluster's own zones may all be malformed, and are then reported already.
    Err(if context.zones.is_empty() { context.sink.reported_or(|| problem) } else { context.error(problem) })
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

fn one_region(context: &mut LoweringContext, zones: &[(Zone, Span)]) -> Result<(), ErrorReported> {
    let Some(((first, first_span), rest)) = zones.split_first() else {
        return Ok(());
    };
    let elsewhere = rest.iter().filter(|(zone, _)| zone.region() != first.region());
    all(elsewhere.map(|(zone, span)| {
        let message = format!("{zone} is in {}, and {first} in {}", zone.region(), first.region());
        let problem = Diagnostic::new(&REGIONS, span.clone(), message)
            .label(zone.region())
            .related(first_span.clone(), first.region())
            .note("a cluster lives in one region")
            .help(format!("keep the zones of {}, and give the others a file of their own", first.region()));
        Err(context.error(problem))
    }))
}
