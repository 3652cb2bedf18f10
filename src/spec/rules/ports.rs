//! Rules about the ports of a service, and the port of its readiness check.

use std::collections::BTreeMap;

use super::super::complete::port;
use super::super::diagnostic::Severity::Error;
use super::super::file::ServiceFile;
use super::super::service::{Port, Service, Transport};
use super::{FileCheck, Rule, nodes};

pub(super) static RULES: [&Rule; 3] = [&PORT, &TAKEN, &HEALTH];

/// Maximum length of a port's name in Kubernetes, less the suffix that tells TCP and UDP apart.
const LONGEST_NAME: usize = 15;

static PORT: Rule = Rule {
    code: "Q0513",
    severity: Error,
    title: "that is not a port",
    explanation: "A port in `ports` is a number from 1 to 65535, and behind a slash what it speaks: `tcp` (which need not \
        be said), `udp`, or `tcp+udp`.",
    bad: "service \"game\" {\n  image = \"game:1\"\n  ports = { play = \"udp/7777\" }\n}",
    good: "service \"game\" {\n  image = \"game:1\"\n  ports = { play = \"7777/udp\" }\n}",
};

static TAKEN: Rule = Rule {
    code: "Q0518",
    severity: Error,
    title: "a port that a service has already",
    explanation: "A container listens on a port once, and each port has a name of its own. The port of `port` is called \
        `main`. One that speaks both TCP and UDP is one port: `53/tcp+udp`.",
    bad: "service \"web\" {\n  image = \"nginx:1.27\"\n  port  = 80\n  ports = { metrics = \"80\" }\n}",
    good: "service \"web\" {\n  image = \"nginx:1.27\"\n  port  = 80\n  ports = { metrics = \"9113\" }\n}",
};

static HEALTH: Rule = Rule {
    code: "Q0519",
    severity: Error,
    title: "a health check that no port answers",
    explanation: "A health check asks by HTTP, so the container has to listen on a port that speaks TCP. `health.port` \
        names one of the service's ports; without it, that of `port` is asked, or the first one by name.",
    bad: "service \"worker\" {\n  image = \"worker:1\"\n  health {\n    path = \"/health\"\n  }\n}",
    good: "service \"worker\" {\n  image = \"worker:1\"\n  ports = { status = \"9090\" }\n  health {\n    path = \"/health\"\n  }\n}",
};

pub(super) fn check(check: &mut FileCheck, name: &str, service: &ServiceFile) {
    for (port_name, text) in service.ports.iter().flatten() {
        let path = ["service", name, "ports", port_name];
        nodes::check_name(check, &path, LONGEST_NAME, "a port");
        if port(text).is_none() {
            let problem = check
                .at(&PORT, &path, format!("{text:?} is not a port"))
                .expected(["a number, and what it speaks, for example \"7777/udp\""]);
            check.report(problem);
        }
    }
    taken(check, name, service);
    health(check, name, service);
}

/// Returns the valid ports, by name.
pub(super) fn known(service: &ServiceFile) -> BTreeMap<String, Port> {
    let named = service.ports.iter().flatten().filter_map(|(name, text)| Some((name.clone(), port(text)?)));
    let main = service.port.and_then(|number| number.try_into().ok());
    let main = main.map(|number| (Service::MAIN.to_owned(), Port { number, transport: Transport::Tcp }));
    named.chain(main).collect()
}

/// Returns `true` if the file has a port of this name, valid or not.
fn is_written(service: &ServiceFile, name: &str) -> bool {
    service.ports.as_ref().is_some_and(|ports| ports.contains_key(name))
}

/// Returns `true` if a service has settings for ports, valid or not.
pub(super) fn listens(check: &FileCheck, name: &str) -> bool {
    ["port", "ports"].iter().any(|setting| check.tree.find(&["service", name, setting]).is_some())
}

fn taken(check: &mut FileCheck, name: &str, service: &ServiceFile) {
    let mut first: BTreeMap<(u16, Transport), &str> = BTreeMap::new();
    let ports = known(service);
    if service.port.is_some() && is_written(service, Service::MAIN) {
        let problem = check
            .at_key(&TAKEN, &["service", name, "ports", Service::MAIN], "`main` is the name of the port of `port`")
            .related(check.tree.span(&["service", name, "port"]), "this one")
            .help("give it another name");
        check.report(problem);
        return;
    }
    for (both, _) in ports.iter().filter(|(_, port)| port.transport == Transport::Both) {
        for made in ["tcp", "udp"].map(|protocol| format!("{both}-{protocol}")) {
            if is_written(service, &made) {
                let problem = check
                    .at_key(
                        &TAKEN,
                        &["service", name, "ports", &made],
                        format!("`{made}` is a half of the port `{both}`"),
                    )
                    .related(check.tree.span(&["service", name, "ports", both]), "which speaks TCP and UDP")
                    .help("give it another name");
                check.report(problem);
            }
        }
    }
    // `main` first: it is the other one that is one too many.
    let (main, others): (Vec<_>, Vec<_>) = ports.iter().partition(|(port_name, _)| *port_name == Service::MAIN);
    for (port_name, port) in main.into_iter().chain(others) {
        for protocol in port.transport.each() {
            let Some(other) = first.insert((port.number, *protocol), port_name) else { continue };
            let problem = check
                .at(
                    &TAKEN,
                    &["service", name, "ports", port_name],
                    format!("{} by {} is the port `{other}` already", port.number, protocol.as_str()),
                )
                .related(place(check, name, other), "first here")
                .help("remove one of them");
            check.report(problem);
            break;
        }
    }
}

/// Returns the place of a port in the file.
fn place(check: &FileCheck, name: &str, port: &str) -> super::Span {
    match port {
        Service::MAIN if check.span(&["service", name, "port"]).is_some() => {
            check.tree.span(&["service", name, "port"])
        }
        port => check.tree.span(&["service", name, "ports", port]),
    }
}

fn health(check: &mut FileCheck, name: &str, service: &ServiceFile) {
    let Some(health) = &service.health else { return };
    let ports = known(service);
    let tcp = |port: &Port| port.transport != Transport::Udp;
    let problem = match &health.port {
        Some(named) if ports.get(named).is_some_and(tcp) => return,
        // One that cannot be read is reported already.
        Some(named) if !ports.contains_key(named) && is_written(service, named) => return,
        Some(named) if ports.contains_key(named) => check
            .at(&HEALTH, &["service", name, "health", "port"], format!("the port `{named}` speaks UDP alone"))
            .note("a health check asks by HTTP"),
        Some(named) => check
            .at(&HEALTH, &["service", name, "health", "port"], format!("`service.{name}` has no port `{named}`"))
            .expected(ports.iter().filter(|(_, port)| tcp(port)).map(|(name, _)| format!("{name:?}")))
            .did_you_mean_as(named, ports.keys().map(String::as_str), |name| format!("{name:?}")),
        None if ports.values().any(tcp) || (ports.is_empty() && listens(check, name)) => return,
        None => check
            .at_key(&HEALTH, &["service", name, "health"], format!("`service.{name}` has no port that can be asked"))
            .note("a health check asks by HTTP, so it needs a port that speaks TCP"),
    };
    check.report(problem);
}
