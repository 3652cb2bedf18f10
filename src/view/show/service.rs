//! The services of a cluster: their pods, ports and addresses.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use unicode_width::UnicodeWidthStr;

use crate::engine::{Address, Live, RecordedObject, Value};
use crate::resource::{
    ApplicationLoadBalancer, DEFAULT_NAMESPACE, KubernetesState, Listener, ListenerRule, LoadBalancer, Resource,
    SERVICE, TargetGroup, WEB, runs_service, service_object, web_target,
};
use crate::view::endpoint::{self, Endpoint};
use crate::view::line::{StyledLine, TextRole};
use crate::view::table::{Shorten, TableColumn, TextTable};
use crate::view::value;

use super::UNKNOWN;

/// The protocol that is not shown with a port.
const TCP: &str = "TCP";
/// Number of spaces before the addresses.
const GAP: usize = 2;
/// The indent of an address that does not fit beside its service.
const BELOW: usize = 2;

/// A service.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ServiceRow {
    /// Its name.
    pub name: String,
    /// Its namespace.
    pub namespace: String,
    /// Number of ready pods, if it is known.
    pub ready: Option<usize>,
    /// Number of wanted pods, if it is known.
    pub wanted: Option<usize>,
    /// The ports that clients connect to.
    pub ports: Vec<ServicePort>,
    /// Its DNS names: its domains, then the name of its load balancer; or its name inside the cluster.
    pub addresses: Vec<String>,
}

/// A port of a service.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ServicePort {
    /// The number.
    pub port: u16,
    /// The protocol: `TCP`, `UDP`, `TCP_UDP`, `TLS` or `HTTPS`.
    pub protocol: String,
}

/// Returns the services, sorted by name: one for each Deployment and stateful set of the cluster file.
pub(super) fn services(live: &[Live], kubernetes: Option<&KubernetesState>) -> Vec<ServiceRow> {
    let endpoints = endpoint::endpoints(&as_recorded(live));
    let deployments = live.iter().filter(|live| runs_service(live.address.kind()));
    let mut rows: Vec<ServiceRow> =
        deployments.map(|deployment| service(deployment, live, kubernetes, &endpoints)).collect();
    rows.sort();
    rows
}

fn service(
    deployment: &Live,
    live: &[Live],
    kubernetes: Option<&KubernetesState>,
    endpoints: &[Endpoint],
) -> ServiceRow {
    let name = deployment.address.name();
    let namespace = deployment.attributes.get("metadata.namespace").and_then(Value::as_text);
    let namespace = namespace.unwrap_or(DEFAULT_NAMESPACE);
    let pods = kubernetes.and_then(|state| state.pods(namespace, name));
    let planned = match deployment.attributes.get("spec.replicas") {
        Some(Value::Integer(count)) => usize::try_from(*count).ok(),
        _ => None,
    };
    let balancer = LoadBalancer::address(&service_object(name));
    let endpoint = endpoints.iter().find(|endpoint| endpoint.address == balancer);
    let internal = live.iter().find(|live| live.address == Address::new(SERVICE, name));
    let on_the_web = web_addresses(name, live);
    let (ports, addresses) = match (endpoint, internal) {
        (None, _) if !on_the_web.is_empty() => {
            let web = ApplicationLoadBalancer::address(WEB);
            let front = endpoints.iter().find(|endpoint| endpoint.address == web).map(|endpoint| endpoint.name.clone());
            (vec![https()], on_the_web.into_iter().chain(front).collect())
        }
        (Some(endpoint), _) => {
            let is_web = !on_the_web.is_empty();
            let ports = listeners(name, live).into_iter().chain(is_web.then(https)).collect();
            let own = endpoint.domains.iter().chain([&endpoint.name]).cloned();
            (ports, on_the_web.into_iter().chain(own).collect())
        }
        (None, Some(internal)) => (internal_ports(internal), vec![format!("{name}.{namespace}.svc")]),
        (None, None) => (Vec::new(), Vec::new()),
    };
    ServiceRow {
        name: name.to_owned(),
        namespace: namespace.to_owned(),
        ready: pods.map(|pods| pods.ready),
        wanted: pods.map(|pods| pods.wanted).or(planned),
        ports,
        addresses,
    }
}

/// Returns the port of the web.
fn https() -> ServicePort {
    ServicePort { port: 443, protocol: "HTTPS".to_owned() }
}

/// Returns the addresses of a service on the web: those of the rules that lead to it.
fn web_addresses(service: &str, live: &[Live]) -> Vec<String> {
    let target = TargetGroup::address(&web_target(service));
    let Some(target) = live.iter().find(|live| live.address == target) else { return Vec::new() };
    let leads = |rule: &&Live| {
        rule.address.kind() == ListenerRule::KIND.name
            && rule.attributes.get("target_group").and_then(Value::as_text) == Some(&target.id)
    };
    let addresses: BTreeSet<String> =
        live.iter().filter(leads).map(|rule| format!("https://{}", rule.address.name())).collect();
    addresses.into_iter().collect()
}

/// Returns the ports of a service's load balancer.
fn listeners(service: &str, live: &[Live]) -> Vec<ServicePort> {
    let prefix = format!("{}/", service_object(service));
    let is_own =
        |live: &&Live| live.address.kind() == Listener::KIND.name && live.address.name().starts_with(prefix.as_str());
    let port = |live: &Live| match live.attributes.get("port") {
        Some(Value::Integer(port)) => {
            let protocol = live.attributes.get("protocol").and_then(Value::as_text).unwrap_or(TCP);
            Some(ServicePort { port: u16::try_from(*port).ok()?, protocol: protocol.to_owned() })
        }
        _ => None,
    };
    let ports: BTreeSet<ServicePort> = live.iter().filter(is_own).filter_map(port).collect();
    ports.into_iter().collect()
}

/// Returns the ports of a Service inside the cluster, from the names of its fields: `spec.ports[80/TCP].port`.
fn internal_ports(service: &Live) -> Vec<ServicePort> {
    let port = |field: &String| {
        let item = field.strip_prefix("spec.ports[")?.split_once(']')?.0;
        let (port, protocol) = item.split_once('/')?;
        Some(ServicePort { port: port.parse().ok()?, protocol: protocol.to_owned() })
    };
    let ports: BTreeSet<ServicePort> = service.attributes.keys().filter_map(port).collect();
    ports.into_iter().collect()
}

fn as_recorded(live: &[Live]) -> BTreeMap<Address, RecordedObject> {
    let recorded = live.iter().map(|live| {
        let recorded = RecordedObject {
            id: live.id.clone(),
            attributes: live.attributes.clone(),
            outputs: live.outputs.clone(),
            needs: BTreeSet::new(),
        };
        (live.address.clone(), recorded)
    });
    recorded.collect()
}

/// Returns the table of the services. An address is never shortened: it stands below its service if it does not fit.
pub(super) fn service_lines(services: &[ServiceRow], width: usize) -> Vec<StyledLine> {
    let column = |title, shorten| TableColumn { title, shorten };
    let mut table = TextTable::new([
        column("SERVICE", Shorten::End),
        column("PODS", Shorten::Never),
        column("PORTS", Shorten::End),
    ]);
    for service in services {
        let complete = service.ready.is_none() || service.ready == service.wanted;
        table.push([
            (TextRole::Strong, service.title()),
            (if complete { TextRole::Plain } else { TextRole::Changed }, service.pods()),
            (TextRole::Plain, service.port_list()),
        ]);
    }
    let rows = table.lines(width);
    let column = rows.iter().map(StyledLine::width).max().unwrap_or_default() + GAP;
    let addresses: Vec<&[String]> = services.iter().map(ServiceRow::shown_addresses).collect();
    let longest = addresses.iter().copied().flatten().map(|address| address.width()).max().unwrap_or_default();
    let fits = column + longest <= width;
    let mut lines = Vec::new();
    for (at, mut row) in rows.into_iter().enumerate() {
        let Some(place) = at.checked_sub(1) else {
            lines.push(row.up_to(column).ink(TextRole::Faint, "ADDRESS"));
            continue;
        };
        for (number, name) in addresses[place].iter().map(|name| value::safe(name)).enumerate() {
            match (fits, number) {
                (true, 0) => row = row.up_to(column).plain(name),
                (true, _) => lines.push(std::mem::replace(&mut row, StyledLine::at(column).plain(name))),
                (false, _) => lines.push(std::mem::replace(&mut row, StyledLine::at(BELOW).plain(name))),
            }
        }
        lines.push(row);
    }
    lines
}

impl ServiceRow {
    /// Returns the name, with the namespace unless it is the default one.
    fn title(&self) -> String {
        if self.namespace == DEFAULT_NAMESPACE {
            self.name.clone()
        } else {
            format!("{}/{}", self.namespace, self.name)
        }
    }

    /// Returns the numbers of ready and wanted pods: `2/3`.
    fn pods(&self) -> String {
        match (self.ready, self.wanted) {
            (Some(ready), Some(wanted)) => format!("{ready}/{wanted}"),
            _ => UNKNOWN.to_owned(),
        }
    }

    /// Returns the ports: `80, 443 TLS`.
    fn port_list(&self) -> String {
        let port = |port: &ServicePort| match port.protocol.as_str() {
            TCP => port.port.to_string(),
            other => format!("{} {other}", port.port),
        };
        let ports: Vec<String> = self.ports.iter().map(port).collect();
        if ports.is_empty() { UNKNOWN.to_owned() } else { ports.join(", ") }
    }

    /// Returns the addresses for people: the domains, or the only name.
    fn shown_addresses(&self) -> &[String] {
        match self.addresses.split_last() {
            Some((_, domains)) if !domains.is_empty() => domains,
            _ => &self.addresses,
        }
    }
}
