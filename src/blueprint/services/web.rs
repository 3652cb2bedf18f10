//! The application load balancer that all services on the web share: hosts and paths, certificates, names.

use std::collections::{BTreeMap, BTreeSet};

use super::balancer::DEREGISTRATION;
use super::priorities::rule_name;
use super::{output, ports};
use crate::blueprint::outputs::{NODES, internet_routes, nodes_groups, security_group, subnet, vpc};
use crate::blueprint::{BlueprintProblem, BuildContext, names};
use crate::engine::{Object, TextInput};
use crate::resource::{
    ApplicationLoadBalancer, Certificate, DnsRecord, GroupRule, HealthCheck, HttpListener, ListenerRule, Resource,
    SecurityGroup, SecurityGroupRules, TargetGroup, WEB, web_target,
};
use crate::spec::Http;

/// The scheme of the load balancer: it can be reached from the internet, and its security group limits the clients.
const SCHEME: &str = "internet-facing";
/// The port of the listener that forwards.
const HTTPS_PORT: u16 = 443;
/// The port of the listener that redirects.
const HTTP_PORT: u16 = 80;
/// The statuses of a healthy service: those that a readiness check of Kubernetes takes.
const HEALTHY: &str = "200-399";

/// A service on the web, with the port that every node has for it.
struct WebService<'a> {
    name: &'a str,
    http: &'a Http,
    node_port: u16,
}

fn services<'a>(site: &'a BuildContext<'_>) -> impl Iterator<Item = WebService<'a>> {
    site.cluster.services.iter().filter_map(|(name, service)| {
        let http = service.http.as_ref()?;
        let node_port = ports::of_target(&site.node_ports, name, &http.target)?;
        Some(WebService { name, http, node_port })
    })
}

/// Returns the target groups that every node is registered in.
pub(super) fn target_groups<'a>(site: &'a BuildContext<'_>) -> impl Iterator<Item = TextInput> + 'a {
    services(site).map(|service| output::<TargetGroup>(&web_target(service.name), "arn"))
}

/// Returns the rules by which the load balancer reaches the nodes.
pub(super) fn rules_of_nodes<'a>(site: &'a BuildContext<'_>) -> impl Iterator<Item = GroupRule> + 'a {
    services(site).map(|service| {
        let from = output::<SecurityGroup>(WEB, "id");
        let why = format!("service {} from the load balancer of the web", service.name);
        GroupRule::new("tcp", &service.node_port.to_string(), from, &why)
    })
}

pub(super) fn objects(site: &BuildContext<'_>) -> Result<Vec<Object>, BlueprintProblem> {
    let certificates = certificates(site);
    if certificates.is_empty() {
        return Ok(Vec::new());
    }
    let mut objects = vec![group(site).object(WEB)?, rules(site).object(WEB)?, balancer(site)?];
    for service in services(site) {
        objects.push(targets(site, &service).object(&web_target(service.name))?);
    }
    for (host, own) in &certificates {
        if own.is_none() {
            objects.push(certificate(site, host)?.object(host)?);
        }
    }
    objects.push(https(site, &certificates).object(&listener_name(HTTPS_PORT))?);
    if site.cluster.web.redirect {
        objects.push(redirect(site).object(&listener_name(HTTP_PORT))?);
    }
    let mut of_host: BTreeMap<&str, BTreeSet<_>> = BTreeMap::new();
    for service in services(site) {
        for host in &service.http.hosts {
            let name = rule_name(host, &service.http.path);
            let mut rule = rule(site, &service, host, &name).object(&name)?;
            // Only with machines in its target group does it show when the service answers.
            rule.depends_on.extend(nodes_groups(site.cluster));
            of_host.entry(host).or_default().insert(rule.address.clone());
            objects.push(rule);
        }
    }
    for (host, rules) in of_host {
        let mut record = record(site, host)?.object(host)?;
        // A name that leads elsewhere changes over last.
        record.depends_on.extend(rules);
        objects.push(record);
    }
    Ok(objects)
}

/// Returns the hosts, each with the certificate that the file names for it.
fn certificates<'a>(site: &'a BuildContext<'_>) -> BTreeMap<&'a str, Option<&'a str>> {
    let mut certificates: BTreeMap<&str, Option<&str>> = BTreeMap::new();
    for service in services(site) {
        for host in &service.http.hosts {
            let own = certificates.entry(host).or_default();
            *own = own.or(service.http.certificate.as_deref());
        }
    }
    certificates
}

/// Returns the name of a listener's object, by its port.
fn listener_name(port: u16) -> String {
    format!("{WEB}/{port}")
}

fn group(site: &BuildContext<'_>) -> SecurityGroup {
    let description = "Load balancer of the services on the web";
    let display = site.below(WEB);
    SecurityGroup {
        name: names::hashed(&display, &[description], names::SECURITY_GROUP),
        description: description.to_owned(),
        vpc: vpc(),
        tags: site.tags(&SecurityGroup::address(WEB), &display),
    }
}

fn rules(site: &BuildContext<'_>) -> SecurityGroupRules {
    let web = &site.cluster.web;
    let listening = [Some(HTTPS_PORT), web.redirect.then_some(HTTP_PORT)];
    let ingress = listening.into_iter().flatten().flat_map(|port| {
        let range = move |range: &ipnet::Ipv4Net| {
            GroupRule::new("tcp", &port.to_string(), range.to_string().into(), "who may connect to the web")
        };
        web.allow.iter().map(range)
    });
    let nodes = |port: u16| GroupRule::new("tcp", &port.to_string(), security_group(NODES), "its ports on nodes");
    SecurityGroupRules {
        group: output::<SecurityGroup>(WEB, "id"),
        ingress: ingress.collect(),
        egress: services(site).map(|service| nodes(service.node_port)).collect(),
    }
}

fn balancer(site: &BuildContext<'_>) -> Result<Object, BlueprintProblem> {
    let kind = ApplicationLoadBalancer::KIND.name;
    let balancer = ApplicationLoadBalancer {
        name: names::regional(site.cluster.name.as_str(), WEB, &[kind, SCHEME], names::LOAD_BALANCER),
        scheme: SCHEME.to_owned(),
        subnets: site.cluster.network.subnets.keys().map(subnet).collect(),
        security_groups: vec![output::<SecurityGroup>(WEB, "id")],
        idle_seconds: site.cluster.web.idle_seconds,
        tags: site.tags(&ApplicationLoadBalancer::address(WEB), &site.below(WEB)),
    };
    let mut balancer = balancer.object(WEB)?;
    balancer.depends_on.insert(internet_routes());
    Ok(balancer)
}

fn targets(site: &BuildContext<'_>, service: &WebService<'_>) -> TargetGroup {
    let own = web_target(service.name);
    let port = service.node_port.to_string();
    let fixed = [TargetGroup::KIND.name, WEB, service.name, TargetGroup::HTTP, &port];
    TargetGroup {
        name: names::regional(site.cluster.name.as_str(), service.name, &fixed, names::TARGET_GROUP),
        vpc: vpc(),
        protocol: TargetGroup::HTTP.to_owned(),
        port: service.node_port,
        health_check: HealthCheck {
            protocol: TargetGroup::HTTP.to_owned(),
            port: None,
            path: Some(service.http.health_path.clone()),
            codes: Some(HEALTHY.to_owned()),
            interval: 10,
            healthy: 2,
            unhealthy: 2,
        },
        deregistration_seconds: DEREGISTRATION,
        preserve_client_ip: false,
        sticky: false,
        tags: site.tags(&TargetGroup::address(&own), &site.below(&format!("{}.services", service.name))),
    }
}

fn certificate(site: &BuildContext<'_>, host: &str) -> Result<Certificate, BlueprintProblem> {
    Ok(Certificate {
        domain: host.to_owned(),
        zone: zone(site, host)?,
        tags: site.tags(&Certificate::address(host), host),
    })
}

fn https(site: &BuildContext<'_>, certificates: &BTreeMap<&str, Option<&str>>) -> HttpListener {
    let input = |host: &str, own: Option<&str>| match own {
        Some(arn) => TextInput::from(arn),
        None => output::<Certificate>(host, "arn"),
    };
    let mut all: Vec<TextInput> = Vec::new();
    for certificate in certificates.iter().map(|(host, own)| input(host, *own)) {
        if !all.contains(&certificate) {
            all.push(certificate);
        }
    }
    let mut all = all.into_iter();
    HttpListener {
        certificate: all.next(),
        more_certificates: all.collect(),
        tls_policy: Some(site.cluster.web.tls_policy.clone()),
        ..listener(site, "HTTPS", HTTPS_PORT, HttpListener::NOT_FOUND)
    }
}

fn redirect(site: &BuildContext<'_>) -> HttpListener {
    listener(site, "HTTP", HTTP_PORT, HttpListener::REDIRECT)
}

fn listener(site: &BuildContext<'_>, protocol: &str, port: u16, default_action: &str) -> HttpListener {
    HttpListener {
        load_balancer: output::<ApplicationLoadBalancer>(WEB, "arn"),
        protocol: protocol.to_owned(),
        port,
        default_action: default_action.to_owned(),
        certificate: None,
        more_certificates: Vec::new(),
        tls_policy: None,
        tags: site.tags(&HttpListener::address(&listener_name(port)), &site.below(WEB)),
    }
}

fn rule(site: &BuildContext<'_>, service: &WebService<'_>, host: &str, name: &str) -> ListenerRule {
    let path = &service.http.path;
    let everything = path == "/";
    ListenerRule {
        listener: output::<HttpListener>(&listener_name(HTTPS_PORT), "arn"),
        priority: site.rule_priorities.get(name).copied().unwrap_or_default(),
        host: host.to_owned(),
        paths: if everything { Vec::new() } else { vec![path.clone(), format!("{path}/*")] },
        target_group: output::<TargetGroup>(&web_target(service.name), "arn"),
        tags: site.tags(&ListenerRule::address(name), name),
    }
}

fn record(site: &BuildContext<'_>, host: &str) -> Result<DnsRecord, BlueprintProblem> {
    Ok(DnsRecord {
        zone: zone(site, host)?,
        name: host.to_owned(),
        record_type: "A".to_owned(),
        target: output::<ApplicationLoadBalancer>(WEB, "dns_name"),
        target_zone: output::<ApplicationLoadBalancer>(WEB, "zone_id"),
    })
}

/// Returns the zone of a host, which is that of all public names of the cluster.
fn zone(site: &BuildContext<'_>, host: &str) -> Result<TextInput, BlueprintProblem> {
    let of_host = services(site).find(|service| service.http.hosts.iter().any(|other| other == host));
    site.public.zone_for(of_host.map_or(host, |service| service.name), host)
}
