//! Names in Route 53.

use super::super::diagnostic::Severity::Error;
use super::super::name::{check_domain, is_within};
use super::{FileCheck, Rule};

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

/// Returns the hosted zone that the file names, if it is to be used.
pub(super) fn hosted_zone<'f>(check: &FileCheck<'f>) -> Option<&'f str> {
    let dns = check.file.dns.as_ref().filter(|dns| dns.public != Some(false))?;
    dns.zone.as_deref().filter(|zone| check_domain(zone).is_ok() && zone.contains('.'))
}

pub(super) fn check(check: &mut FileCheck) {
    let Some(dns) = &check.file.dns else { return };
    if let Some(zone) = &dns.zone {
        zone_name(check, zone);
    }
    let public = dns.public != Some(false);
    if !public && (dns.zone.is_some() || dns.create == Some(true)) {
        let other = if dns.zone.is_some() { "zone" } else { "create" };
        let problem = check
            .at(&CONTRADICTION, &["dns", "public"], format!("`dns.public = false` leaves no use for `dns.{other}`"))
            .help(format!("remove `public`, or remove `{other}`"));
        check.report(problem);
    } else if public && dns.create == Some(true) && check.tree.find(&["dns", "zone"]).is_none() {
        let name = check.file.name.as_deref().unwrap_or("chat.poeticoding.com");
        let problem = check
            .at(&CONTRADICTION, &["dns", "create"], "a hosted zone that is to be made needs a name")
            .help(format!("add zone = \"{name}\""));
        check.report(problem);
    }
}

fn zone_name(check: &mut FileCheck, zone: &str) {
    let path = ["dns", "zone"];
    if check_domain(zone).is_err() || !zone.contains('.') {
        let problem = check.at(&ZONE_NAME, &path, format!("{zone:?} is not a domain"));
        let tidied = zone.trim_end_matches('.').to_lowercase();
        let problem = match check_domain(&tidied) {
            Ok(()) if tidied.contains('.') => problem.help(format!("write zone = \"{tidied}\"")),
            _ if zone == "none" => problem.help("for no public names, write public = false"),
            _ => problem.note("a domain is lower case and has a dot, for example poeticoding.com"),
        };
        check.report(problem);
        return;
    }
    let Some(name) = &check.file.name else { return };
    if check_domain(name).is_ok() && !is_within(name, zone) {
        let mut problem = check
            .at(&OUTSIDE, &path, format!("the cluster's name, {name}, is not in the hosted zone {zone}"))
            .help(format!("name the zone that {name} ends in, or name the cluster something.{zone}"));
        if let Some(span) = check.span(&["name"]) {
            problem = problem.related(span, "the cluster's name");
        }
        check.report(problem);
    }
}
