//! Workers: an Auto Scaling group per node group, over all its zones.

use super::bootstrap::{MachineSettings, common};
use super::machines::MachineGroup;
use super::{BlueprintProblem, BuildContext, GROUP_TAG, ROLE_TAG, kubeadm, masters, services, tags};
use crate::engine::{Address, Object};
use crate::resource::{AutoScalingGroup, Resource, Tags};

/// The role and the security group of nodes.
pub(super) const ROLE: &str = super::security::NODES;

pub(super) fn objects(site: &BuildContext<'_>) -> Result<Vec<Object>, BlueprintProblem> {
    let mut objects = Vec::new();
    for (name, group) in &site.cluster.nodes {
        let machines = MachineGroup {
            object: &nodes_group(name),
            display: site.below(&format!("{name}.nodes")),
            role: ROLE,
            tags: tags::with(Tags::new(), [(ROLE_TAG, "node"), (GROUP_TAG, name)]),
            size: &group.size,
            image: group.image.as_ref(),
            root: &group.root,
            zones: &group.zones,
            scale: group.scale,
            target_groups: services::target_groups(site),
            lane: None,
            settings: group_settings(site, name),
        };
        let [template, mut group] = machines.objects(site)?;
        // Nodes join what masters run, and a kubelet must not be newer than the API server.
        group.depends_on.extend(masters::groups(site));
        objects.extend([template, group]);
    }
    Ok(objects)
}

/// Returns the name of a node group's Auto Scaling group. Masters' names have another prefix, so a group may have any name.
pub fn nodes_group(group: &str) -> String {
    format!("nodes-{group}")
}

/// Returns the groups of all nodes.
pub(super) fn groups<'a>(site: &'a BuildContext<'_>) -> impl Iterator<Item = Address> + 'a {
    site.cluster.nodes.keys().map(|name| AutoScalingGroup::address(&nodes_group(name)))
}

/// Returns the settings of each node group.
pub(super) fn settings<'a>(site: &'a BuildContext<'_>) -> impl Iterator<Item = MachineSettings> + 'a {
    site.cluster.nodes.keys().map(|name| group_settings(site, name))
}

fn group_settings(site: &BuildContext<'_>, name: &str) -> MachineSettings {
    let lines = common(site, "node", name, kubeadm::node(name));
    MachineSettings { name: nodes_group(name), lines, ids: Vec::new() }
}
