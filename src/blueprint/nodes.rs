//! Workers: an Auto Scaling group per node group, over all its zones.

use super::bootstrap::{MachineSettings, common};
use super::machines::MachineGroup;
use super::outputs::{NODES, masters_groups, nodes_group};
use super::{BlueprintProblem, BuildContext, GROUP_TAG, ROLE_TAG, kubeadm, services, tags};
use crate::engine::Object;
use crate::limits::aws::MACHINE_ROUTES;
use crate::resource::Tags;
use crate::spec::{Cluster, NetworkPlugin, NodeGroup, NodeRoll};

pub(super) fn objects(site: &BuildContext<'_>) -> Result<Vec<Object>, BlueprintProblem> {
    let mut objects = Vec::new();
    for (name, group) in &site.cluster.nodes {
        let machines = MachineGroup {
            object: &nodes_group(name),
            display: site.below(&format!("{name}.nodes")),
            role: NODES,
            tags: tags::with(Tags::new(), [(ROLE_TAG, "node"), (GROUP_TAG, name)]),
            size: &group.size,
            image: group.image.as_ref(),
            root: &group.root,
            zones: &group.zones,
            scale: group.scale,
            target_groups: services::target_groups(site),
            roll: Some(roll(site.cluster, group)),
            lane: None,
            settings: group_settings(site, name),
        };
        let [settings, template, mut group] = machines.objects(site)?;
        // Nodes join what masters run, and a kubelet must not be newer than the API server.
        group.depends_on.extend(masters_groups(site.cluster));
        objects.extend([settings, template, group]);
    }
    Ok(objects)
}

/// Returns the limits of a roll. Without a route for a node beside the others, one is ended first, unless the file says
/// otherwise.
fn roll(cluster: &Cluster, group: &NodeGroup) -> NodeRoll {
    let machines =
        cluster.masters.zones.len() + cluster.nodes.values().map(|group| count(group.scale.most())).sum::<usize>();
    let beside: usize = cluster.nodes.values().map(|group| count(group.roll.max_surge)).sum();
    let fits = cluster.network.plugin != NetworkPlugin::Routes || machines + beside <= MACHINE_ROUTES;
    if fits || group.roll != NodeRoll::default() { group.roll } else { NodeRoll { max_surge: 0, max_unavailable: 1 } }
}

fn count(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

fn group_settings(site: &BuildContext<'_>, name: &str) -> MachineSettings {
    let lines = common(site, "node", name, kubeadm::node(name));
    MachineSettings { name: nodes_group(name), lines, ids: Vec::new() }
}
