//! The parts of a cluster that can fail, and where they are.

use std::collections::{BTreeMap, BTreeSet};

use super::failure::SingleFailure;
use super::spread::MachineSpread;
use crate::analysis::state::{ClusterState, StateObject};
use crate::engine::Value;
use crate::resource::{
    API, AUTOSCALER, ApplicationLoadBalancer, AutoScalingGroup, ETCD, EbsVolume, GROUP_TAG, LaunchTemplate,
    LoadBalancer, MEMBER_TAG, NatGateway, ROLE_TAG, SizeFacts, Subnet, TargetGroup, VOLUME_CLAIM, WEB, accepts_pods,
    evicts_pods, is_private_subnet, quantity_bytes, quantity_millicpus, runs_service, service_object, tags_of,
    web_target,
};

/// The terms that say which nodes pods may run on.
const NODE_TERMS: &str = "spec.template.spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.\
                          nodeSelectorTerms";
/// The label of nodes with their zone.
const ZONE_LABEL: &str = "topology.kubernetes.io/zone";

/// The parts of a cluster that can fail.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Topology {
    pub(super) masters: Vec<MasterSite>,
    pub(super) groups: Vec<GroupSite>,
    pub(super) services: Vec<ServiceSite>,
    /// The zones in which the load balancer of the API has an address.
    pub(super) api_zones: BTreeSet<String>,
    /// The zone of the NAT gateway that machines of all zones share.
    pub(super) shared_nat_zone: Option<String>,
    /// The letters of masters with an etcd volume.
    pub(super) etcd_volumes: Vec<String>,
}

/// A master.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct MasterSite {
    /// Its letter.
    pub(super) member: String,
    pub(super) zone: String,
    /// `true` if its machine runs, or will after the plan.
    pub(super) runs: bool,
}

/// A node group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct GroupSite {
    pub(super) name: String,
    pub(super) machines: MachineSpread,
    /// The zones that it can start machines in.
    pub(super) zones: BTreeSet<String>,
    /// CPU and memory of each machine; `None` if they are unknown.
    pub(super) size: Option<Requests>,
}

/// A service.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct ServiceSite {
    pub(super) name: String,
    pub(super) replicas: u64,
    /// The requests of each pod.
    pub(super) requests: Requests,
    /// The claims that its pods mount; of several pods, each has its own.
    pub(super) claims: Vec<String>,
    /// The groups whose nodes its pods may run on; empty for all.
    pub(super) groups: BTreeSet<String>,
    /// The zones that its pods may run in; empty for all.
    pub(super) zones: BTreeSet<String>,
    /// The groups whose nodes evict its pods.
    pub(super) evicted_from: BTreeSet<String>,
    pub(super) balancer: Option<BalancerSite>,
}

/// A load balancer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct BalancerSite {
    pub(super) zones: BTreeSet<String>,
    pub(super) cross_zone: bool,
}

/// CPU and memory.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Requests {
    pub(super) memory: u64,
    pub(super) millicpus: u64,
}

impl Topology {
    pub(super) fn new(state: &ClusterState<'_>, sizes: &BTreeMap<String, SizeFacts>) -> Self {
        let groups = state.objects().filter(|object| object.is::<AutoScalingGroup>());
        let masters = groups.filter(|group| is_master(group)).map(|group| master(group, state));
        let nodes = node_groups(state).map(|group| node_group(group, state, sizes));
        let deployments = state.objects().filter(|object| runs_service(object.address.kind()));
        let api = state.named::<LoadBalancer>(API);
        Self {
            masters: masters.collect(),
            groups: nodes.collect(),
            services: deployments.map(|deployment| service(deployment, state)).collect(),
            api_zones: api.map(|balancer| state.zones_of(balancer)).unwrap_or_default(),
            shared_nat_zone: shared_nat_zone(state),
            etcd_volumes: state.objects().filter_map(etcd_member).collect(),
        }
    }

    /// Returns `true` if nothing of it can fail.
    pub(super) fn is_empty(&self) -> bool {
        self.masters.is_empty() && self.groups.is_empty()
    }

    /// Returns the failures of each part, zones first.
    pub(super) fn failures(&self) -> Vec<SingleFailure> {
        let of_nodes = self.groups.iter().flat_map(|group| group.machines.zones());
        let of_masters = self.masters.iter().map(|master| master.zone.as_str());
        let zones: BTreeSet<&str> = of_nodes.chain(of_masters).filter(|zone| !zone.is_empty()).collect();
        let masters = self.masters.iter().filter(|master| master.runs);
        let groups = self.groups.iter().filter(|group| group.machines.count() > 0);
        // The data of several pods with a volume each is copied by the service itself.
        let single = self.services.iter().filter(|service| service.replicas <= 1);
        let claims: BTreeSet<&String> = single.flat_map(|service| &service.claims).collect();
        let mut failures: Vec<SingleFailure> =
            zones.into_iter().map(|zone| SingleFailure::Zone(zone.to_owned())).collect();
        failures.extend(masters.map(|master| SingleFailure::Master(master.member.clone())));
        failures.extend(groups.map(|group| SingleFailure::Node(group.name.clone())));
        failures.extend(self.etcd_volumes.iter().map(|member| SingleFailure::EtcdVolume(member.clone())));
        failures.extend(claims.into_iter().map(|claim| SingleFailure::Volume(claim.clone())));
        failures
    }

    /// Returns the number of zones that its machines are in.
    pub(super) fn zone_count(&self) -> usize {
        let of_nodes = self.groups.iter().flat_map(|group| &group.zones);
        let of_masters = self.masters.iter().map(|master| &master.zone);
        of_nodes.chain(of_masters).chain(&self.api_zones).collect::<BTreeSet<_>>().len()
    }
}

/// Returns the zone of the only NAT gateway, if it is in one zone and private subnets are in others too.
fn shared_nat_zone(state: &ClusterState<'_>) -> Option<String> {
    let mut gateways = state.objects().filter(|object| object.is::<NatGateway>());
    let (only, None) = (gateways.next()?, gateways.next()) else { return None };
    let is_private = |object: &&StateObject<'_>| object.is::<Subnet>() && is_private_subnet(object.address.name());
    let zones: BTreeSet<&str> = state.objects().filter(is_private).filter_map(|subnet| subnet.text("zone")).collect();
    let zone = state.zone_of(only.value("subnet")?)?;
    (zones.len() > 1).then_some(zone)
}

/// Returns the Auto Scaling groups of nodes.
fn node_groups<'s, 'a>(state: &'s ClusterState<'a>) -> impl Iterator<Item = &'s StateObject<'a>> {
    state.objects().filter(|object| object.is::<AutoScalingGroup>() && !is_master(object))
}

fn is_master(group: &StateObject<'_>) -> bool {
    tags_of(group.attributes()).contains_key(MEMBER_TAG)
}

fn master(group: &StateObject<'_>, state: &ClusterState<'_>) -> MasterSite {
    let member = tags_of(group.attributes()).remove(MEMBER_TAG).unwrap_or_default();
    let zone = state.zones_of(group).into_iter().next();
    // What a plan leaves runs: a machine that is missing is replaced.
    let runs = group.id.is_none() || !group.running().is_empty();
    MasterSite { member, zone: zone.unwrap_or_default(), runs }
}

fn node_group(group: &StateObject<'_>, state: &ClusterState<'_>, sizes: &BTreeMap<String, SizeFacts>) -> GroupSite {
    let zones = state.zones_of(group);
    let template = state.named::<LaunchTemplate>(group.address.name());
    let preferred = template.and_then(|template| template.text("instance_size"));
    let mixed = group.list("sizes").iter().filter_map(Value::as_text);
    let known: Vec<Option<&SizeFacts>> = preferred.into_iter().chain(mixed).map(|size| sizes.get(size)).collect();
    let (running, count) = (group.running(), group.number("desired"));
    let stays = running.values().sum::<u64>() == count && running.keys().all(|zone| zones.contains(zone));
    let machines = if group.id.is_some() || (stays && count > 0) {
        MachineSpread::Placed(running)
    } else {
        MachineSpread::Even { count, zones: zones.iter().cloned().collect() }
    };
    GroupSite { name: group_name(group), machines, zones, size: smallest(&known) }
}

/// Returns the CPU and memory for pods on a machine of any of these sizes; `None` if one is unknown.
fn smallest(sizes: &[Option<&SizeFacts>]) -> Option<Requests> {
    let for_pods: Option<Vec<(u64, u64)>> = sizes.iter().map(|size| size.map(SizeFacts::for_pods)).collect();
    let for_pods = for_pods?;
    let memory = for_pods.iter().map(|(memory, _)| *memory).min()?;
    let millicpus = for_pods.iter().map(|(_, millicpus)| *millicpus).min()?;
    Some(Requests { memory, millicpus })
}

fn etcd_member(object: &StateObject<'_>) -> Option<String> {
    let mut tags = tags_of(object.attributes());
    let is_etcd = object.is::<EbsVolume>() && tags.get(ROLE_TAG).is_some_and(|role| role == ETCD);
    tags.remove(MEMBER_TAG).filter(|_| is_etcd)
}

fn service(deployment: &StateObject<'_>, state: &ClusterState<'_>) -> ServiceSite {
    let name = deployment.address.name();
    let autoscaler =
        state.objects().find(|object| object.address.kind() == AUTOSCALER && object.address.name() == name);
    let replicas = match autoscaler {
        Some(autoscaler) => autoscaler.number("spec.minReplicas").max(1),
        None if deployment.attributes().contains_key("spec.replicas") => deployment.number("spec.replicas"),
        None => 1,
    };
    let (groups, zones) = placement(deployment, state);
    ServiceSite {
        name: name.to_owned(),
        replicas,
        requests: Requests {
            memory: requested(deployment, "memory", quantity_bytes),
            millicpus: requested(deployment, "cpu", quantity_millicpus),
        },
        claims: claims(deployment, state),
        groups,
        zones,
        evicted_from: evicting_groups(deployment, state),
        balancer: balancer(name, state),
    }
}

/// Returns the load balancer in front of a service: its own one, or that of the web, which always forwards to all zones.
fn balancer(service: &str, state: &ClusterState<'_>) -> Option<BalancerSite> {
    let own = state.named::<LoadBalancer>(&service_object(service));
    let own =
        own.map(|balancer| BalancerSite { zones: state.zones_of(balancer), cross_zone: balancer.flag("cross_zone") });
    own.or_else(|| {
        state.named::<TargetGroup>(&web_target(service))?;
        let web = state.named::<ApplicationLoadBalancer>(WEB)?;
        Some(BalancerSite { zones: state.zones_of(web), cross_zone: true })
    })
}

/// Returns what the containers of a pod ask for, with its sidecars.
fn requested(deployment: &StateObject<'_>, resource: &str, parse: fn(&str) -> Option<u64>) -> u64 {
    let end = format!("].resources.requests.{resource}");
    let attributes = deployment.attributes().iter();
    let lists = ["spec.template.spec.containers[", "spec.template.spec.initContainers["];
    let is_container = |name: &str| lists.iter().any(|list| name.starts_with(list));
    let of_containers = attributes.filter(|(name, _)| is_container(name) && name.ends_with(&end));
    of_containers.filter_map(|(_, value)| parse(value.as_text()?)).sum()
}

fn claims(deployment: &StateObject<'_>, state: &ClusterState<'_>) -> Vec<String> {
    let known = state.objects().filter(|object| object.address.kind() == VOLUME_CLAIM);
    known.map(|claim| claim.address.name()).filter(|claim| deployment.mounts(claim)).map(str::to_owned).collect()
}

fn maps(values: &[Value]) -> Vec<BTreeMap<String, Value>> {
    values.iter().filter_map(|value| if let Value::Map(map) = value { Some(map.clone()) } else { None }).collect()
}

/// Stands for no group in a set of groups in which pods may run.
const NO_GROUP: &str = "";

/// Returns the groups and the zones that pods may run in; empty sets for all.
pub(in crate::analysis) fn placement(
    deployment: &StateObject<'_>,
    state: &ClusterState<'_>,
) -> (BTreeSet<String>, BTreeSet<String>) {
    let (mut groups, zones) = selected(deployment);
    let tolerations = deployment.list("spec.template.spec.tolerations");
    let is_tainted = |group: &&StateObject<'_>| !accepts_pods(&tags_of(group.attributes()), tolerations);
    let tainted: BTreeSet<String> = node_groups(state).filter(is_tainted).map(group_name).collect();
    if !tainted.is_empty() {
        if groups.is_empty() {
            groups = node_groups(state).map(group_name).collect();
        }
        groups.retain(|group| !tainted.contains(group));
        if groups.is_empty() {
            groups.insert(NO_GROUP.to_owned());
        }
    }
    (groups, zones)
}

/// Returns the groups whose nodes evict the pods of a deployment.
fn evicting_groups(deployment: &StateObject<'_>, state: &ClusterState<'_>) -> BTreeSet<String> {
    let tolerations = deployment.list("spec.template.spec.tolerations");
    node_groups(state).filter(|group| evicts_pods(&tags_of(group.attributes()), tolerations)).map(group_name).collect()
}

/// Returns the name of a node group in the cluster file.
fn group_name(group: &StateObject<'_>) -> String {
    tags_of(group.attributes()).remove(GROUP_TAG).unwrap_or_else(|| group.address.name().to_owned())
}

/// Returns the groups and the zones that pods select; empty sets for all.
fn selected(deployment: &StateObject<'_>) -> (BTreeSet<String>, BTreeSet<String>) {
    let (mut groups, mut zones) = (BTreeSet::new(), BTreeSet::new());
    let list = |map: &BTreeMap<String, Value>, name: &str| match map.get(name) {
        Some(Value::List(items)) => items.clone(),
        _ => Vec::new(),
    };
    for term in maps(deployment.list(NODE_TERMS)) {
        for expression in maps(&list(&term, "matchExpressions")) {
            let values = list(&expression, "values");
            let values = values.iter().filter_map(Value::as_text).map(str::to_owned);
            match expression.get("key").and_then(Value::as_text) {
                Some(GROUP_TAG) => groups.extend(values),
                Some(ZONE_LABEL) => zones.extend(values),
                _ => {}
            }
        }
    }
    (groups, zones)
}
