//! The network load balancer before a service: an object of the plan, not something that a controller makes behind its
//! back.

use super::output;
use crate::blueprint::{Problem, Site, names, network, security};
use crate::engine::{Input, Object};
use crate::resource::{
    HealthCheck, Listener, LoadBalancer, Record, Resource, Rule, SecurityGroup, SecurityGroupRules, TargetGroup,
    balancer_stem,
};
use crate::spec::Nlb;

/// How connections get in, and go on.
const PROTOCOL: &str = "TCP";
/// How long a machine that leaves keeps its connections, in seconds.
const DEREGISTRATION: u32 = 30;

/// The name of each of a balancer's objects: no service can be called like one of the cluster's own.
fn object_name(service: &str) -> String {
    format!("service-{service}")
}

/// The target groups that every node answers for.
pub(in crate::blueprint) fn target_groups(site: &Site<'_>) -> Vec<Input> {
    site.node_ports.keys().map(|service| output::<TargetGroup>(&object_name(service), "arn")).collect()
}

/// What lets each load balancer reach the nodes.
pub(in crate::blueprint) fn rules_of_nodes<'a>(site: &'a Site<'_>) -> impl Iterator<Item = Rule> + 'a {
    site.node_ports.iter().map(|(service, port)| {
        let from = output::<SecurityGroup>(&object_name(service), "id");
        security::rule("tcp", &port.to_string(), from, &format!("service {service} from its load balancer"))
    })
}

pub(super) fn objects(site: &Site<'_>, service: &str, nlb: &Nlb) -> Result<Vec<Object>, Problem> {
    let Some(&port) = site.node_ports.get(service) else { return Ok(Vec::new()) };
    let own = object_name(service);
    let mut objects = vec![
        group(site, service).object(&own)?,
        rules(service, nlb, port).object(&own)?,
        balancer(site, service, nlb)?,
        targets(site, service, port).object(&own)?,
        listener(site, service, nlb).object(&own)?,
    ];
    if let Some(domain) = &nlb.domain {
        // Records are found by name: the object's is the domain.
        objects.push(record(site, service, domain)?.object(domain)?);
    }
    Ok(objects)
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

fn rules(service: &str, nlb: &Nlb, node_port: u16) -> SecurityGroupRules {
    let why = format!("who may connect to the service {service}");
    let port = nlb.port.to_string();
    SecurityGroupRules {
        group: output::<SecurityGroup>(&object_name(service), "id"),
        ingress: nlb.allow.iter().map(|range| security::rule("tcp", &port, range.to_string().into(), &why)).collect(),
        egress: vec![security::rule(
            "tcp",
            &node_port.to_string(),
            security::group(security::NODES),
            "its port on nodes",
        )],
    }
}

fn balancer(site: &Site<'_>, service: &str, nlb: &Nlb) -> Result<Object, Problem> {
    let own = object_name(service);
    let scheme = if nlb.internal { "internal" } else { "internet-facing" };
    let balancer = LoadBalancer {
        name: unique(site, service, LoadBalancer::KIND.name, &[scheme]),
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

fn targets(site: &Site<'_>, service: &str, port: u16) -> TargetGroup {
    let own = object_name(service);
    TargetGroup {
        name: unique(site, service, TargetGroup::KIND.name, &[PROTOCOL, &port.to_string()]),
        vpc: network::vpc(),
        protocol: PROTOCOL.to_owned(),
        port,
        health_check: HealthCheck { protocol: "TCP".to_owned(), path: None, interval: 10, healthy: 2, unhealthy: 2 },
        deregistration_seconds: DEREGISTRATION,
        tags: site.tags(&TargetGroup::address(&own), &site.below(&format!("{service}.services"))),
    }
}

fn listener(site: &Site<'_>, service: &str, nlb: &Nlb) -> Listener {
    let own = object_name(service);
    Listener {
        load_balancer: output::<LoadBalancer>(&own, "arn"),
        protocol: PROTOCOL.to_owned(),
        port: nlb.port,
        target_group: output::<TargetGroup>(&own, "arn"),
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

/// A name that is unique in the region, and begins as all of the cluster's do: `chat-1a2b3c-nginx-4d5e6f70`.
fn unique(site: &Site<'_>, service: &str, kind: &str, fixed: &[&str]) -> String {
    let cluster = site.cluster.name.as_str();
    let mut parts = vec![cluster, kind, service];
    parts.extend(fixed);
    names::hashed(&format!("{}{service}", balancer_stem(cluster)), &parts, names::LOAD_BALANCER)
}
