//! The references among the builders: the names of objects that several of them use, and the outputs that others read.

use crate::engine::{Address, TextInput};
use crate::resource::{
    API, AutoScalingGroup, Bucket, EbsVolume, HostedZone, InstanceProfile, Listener, LoadBalancer, Resource,
    RouteTable, STATE_BUCKET, SecurityGroup, SecurityGroupRules, Subnet, TargetGroup, Vpc, masters_group,
};
use crate::spec::{Cluster, Zone};

/// The role and the security group of masters.
pub(super) const MASTERS: &str = "masters";
/// The role and the security group of nodes, for all node groups.
pub(super) const NODES: &str = "nodes";
/// The port that API servers listen on.
pub(super) const API_PORT: u16 = 6443;
/// The name of an object that exists once.
pub(super) const MAIN: &str = "main";
/// The name of the route table of public subnets.
pub(super) const PUBLIC: &str = "public";
/// The name of the private zone's object.
pub(super) const INTERNAL: &str = "internal";

/// Returns the VPC's id.
pub(super) fn vpc() -> TextInput {
    TextInput::output(Vpc::address(MAIN), "id")
}

/// Returns the id of a zone's subnet.
pub(super) fn subnet(zone: &Zone) -> TextInput {
    TextInput::output(Subnet::address(zone.as_str()), "id")
}

/// Returns the routes to the internet, for objects that need them without a reference to them.
pub(super) fn internet_routes() -> Address {
    RouteTable::address(PUBLIC)
}

/// Returns the id of a security group.
pub(super) fn security_group(name: &str) -> TextInput {
    TextInput::output(SecurityGroup::address(name), "id")
}

/// Returns the object with a group's rules: machines that start before it exists can reach nothing.
pub(super) fn security_group_rules(name: &str) -> Address {
    SecurityGroupRules::address(name)
}

/// Returns the name of the instance profile of a role.
pub(super) fn instance_profile(role: &str) -> TextInput {
    TextInput::output(InstanceProfile::address(role), "name")
}

/// Returns the name of the bucket of the machines' files.
pub(super) fn bucket() -> TextInput {
    TextInput::output(Bucket::address(STATE_BUCKET), "name")
}

/// Returns the id of a master's etcd volume.
pub(super) fn etcd_volume(member: &str) -> TextInput {
    TextInput::output(EbsVolume::address(&etcd_volume_name(member)), "id")
}

/// Returns the name of the object of a master's etcd volume.
pub(super) fn etcd_volume_name(member: &str) -> String {
    format!("etcd-{member}")
}

/// Returns the member of an etcd volume of this name.
pub(super) fn member_of_volume(volume: &str) -> Option<&str> {
    volume.strip_prefix("etcd-")
}

/// Returns the id of the private zone.
pub(super) fn internal_zone() -> TextInput {
    TextInput::output(HostedZone::address(INTERNAL), "id")
}

/// Returns an output of the load balancer of the Kubernetes API.
pub(super) fn api_load_balancer(output: &str) -> TextInput {
    TextInput::output(LoadBalancer::address(API), output)
}

/// Returns the ARN of the masters' target group.
pub(super) fn api_target_group() -> TextInput {
    TextInput::output(TargetGroup::address(API), "arn")
}

/// Returns the objects that make the Kubernetes API reachable: the masters, their load balancer, and the rules that allow
/// the program.
pub(super) fn kubernetes_api(cluster: &Cluster) -> impl Iterator<Item = Address> {
    masters_groups(cluster).chain([Listener::address(API), security_group_rules(API)])
}

/// Returns the groups of all masters.
pub(super) fn masters_groups(cluster: &Cluster) -> impl Iterator<Item = Address> {
    cluster.masters.placed().map(|(member, _)| AutoScalingGroup::address(&masters_group(&member)))
}

/// Returns the groups of all nodes.
pub(super) fn nodes_groups(cluster: &Cluster) -> impl Iterator<Item = Address> {
    cluster.nodes.keys().map(|name| AutoScalingGroup::address(&nodes_group(name)))
}

/// Returns the name of a node group's Auto Scaling group. Masters' names have another prefix, so a group may have any name.
pub fn nodes_group(group: &str) -> String {
    format!("nodes-{group}")
}
