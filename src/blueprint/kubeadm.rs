//! kubeadm's configuration of masters and nodes (`v1beta4`), with slots for values that only the machine knows: its address,
//! its name, its instance, its installed version, and how its etcd member starts.

use super::BuildContext;
use super::slots::filled;
use crate::resource::internal_domain;

const MASTER: &str = include_str!("../bootstrap/master.yaml");
const NODE: &str = include_str!("../bootstrap/node.yaml");

/// Returns the configuration of a master.
pub(super) fn master(site: &BuildContext<'_>, member: &str) -> String {
    let network = &site.cluster.network;
    let slots = [
        ("@MEMBER@", member),
        ("@CLUSTER@", site.cluster.name.as_str()),
        ("@DOMAIN@", &internal_domain(site.cluster.name.as_str())),
        ("@PODS@", &network.pods.to_string()),
        ("@SERVICES@", &network.services.to_string()),
    ];
    filled(MASTER, &slots)
}

/// Returns the configuration of a node.
pub(super) fn node(group: &str) -> String {
    filled(NODE, &[("@GROUP@", group)])
}

/// Returns the initial etcd members of a new cluster: `etcd-a=https://etcd-a.internal.…:2380,…`.
pub(super) fn initial_cluster(site: &BuildContext<'_>) -> String {
    let domain = internal_domain(site.cluster.name.as_str());
    let members =
        site.cluster.masters.placed().map(|(member, _)| format!("etcd-{member}=https://etcd-{member}.{domain}:2380"));
    members.collect::<Vec<_>>().join(",")
}
