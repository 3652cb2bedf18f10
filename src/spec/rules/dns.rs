//! Names in Route 53.

use super::super::cluster::{ClusterName, Dns, PublicZone};
use super::super::diagnostic::{Diagnostic, Severity::Error};
use super::super::file::DnsFile;
use super::super::name::{check_domain, is_within};
use super::{ErrorReported, LoweringContext, OptionalSetting, Rule, Spanned};

pub(super) static RULES: [&Rule; 3] = [&ZONE_NAME, &OUTSIDE, &CONTRADICTION];

static ZONE_NAME: Rule = Rule {
    code: "Q0221",
    severity: Error,
    title: "the hosted zone's name is not a domain",
    explanation: "A hosted zone is named by its domain: lower case, without a dot at its end.",
    bad: "dns {\n  zone = \"PoeticCoding.com\"\n}",
    good: "name = \"chat.poeticoding.com\"\n\ndns {\n  zone = \"poeticoding.com\"\n}",
};

static OUTSIDE: Rule = Rule {
    code: "Q0222",
    severity: Error,
    title: "the cluster's name is not in its hosted zone",
    explanation: "The API's name, `api.<name>`, is a record in the hosted zone, so the cluster's \
        name must be the zone's name or end in it.",
    bad: "name = \"chat.poeticoding.com\"\n\ndns {\n  zone = \"example.com\"\n}",
    good: "name = \"chat.poeticoding.com\"\n\ndns {\n  zone = \"poeticoding.com\"\n}",
};

static CONTRADICTION: Rule = Rule {
    code: "Q0223",
    severity: Error,
    title: "settings of `dns` that contradict each other",
    explanation: "`public = false` means no public names, so there is no zone to name or make; and \
        a zone to make needs a name.",
    bad: "dns {\n  create = true\n}",
    good: "name = \"chat.poeticoding.com\"\n\ndns {\n  zone   = \"chat.poeticoding.com\"\n  create = true\n}",
};

/// The DNS settings of the file, as far as they can be read.
pub(super) struct DnsDraft {
    /// The hosted zone that the file names, when it is to be used. Domains are compared with it even if the cluster's own
    /// name is not in it.
    pub(super) hosted_zone: Option<String>,
    zone: Result<PublicZone, ErrorReported>,
}

impl DnsDraft {
    /// The setting of the cluster.
    pub(super) fn finish(self) -> Result<Dns, ErrorReported> {
        Ok(Dns { zone: self.zone? })
    }
}

pub(super) fn read(context: &mut LoweringContext, name: &Result<ClusterName, ErrorReported>) -> DnsDraft {
    let dns = match context.file.dns.optional() {
        Ok(Some(dns)) => dns,
        Ok(None) => return DnsDraft { hosted_zone: None, zone: Ok(PublicZone::Discover) },
        Err(proof) => return DnsDraft { hosted_zone: None, zone: Err(proof) },
    };
    let zone = dns.zone.as_ref().map(|zone| domain(context, zone));
    let outside = zone.as_ref().and_then(|zone| Some((zone.as_ref().ok()?, name.as_ref().ok()?)));
    let outside = outside.map_or(Ok(()), |(zone, name)| within(context, zone, name));
    let contradiction = contradiction(context, dns);
    let hosted_zone = zone.clone().and_then(Result::ok).filter(|_| dns.public.given() != Some(&false));
    let public_zone = || {
        let (zone, public, create) = (zone.transpose()?, dns.public.optional()?, dns.create.optional()?);
        outside?;
        contradiction?;
        Ok(match (zone, public, create) {
            (_, Some(false), _) => PublicZone::None,
            (Some(zone), _, Some(true)) => PublicZone::Create(zone),
            (Some(zone), _, _) => PublicZone::Existing(zone),
            (None, _, _) => PublicZone::Discover,
        })
    };
    DnsDraft { hosted_zone, zone: public_zone() }
}

fn contradiction(context: &mut LoweringContext, dns: &DnsFile) -> Result<(), ErrorReported> {
    let public = dns.public.given() != Some(&false);
    let create = dns.create.given() == Some(&true);
    let problem = if !public && (dns.zone.given().is_some() || create) {
        let other = if dns.zone.given().is_some() { "zone" } else { "create" };
        let message = format!("`dns.public = false` leaves no use for `dns.{other}`");
        Diagnostic::new(&CONTRADICTION, dns.public.place(), message)
            .help(format!("remove `public`, or remove `{other}`"))
    } else if public && create && dns.zone.is_none() {
        let name = context.file.name.given().map_or("chat.poeticoding.com", String::as_str);
        Diagnostic::new(&CONTRADICTION, dns.create.place(), "a hosted zone that is to be made needs a name")
            .help(format!("add zone = \"{name}\""))
    } else {
        return Ok(());
    };
    Err(context.error(problem))
}

/// The name of a hosted zone.
fn domain(context: &mut LoweringContext, written: &Spanned<String>) -> Result<String, ErrorReported> {
    let zone = written.value()?;
    if check_domain(zone).is_ok() && zone.contains('.') {
        return Ok(zone.clone());
    }
    let problem = Diagnostic::new(&ZONE_NAME, written.span.clone(), format!("{zone:?} is not a domain"));
    let tidied = zone.trim_end_matches('.').to_lowercase();
    Err(context.error(match check_domain(&tidied) {
        Ok(()) if tidied.contains('.') => problem.help(format!("write zone = \"{tidied}\"")),
        _ if zone == "none" => problem.help("for no public names, write public = false"),
        _ => problem.note("a domain is lower case and has a dot, for example poeticoding.com"),
    }))
}

/// Checks that the cluster's name is in its hosted zone.
fn within(context: &mut LoweringContext, zone: &str, name: &ClusterName) -> Result<(), ErrorReported> {
    if is_within(name.as_str(), zone) {
        return Ok(());
    }
    let file = context.file;
    let place = file.dns.given().map(|dns| dns.zone.place()).unwrap_or_default();
    let message = format!("the cluster's name, {name}, is not in the hosted zone {zone}");
    let problem = Diagnostic::new(&OUTSIDE, place, message)
        .help(format!("name the zone that {name} ends in, or name the cluster something.{zone}"))
        .related(file.name.place(), "the cluster's name");
    Err(context.error(problem))
}
