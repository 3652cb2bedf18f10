//! The references among the builders: the names of objects that several of them use, and the outputs that others read.

use std::collections::BTreeMap;

use crate::engine::{Address, TextInput};
use crate::resource::{
    self, API, AutoScalingGroup, Bucket, EbsVolume, HostedZone, InstanceProfile, Listener, LoadBalancer, Resource,
    RouteTable, STATE_BUCKET, SecurityGroup, SecurityGroupRules, Subnet, TargetGroup, Vpc, VpcEndpoint, masters_group,
};
use crate::spec::{Cluster, NatGateways, PrivateNetwork, Zone};

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
/// The name of the route table of private subnets, if all zones share it.
pub(super) const PRIVATE: &str = "private";
/// The name of the endpoint of S3.
pub(super) const S3: &str = "s3";
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

/// Returns the id of a zone's private subnet.
pub(super) fn private_subnet(zone: &Zone) -> TextInput {
    TextInput::output(Subnet::address(&resource::private_subnet(zone.as_str())), "id")
}

/// Returns the id of the subnet that a zone's machines are in.
pub(super) fn machine_subnet(cluster: &Cluster, zone: &Zone) -> TextInput {
    if cluster.network.private.is_some() { private_subnet(zone) } else { subnet(zone) }
}

/// Returns the ids of the subnets of load balancers that are reached from inside the VPC alone.
pub(super) fn internal_subnets(cluster: &Cluster) -> Vec<TextInput> {
    cluster.network.subnets.keys().map(|zone| machine_subnet(cluster, zone)).collect()
}

/// Returns the objects by which machines reach the bucket and the internet.
pub(super) fn machine_routes(cluster: &Cluster) -> Vec<Address> {
    let Some(private) = &cluster.network.private else { return vec![internet_routes()] };
    let mut routes: Vec<Address> = private_tables(private).into_keys().map(|name| RouteTable::address(&name)).collect();
    routes.push(VpcEndpoint::address(S3));
    routes
}

/// Returns the route tables of private subnets, each with its zones.
pub(super) fn private_tables(private: &PrivateNetwork) -> BTreeMap<String, Vec<&Zone>> {
    let zones = private.subnets.keys();
    if private.nat == NatGateways::PerZone {
        zones.map(|zone| (resource::private_subnet(zone.as_str()), vec![zone])).collect()
    } else {
        BTreeMap::from([(PRIVATE.to_owned(), zones.collect())])
    }
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
