//! Converts the settings of a service to a [`Service`].

use std::collections::BTreeMap;

use ipnet::Ipv4Net;

use super::{allow, defaults, named, zones};
use crate::spec::cluster::Scale;
use crate::spec::file::{HealthFile, ListenerFile, NlbFile, PlacementFile, ProtocolFile, ServiceFile};
use crate::spec::name::check_domain;
use crate::spec::service::{
    Health, Nlb, Placement, Port, PortListener, Protocol, SecretKey, Service, Taint, Tls, Transport, Volume,
};

type PortMap = BTreeMap<String, Port>;

/// Effects of a taint on pods that do not tolerate it.
const EFFECTS: [&str; 3] = ["NoSchedule", "PreferNoSchedule", "NoExecute"];

pub(super) fn service(file: &ServiceFile, vpc: Ipv4Net) -> Option<Service> {
    let ports = ports(file)?;
    Some(Service {
        image: file.image.clone()?,
        command: file.command.clone().unwrap_or_default(),
        args: file.args.clone().unwrap_or_default(),
        namespace: file.namespace.clone().unwrap_or_else(|| defaults::NAMESPACE.to_owned()),
        scale: match (file.replicas, file.min, file.max) {
            (replicas, None, None) => Scale::Count(replicas.unwrap_or(defaults::REPLICAS)),
            (None, Some(min), Some(max)) => Scale::Range { min, max },
            _ => return None,
        },
        env: file.env.clone().unwrap_or_default(),
        secrets: named(file.secrets.as_ref(), |text| secret_key(text))?,
        cpu: file.cpu.clone(),
        memory: file.memory.clone(),
        health: health(file.health.as_ref(), &ports),
        placement: match &file.placement {
            Some(file) => Some(placement(file)?),
            None => None,
        },
        volumes: named(file.volume.as_ref(), |volume| {
            Some(Volume { path: volume.path.clone()?, gib: volume.gib?, class: volume.class.clone() })
        })?,
        nlb: match &file.nlb {
            Some(file) => Some(nlb(file, &ports, vpc)?),
            None => None,
        },
        ports,
    })
}

fn ports(file: &ServiceFile) -> Option<PortMap> {
    let mut ports = named(file.ports.as_ref(), |text| port(text))?;
    if let Some(number) = file.port {
        let main = Port { number: number.try_into().ok()?, transport: Transport::Tcp };
        ports.insert(Service::MAIN.to_owned(), main);
    }
    Some(ports)
}

/// Returns the readiness check; `None` if no port uses TCP.
fn health(file: Option<&HealthFile>, ports: &PortMap) -> Option<Health> {
    let tcp = |port: &&Port| port.transport != Transport::Udp;
    let port = match file.and_then(|file| file.port.as_ref()) {
        Some(name) => ports.get(name).filter(tcp)?,
        None => ports.get(Service::MAIN).into_iter().chain(ports.values()).find(tcp)?,
    };
    Some(Health { port: port.number, path: file.and_then(|file| file.path.clone()) })
}

fn placement(file: &PlacementFile) -> Option<Placement> {
    Some(Placement {
        nodes: file.nodes.clone().unwrap_or_default(),
        zones: zones(file.zones.as_deref().unwrap_or_default())?,
        tolerate: file.tolerate.iter().flatten().map(|text| taint(text)).collect::<Option<_>>()?,
    })
}

fn nlb(file: &NlbFile, ports: &PortMap, vpc: Ipv4Net) -> Option<Nlb> {
    let internal = file.internal.unwrap_or(false);
    let listeners = file.listeners();
    let listeners = listeners.iter().map(|(_, file)| Some((file.port?.try_into().ok()?, listener(file, ports)?)));
    Some(Nlb {
        listeners: listeners.collect::<Option<_>>()?,
        domain: file.domain.clone(),
        allow: match &file.allow {
            Some(texts) => allow(Some(texts))?,
            None if internal => vec![vpc],
            None => vec![defaults::EVERYBODY],
        },
        internal,
        cross_zone: file.cross_zone.unwrap_or(true),
        sticky: file.sticky.unwrap_or(false),
        preserve_client_ip: file.preserve_client_ip.unwrap_or(false),
    })
}

fn listener(file: &ListenerFile, ports: &PortMap) -> Option<PortListener> {
    let target = target(file.target.as_deref(), ports)?;
    let protocol = match (file.protocol, ports.get(target)?.transport) {
        (Some(ProtocolFile::Tls), _) => Protocol::Tls(Tls {
            certificate: file.certificate.clone()?,
            policy: file.tls_policy.clone().unwrap_or_else(|| defaults::TLS_POLICY.to_owned()),
        }),
        (Some(ProtocolFile::Tcp), _) | (None, Transport::Tcp) => Protocol::Tcp,
        (Some(ProtocolFile::Udp), _) | (None, Transport::Udp) => Protocol::Udp,
        (Some(ProtocolFile::Both), _) | (None, Transport::Both) => Protocol::Both,
    };
    Some(PortListener { protocol, target: target.to_owned() })
}

/// Returns the name of the port that a listener leads to: the named one, the only one, or `main`.
pub(in crate::spec) fn target<'a>(named: Option<&'a str>, ports: &'a PortMap) -> Option<&'a str> {
    let name = match named {
        Some(name) => name,
        None if ports.len() == 1 => ports.keys().next()?,
        None => Service::MAIN,
    };
    ports.contains_key(name).then_some(name)
}

/// Parses `9090`, `7777/udp` or `53/tcp+udp`.
pub(in crate::spec) fn port(text: &str) -> Option<Port> {
    let (number, transport) = match text.split_once('/') {
        None => (text, Transport::Tcp),
        Some((number, "tcp")) => (number, Transport::Tcp),
        Some((number, "udp")) => (number, Transport::Udp),
        Some((number, "tcp+udp")) => (number, Transport::Both),
        Some(_) => return None,
    };
    // `u16` would take a sign.
    let digits = number.chars().all(|c| c.is_ascii_digit());
    let number = number.parse().ok().filter(|number| digits && *number > 0)?;
    Some(Port { number, transport })
}

/// Parses `secret/key`.
pub(in crate::spec) fn secret_key(text: &str) -> Option<SecretKey> {
    let (secret, key) = text.split_once('/')?;
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
    let is_key = !key.is_empty() && key.len() <= 253 && key.chars().all(allowed);
    (check_domain(secret).is_ok() && is_key).then(|| SecretKey { secret: secret.to_owned(), key: key.to_owned() })
}

/// Parses `key`, `key=value`, `key:effect` or `key=value:effect`.
pub(in crate::spec) fn taint(text: &str) -> Option<Taint> {
    let (rest, effect) = match text.split_once(':') {
        Some((rest, effect)) => (rest, Some(effect)),
        None => (text, None),
    };
    let (key, value) = match rest.split_once('=') {
        Some((key, value)) => (key, Some(value)),
        None => (rest, None),
    };
    let (prefix, name) = match key.split_once('/') {
        Some((prefix, name)) => (Some(prefix), name),
        None => (None, key),
    };
    let good = is_label(name)
        && prefix.is_none_or(|prefix| prefix.len() <= 253 && check_domain(prefix).is_ok())
        && value.is_none_or(|value| value.is_empty() || is_label(value))
        && effect.is_none_or(|effect| EFFECTS.contains(&effect));
    good.then(|| Taint { key: key.to_owned(), value: value.map(str::to_owned), effect: effect.map(str::to_owned) })
}

/// Returns `true` if Kubernetes accepts the text as the name or the value of a label.
fn is_label(text: &str) -> bool {
    let end = |c: char| c.is_ascii_alphanumeric();
    let inner = |c: char| end(c) || "-._".contains(c);
    (1..=63).contains(&text.len()) && text.starts_with(end) && text.ends_with(end) && text.chars().all(inner)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_a_number_and_what_it_speaks() {
        let read = |text| port(text).map(|port| (port.number, port.transport.as_str()));
        assert_eq!(read("9090"), Some((9090, "TCP")));
        assert_eq!(read("53/tcp"), Some((53, "TCP")));
        assert_eq!(read("53/udp"), Some((53, "UDP")));
        assert_eq!(read("53/tcp+udp"), Some((53, "TCP_UDP")));
        for bad in ["", "0", "65536", "+1", "-1", "53/", "53/UDP", "53/udp+tcp", "udp", "53/udp/udp", " 53"] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_taint_is_read_as_kubectl_reads_it() {
        let read = |text| taint(text).map(|taint| (taint.key, taint.value, taint.effect));
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(read("gpu"), Some(("gpu".to_owned(), None, None)));
        let all = Some(("example.com/gpu".to_owned(), some("a100"), some("NoSchedule")));
        assert_eq!(read("example.com/gpu=a100:NoSchedule"), all);
        for bad in ["", "=a", "gpu:Never", "gpu=a b", "-gpu", "Example.com/gpu", "gpu=a:NoSchedule:NoExecute"] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_listener_leads_to_the_port_it_names_or_to_the_one_that_is_meant() {
        let ports = |names: &[&str]| -> PortMap {
            names.iter().map(|name| ((*name).to_owned(), port("80").unwrap())).collect()
        };
        assert_eq!(target(None, &ports(&["game"])), Some("game"));
        assert_eq!(target(None, &ports(&["game", "main"])), Some("main"));
        assert_eq!(target(None, &ports(&["game", "voice"])), None);
        assert_eq!(target(Some("voice"), &ports(&["game", "voice"])), Some("voice"));
        assert_eq!(target(Some("video"), &ports(&["game"])), None);
        assert_eq!(target(None, &ports(&[])), None);
    }
}
