//! Rules about the listeners of load balancers: ports, protocols, certificates.

use std::collections::BTreeMap;

use super::super::diagnostic::{Diagnostic, Severity::Error};
use super::super::file::{ListenerFile, NlbFile, ProtocolFile};
use super::super::service::{Port, PortListener, Protocol, Service, Transport};
use super::ports::PortsDraft;
use super::{ErrorReported, LoweringContext, OptionalSetting, Rule, Span, Spanned, nodes, tls};

pub(super) static RULES: [&Rule; 7] =
    [&NOTHING, &TWICE, &TARGET, &PROTOCOL, &tls::TLS, &tls::CERTIFICATE, &tls::STICKY];

/// Maximum length of the name of a listener's block.
const LONGEST_NAME: usize = 32;

static NOTHING: Rule = Rule {
    code: "Q0520",
    severity: Error,
    title: "a load balancer that listens on nothing",
    explanation: "`nlb.port` is the port that clients connect to; `listener` blocks add more. Without either there is \
        nothing to connect to, and nothing that `target`, `protocol`, `certificate` or `tls_policy` could be about.",
    bad: "service \"web\" {\n  image = \"nginx:1.27\"\n  port  = 80\n  nlb {}\n}",
    good: "service \"web\" {\n  image = \"nginx:1.27\"\n  port  = 80\n  nlb {\n    port = 80\n  }\n}",
};

static TWICE: Rule = Rule {
    code: "Q0521",
    severity: Error,
    title: "two listeners on one port",
    explanation: "A load balancer has one listener for each port, for all protocols. TCP and UDP on one port are one \
        listener: its target is a port with both protocols (`53/tcp+udp`).",
    bad: "service \"web\" {\n  image = \"nginx:1.27\"\n  port  = 80\n  nlb {\n    port = 80\n    listener \"more\" {\n      port = 80\n    }\n  }\n}",
    good: "service \"web\" {\n  image = \"nginx:1.27\"\n  port  = 80\n  nlb {\n    port = 80\n    listener \"more\" {\n      port = 8080\n    }\n  }\n}",
};

pub(super) static TARGET: Rule = Rule {
    code: "Q0522",
    severity: Error,
    title: "a listener without a target port in its service",
    explanation: "A listener's `target` is the name of one of its service's ports; `main` is that of `port`. It can be left \
        out when the service has one port, or when `main` is meant.",
    bad: "service \"game\" {\n  image = \"game:1\"\n  ports = { play = \"7777/udp\", chat = \"7000\" }\n  nlb {\n    port = 7777\n  }\n}",
    good: "service \"game\" {\n  image = \"game:1\"\n  ports = { play = \"7777/udp\", chat = \"7000\" }\n  nlb {\n    port   = 7777\n    target = \"play\"\n  }\n}",
};

pub(super) static PROTOCOL: Rule = Rule {
    code: "Q0523",
    severity: Error,
    title: "a listener with another protocol than its target",
    explanation: "A listener forwards the protocol that it receives, so its target port needs the same one: `TCP_UDP` \
        goes to a port of `tcp+udp`, and `TLS` to one of `tcp` alone. Without `protocol`, a listener has that of its \
        target.",
    bad: "service \"game\" {\n  image = \"game:1\"\n  port  = 7777\n  nlb {\n    port     = 7777\n    protocol = \"UDP\"\n  }\n}",
    good: "service \"game\" {\n  image = \"game:1\"\n  ports = { play = \"7777/udp\" }\n  nlb {\n    port = 7777\n  }\n}",
};

type Ports = BTreeMap<String, Port>;

/// A listener as the file describes it: in a block of its own, or by the load balancer's own settings.
pub(super) struct ListenerSettings<'f> {
    service: &'f str,
    /// The place of the block's name.
    key: &'f Span,
    port: Option<&'f Spanned<u16>>,
    target: Option<&'f Spanned<String>>,
    pub(super) protocol: Option<&'f Spanned<ProtocolFile>>,
    pub(super) certificate: Option<&'f Spanned<String>>,
    pub(super) tls_policy: Option<&'f Spanned<String>>,
    /// The load balancer's `sticky`, which TLS does not allow.
    pub(super) sticky: Option<&'f Spanned<bool>>,
}

pub(super) fn read(
    context: &mut LoweringContext,
    service: &str,
    written: &Spanned<NlbFile>,
    nlb: &NlbFile,
    ports: &PortsDraft,
) -> Result<BTreeMap<u16, PortListener>, ErrorReported> {
    let something = nothing(context, service, written, nlb);
    let mut first: BTreeMap<u16, Span> = BTreeMap::new();
    let own = nlb.port.as_ref().map(|_| listener(context, &own(service, written, nlb), ports, &mut first)).transpose();
    let named = context.map(&nlb.listener, |context, label, written| {
        let named = nodes::check_name(context, label, &written.key, LONGEST_NAME, "a listener");
        let settings = named_settings(service, written, nlb)?;
        let listener = listener(context, &settings, ports, &mut first);
        named.and(listener)
    });
    something?;
    Ok(own?.into_iter().chain(named?.into_values()).collect())
}

fn own<'f>(service: &'f str, written: &'f Spanned<NlbFile>, nlb: &'f NlbFile) -> ListenerSettings<'f> {
    ListenerSettings {
        service,
        key: &written.key,
        port: nlb.port.as_ref(),
        target: nlb.target.as_ref(),
        protocol: nlb.protocol.as_ref(),
        certificate: nlb.certificate.as_ref(),
        tls_policy: nlb.tls_policy.as_ref(),
        sticky: nlb.sticky.as_ref(),
    }
}

fn named_settings<'f>(
    service: &'f str,
    written: &'f Spanned<ListenerFile>,
    nlb: &'f NlbFile,
) -> Result<ListenerSettings<'f>, ErrorReported> {
    let file = written.value()?;
    Ok(ListenerSettings {
        service,
        key: &written.key,
        port: file.port.as_ref(),
        target: file.target.as_ref(),
        protocol: file.protocol.as_ref(),
        certificate: file.certificate.as_ref(),
        tls_policy: file.tls_policy.as_ref(),
        sticky: nlb.sticky.as_ref(),
    })
}

impl ListenerSettings<'_> {
    /// The place of a setting, or of the listener that lacks it.
    fn place<T>(&self, setting: Option<&Spanned<T>>) -> Span {
        setting.span().unwrap_or_else(|| self.key.clone())
    }
}

/// Reports settings that describe a listener that does not exist.
fn nothing(
    context: &mut LoweringContext,
    service: &str,
    written: &Spanned<NlbFile>,
    nlb: &NlbFile,
) -> Result<(), ErrorReported> {
    if nlb.port.is_some() {
        return Ok(());
    }
    let key = |setting: Option<&Span>, name| setting.map(|span| (span.clone(), name));
    let stray = key(nlb.target.as_ref().map(|it| &it.key), "target")
        .or_else(|| key(nlb.protocol.as_ref().map(|it| &it.key), "protocol"))
        .or_else(|| key(nlb.certificate.as_ref().map(|it| &it.key), "certificate"))
        .or_else(|| key(nlb.tls_policy.as_ref().map(|it| &it.key), "tls_policy"));
    let problem = match stray {
        Some((place, setting)) => {
            Diagnostic::new(&NOTHING, place, format!("`{setting}` is about `port`, which is missing"))
                .help("add a port, or move it into the `listener` that it is about")
        }
        None if nlb.listener.as_ref().is_some_and(|named| named.given().is_none_or(|named| !named.is_empty())) => {
            return Ok(());
        }
        None => {
            let message = format!("the load balancer of `service.{service}` has no port");
            Diagnostic::new(&NOTHING, written.key.clone(), message)
                .help("add the port that clients connect to, for example: port = 80")
        }
    };
    Err(context.error(problem))
}

fn listener(
    context: &mut LoweringContext,
    settings: &ListenerSettings,
    ports: &PortsDraft,
    first: &mut BTreeMap<u16, Span>,
) -> Result<(u16, PortListener), ErrorReported> {
    let port = context.required(settings.port, "port").copied();
    let free = port.and_then(|port| match first.insert(port, settings.port.place()) {
        Some(other) => {
            let message = format!("two listeners of `service.{}` have the port {port}", settings.service);
            let problem = Diagnostic::new(&TWICE, settings.port.place(), message).related(other, "first here");
            Err(context.error(problem))
        }
        None => Ok(port),
    });
    let target = target(context, settings, ports);
    let fits = target.and_then(|(name, port)| fits(context, settings, name, port.transport));
    let tls = tls::read(context, settings);
    let (target, behind) = target?;
    fits?;
    let protocol = match (settings.protocol.optional()?, behind.transport, tls?) {
        (_, _, Some(tls)) => Protocol::Tls(tls),
        (Some(ProtocolFile::Tcp | ProtocolFile::Tls), ..) | (None, Transport::Tcp, _) => Protocol::Tcp,
        (Some(ProtocolFile::Udp), ..) | (None, Transport::Udp, _) => Protocol::Udp,
        (Some(ProtocolFile::Both), ..) | (None, Transport::Both, _) => Protocol::Both,
    };
    Ok((free?, PortListener { protocol, target: target.to_owned() }))
}

/// The name of the port that a listener leads to: the one that it names, the only one, or `main`.
pub(super) fn meant<'p>(named: Option<&str>, ports: &'p Ports) -> Option<(&'p str, Port)> {
    let (name, port) = match named {
        Some(name) => ports.get_key_value(name)?,
        None if ports.len() == 1 => ports.first_key_value()?,
        None => ports.get_key_value(Service::MAIN)?,
    };
    Some((name, *port))
}

/// The port behind a listener.
fn target<'p>(
    context: &mut LoweringContext,
    settings: &ListenerSettings,
    ports: &'p PortsDraft,
) -> Result<(&'p str, Port), ErrorReported> {
    let named = settings.target.optional()?;
    if let Some(port) = meant(named.map(String::as_str), &ports.known) {
        return Ok(port);
    }
    // Ports that cannot be read are reported already.
    if let Some(proof) = ports.unreadable(named.map_or(Service::MAIN, String::as_str)) {
        return Err(proof);
    }
    let known = || ports.known.keys().map(String::as_str);
    let service = settings.service;
    let problem = if let Some(named) = named {
        let message = format!("`service.{service}` has no port `{named}`");
        Diagnostic::new(&TARGET, settings.target.place(), message)
            .expected(known().map(|name| format!("{name:?}")))
            .did_you_mean_as(named, known(), |name| format!("{name:?}"))
    } else {
        let message = format!("`service.{service}` has several ports, and none is `main`");
        Diagnostic::new(&TARGET, settings.place(settings.port), message)
            .expected(known().map(|name| format!("target = {name:?}")))
    };
    // With no port that can be read, all of them are reported already.
    Err(if ports.known.is_empty() { context.sink.reported_or(|| problem) } else { context.error(problem) })
}

/// Checks that a listener speaks what the port behind it does.
fn fits(
    context: &mut LoweringContext,
    settings: &ListenerSettings,
    target: &str,
    behind: Transport,
) -> Result<(), ErrorReported> {
    let fits = match settings.protocol.optional()? {
        None => true,
        Some(ProtocolFile::Tcp) => behind != Transport::Udp,
        Some(ProtocolFile::Udp) => behind != Transport::Tcp,
        Some(ProtocolFile::Both) => behind == Transport::Both,
        Some(ProtocolFile::Tls) => behind == Transport::Tcp,
    };
    if fits {
        return Ok(());
    }
    let message = format!("its target port `{target}` has the protocol {}", behind.as_str());
    let problem = Diagnostic::new(&PROTOCOL, settings.protocol.place(), message)
        .help("remove `protocol`, or let the container listen with the same protocol");
    Err(context.error(problem))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listener_leads_to_the_port_it_names_or_to_the_one_that_is_meant() {
        let port = Port { number: 80, transport: Transport::Tcp };
        let ports = |names: &[&str]| -> Ports { names.iter().map(|name| ((*name).to_owned(), port)).collect() };
        let target = |named, names| meant(named, &ports(names)).map(|(name, _)| name.to_owned());
        let some = |name: &str| Some(name.to_owned());
        assert_eq!(target(None, &["game"]), some("game"));
        assert_eq!(target(None, &["game", "main"]), some("main"));
        assert_eq!(target(None, &["game", "voice"]), None);
        assert_eq!(target(Some("voice"), &["game", "voice"]), some("voice"));
        assert_eq!(target(Some("video"), &["game"]), None);
        assert_eq!(target(None, &[]), None);
    }
}
