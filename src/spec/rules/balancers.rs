//! Rules about the load balancers of services: their clients, and their names.

use std::collections::BTreeMap;

use super::super::cluster::ClusterName;
use super::super::defaults;
use super::super::diagnostic::{Diagnostic, Severity::Error};
use super::super::file::ServiceFile;
use super::super::name::{check_domain, is_within};
use super::super::service::Nlb;
use super::ports::PortsDraft;
use super::services::Surroundings;
use super::{ErrorReported, LoweringContext, OptionalSetting, Rule, Span, Spanned, access, listeners};

pub(super) static RULES: [&Rule; 4] = [&NO_PORT, &DOMAIN_TWICE, &DOMAIN, &OUTSIDE];

/// The service behind each name of a load balancer, with the place of the name.
#[derive(Debug, Default)]
pub(super) struct ServiceNames {
    /// The domains of network load balancers.
    pub(super) domains: BTreeMap<String, (String, Span)>,
    /// The hosts on the web, each with a path.
    pub(super) web: BTreeMap<(String, String), (String, Span)>,
}

impl ServiceNames {
    /// Returns a service on the web at a host, with the place of the host.
    fn on_the_web(&self, host: &str) -> Option<&(String, Span)> {
        self.web.iter().find(|((known, _), _)| known == host).map(|(_, place)| place)
    }
}

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
    title: "a domain that is used twice",
    explanation: "A domain points to one load balancer, for all of its ports: two services cannot share it. `api.` \
        before the cluster's name is the Kubernetes API's.",
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

pub(super) fn read(
    context: &mut LoweringContext,
    name: &str,
    file: &ServiceFile,
    ports: &PortsDraft,
    around: &Surroundings,
    names: &mut ServiceNames,
) -> Result<Option<Nlb>, ErrorReported> {
    let Some(written) = &file.nlb else { return Ok(None) };
    let nlb = written.value()?;
    let listeners = if ports.is_empty() {
        let message = format!("`service.{name}` has a load balancer but no port");
        let problem = Diagnostic::new(&NO_PORT, written.key.clone(), message);
        Err(context.error(problem.help("add the port that the container listens on, for example: port = 4000")))
    } else {
        listeners::read(context, name, written, nlb, ports)
    };
    let allow = access::allow(context, nlb.allow.as_ref(), |_, _| None);
    let domain = nlb.domain.as_ref().map(|written| domain(context, name, written, around, names)).transpose();
    let internal = nlb.internal.optional()?.copied().unwrap_or(false);
    Ok(Some(Nlb {
        listeners: listeners?,
        domain: domain?,
        allow: match allow? {
            Some(networks) => networks,
            None if internal => vec![around.network.as_ref().map(|network| network.cidr).map_err(|proof| *proof)?],
            None => vec![defaults::EVERYBODY],
        },
        internal,
        cross_zone: nlb.cross_zone.optional()?.copied().unwrap_or(true),
        sticky: nlb.sticky.optional()?.copied().unwrap_or(false),
        preserve_client_ip: nlb.preserve_client_ip.optional()?.copied().unwrap_or(false),
    }))
}

/// The domain of a load balancer: in the hosted zone, and leading nowhere else.
fn domain(
    context: &mut LoweringContext,
    name: &str,
    written: &Spanned<String>,
    around: &Surroundings,
    names: &mut ServiceNames,
) -> Result<String, ErrorReported> {
    let domain = written.value()?;
    let other = names.domains.get(domain).or_else(|| names.on_the_web(domain));
    let problem = shape_problem(domain, &written.span)
        .or_else(|| outside_problem(context, domain, &written.span, around))
        .or_else(|| taken_problem(context, domain, &written.span, around.name, other));
    if let Some(problem) = problem {
        return Err(context.error(problem));
    }
    names.domains.insert(domain.clone(), (name.to_owned(), written.span.clone()));
    Ok(domain.clone())
}

fn shape_problem(domain: &str, span: &Span) -> Option<Diagnostic> {
    if check_domain(domain).is_ok() && domain.contains('.') {
        return None;
    }
    let problem = Diagnostic::new(&DOMAIN, span.clone(), format!("{domain:?} is not a domain"));
    let bare = domain.split_once("://").map_or(domain, |(_, rest)| rest);
    let bare = bare.split(['/', ':']).next().unwrap_or(bare).to_lowercase();
    Some(match check_domain(&bare) {
        Ok(()) if bare.contains('.') => problem.help(format!("write domain = \"{bare}\"")),
        _ => problem.note("a domain is lower case and has a dot, for example chat.poeticoding.com"),
    })
}

pub(super) fn outside_problem(
    context: &LoweringContext,
    domain: &str,
    span: &Span,
    around: &Surroundings,
) -> Option<Diagnostic> {
    let dns = context.file.dns.given()?;
    if dns.public.given() == Some(&false) {
        return Some(
            Diagnostic::new(&OUTSIDE, span.clone(), "a domain needs public names, and `dns.public` is false")
                .related(dns.public.place(), "no public names")
                .help("remove the domain, or remove `public`"),
        );
    }
    let zone = around.dns.hosted_zone.as_ref().filter(|zone| !is_within(domain, zone))?;
    Some(
        Diagnostic::new(&OUTSIDE, span.clone(), format!("{domain} is not in the hosted zone {zone}"))
            .related(dns.zone.place(), "the hosted zone")
            .help(format!("choose a domain that ends in .{zone}")),
    )
}

/// A domain that leads somewhere else already.
pub(super) fn taken_problem(
    context: &LoweringContext,
    domain: &str,
    span: &Span,
    cluster: &Result<ClusterName, ErrorReported>,
    other: Option<&(String, Span)>,
) -> Option<Diagnostic> {
    let of_api = domain.strip_prefix("api.");
    if cluster.as_ref().is_ok_and(|cluster| of_api == Some(cluster.as_str())) {
        return Some(
            Diagnostic::new(&DOMAIN_TWICE, span.clone(), format!("{domain} is the name of the Kubernetes API"))
                .related(context.file.name.place(), "of this cluster")
                .help("choose another domain"),
        );
    }
    let (other, first) = other?;
    Some(
        Diagnostic::new(&DOMAIN_TWICE, span.clone(), format!("{domain} belongs to `service.{other}` already"))
            .related(first.clone(), "first here")
            .help("give one of them another domain"),
    )
}
