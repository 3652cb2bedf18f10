//! Rules about services on the web: their hosts and paths, and the load balancer that they share.

use std::collections::BTreeSet;

use super::super::cluster::Web;
use super::super::diagnostic::{Diagnostic, Severity::Error};
use super::super::file::{HttpFile, ServiceFile};
use super::super::name::{check_domain, check_label};
use super::super::service::{Http, Service, Transport};
use super::balancers::{ServiceNames, outside_problem, taken_problem};
use super::ports::PortsDraft;
use super::services::Surroundings;
use super::{ErrorReported, LoweringContext, OptionalSetting, Rule, Span, Spanned, access, all, listeners, pods, tls};

pub(super) static RULES: [&Rule; 7] = [&HOST, &HOSTS, &PATH, &TWICE, &ZONES, &SIZE, &SUBNETS];

/// Maximum number of characters of a host: it is the common name of a certificate.
const LONGEST_HOST: usize = 64;
/// Maximum number of characters of a path: with `/*` behind it, it is a pattern of a rule.
const LONGEST_PATH: usize = 126;
/// Longest prefix of a subnet that AWS makes an application load balancer in.
const LONGEST_SUBNET: u8 = 27;
/// Maximum number of hosts: ELB's quota of 25 certificates on a load balancer beside the default one.
const MOST_HOSTS: usize = 26;
/// Maximum number of hosts and paths: ELB's quota of rules on a load balancer.
const MOST_RULES: usize = 100;

static HOST: Rule = Rule {
    code: "Q0551",
    severity: Error,
    title: "that is not a host",
    explanation: "A host is a label, which is put before the cluster's name, or a full DNS name, without `https://` before it and \
        without a path or port behind it. It has at most 64 characters, as it is the name in a certificate.",
    bad: "service \"web\" {\n  image = \"nginx:1.27\"\n  port  = 80\n  http {\n    host = \"https://www.poeticoding.com\"\n  }\n}",
    good: "service \"web\" {\n  image = \"nginx:1.27\"\n  port  = 80\n  http {\n    host = \"www\"\n  }\n}",
};

static HOSTS: Rule = Rule {
    code: "Q0552",
    severity: Error,
    title: "a service on the web without a host, or with two settings for it",
    explanation: "Clients reach a service on the web by a host: `host` names one, `hosts` several. A block has one of the two.",
    bad: "service \"web\" {\n  image = \"nginx:1.27\"\n  port  = 80\n  http {}\n}",
    good: "service \"web\" {\n  image = \"nginx:1.27\"\n  port  = 80\n  http {\n    hosts = [\"www\", \"shop\"]\n  }\n}",
};

static PATH: Rule = Rule {
    code: "Q0553",
    severity: Error,
    title: "that is not a path on the web",
    explanation: "A path begins with a slash and does not end in one, unless it is `/`. It has letters, digits and `_-.`, and at \
        most 126 characters. It stands for everything below it too, so it has no `*`.",
    bad: "service \"web\" {\n  image = \"nginx:1.27\"\n  port  = 80\n  http {\n    host = \"www\"\n    path = \"/api/*\"\n  }\n}",
    good: "service \"web\" {\n  image = \"nginx:1.27\"\n  port  = 80\n  http {\n    host = \"www\"\n    path = \"/api\"\n  }\n}",
};

static TWICE: Rule = Rule {
    code: "Q0554",
    severity: Error,
    title: "a host and path that are used twice",
    explanation: "Requests for a path of a host go to one service. Services share a host by different paths.",
    bad: "service \"a\" {\n  image = \"nginx:1.27\"\n  port  = 80\n  http {\n    host = \"www\"\n  }\n}\n\nservice \"b\" {\n  image = \"nginx:1.27\"\n  port  = 80\n  http {\n    host = \"www\"\n  }\n}",
    good: "service \"a\" {\n  image = \"nginx:1.27\"\n  port  = 80\n  http {\n    host = \"www\"\n  }\n}\n\nservice \"b\" {\n  image = \"nginx:1.27\"\n  port  = 80\n  http {\n    host = \"www\"\n    path = \"/api\"\n  }\n}",
};

static ZONES: Rule = Rule {
    code: "Q0555",
    severity: Error,
    title: "a service on the web of a cluster in one zone",
    explanation: "AWS makes an application load balancer in two or more zones only. A cluster in one zone uses `nlb`, or lists a \
        second zone in `zones`: that adds a subnet, and no machine by itself.",
    bad: "zones = [\"us-east-1a\"]\n\nservice \"web\" {\n  image = \"nginx:1.27\"\n  port  = 80\n  http {\n    host = \"www\"\n  }\n}",
    good: "zones = [\"us-east-1a\", \"us-east-1b\"]\n\nservice \"web\" {\n  image = \"nginx:1.27\"\n  port  = 80\n  http {\n    host = \"www\"\n  }\n}",
};

static SIZE: Rule = Rule {
    code: "Q0556",
    severity: Error,
    title: "more hosts or paths than a load balancer takes",
    explanation: "All services on the web share one load balancer. AWS gives it at most 26 certificates, so there are at most 26 \
        hosts, and at most 100 rules, one for each host and path.",
    bad: "service \"web\" {\n  image = \"nginx:1.27\"\n  port  = 80\n  http {\n    hosts = [for n in range(27) : \"www${n}\"]\n  }\n}",
    good: "service \"web\" {\n  image = \"nginx:1.27\"\n  port  = 80\n  http {\n    hosts = [for n in range(26) : \"www${n}\"]\n  }\n}",
};

static SUBNETS: Rule = Rule {
    code: "Q0557",
    severity: Error,
    title: "subnets that are too small for a service on the web",
    explanation: "AWS makes an application load balancer only in subnets of /27 or larger, because it takes up to eight addresses of \
        each. Without `network.subnets`, subnets are eighths of the VPC's range; with private machines, those of load balancers are \
        eighths of the first eighth.",
    bad: "zones = [\"us-east-1a\", \"us-east-1b\"]\n\nnetwork {\n  cidr = \"10.0.0.0/25\"\n}\n\nservice \"web\" {\n  image = \"nginx:1.27\"\n  port  = 80\n  http {\n    host = \"www\"\n  }\n}",
    good: "zones = [\"us-east-1a\", \"us-east-1b\"]\n\nnetwork {\n  cidr = \"10.0.0.0/24\"\n}\n\nservice \"web\" {\n  image = \"nginx:1.27\"\n  port  = 80\n  http {\n    host = \"www\"\n  }\n}",
};

/// The load balancer of all services on the web.
pub(super) fn balancer(context: &mut LoweringContext) -> Result<Web, ErrorReported> {
    let defaults = Web::default();
    let Some(web) = context.file.web.optional()? else { return Ok(defaults) };
    let allow = access::allow(context, web.allow.as_ref(), |_, _| None);
    let policy = tls::policy(context, web.tls_policy.as_ref());
    Ok(Web {
        allow: allow?.unwrap_or(defaults.allow),
        idle_seconds: web.idle_seconds.optional()?.copied().unwrap_or(defaults.idle_seconds),
        redirect: web.redirect.optional()?.copied().unwrap_or(defaults.redirect),
        tls_policy: policy?,
    })
}

/// The place of a service on the web.
pub(super) fn read(
    context: &mut LoweringContext,
    name: &str,
    file: &ServiceFile,
    ports: &PortsDraft,
    around: &Surroundings,
    names: &mut ServiceNames,
) -> Result<Option<Http>, ErrorReported> {
    let Some(written) = &file.http else { return Ok(None) };
    let http = written.value()?;
    let zones = zones(context, name, written).and(subnets(context, name, written, around));
    let path = http.path.as_ref().map_or(Ok("/".to_owned()), |written| path(context, written));
    let hosts = hosts(context, name, written, http, path.as_ref().ok(), around, names);
    let target = target(context, name, written, http, ports);
    let health_path = match &http.health_path {
        Some(written) => pods::absolute_named(context, Some(written), "health_path"),
        None => Ok(health_path(file)),
    };
    let certificate = http.certificate.as_ref().map(|written| tls::certificate(context, written)).transpose();
    zones?;
    Ok(Some(Http { hosts: hosts?, path: path?, target: target?, health_path: health_path?, certificate: certificate? }))
}

/// Checks the size of the load balancer that all services share.
pub(super) fn check_sizes(context: &mut LoweringContext, names: &ServiceNames) {
    let hosts: BTreeSet<&str> = names.web.keys().map(|(host, _)| host.as_str()).collect();
    let message = if hosts.len() > MOST_HOSTS {
        format!("services on the web have {} hosts, and a load balancer takes {MOST_HOSTS}", hosts.len())
    } else if names.web.len() > MOST_RULES {
        format!("services on the web have {} hosts and paths, and a load balancer takes {MOST_RULES}", names.web.len())
    } else {
        return;
    };
    let place = names.web.values().last().map(|(_, place)| place.clone()).unwrap_or_default();
    context.error(Diagnostic::new(&SIZE, place, message).help("give some services paths of the same host, or `nlb`"));
}

/// The path of the service's own health check, where there is one.
fn health_path(file: &ServiceFile) -> String {
    let own = file.health.given().filter(|health| health.port.is_none()).and_then(|health| health.path.given());
    own.cloned().unwrap_or_else(|| "/".to_owned())
}

fn zones(context: &mut LoweringContext, name: &str, written: &Spanned<HttpFile>) -> Result<(), ErrorReported> {
    // Zones that cannot be read are reported already.
    let all = context.file.zones.given().map_or(0, Vec::len);
    if context.zones.len() != 1 || all != 1 {
        return Ok(());
    }
    let message = format!("`service.{name}` needs a load balancer in two zones, and the cluster has one");
    let problem = Diagnostic::new(&ZONES, written.key.clone(), message)
        .related(context.file.zones.place(), "the only zone")
        .help("list a second zone in `zones`, or use `nlb`");
    Err(context.error(problem))
}

fn subnets(
    context: &mut LoweringContext,
    name: &str,
    written: &Spanned<HttpFile>,
    around: &Surroundings,
) -> Result<(), ErrorReported> {
    let network = around.network.as_ref().map_err(|proof| *proof)?;
    let small = network.subnets.iter().find(|(_, subnet)| subnet.prefix_len() > LONGEST_SUBNET);
    let Some((zone, subnet)) = small else { return Ok(()) };
    let message =
        format!("the load balancer of `service.{name}` needs subnets of /{LONGEST_SUBNET}, and {zone} has {subnet}");
    let problem = Diagnostic::new(&SUBNETS, written.key.clone(), message)
        .help("a larger `network.cidr`, or larger `network.subnets`, makes room");
    Err(context.error(problem))
}

fn hosts(
    context: &mut LoweringContext,
    service: &str,
    block: &Spanned<HttpFile>,
    http: &HttpFile,
    path: Option<&String>,
    around: &Surroundings,
    names: &mut ServiceNames,
) -> Result<Vec<String>, ErrorReported> {
    let written: Vec<&Spanned<String>> = match (&http.host, &http.hosts) {
        (Some(one), None) => vec![one],
        (None, Some(several)) => several.value()?.iter().collect(),
        (Some(one), Some(several)) => {
            let problem = Diagnostic::new(&HOSTS, one.key.clone(), "`host` and `hosts` exclude each other")
                .related(several.key.clone(), "the list")
                .help("add the host to the list");
            return Err(context.error(problem));
        }
        (None, None) => Vec::new(),
    };
    if written.is_empty() {
        let place = http.hosts.as_ref().map_or_else(|| block.key.clone(), |hosts| hosts.span.clone());
        let message = format!("`service.{service}` has no host");
        let problem = Diagnostic::new(&HOSTS, place, message);
        return Err(context.error(problem.help("add the host that clients connect to, for example: host = \"www\"")));
    }
    let mut hosts: Vec<String> =
        all(written.into_iter().map(|written| host(context, service, written, path, around, names)))?;
    hosts.sort();
    Ok(hosts)
}

/// The full name of a host, which no other service has with the same path.
fn host(
    context: &mut LoweringContext,
    service: &str,
    written: &Spanned<String>,
    path: Option<&String>,
    around: &Surroundings,
    names: &mut ServiceNames,
) -> Result<String, ErrorReported> {
    let text = written.value()?;
    let full = if text.contains('.') {
        text.clone()
    } else if check_label(text).is_ok() {
        format!("{text}.{}", around.name.as_ref().map_err(|proof| *proof)?)
    } else {
        text.clone()
    };
    let problem = shape_problem(&full, text, &written.span)
        .or_else(|| outside_problem(context, &full, &written.span, around))
        .or_else(|| taken_problem(context, &full, &written.span, around.name, names.domains.get(&full)))
        .or_else(|| twice_problem(&full, path?, &written.span, names));
    if let Some(problem) = problem {
        return Err(context.error(problem));
    }
    if let Some(path) = path {
        names.web.insert((full.clone(), path.clone()), (service.to_owned(), written.span.clone()));
    }
    Ok(full)
}

fn shape_problem(full: &str, text: &str, span: &Span) -> Option<Diagnostic> {
    if check_domain(full).is_ok() && full.contains('.') {
        let length = full.chars().count();
        let message = format!("{full} has {length} characters, and a host has at most {LONGEST_HOST}");
        return (length > LONGEST_HOST).then(|| Diagnostic::new(&HOST, span.clone(), message));
    }
    let problem = Diagnostic::new(&HOST, span.clone(), format!("{text:?} is not a host"));
    let bare = text.split_once("://").map_or(text, |(_, rest)| rest);
    let (bare, behind) = bare.find(['/', ':']).map_or((bare, ""), |at| bare.split_at(at));
    let bare = bare.to_lowercase();
    Some(match (check_domain(&bare), behind) {
        (Ok(()), "" | "/") if bare != text => problem.help(format!("write host = \"{bare}\"")),
        (Ok(()), path) if path.starts_with('/') => {
            problem.help(format!("write host = \"{bare}\" and path = \"{}\"", path.trim_end_matches('/')))
        }
        (Ok(()), _) => problem.note("clients connect to port 443"),
        _ => problem.note("a host is a label or a domain in lower case, for example www or www.poeticoding.com"),
    })
}

fn twice_problem(host: &str, path: &str, span: &Span, names: &ServiceNames) -> Option<Diagnostic> {
    let (other, first) = names.web.get(&(host.to_owned(), path.to_owned()))?;
    let place = if path == "/" { host.to_owned() } else { format!("{host}{path}") };
    Some(
        Diagnostic::new(&TWICE, span.clone(), format!("{place} belongs to `service.{other}` already"))
            .related(first.clone(), "first here")
            .help("give one of them another host or path"),
    )
}

fn path(context: &mut LoweringContext, written: &Spanned<String>) -> Result<String, ErrorReported> {
    let path = written.value()?;
    let allowed = |c: char| c.is_ascii_alphanumeric() || "/_-.".contains(c);
    let has_form = path.starts_with('/') && (path == "/" || !path.ends_with('/')) && !path.contains("//");
    if has_form && path.len() <= LONGEST_PATH && path.chars().all(allowed) {
        return Ok(path.clone());
    }
    let problem = Diagnostic::new(&PATH, written.span.clone(), format!("{path:?} is not a path on the web"));
    let tidied = format!("/{}", path.trim_end_matches('*').trim_matches('/'));
    let is_good = tidied != *path && tidied.len() <= LONGEST_PATH && tidied.chars().all(allowed);
    Err(context.error(if is_good && !tidied.contains("//") {
        problem.help(format!("write path = \"{tidied}\": it stands for everything below it too"))
    } else {
        problem.note("letters, digits and _-. between slashes, at most 126 characters")
    }))
}

/// The name of the port that requests go to.
fn target(
    context: &mut LoweringContext,
    service: &str,
    block: &Spanned<HttpFile>,
    http: &HttpFile,
    ports: &PortsDraft,
) -> Result<String, ErrorReported> {
    let named = http.target.optional()?;
    match listeners::meant(named.map(String::as_str), &ports.known) {
        Some((name, port)) if port.transport == Transport::Tcp => return Ok(name.to_owned()),
        Some((name, port)) => {
            let place = http.target.span().unwrap_or_else(|| block.key.clone());
            let message = format!("the port `{name}` has the protocol {}, and HTTP needs TCP", port.transport.as_str());
            return Err(context.error(Diagnostic::new(&listeners::PROTOCOL, place, message)));
        }
        None => {}
    }
    // Ports that cannot be read are reported already.
    if let Some(proof) = ports.unreadable(named.map_or(Service::MAIN, String::as_str)) {
        return Err(proof);
    }
    let known = || ports.known.keys().map(String::as_str);
    let problem = match named {
        Some(named) => {
            let message = format!("`service.{service}` has no port `{named}`");
            Diagnostic::new(&listeners::TARGET, http.target.place(), message)
                .expected(known().map(|name| format!("{name:?}")))
                .did_you_mean_as(named, known(), |name| format!("{name:?}"))
        }
        None if ports.is_empty() => {
            let message = format!("`service.{service}` is on the web and has no port");
            Diagnostic::new(&listeners::TARGET, block.key.clone(), message)
                .help("add the port that the container listens on, for example: port = 4000")
        }
        None => {
            let message = format!("`service.{service}` has several ports, and none is `main`");
            Diagnostic::new(&listeners::TARGET, block.key.clone(), message)
                .expected(known().map(|name| format!("target = {name:?}")))
        }
    };
    Err(context.error(problem))
}
