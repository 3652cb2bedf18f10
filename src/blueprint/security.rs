//! Security groups and their rules: allowed connections.
//!
//! A rule that names a group matches the traffic of that group's network interfaces. Pod addresses belong to no interface,
//! and a machine that forwards for pods may send from any address, so a rule with the pods' range says nothing about
//! *who* sends: towards the masters it opens only what every pod may use.

use super::{BlueprintProblem, BuildContext, names, services};
use crate::engine::{Address, Object, TextInput};
use crate::resource::{API, GroupRule, Resource, SecurityGroup, SecurityGroupRules};
use crate::spec::NetworkPlugin;

pub(super) use crate::resource::PUBLIC_API_PORT;

/// The masters' group.
pub(super) const MASTERS: &str = "masters";
/// The nodes' group, for all node groups.
pub(super) const NODES: &str = "nodes";

/// The port that API servers listen on.
pub(super) const API_PORT: u16 = 6443;

/// Returns the id of a security group.
pub(super) fn group(name: &str) -> TextInput {
    TextInput::output(SecurityGroup::address(name), "id")
}

/// Returns the object with a group's rules: machines that start before it exists can reach nothing.
pub(super) fn rules_of(name: &str) -> Address {
    SecurityGroupRules::address(name)
}

pub(super) fn objects(site: &BuildContext<'_>) -> Result<Vec<Object>, BlueprintProblem> {
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

fn security_group(site: &BuildContext<'_>, name: &str, description: &str) -> SecurityGroup {
    let display = site.below(name);
    SecurityGroup {
        name: names::hashed(&display, &[description], names::SECURITY_GROUP),
        description: description.to_owned(),
        vpc: super::network::vpc(),
        tags: site.tags(&SecurityGroup::address(name), &display),
    }
}

/// Returns the inbound rules of masters. Only masters reach etcd and the kubelet.
fn masters(site: &BuildContext<'_>) -> Vec<GroupRule> {
    let api_port = API_PORT.to_string();
    let pods = || TextInput::from(site.cluster.network.pods.to_string());
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

/// Returns the inbound rules of nodes: everything from inside the cluster, as any pod may listen on any port.
fn nodes(site: &BuildContext<'_>) -> Vec<GroupRule> {
    let mut rules = vec![
        rule("all", "all", group(MASTERS), "kubelets, webhooks and services from masters"),
        rule("all", "all", group(NODES), "services from nodes"),
        rule("all", "all", site.cluster.network.pods.to_string().into(), "everything from pods"),
    ];
    rules.extend(services::rules_of_nodes(site));
    rules.extend(ssh(site));
    rules
}

/// Returns the rules for access to the API from outside the cluster.
fn api(site: &BuildContext<'_>) -> Vec<GroupRule> {
    let port = PUBLIC_API_PORT.to_string();
    site.cluster
        .api
        .allow
        .iter()
        .map(|range| rule("tcp", &port, range.to_string().into(), "api.allow in the cluster file"))
        .collect()
}

/// Returns the rule by which the load balancer connects to masters, and checks their health, on one port.
fn api_to_masters() -> GroupRule {
    rule("tcp", &API_PORT.to_string(), group(MASTERS), "Kubernetes API of masters")
}

/// Returns rules for the usual network plugins: UDP tunnels (VXLAN, Geneve, `WireGuard`), IP in IP, BGP.
fn overlay(peer: &str) -> [GroupRule; 3] {
    [
        rule("udp", "1-65535", group(peer), "tunnels of the network plugin"),
        rule("4", "all", group(peer), "IP in IP of the network plugin"),
        rule("tcp", "179", group(peer), "BGP of the network plugin"),
    ]
}

fn ssh<'a>(site: &'a BuildContext<'_>) -> impl Iterator<Item = GroupRule> + 'a {
    site.cluster
        .ssh
        .allow
        .iter()
        .map(|range| rule("tcp", "22", range.to_string().into(), "ssh.allow in the cluster file"))
}

/// Returns the rule that AWS gives every new group, without any difference, so it costs no call.
fn everywhere() -> GroupRule {
    rule("all", "all", "0.0.0.0/0".into(), "")
}

/// Returns a rule. AWS allows letters, digits, spaces and `._-:/()#,@[]+=&;{}!$*` in a description.
pub(super) fn rule(protocol: &str, ports: &str, peer: TextInput, description: &str) -> GroupRule {
    GroupRule { protocol: protocol.to_owned(), ports: ports.to_owned(), peer, description: description.to_owned() }
}
