//! Workers: an Auto Scaling group per node group, over all its zones.

use super::bootstrap::{Settings, common};
use super::machines::Machines;
use super::{GROUP_TAG, Problem, ROLE_TAG, Site, kubeadm, masters, services, tags};
use crate::engine::{Address, Object};
use crate::resource::{AutoScalingGroup, Resource, Tags};

/// The role and the security group of nodes.
pub(super) const ROLE: &str = super::security::NODES;

pub(super) fn objects(site: &Site<'_>) -> Result<Vec<Object>, Problem> {
    let mut objects = Vec::new();
    for (name, group) in &site.cluster.nodes {
        let machines = Machines {
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

/// The name of a node group's Auto Scaling group. Masters' begin otherwise, so a group may have any name.
pub fn nodes_group(group: &str) -> String {
    format!("nodes-{group}")
}

/// The groups of all nodes.
pub(super) fn groups<'a>(site: &'a Site<'_>) -> impl Iterator<Item = Address> + 'a {
    site.cluster.nodes.keys().map(|name| AutoScalingGroup::address(&nodes_group(name)))
}

/// The settings of each node group.
pub(super) fn settings<'a>(site: &'a Site<'_>) -> impl Iterator<Item = Settings> + 'a {
    site.cluster.nodes.keys().map(|name| group_settings(site, name))
}

fn group_settings(site: &Site<'_>, name: &str) -> Settings {
    let lines = common(site, "node", name, kubeadm::node(name));
    Settings { name: nodes_group(name), lines, ids: Vec::new() }
}
