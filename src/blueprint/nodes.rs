//! Workers: an Auto Scaling group per node group, over all its zones.

use super::bootstrap::{MachineSettings, common};
use super::machines::MachineGroup;
use super::outputs::{NODES, masters_groups, nodes_group};
use super::{BlueprintProblem, BuildContext, GROUP_TAG, ROLE_TAG, kubeadm, services, tags};
use crate::engine::Object;
use crate::resource::Tags;

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

fn group_settings(site: &BuildContext<'_>, name: &str) -> MachineSettings {
    let lines = common(site, "node", name, kubeadm::node(name));
    MachineSettings { name: nodes_group(name), lines, ids: Vec::new() }
}
