//! The network load balancer in front of a service: an object of the plan, not one that a controller creates outside of the
//! plan.

use super::{output, ports};
use crate::blueprint::outputs::{NODES, internal_subnets, internet_routes, security_group, subnet, vpc};
use crate::blueprint::{BlueprintProblem, BuildContext, names};
use crate::engine::{Object, TextInput};
use crate::resource::{
    DnsRecord, GroupRule, HealthCheck, Listener, LoadBalancer, Resource, SecurityGroup, SecurityGroupRules,
    TargetGroup, service_object,
};
use crate::spec::{Nlb, Port, PortListener, Protocol, Service, Tls, Transport};

/// Time that a deregistered machine keeps its connections, in seconds.
pub(super) const DEREGISTRATION: u32 = 30;
/// The port of kube-proxy's health check. It is used if the service itself does not use TCP.
const KUBE_PROXY_HEALTH: u16 = 10_256;
/// The scheme of a load balancer with addresses inside the VPC only.
const INTERNAL: &str = "internal";
/// The path of that health check, and of the one on a service's own health port.
const HEALTH_PATH: &str = "/healthz";

/// Returns the name of the target group of one of a service's ports.
fn target_name(service: &str, port: &str) -> String {
    let own = service_object(service);
    if port == Service::MAIN { own } else { format!("{own}/{port}") }
}

/// Returns the services with a load balancer.
fn balanced<'a>(site: &'a BuildContext<'_>) -> impl Iterator<Item = (&'a String, &'a Service, &'a Nlb)> {
    site.cluster.services.iter().filter_map(|(name, service)| Some((name, service, service.nlb.as_ref()?)))
}

/// Returns the target groups that every node is registered in.
pub(super) fn target_groups(site: &BuildContext<'_>) -> impl Iterator<Item = TextInput> {
    let names =
        balanced(site).flat_map(|(name, service, _)| service.targets().into_keys().map(|port| target_name(name, port)));
    names.map(|name| output::<TargetGroup>(&name, "arn"))
}

/// Returns the rules by which each load balancer reaches the nodes.
///
/// A rule that names its group also matches traffic through it that keeps the client's address: AWS tracks the path of
/// the traffic. So the nodes allow no other source, whether pods see the addresses of clients or not.
pub(super) fn rules_of_nodes<'a>(site: &'a BuildContext<'_>) -> impl Iterator<Item = GroupRule> + 'a {
    balanced(site).flat_map(|(name, service, nlb)| {
        backend_ports(site, name, service, nlb).into_iter().map(move |backend| {
            let from = output::<SecurityGroup>(&service_object(name), "id");
            let why = match backend.purpose {
                BalancerPurpose::Traffic => format!("service {name} from its load balancer"),
                BalancerPurpose::Health => format!("health of service {name} for its load balancer"),
            };
            GroupRule::new(backend.protocol, &backend.port.to_string(), from, &why)
        })
    })
}

/// A port of the nodes that a load balancer connects to.
#[derive(PartialEq)]
struct BackendPort {
    protocol: &'static str,
    port: u16,
    purpose: BalancerPurpose,
}

/// The purpose of a load balancer's connection.
#[derive(Clone, Copy, PartialEq)]
enum BalancerPurpose {
    Traffic,
    Health,
}

fn backend_ports(site: &BuildContext<'_>, name: &str, service: &Service, nlb: &Nlb) -> Vec<BackendPort> {
    let mut backends = Vec::new();
    for (port_name, port) in service.targets() {
        let Some(number) = ports::of_target(&site.node_ports, name, port_name) else { continue };
        let backend = |protocol| BackendPort { protocol, port: number, purpose: BalancerPurpose::Traffic };
        backends.extend(protocols(port.transport).map(backend));
    }
    for (_, port) in service.targets() {
        let asked = health_check(site, name, nlb, port).port;
        let backend = asked.map(|port| BackendPort { protocol: "tcp", port, purpose: BalancerPurpose::Health });
        let new = backend.filter(|backend| !backends.contains(backend));
        backends.extend(new);
    }
    backends
}

/// Returns the protocols as security groups name them.
fn protocols(transport: Transport) -> impl Iterator<Item = &'static str> {
    transport.each().iter().map(|protocol| if *protocol == Transport::Udp { "udp" } else { "tcp" })
}

pub(super) fn objects(
    site: &BuildContext<'_>,
    name: &str,
    service: &Service,
    nlb: &Nlb,
) -> Result<Vec<Object>, BlueprintProblem> {
    let own = service_object(name);
    let mut objects = vec![
        group(site, name).object(&own)?,
        rules(site, name, service, nlb).object(&own)?,
        balancer(site, name, nlb)?,
    ];
    for (port_name, port) in service.targets() {
        if let Some(node_port) = ports::of_target(&site.node_ports, name, port_name) {
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

/// Returns the name of a listener's object, by its port: the listener stays when its block gets another name.
fn listener_name(service: &str, port: u16) -> String {
    format!("{}/{port}", service_object(service))
}

fn group(site: &BuildContext<'_>, service: &str) -> SecurityGroup {
    let own = service_object(service);
    let description = format!("Load balancer of the service {service}");
    let display = site.below(&format!("{service}.services"));
    SecurityGroup {
        name: names::hashed(&display, &[&description], names::SECURITY_GROUP),
        description,
        vpc: vpc(),
        tags: site.tags(&SecurityGroup::address(&own), &display),
    }
}

fn rules(site: &BuildContext<'_>, name: &str, service: &Service, nlb: &Nlb) -> SecurityGroupRules {
    let why = format!("who may connect to the service {name}");
    let heard = nlb.listeners.iter().flat_map(|(port, listener)| {
        protocols(listener.protocol.transport()).map(|protocol| (protocol, port.to_string()))
    });
    let ingress = heard.flat_map(|(protocol, port)| {
        let why = &why;
        nlb.allow.iter().map(move |range| GroupRule::new(protocol, &port, range.to_string().into(), why))
    });
    let nodes = || security_group(NODES);
    let egress = backend_ports(site, name, service, nlb).into_iter().map(move |backend| {
        let why = match backend.purpose {
            BalancerPurpose::Traffic => "its port on nodes",
            BalancerPurpose::Health => "health of nodes",
        };
        GroupRule::new(backend.protocol, &backend.port.to_string(), nodes(), why)
    });
    SecurityGroupRules {
        group: output::<SecurityGroup>(&service_object(name), "id"),
        ingress: ingress.collect(),
        egress: egress.collect(),
    }
}

fn balancer(site: &BuildContext<'_>, service: &str, nlb: &Nlb) -> Result<Object, BlueprintProblem> {
    let own = service_object(service);
    let (scheme, subnets) = if nlb.internal {
        (INTERNAL, internal_subnets(site.cluster))
    } else {
        ("internet-facing", site.cluster.network.subnets.keys().map(subnet).collect())
    };
    let balancer = LoadBalancer {
        name: names::regional(
            site.cluster.name.as_str(),
            service,
            &[LoadBalancer::KIND.name, service, scheme],
            names::LOAD_BALANCER,
        ),
        scheme: scheme.to_owned(),
        subnets,
        security_groups: vec![output::<SecurityGroup>(&own, "id")],
        cross_zone: nlb.cross_zone,
        tags: site.tags(&LoadBalancer::address(&own), &site.below(&format!("{service}.services"))),
    };
    let mut balancer = balancer.object(&own)?;
    balancer.depends_on.insert(internet_routes());
    Ok(balancer)
}

fn targets(
    site: &BuildContext<'_>,
    (service, port_name): (&str, &str),
    nlb: &Nlb,
    port: Port,
    node_port: u16,
) -> TargetGroup {
    let own = target_name(service, port_name);
    let protocol = port.transport.as_str();
    let number = node_port.to_string();
    let mut fixed = vec![TargetGroup::KIND.name, service, protocol, &number];
    fixed.extend(Some(port_name).filter(|name| *name != Service::MAIN));
    // Another scheme is another load balancer, and AWS lets no two of them share a target group.
    fixed.extend(nlb.internal.then_some(INTERNAL));
    TargetGroup {
        name: names::regional(site.cluster.name.as_str(), service, &fixed, names::TARGET_GROUP),
        vpc: vpc(),
        protocol: protocol.to_owned(),
        port: node_port,
        health_check: health_check(site, service, nlb, port),
        deregistration_seconds: DEREGISTRATION,
        // AWS always preserves the client addresses of datagrams. What keeps connections of one address together on a
        // node has to know that address, too.
        preserve_client_ip: port.transport != Transport::Tcp || nlb.preserve_client_ip || nlb.sticky,
        sticky: nlb.sticky,
        tags: site.tags(&TargetGroup::address(&own), &site.below(&format!("{service}.services"))),
    }
}

/// Returns the check of a node: a connection to the service itself is the best test. Nodes without a pod of their own
/// accept no connections to a service that sees its clients' addresses; a separate port reports whether they have one.
fn health_check(site: &BuildContext<'_>, service: &str, nlb: &Nlb, port: Port) -> HealthCheck {
    let asked = match port.transport {
        _ if nlb.preserve_client_ip => ports::of_health(&site.node_ports, service),
        Transport::Udp => Some(KUBE_PROXY_HEALTH),
        Transport::Tcp | Transport::Both => None,
    };
    HealthCheck {
        protocol: if asked.is_some() { "HTTP" } else { "TCP" }.to_owned(),
        port: asked,
        path: asked.map(|_| HEALTH_PATH.to_owned()),
        codes: None,
        interval: 10,
        healthy: 2,
        unhealthy: 2,
    }
}

fn listener(site: &BuildContext<'_>, service: &str, port: u16, wanted: &PortListener) -> Listener {
    let tls = wanted.protocol.tls();
    let own = listener_name(service, port);
    Listener {
        load_balancer: output::<LoadBalancer>(&service_object(service), "arn"),
        protocol: Protocol::as_str(&wanted.protocol).to_owned(),
        port,
        target_group: output::<TargetGroup>(&target_name(service, &wanted.target), "arn"),
        certificate: tls.map(|Tls { certificate, .. }| certificate.clone()),
        tls_policy: tls.map(|Tls { policy, .. }| policy.clone()),
        tags: site.tags(&Listener::address(&own), &site.below(&format!("{service}.services"))),
    }
}

fn record(site: &BuildContext<'_>, service: &str, domain: &str) -> Result<DnsRecord, BlueprintProblem> {
    let own = service_object(service);
    Ok(DnsRecord {
        zone: site.public.zone_for(service, domain)?,
        name: domain.to_owned(),
        record_type: "A".to_owned(),
        target: output::<LoadBalancer>(&own, "dns_name"),
        target_zone: output::<LoadBalancer>(&own, "zone_id"),
    })
}
