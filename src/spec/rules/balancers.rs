//! Rules about the load balancers of services: their clients, and their names.

use std::collections::BTreeMap;

use super::super::diagnostic::{Diagnostic, Severity::Error};
use super::super::file::ServiceFile;
use super::super::name::{check_domain, is_within};
use super::super::source::Span;
use super::{FileCheck, Rule, cidr, dns, listeners, ports};

pub(super) static RULES: [&Rule; 4] = [&NO_PORT, &DOMAIN_TWICE, &DOMAIN, &OUTSIDE];

/// The service behind each domain, with the place of the domain.
pub(super) type ServiceDomains = BTreeMap<String, (String, Span)>;

static NO_PORT: Rule = Rule {
    code: "Q0502",
    severity: Error,
    title: "a load balancer before a service without a port",
    explanation: "The load balancer passes connections on to the port that the container listens \
        on, so the service has to say which: `port`, or `ports` for several.",
    bad: "service \"web\" {\n  image = \"nginx:1.27\"\n  nlb {\n    port = 80\n  }\n}",
    good: "service \"web\" {\n  image = \"nginx:1.27\"\n  port  = 80\n  nlb {\n    port = 80\n  }\n}",
};

static DOMAIN_TWICE: Rule = Rule {
    code: "Q0503",
    severity: Error,
    title: "a domain that leads somewhere already",
    explanation: "A domain leads to one load balancer, whatever the port: two services cannot share it. `api.` before the \
        cluster's name is the Kubernetes API's.",
    bad: "service \"a\" {\n  image = \"nginx:1.27\"\n  port  = 80\n  nlb {\n    port   = 80\n    domain = \"www.poeticoding.com\"\n  }\n}\n\nservice \"b\" {\n  image = \"nginx:1.27\"\n  port  = 80\n  nlb {\n    port   = 8080\n    domain = \"www.poeticoding.com\"\n  }\n}",
    good: "service \"a\" {\n  image = \"nginx:1.27\"\n  port  = 80\n  nlb {\n    port   = 80\n    domain = \"www.poeticoding.com\"\n  }\n}",
};

static DOMAIN: Rule = Rule {
    code: "Q0504",
    severity: Error,
    title: "that is not a domain",
    explanation: "A service's domain is a DNS name with a dot, without `https://` before it and \
        without a path or port behind it.",
    bad: "service \"web\" {\n  image = \"nginx:1.27\"\n  port  = 80\n  nlb {\n    port   = 80\n    domain = \"https://www.poeticoding.com\"\n  }\n}",
    good: "service \"web\" {\n  image = \"nginx:1.27\"\n  port  = 80\n  nlb {\n    port   = 80\n    domain = \"www.poeticoding.com\"\n  }\n}",
};

static OUTSIDE: Rule = Rule {
    code: "Q0505",
    severity: Error,
    title: "a domain outside the cluster's hosted zone",
    explanation: "The record of a service's domain is made in the hosted zone that `dns.zone` names, \
        so the domain must be the zone's name or end in it; and with `dns.public = false` there are \
        no records.",
    bad: "name = \"chat.poeticoding.com\"\n\ndns {\n  zone = \"poeticoding.com\"\n}\n\nservice \"web\" {\n  image = \"nginx:1.27\"\n  port  = 80\n  nlb {\n    port   = 80\n    domain = \"www.example.com\"\n  }\n}",
    good: "name = \"chat.poeticoding.com\"\n\ndns {\n  zone = \"poeticoding.com\"\n}\n\nservice \"web\" {\n  image = \"nginx:1.27\"\n  port  = 80\n  nlb {\n    port   = 80\n    domain = \"www.poeticoding.com\"\n  }\n}",
};

pub(super) fn check(check: &mut FileCheck, name: &str, service: &ServiceFile, domains: &mut ServiceDomains) {
    let Some(nlb) = &service.nlb else { return };
    if ports::listens(check, name) {
        listeners::check(check, name, service, nlb);
    } else {
        let problem = check
            .at_key(&NO_PORT, &["service", name, "nlb"], format!("`service.{name}` has a load balancer but no port"))
            .help("add the port that the container listens on, for example: port = 4000");
        check.report(problem);
    }
    for (range, span) in check.texts(&["service", name, "nlb", "allow"]) {
        if let Err(problem) = cidr::read(&range, &span, 32) {
            check.report(*problem);
        }
    }
    if let Some(wanted) = &nlb.domain
        && domain(check, name, wanted)
    {
        free(check, name, wanted, domains);
    }
}

/// Checks that a domain is not used elsewhere.
fn free(check: &mut FileCheck, name: &str, domain: &str, domains: &mut ServiceDomains) {
    let span = check.tree.span(&["service", name, "nlb", "domain"]);
    let cluster = check.file.name.as_deref().unwrap_or_default();
    if domain.strip_prefix("api.") == Some(cluster) {
        let problem = Diagnostic::new(&DOMAIN_TWICE, span, format!("{domain} is the name of the Kubernetes API"))
            .related(check.tree.span(&["name"]), "of this cluster")
            .help("choose another domain");
        check.report(problem);
    } else if let Some((other, first)) = domains.get(domain) {
        let problem = Diagnostic::new(&DOMAIN_TWICE, span, format!("{domain} belongs to `service.{other}` already"))
            .related(first.clone(), "first here")
            .help("give one of them another domain");
        check.report(problem);
    } else {
        domains.insert(domain.to_owned(), (name.to_owned(), span));
    }
}

fn domain(check: &mut FileCheck, name: &str, domain: &str) -> bool {
    let path = ["service", name, "nlb", "domain"];
    if check_domain(domain).is_err() || !domain.contains('.') {
        let problem = check.at(&DOMAIN, &path, format!("{domain:?} is not a domain"));
        let bare = domain.split_once("://").map_or(domain, |(_, rest)| rest);
        let bare = bare.split(['/', ':']).next().unwrap_or(bare).to_lowercase();
        check.report(match check_domain(&bare) {
            Ok(()) if bare.contains('.') => problem.help(format!("write domain = \"{bare}\"")),
            _ => problem.note("a domain is lower case and has a dot, for example chat.poeticoding.com"),
        });
        return false;
    }
    if check.file.dns.as_ref().is_some_and(|dns| dns.public == Some(false)) {
        let problem = check
            .at(&OUTSIDE, &path, "a domain needs public names, and `dns.public` is false")
            .related(check.tree.span(&["dns", "public"]), "no public names")
            .help("remove the domain, or remove `public`");
        check.report(problem);
        return false;
    }
    let Some(zone) = dns::hosted_zone(check).filter(|zone| !is_within(domain, zone)) else {
        return true;
    };
    let problem = check
        .at(&OUTSIDE, &path, format!("{domain} is not in the hosted zone {zone}"))
        .related(check.tree.span(&["dns", "zone"]), "the hosted zone")
        .help(format!("choose a domain that ends in .{zone}"));
    check.report(problem);
    false
}
