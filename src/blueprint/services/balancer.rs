//! The network load balancer before a service: an object of the plan, not something that a controller makes behind its
//! back.

use super::{output, ports};
use crate::blueprint::{Problem, Site, names, network, security};
use crate::engine::{Input, Object};
use crate::resource::{
    HealthCheck, Listener, LoadBalancer, Record, Resource, Rule, SecurityGroup, SecurityGroupRules, TargetGroup,
};
use crate::spec::{Nlb, Port, PortListener, Protocol, Service, Tls, Transport};

/// How long a machine that leaves keeps its connections, in seconds.
const DEREGISTRATION: u32 = 30;
/// Where kube-proxy says whether it works. It is what is asked when the service itself speaks no TCP.
const KUBE_PROXY_HEALTH: u16 = 10_256;
/// The scheme of a load balancer with addresses inside the VPC only.
const INTERNAL: &str = "internal";
/// What is asked for there, and on a service's own health port.
const HEALTH_PATH: &str = "/healthz";

/// The name of a balancer's objects: no service can be called like one of the cluster's own.
fn object_name(service: &str) -> String {
    format!("service-{service}")
}

/// The name of the target group of one of a service's ports.
fn target_name(service: &str, port: &str) -> String {
    let own = object_name(service);
    if port == Service::MAIN { own } else { format!("{own}/{port}") }
}

/// The services with a load balancer.
fn balanced<'a>(site: &'a Site<'_>) -> impl Iterator<Item = (&'a String, &'a Service, &'a Nlb)> {
    site.cluster.services.iter().filter_map(|(name, service)| Some((name, service, service.nlb.as_ref()?)))
}

/// The target groups that every node answers for.
pub(in crate::blueprint) fn target_groups(site: &Site<'_>) -> Vec<Input> {
    let names =
        balanced(site).flat_map(|(name, service, _)| service.targets().into_keys().map(|port| target_name(name, port)));
    names.map(|name| output::<TargetGroup>(&name, "arn")).collect()
}

/// What lets each load balancer reach the nodes.
///
/// A rule that names its group also lets through who comes by it with an address of their own: AWS knows the way that
/// they took. So nobody else is let in, whether pods see the addresses of clients or not.
pub(in crate::blueprint) fn rules_of_nodes<'a>(site: &'a Site<'_>) -> impl Iterator<Item = Rule> + 'a {
    balanced(site).flat_map(|(name, service, nlb)| {
        doors(site, name, service, nlb).into_iter().map(move |door| {
            let from = output::<SecurityGroup>(&object_name(name), "id");
            let why = match door.purpose {
                Purpose::Traffic => format!("service {name} from its load balancer"),
                Purpose::Health => format!("health of service {name} for its load balancer"),
            };
            security::rule(door.protocol, &door.port.to_string(), from, &why)
        })
    })
}

/// A port of the nodes that a load balancer comes to.
#[derive(PartialEq)]
struct Door {
    protocol: &'static str,
    port: u16,
    purpose: Purpose,
}

/// What a load balancer comes for.
#[derive(Clone, Copy, PartialEq)]
enum Purpose {
    Traffic,
    Health,
}

fn doors(site: &Site<'_>, name: &str, service: &Service, nlb: &Nlb) -> Vec<Door> {
    let mut doors = Vec::new();
    for (port_name, port) in service.targets() {
        let Some(number) = ports::of_target(site, name, port_name) else { continue };
        let door = |protocol| Door { protocol, port: number, purpose: Purpose::Traffic };
        doors.extend(protocols(port.transport).map(door));
    }
    for (_, port) in service.targets() {
        let asked = health_check(site, name, nlb, port).port;
        let door = asked.map(|port| Door { protocol: "tcp", port, purpose: Purpose::Health });
        let new = door.filter(|door| !doors.contains(door));
        doors.extend(new);
    }
    doors
}

/// The protocols in the words of security groups.
fn protocols(transport: Transport) -> impl Iterator<Item = &'static str> {
    transport.each().iter().map(|protocol| if *protocol == Transport::Udp { "udp" } else { "tcp" })
}

pub(super) fn objects(site: &Site<'_>, name: &str, service: &Service, nlb: &Nlb) -> Result<Vec<Object>, Problem> {
    let own = object_name(name);
    let mut objects = vec![
        group(site, name).object(&own)?,
        rules(site, name, service, nlb).object(&own)?,
        balancer(site, name, nlb)?,
    ];
    for (port_name, port) in service.targets() {
        if let Some(node_port) = ports::of_target(site, name, port_name) {
            let targets = targets(site, (name, port_name), nlb, port, node_port);
            objects.push(targets.object(&target_name(name, port_name))?);
        }
    }
    for (port, wanted) in &nlb.listeners {
        objects.push(listener(site, name, *port, wanted).object(&listener_name(name, *port))?);
    }
    if let Some(domain) = &nlb.domain {
        // Records are found by name: the object's is the domain.
        objects.push(record(site, name, domain)?.object(domain)?);
    }
    Ok(objects)
}

/// The name of a listener's object. A port has one listener: that one stays when its block gets another name.
fn listener_name(service: &str, port: u16) -> String {
    format!("{}/{port}", object_name(service))
}

fn group(site: &Site<'_>, service: &str) -> SecurityGroup {
    let own = object_name(service);
    let description = format!("Load balancer of the service {service}");
    let display = site.below(&format!("{service}.services"));
    SecurityGroup {
        name: names::hashed(&display, &[&description], names::SECURITY_GROUP),
        description,
        vpc: network::vpc(),
        tags: site.tags(&SecurityGroup::address(&own), &display),
    }
}

fn rules(site: &Site<'_>, name: &str, service: &Service, nlb: &Nlb) -> SecurityGroupRules {
    let why = format!("who may connect to the service {name}");
    let heard = nlb.listeners.iter().flat_map(|(port, listener)| {
        protocols(listener.protocol.transport()).map(|protocol| (protocol, port.to_string()))
    });
    let ingress = heard.flat_map(|(protocol, port)| {
        let why = &why;
        nlb.allow.iter().map(move |range| security::rule(protocol, &port, range.to_string().into(), why))
    });
    let nodes = || security::group(security::NODES);
    let egress = doors(site, name, service, nlb).into_iter().map(move |door| {
        let why = match door.purpose {
            Purpose::Traffic => "its port on nodes",
            Purpose::Health => "health of nodes",
        };
        security::rule(door.protocol, &door.port.to_string(), nodes(), why)
    });
    SecurityGroupRules {
        group: output::<SecurityGroup>(&object_name(name), "id"),
        ingress: ingress.collect(),
        egress: egress.collect(),
    }
}

fn balancer(site: &Site<'_>, service: &str, nlb: &Nlb) -> Result<Object, Problem> {
    let own = object_name(service);
    let scheme = if nlb.internal { INTERNAL } else { "internet-facing" };
    let balancer = LoadBalancer {
        name: names::regional(
            site.cluster.name.as_str(),
            service,
            &[LoadBalancer::KIND.name, service, scheme],
            names::LOAD_BALANCER,
        ),
        scheme: scheme.to_owned(),
        subnets: site.cluster.network.subnets.keys().map(network::subnet).collect(),
        security_groups: vec![output::<SecurityGroup>(&own, "id")],
        cross_zone: nlb.cross_zone,
        tags: site.tags(&LoadBalancer::address(&own), &site.below(&format!("{service}.services"))),
    };
    let mut balancer = balancer.object(&own)?;
    balancer.depends_on.insert(network::way_out());
    Ok(balancer)
}

fn targets(site: &Site<'_>, (service, port_name): (&str, &str), nlb: &Nlb, port: Port, node_port: u16) -> TargetGroup {
    let own = target_name(service, port_name);
    let protocol = port.transport.as_str();
    let number = node_port.to_string();
    let mut fixed = vec![TargetGroup::KIND.name, service, protocol, &number];
    fixed.extend(Some(port_name).filter(|name| *name != Service::MAIN));
    // Another scheme is another load balancer, and AWS lets no two of them share a target group.
    fixed.extend(nlb.internal.then_some(INTERNAL));
    TargetGroup {
        name: names::regional(site.cluster.name.as_str(), service, &fixed, names::TARGET_GROUP),
        vpc: network::vpc(),
        protocol: protocol.to_owned(),
        port: node_port,
        health_check: health_check(site, service, nlb, port),
        deregistration_seconds: DEREGISTRATION,
        // Of datagrams AWS always tells who sent them. What keeps connections of one address together on a node has to
        // know that address, too.
        preserve_client_ip: port.transport != Transport::Tcp || nlb.preserve_client_ip || nlb.sticky,
        sticky: nlb.sticky,
        tags: site.tags(&TargetGroup::address(&own), &site.below(&format!("{service}.services"))),
    }
}

/// How a load balancer knows that a node can take connections: a connection to the service itself tells most. Nodes
/// without a pod of their own take none for a service that sees its clients; each says so on a port made for that.
fn health_check(site: &Site<'_>, service: &str, nlb: &Nlb, port: Port) -> HealthCheck {
    let asked = match port.transport {
        _ if nlb.preserve_client_ip => ports::of_health(site, service),
        Transport::Udp => Some(KUBE_PROXY_HEALTH),
        Transport::Tcp | Transport::Both => None,
    };
    HealthCheck {
        protocol: if asked.is_some() { "HTTP" } else { "TCP" }.to_owned(),
        port: asked,
        path: asked.map(|_| HEALTH_PATH.to_owned()),
        interval: 10,
        healthy: 2,
        unhealthy: 2,
    }
}

fn listener(site: &Site<'_>, service: &str, port: u16, wanted: &PortListener) -> Listener {
    let tls = wanted.protocol.tls();
    let own = listener_name(service, port);
    Listener {
        load_balancer: output::<LoadBalancer>(&object_name(service), "arn"),
        protocol: Protocol::as_str(&wanted.protocol).to_owned(),
        port,
        target_group: output::<TargetGroup>(&target_name(service, &wanted.target), "arn"),
        certificate: tls.map(|Tls { certificate, .. }| certificate.clone()),
        tls_policy: tls.map(|Tls { policy, .. }| policy.clone()),
        tags: site.tags(&Listener::address(&own), &site.below(&format!("{service}.services"))),
    }
}

fn record(site: &Site<'_>, service: &str, domain: &str) -> Result<Record, Problem> {
    let own = object_name(service);
    Ok(Record {
        zone: site.public.zone_for(service, domain)?,
        name: domain.to_owned(),
        record_type: "A".to_owned(),
        target: output::<LoadBalancer>(&own, "dns_name"),
        target_zone: output::<LoadBalancer>(&own, "zone_id"),
    })
}
