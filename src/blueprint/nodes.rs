//! Workers: an Auto Scaling group per node group, over all its zones.

use super::bootstrap::{MachineSettings, common};
use super::machines::MachineGroup;
use super::outputs::{NODES, masters_groups, nodes_group};
use super::{BlueprintProblem, BuildContext, GROUP_TAG, ROLE_TAG, kubeadm, services, tags};
use crate::engine::Object;
use crate::limits::aws::MACHINE_ROUTES;
use crate::resource::{BucketObject, NODE_REGISTRATIONS, PurchaseOption, Resource, taint_tags};
use crate::spec::{Cluster, NetworkPlugin, NodeGroup, NodeRoll};

pub(super) fn objects(site: &BuildContext<'_>) -> Result<Vec<Object>, BlueprintProblem> {
    let mut objects = Vec::new();
    for (name, group) in &site.cluster.nodes {
        let machines = MachineGroup {
            object: &nodes_group(name),
            display: site.below(&format!("{name}.nodes")),
            role: NODES,
            tags: tags::with(taint_tags(&group.taints), [(ROLE_TAG, "node"), (GROUP_TAG, name)]),
            size: &group.size,
            other_sizes: &group.other_sizes,
            purchase: purchase(group),
            image: group.image.as_ref(),
            root: &group.root,
            zones: &group.zones,
            scale: group.scale,
            target_groups: services::target_groups(site),
            roll: Some(roll(site.cluster, group)),
            lane: None,
            settings: group_settings(site, name, group),
        };
        let [settings, template, mut group] = machines.objects(site)?;
        // Nodes join what masters run, and a kubelet must not be newer than the API server.
        group.depends_on.extend(masters_groups(site.cluster));
        if site.bootstrap.registrations.is_some() {
            group.depends_on.insert(BucketObject::address(NODE_REGISTRATIONS));
        }
        objects.extend([settings, template, group]);
    }
    Ok(objects)
}

/// Returns the limits of a roll. Without a route for a node beside the others, one is ended first, unless the file says
/// otherwise.
pub(super) fn roll(cluster: &Cluster, group: &NodeGroup) -> NodeRoll {
    let machines =
        cluster.masters.zones.len() + cluster.nodes.values().map(|group| count(group.scale.most())).sum::<usize>();
    let beside: usize = cluster.nodes.values().map(|group| count(group.roll.max_surge)).sum();
    let fits = cluster.network.plugin != NetworkPlugin::Routes || machines + beside <= MACHINE_ROUTES;
    if fits || group.roll != NodeRoll::default() { group.roll } else { NodeRoll { max_surge: 0, max_unavailable: 1 } }
}

fn count(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// Returns the purchase option of a group's nodes.
pub(super) fn purchase(group: &NodeGroup) -> PurchaseOption {
    group.spot.map_or(PurchaseOption::OnDemand, |spot| {
        PurchaseOption::new(spot.strategy.as_str(), spot.on_demand_base, spot.on_demand_percent)
    })
}

fn group_settings(site: &BuildContext<'_>, name: &str, group: &NodeGroup) -> MachineSettings {
    let mut lines = common(site, "node", name, kubeadm::node(name));
    // A setting that is not in the file is not here either: the machine derives it, and other groups are not rolled.
    let kubelet = &group.kubelet;
    let given = [
        ("QUORATE_SPOT", purchase(group).spot().map(|_| "yes".to_owned())),
        ("QUORATE_MAX_PODS", kubelet.max_pods.map(|number| number.to_string())),
        ("QUORATE_RESERVED_CPU", kubelet.reserved_cpu.clone()),
        ("QUORATE_RESERVED_MEMORY", kubelet.reserved_memory.clone()),
        ("QUORATE_EVICTION_MEMORY", kubelet.eviction_memory.clone()),
        ("QUORATE_EVICTION_DISK", kubelet.eviction_disk.clone()),
    ];
    lines.extend(given.into_iter().filter_map(|(setting, value)| Some((setting, value?))));
    MachineSettings { name: nodes_group(name), lines, ids: Vec::new() }
}
