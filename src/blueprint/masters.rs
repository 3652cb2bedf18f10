//! The control plane: one Auto Scaling group of size 1 per master, each with its own template, zone and etcd volume.

use super::bootstrap::{MachineSettings, common};
use super::machines::MachineGroup;
use super::outputs::{MASTERS, api_target_group, etcd_volume, internal_zone};
use super::{BlueprintProblem, BuildContext, MEMBER_TAG, ROLE_TAG, kubeadm, tags};
use crate::engine::Object;
use crate::resource::{MASTER, PurchaseOption, Tags, masters_group};
use crate::spec::{Scale, Zone};

/// Masters are rolled one at a time, because etcd would lose its quorum otherwise.
const LANE: &str = "masters";

pub(super) fn objects(site: &BuildContext<'_>) -> Result<Vec<Object>, BlueprintProblem> {
    let mut objects = Vec::new();
    for (member, zone) in site.cluster.masters.placed() {
        objects.extend(master(site, &member, zone)?);
    }
    Ok(objects)
}

fn master(site: &BuildContext<'_>, member: &str, zone: &Zone) -> Result<[Object; 3], BlueprintProblem> {
    let machines = MachineGroup {
        object: &masters_group(member),
        display: site.below(&format!("{member}.masters")),
        role: MASTERS,
        tags: tags::with(Tags::new(), [(ROLE_TAG, MASTER), (MEMBER_TAG, member)]),
        size: &site.cluster.masters.size,
        other_sizes: &[],
        purchase: PurchaseOption::OnDemand,
        image: site.cluster.masters.image.as_ref(),
        root: &site.cluster.masters.root,
        zones: std::slice::from_ref(zone),
        scale: Scale::Count(1),
        target_groups: vec![api_target_group()],
        roll: None,
        lane: Some(LANE),
        settings: member_settings(site, member),
    };
    machines.objects(site)
}

fn member_settings(site: &BuildContext<'_>, member: &str) -> MachineSettings {
    let all: Vec<String> = site.cluster.masters.placed().map(|(member, _)| member).collect();
    let mut lines = common(site, "master", member, kubeadm::master(site, member));
    lines.extend([
        ("QUORATE_MASTERS", all.join(" ")),
        ("QUORATE_INITIAL_CLUSTER", kubeadm::initial_cluster(site)),
        ("QUORATE_KEEP_DAYS", site.cluster.masters.etcd.keep_days.to_string()),
    ]);
    MachineSettings {
        name: masters_group(member),
        lines,
        ids: vec![("QUORATE_VOLUME", etcd_volume(member)), ("QUORATE_ZONE_ID", internal_zone())],
    }
}
