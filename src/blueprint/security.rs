//! Who may talk to whom.
//!
//! A rule that names a group matches what that group's network interfaces send. Pod addresses belong to no interface,
//! and a machine that forwards for pods may send from any address, so a rule with the pods' range says nothing about
//! *who* sends: towards the masters it opens only what every pod may use.

use super::{Problem, Site, names, services};
use crate::engine::{Address, Input, Object};
use crate::resource::{API, Resource, Rule, SecurityGroup, SecurityGroupRules};
use crate::spec::NetworkPlugin;

pub(super) use crate::resource::PUBLIC_API_PORT;

/// The masters' group.
pub(super) const MASTERS: &str = "masters";
/// The nodes' group, for all node groups.
pub(super) const NODES: &str = "nodes";

/// The port that API servers listen on.
pub(super) const API_PORT: u16 = 6443;

/// The id of a security group.
pub(super) fn group(name: &str) -> Input {
    Input::output(SecurityGroup::address(name), "id")
}

/// The object with a group's rules: machines that start before it is there can reach nothing.
pub(super) fn rules_of(name: &str) -> Address {
    SecurityGroupRules::address(name)
}

pub(super) fn objects(site: &Site<'_>) -> Result<Vec<Object>, Problem> {
    let mut objects = Vec::new();
    for (name, description, ingress, egress) in [
        (MASTERS, "Control plane machines", masters(site), vec![everywhere()]),
        (NODES, "Worker machines", nodes(site), vec![everywhere()]),
        (API, "Load balancer of the Kubernetes API", api(site), vec![api_to_masters()]),
    ] {
        objects.push(security_group(site, name, description).object(name)?);
        objects.push(SecurityGroupRules { group: group(name), ingress, egress }.object(name)?);
    }
    Ok(objects)
}

fn security_group(site: &Site<'_>, name: &str, description: &str) -> SecurityGroup {
    let display = site.below(name);
    SecurityGroup {
        name: names::hashed(&display, &[description], names::SECURITY_GROUP),
        description: description.to_owned(),
        vpc: super::network::vpc(),
        tags: site.tags(&SecurityGroup::address(name), &display),
    }
}

/// What reaches a master. etcd and the kubelet answer to masters alone.
fn masters(site: &Site<'_>) -> Vec<Rule> {
    let api_port = API_PORT.to_string();
    let pods = || Input::from(site.cluster.network.pods.to_string());
    let mut rules = vec![
        rule("tcp", &api_port, group(API), "Kubernetes API from its load balancer"),
        rule("tcp", &api_port, group(MASTERS), "Kubernetes API from masters"),
        rule("tcp", &api_port, group(NODES), "Kubernetes API from kubelets"),
        rule("tcp", &api_port, pods(), "Kubernetes API from pods"),
        rule("tcp", "2379-2380", group(MASTERS), "etcd among masters"),
        rule("tcp", "10250", group(MASTERS), "kubelet from API servers"),
    ];
    // The cluster's DNS runs on masters too: it is there before the first node is. Nodes ask for pods whose requests
    // leave with the node's own address.
    for protocol in ["tcp", "udp"] {
        rules.push(rule(protocol, "53", pods(), "cluster DNS from pods"));
        rules.push(rule(protocol, "53", group(NODES), "cluster DNS from nodes"));
        rules.push(rule(protocol, "53", group(MASTERS), "cluster DNS from masters"));
    }
    if site.cluster.network.plugin == NetworkPlugin::None {
        for peer in [MASTERS, NODES] {
            rules.extend(overlay(peer));
        }
    }
    rules.extend(ssh(site));
    rules
}

/// What reaches a node: everything from inside the cluster, as any pod may offer anything on any port.
fn nodes(site: &Site<'_>) -> Vec<Rule> {
    let mut rules = vec![
        rule("all", "all", group(MASTERS), "kubelets, webhooks and services from masters"),
        rule("all", "all", group(NODES), "services from nodes"),
        rule("all", "all", site.cluster.network.pods.to_string().into(), "everything from pods"),
    ];
    rules.extend(services::rules_of_nodes(site));
    rules.extend(ssh(site));
    rules
}

/// Who reaches the API from outside the cluster.
fn api(site: &Site<'_>) -> Vec<Rule> {
    let port = PUBLIC_API_PORT.to_string();
    site.cluster
        .api
        .allow
        .iter()
        .map(|range| rule("tcp", &port, range.to_string().into(), "api.allow in the cluster file"))
        .collect()
}

/// The load balancer connects to masters, and checks their health, on one port.
fn api_to_masters() -> Rule {
    rule("tcp", &API_PORT.to_string(), group(MASTERS), "Kubernetes API of masters")
}

/// What the usual network plugins send between machines: UDP tunnels (VXLAN, Geneve, `WireGuard`), IP in IP, BGP.
fn overlay(peer: &str) -> [Rule; 3] {
    [
        rule("udp", "1-65535", group(peer), "tunnels of the network plugin"),
        rule("4", "all", group(peer), "IP in IP of the network plugin"),
        rule("tcp", "179", group(peer), "BGP of the network plugin"),
    ]
}

fn ssh<'a>(site: &'a Site<'_>) -> impl Iterator<Item = Rule> + 'a {
    site.cluster
        .ssh
        .allow
        .iter()
        .map(|range| rule("tcp", "22", range.to_string().into(), "ssh.allow in the cluster file"))
}

/// What AWS gives every new group, to the letter: so it costs no call.
fn everywhere() -> Rule {
    rule("all", "all", "0.0.0.0/0".into(), "")
}

/// AWS takes letters, digits, spaces and `._-:/()#,@[]+=&;{}!$*` in a description.
pub(super) fn rule(protocol: &str, ports: &str, peer: Input, description: &str) -> Rule {
    Rule { protocol: protocol.to_owned(), ports: ports.to_owned(), peer, description: description.to_owned() }
}
