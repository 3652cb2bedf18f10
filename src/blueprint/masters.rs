//! The control plane: one Auto Scaling group of size 1 per master, each with its own template, zone and etcd volume.

use super::bootstrap::{MachineSettings, common};
use super::machines::MachineGroup;
use super::{BlueprintProblem, BuildContext, MEMBER_TAG, ROLE_TAG, api, dns, kubeadm, storage, tags};
use crate::engine::{Address, Object};
use crate::resource::{AutoScalingGroup, MASTER, Resource, Tags, masters_group};
use crate::spec::{Scale, Zone};

/// The role and the security group of masters.
pub(super) const ROLE: &str = super::security::MASTERS;

/// Masters are rolled one at a time, because etcd would lose its quorum otherwise.
const LANE: &str = "masters";

pub(super) fn objects(site: &BuildContext<'_>) -> Result<Vec<Object>, BlueprintProblem> {
    let mut objects = Vec::new();
    for (member, zone) in site.cluster.masters.placed() {
        objects.extend(master(site, &member, zone)?);
    }
    Ok(objects)
}

/// Returns the groups of all masters.
pub(super) fn groups<'a>(site: &'a BuildContext<'_>) -> impl Iterator<Item = Address> + 'a {
    site.cluster.masters.placed().map(|(member, _)| AutoScalingGroup::address(&masters_group(&member)))
}

/// Returns the settings of each master.
pub(super) fn settings<'a>(site: &'a BuildContext<'_>) -> impl Iterator<Item = MachineSettings> + 'a {
    site.cluster.masters.placed().map(|(member, _)| member_settings(site, &member))
}

fn master(site: &BuildContext<'_>, member: &str, zone: &Zone) -> Result<[Object; 2], BlueprintProblem> {
    let machines = MachineGroup {
        object: &masters_group(member),
        display: site.below(&format!("{member}.masters")),
        role: ROLE,
        tags: tags::with(Tags::new(), [(ROLE_TAG, MASTER), (MEMBER_TAG, member)]),
        size: &site.cluster.masters.size,
        image: site.cluster.masters.image.as_ref(),
        root: &site.cluster.masters.root,
        zones: std::slice::from_ref(zone),
        scale: Scale::Count(1),
        target_groups: vec![api::target_group()],
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
        ids: vec![("QUORATE_VOLUME", storage::volume(member)), ("QUORATE_ZONE_ID", dns::internal_zone())],
    }
}
