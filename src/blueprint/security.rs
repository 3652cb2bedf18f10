//! Security groups and their rules: allowed connections.
//!
//! A rule that names a group matches the traffic of that group's network interfaces. Pod addresses belong to no
//! interface, and a machine that forwards for pods may send from any address, so a rule with the pods' range does not
//! restrict
//! *who* sends: towards the masters it opens only what every pod may use.

use super::outputs::{API_PORT, MASTERS, NODES, security_group, vpc};
use super::{BlueprintProblem, BuildContext, names, services};
use crate::engine::{Object, TextInput};
use crate::resource::{API, GroupRule, PUBLIC_API_PORT, Resource, SecurityGroup, SecurityGroupRules};
use crate::spec::NetworkPlugin;

pub(super) fn objects(site: &BuildContext<'_>) -> Result<Vec<Object>, BlueprintProblem> {
    let mut objects = Vec::new();
    for (name, description, ingress, egress) in [
        (MASTERS, "Control plane machines", masters(site), vec![everywhere()]),
        (NODES, "Worker machines", nodes(site), vec![everywhere()]),
        (API, "Load balancer of the Kubernetes API", api(site), vec![api_to_masters()]),
    ] {
        objects.push(own_group(site, name, description).object(name)?);
        objects.push(SecurityGroupRules { group: security_group(name), ingress, egress }.object(name)?);
    }
    Ok(objects)
}

fn own_group(site: &BuildContext<'_>, name: &str, description: &str) -> SecurityGroup {
    let display = site.below(name);
    SecurityGroup {
        name: names::hashed(&display, &[description], names::SECURITY_GROUP),
        description: description.to_owned(),
        vpc: vpc(),
        tags: site.tags(&SecurityGroup::address(name), &display),
    }
}

/// Returns the inbound rules of masters. Only masters reach etcd and the kubelet.
fn masters(site: &BuildContext<'_>) -> Vec<GroupRule> {
    let api_port = API_PORT.to_string();
    let pods = || TextInput::from(site.cluster.network.pods.to_string());
    let mut rules = vec![
        GroupRule::new("tcp", &api_port, security_group(API), "Kubernetes API from its load balancer"),
        GroupRule::new("tcp", &api_port, security_group(MASTERS), "Kubernetes API from masters"),
        GroupRule::new("tcp", &api_port, security_group(NODES), "Kubernetes API from kubelets"),
        GroupRule::new("tcp", &api_port, pods(), "Kubernetes API from pods"),
        GroupRule::new("tcp", "2379-2380", security_group(MASTERS), "etcd among masters"),
        GroupRule::new("tcp", "10250", security_group(MASTERS), "kubelet from API servers"),
    ];
    // The cluster's DNS runs on masters too: it is there before the first node is. Nodes ask for pods whose requests
    // leave with the node's own address.
    for protocol in ["tcp", "udp"] {
        rules.push(GroupRule::new(protocol, "53", pods(), "cluster DNS from pods"));
        rules.push(GroupRule::new(protocol, "53", security_group(NODES), "cluster DNS from nodes"));
        rules.push(GroupRule::new(protocol, "53", security_group(MASTERS), "cluster DNS from masters"));
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
        GroupRule::new("all", "all", security_group(MASTERS), "kubelets, webhooks and services from masters"),
        GroupRule::new("all", "all", security_group(NODES), "services from nodes"),
        GroupRule::new("all", "all", site.cluster.network.pods.to_string().into(), "everything from pods"),
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
        .map(|range| GroupRule::new("tcp", &port, range.to_string().into(), "api.allow in the cluster file"))
        .collect()
}

/// Returns the rule by which the load balancer connects to masters, and checks their health, on one port.
fn api_to_masters() -> GroupRule {
    GroupRule::new("tcp", &API_PORT.to_string(), security_group(MASTERS), "Kubernetes API of masters")
}

/// Returns rules for the usual network plugins: UDP tunnels (VXLAN, Geneve, `WireGuard`), IP in IP, BGP.
fn overlay(peer: &str) -> [GroupRule; 3] {
    [
        GroupRule::new("udp", "1-65535", security_group(peer), "tunnels of the network plugin"),
        GroupRule::new("4", "all", security_group(peer), "IP in IP of the network plugin"),
        GroupRule::new("tcp", "179", security_group(peer), "BGP of the network plugin"),
    ]
}

fn ssh<'a>(site: &'a BuildContext<'_>) -> impl Iterator<Item = GroupRule> + 'a {
    site.cluster
        .ssh
        .allow
        .iter()
        .map(|range| GroupRule::new("tcp", "22", range.to_string().into(), "ssh.allow in the cluster file"))
}

/// Returns the rule that AWS gives every new group, without any difference, so it costs no call.
fn everywhere() -> GroupRule {
    GroupRule::new("all", "all", "0.0.0.0/0".into(), "")
}
