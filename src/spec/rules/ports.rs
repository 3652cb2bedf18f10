//! Rules about the ports of a service, and the port of its readiness check.

use std::collections::{BTreeMap, BTreeSet};

use super::super::diagnostic::{Diagnostic, Severity::Error};
use super::super::file::ServiceFile;
use super::super::service::{Health, Port, Service, Transport};
use super::{ErrorReported, LoweringContext, OptionalSetting, Rule, Span, Spanned, all, nodes, pods};

pub(super) static RULES: [&Rule; 3] = [&PORT, &TAKEN, &HEALTH];

/// Maximum length of a port's name in Kubernetes, less the suffix that distinguishes TCP and UDP.
const LONGEST_NAME: usize = 15;

static PORT: Rule = Rule {
    code: "Q0513",
    severity: Error,
    title: "that is not a port",
    explanation: "A port in `ports` is a number from 1 to 65535, and the protocol after a slash: `tcp` (which need not \
        be given), `udp`, or `tcp+udp`.",
    bad: "service \"game\" {\n  image = \"game:1\"\n  ports = { play = \"udp/7777\" }\n}",
    good: "service \"game\" {\n  image = \"game:1\"\n  ports = { play = \"7777/udp\" }\n}",
};

static TAKEN: Rule = Rule {
    code: "Q0518",
    severity: Error,
    title: "a port that a service has already",
    explanation: "A container listens on a port once, and each port has a name of its own. The port of `port` is called \
        `main`. A port for both TCP and UDP is one port: `53/tcp+udp`.",
    bad: "service \"web\" {\n  image = \"nginx:1.27\"\n  port  = 80\n  ports = { metrics = \"80\" }\n}",
    good: "service \"web\" {\n  image = \"nginx:1.27\"\n  port  = 80\n  ports = { metrics = \"9113\" }\n}",
};

static HEALTH: Rule = Rule {
    code: "Q0519",
    severity: Error,
    title: "a health check that no port answers",
    explanation: "A health check uses HTTP, so the container has to listen on a TCP port. `health.port` \
        names one of the service's ports; without it, that of `port` is asked, or the first one by name.",
    bad: "service \"worker\" {\n  image = \"worker:1\"\n  health {\n    path = \"/health\"\n  }\n}",
    good: "service \"worker\" {\n  image = \"worker:1\"\n  ports = { status = \"9090\" }\n  health {\n    path = \"/health\"\n  }\n}",
};

/// The ports of a service, as far as they can be read.
pub(super) struct PortsDraft {
    /// Those that can be read, by name.
    pub(super) known: BTreeMap<String, Port>,
    /// Those that cannot.
    wrong: BTreeSet<String>,
    /// `Ok` if all can be read, and each has a name and a number of its own.
    good: Result<(), ErrorReported>,
    whole: Result<(), ErrorReported>,
}

impl PortsDraft {
    /// The setting of the service.
    pub(super) fn finish(self) -> Result<BTreeMap<String, Port>, ErrorReported> {
        self.good.map(|()| self.known)
    }

    /// Returns `true` if the service has no port at all, right or wrong.
    pub(super) fn is_empty(&self) -> bool {
        self.known.is_empty() && self.good.is_ok()
    }

    /// The proof that a port stands in the file, or may do so, and cannot be read: nothing follows from that it is missing.
    pub(super) fn unreadable(&self, name: &str) -> Option<ErrorReported> {
        self.whole.err().or_else(|| self.good.err().filter(|_| self.wrong.contains(name)))
    }
}

pub(super) fn read(context: &mut LoweringContext, file: &ServiceFile) -> PortsDraft {
    let mut known = BTreeMap::new();
    let mut wrong = BTreeSet::new();
    let mut add = |name: &str, port: Result<Port, ErrorReported>| {
        match port {
            Ok(port) => drop(known.insert(name.to_owned(), port)),
            Err(_) => drop(wrong.insert(name.to_owned())),
        }
        port.map(|_| ())
    };
    let listed = file.ports.optional().map(|ports| ports.into_iter().flatten());
    let named: Result<(), _> = listed.and_then(|ports| {
        all(ports.map(|(name, written)| {
            let named = nodes::check_name(context, name, &written.key, LONGEST_NAME, "a port");
            add(name, port(context, written)).and(named)
        }))
    });
    let of_sidecars = sidecars_ports(file).map(|(sidecar, port_name, written)| {
        let named = nodes::check_name(context, port_name, &written.key, LONGEST_NAME, "a port");
        let free = free_name(context, file, (sidecar, port_name, written));
        let read = port(context, written);
        // Of two ports of one name, the first one counts.
        free.and_then(|()| add(port_name, read)).and(named)
    });
    let of_sidecars: Result<(), _> = all(of_sidecars.collect::<Vec<_>>());
    let main = file.port.as_ref().map_or(Ok(()), |main| {
        add(Service::MAIN, main.value().map(|number| Port { number: *number, transport: Transport::Tcp }))
    });
    let good = taken(context, file, &known).and(main).and(named).and(of_sidecars);
    PortsDraft { known, wrong, good, whole: file.ports.optional().map(|_| ()) }
}

fn port(context: &mut LoweringContext, written: &Spanned<String>) -> Result<Port, ErrorReported> {
    let text = written.value()?;
    Port::parse(text).ok_or_else(|| {
        let problem = Diagnostic::new(&PORT, written.span.clone(), format!("{text:?} is not a port"));
        context.error(problem.expected(["a number and a protocol, for example \"7777/udp\""]))
    })
}

/// The port of this name as it is written in the file, also if it is invalid.
fn written<'f>(file: &'f ServiceFile, name: &str) -> Option<&'f Spanned<String>> {
    let own = file.ports.given().and_then(|ports| ports.get(name));
    own.or_else(|| sidecars_ports(file).find(|(_, port, _)| *port == name).map(|(_, _, written)| written))
}

/// Returns the ports of sidecars: the sidecar, the name, and the port.
fn sidecars_ports(file: &ServiceFile) -> impl Iterator<Item = SidecarPort<'_>> {
    let sidecars = file.sidecar.given().into_iter().flatten();
    let listed = sidecars.filter_map(|(sidecar, written)| Some((sidecar.as_str(), written.given()?.ports.given()?)));
    listed.flat_map(|(sidecar, ports)| ports.iter().map(move |(name, port)| (sidecar, name.as_str(), port)))
}

/// A port of a sidecar: the sidecar, the name, and the port.
type SidecarPort<'f> = (&'f str, &'f str, &'f Spanned<String>);

/// Checks that the port of a sidecar has a name that neither the service nor another sidecar uses.
fn free_name(
    context: &mut LoweringContext,
    file: &ServiceFile,
    (sidecar, name, port): SidecarPort<'_>,
) -> Result<(), ErrorReported> {
    match written(file, name) {
        Some(first) if first.key != port.key => {
            let message = format!("the port `{name}` of the sidecar {sidecar} has the name of another port");
            let problem = Diagnostic::new(&TAKEN, port.key.clone(), message).related(first.key.clone(), "first here");
            Err(context.error(problem.help("give it another name")))
        }
        _ => Ok(()),
    }
}

/// Checks that each port has a name and a number of its own.
fn taken(
    context: &mut LoweringContext,
    file: &ServiceFile,
    ports: &BTreeMap<String, Port>,
) -> Result<(), ErrorReported> {
    if let (Some(main), Some(other)) = (&file.port, written(file, Service::MAIN)) {
        let problem = Diagnostic::new(&TAKEN, other.key.clone(), "`main` is the name of the port of `port`")
            .related(main.span.clone(), "this one")
            .help("give it another name");
        return Err(context.error(problem));
    }
    let halves = halves(context, file, ports);
    numbers(context, file, ports).and(halves)
}

/// A port of TCP and UDP is two ports for Kubernetes, whose names are made from its own.
fn halves(
    context: &mut LoweringContext,
    file: &ServiceFile,
    ports: &BTreeMap<String, Port>,
) -> Result<(), ErrorReported> {
    let both = ports.iter().filter(|(_, port)| port.transport == Transport::Both);
    let made = both.flat_map(|(name, _)| ["tcp", "udp"].map(|protocol| (name, format!("{name}-{protocol}"))));
    all(made.filter_map(|(both, made)| {
        let message = format!("`{made}` is a half of the port `{both}`");
        let problem = Diagnostic::new(&TAKEN, written(file, &made)?.key.clone(), message)
            .related(place(file, both), "which is for TCP and UDP")
            .help("give it another name");
        Some(Err(context.error(problem)))
    }))
}

fn numbers(
    context: &mut LoweringContext,
    file: &ServiceFile,
    ports: &BTreeMap<String, Port>,
) -> Result<(), ErrorReported> {
    let mut first: BTreeMap<(u16, Transport), &str> = BTreeMap::new();
    // `main` first: it is the other one that is one too many.
    let (main, others): (Vec<_>, Vec<_>) = ports.iter().partition(|(port_name, _)| *port_name == Service::MAIN);
    all(main.into_iter().chain(others).filter_map(|(port_name, port)| {
        let taken = port
            .transport
            .each()
            .iter()
            .find_map(|protocol| Some((*protocol, first.insert((port.number, *protocol), port_name)?)));
        let (protocol, other) = taken?;
        let message = format!("{} by {} is the port `{other}` already", port.number, protocol.as_str());
        let problem = Diagnostic::new(&TAKEN, place(file, port_name), message)
            .related(place(file, other), "first here")
            .help("remove one of them");
        Some(Err(context.error(problem)))
    }))
}

/// Returns the place of a port in the file.
fn place(file: &ServiceFile, port: &str) -> Span {
    match &file.port {
        Some(main) if port == Service::MAIN => main.span.clone(),
        _ => written(file, port).map(|port| port.span.clone()).unwrap_or_default(),
    }
}

/// The port that is asked for health, and how: nothing, if no port speaks TCP.
pub(super) fn health(
    context: &mut LoweringContext,
    name: &str,
    file: &ServiceFile,
    ports: &PortsDraft,
) -> Result<Option<Health>, ErrorReported> {
    let tcp = |port: &&Port| port.transport != Transport::Udp;
    let main = ports.known.get(Service::MAIN).into_iter().chain(ports.known.values()).find(tcp);
    let Some(health) = file.health.optional()? else {
        return Ok(main.map(|port| Health { port: port.number, path: None }));
    };
    let path = pods::absolute(context, health.path.as_ref());
    let port = match health.port.optional()? {
        Some(named) => named_port(context, name, file, named, ports),
        None => main.ok_or_else(|| no_port(context, name, file, ports)),
    };
    Ok(Some(Health { port: port?.number, path: Some(path?) }))
}

fn no_port(context: &mut LoweringContext, name: &str, file: &ServiceFile, ports: &PortsDraft) -> ErrorReported {
    // A port that cannot be read may be one that can be asked.
    let unreadable = ports.good.err().filter(|_| !ports.wrong.is_empty());
    ports.whole.err().or(unreadable).unwrap_or_else(|| {
        let message = format!("`service.{name}` has no port that can be asked");
        let problem = Diagnostic::new(&HEALTH, file.health.key(), message);
        context.error(problem.note("a health check uses HTTP, so it needs a TCP port"))
    })
}

/// The port that a health check names.
fn named_port<'p>(
    context: &mut LoweringContext,
    name: &str,
    file: &ServiceFile,
    named: &str,
    ports: &'p PortsDraft,
) -> Result<&'p Port, ErrorReported> {
    let place = file.health.given().map(|health| health.port.place()).unwrap_or_default();
    let problem = match (ports.known.get(named), ports.unreadable(named)) {
        (Some(port), _) if port.transport != Transport::Udp => return Ok(port),
        (Some(_), _) => Diagnostic::new(&HEALTH, place, format!("the port `{named}` is for UDP only"))
            .note("a health check asks by HTTP"),
        // One that cannot be read is reported already.
        (None, Some(proof)) => return Err(proof),
        (None, None) => {
            let tcp = ports.known.iter().filter(|(_, port)| port.transport != Transport::Udp);
            Diagnostic::new(&HEALTH, place, format!("`service.{name}` has no port `{named}`"))
                .expected(tcp.map(|(name, _)| format!("{name:?}")))
                .did_you_mean_as(named, ports.known.keys().map(String::as_str), |name| format!("{name:?}"))
        }
    };
    Err(context.error(problem))
}
