//! The desired objects of a cluster: a [`Cluster`] and the cloud's [`Facts`] become the objects that should exist. Pure.

mod addons;
mod api;
mod bootstrap;
mod bootstrap_store;
mod dns;
mod identity;
mod kubeadm;
mod machines;
mod masters;
mod names;
mod network;
mod nodes;
mod outputs;
mod permissions;
mod places;
mod problem;
mod public_names;
mod quotas;
mod secrets;
mod security;
mod services;
mod settled;
mod site;
mod slots;
mod storage;
mod subnets;
mod tags;
mod upgrade;

use std::collections::{BTreeMap, BTreeSet};

use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};

use crate::engine::Object;
use crate::resource::{ClusterLocation, Facts, PublishedImage};
use crate::spec::{Architecture, Cluster, KubernetesRelease, Zone};

pub use addons::{PinnedAddons, custom_types};
pub use outputs::nodes_group;
pub use problem::{BlueprintError, BlueprintNote, BlueprintProblem};
pub use quotas::quota_needs;
pub use settled::{PinnedNetwork, PinnedVersion};
pub use tags::{GROUP_TAG, MEMBER_TAG, ROLE_TAG};
pub use upgrade::{Upgrade, version_changes};

use bootstrap_store::BootstrapStore;
use public_names::PublicNames;
use site::BuildContext;

/// The desired objects, and the decisions that led to them.
#[derive(Debug, Clone, PartialEq)]
pub struct Blueprint {
    /// The objects, sorted by address.
    pub objects: Vec<Object>,
    /// The choices that this blueprint rests on: once recorded, they make the next one choose the same.
    pub pins: Pins,
    /// Notes for the user.
    pub notes: Vec<BlueprintNote>,
}

/// Choices that are made once and kept, so that a plan does not change because AWS did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pins {
    /// The machine image of each architecture in use.
    #[serde(default)]
    pub images: BTreeMap<Architecture, PublishedImage>,
    /// The id of the public hosted zone that holds the cluster's names, if it existed before the cluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_zone: Option<String>,
    /// The port that every node has for each target of a load balancer.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub node_ports: BTreeMap<String, u16>,
    /// The priority of each rule of the load balancer of the web, by host and path.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub rule_priorities: BTreeMap<String, u32>,
    /// The address range of each zone's subnet, also of zones that the cluster has left: their subnets may still exist.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub subnets: BTreeMap<Zone, Ipv4Net>,
    /// The same for private subnets.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub private_subnets: BTreeMap<Zone, Ipv4Net>,
    /// The zone of the NAT gateway that all zones share: its address should not change with the order of zones in the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nat_zone: Option<Zone>,
    /// The zone of each master, by its letter: its etcd volume cannot leave it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub masters: BTreeMap<String, Zone>,
    /// The version of Kubernetes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kubernetes: Option<PinnedVersion>,
    /// The release of Kubernetes that machines install.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release: Option<KubernetesRelease>,
    /// The versions of the built-in add-ons.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub addons: Option<PinnedAddons>,
    /// The settings of the pods' network that cannot be changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network: Option<PinnedNetwork>,
    /// The services with volumes: `true` if each pod has its own. Volumes cannot change from one form to the other.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub volume_per_pod: BTreeMap<String, bool>,
    /// The ids of machines whose replacement was requested and has not finished.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub replace: BTreeSet<String>,
}

/// Returns every object of a cluster.
///
/// `pins` are those of the last apply; without any, the newest image and the best zone in `facts` are chosen.
///
/// # Errors
/// [`BlueprintError`], with everything about the cluster that the account or the region cannot give.
pub fn blueprint(cluster: &Cluster, facts: &Facts, pins: &Pins) -> Result<Blueprint, BlueprintError> {
    blueprint_beside(cluster, facts, pins, &[])
}

/// Returns every object of a cluster whose machines may still read from former locations: their roles allow it.
///
/// # Errors
/// As [`blueprint`].
pub fn blueprint_beside(
    cluster: &Cluster,
    facts: &Facts,
    pins: &Pins,
    former: &[ClusterLocation],
) -> Result<Blueprint, BlueprintError> {
    let cluster = &settled::resolved(cluster, pins)?;
    let mut site = BuildContext::survey(cluster, facts, pins)?;
    site.former = former.to_vec();
    let parts = [
        storage::objects,
        network::objects,
        security::objects,
        identity::objects,
        bootstrap::objects,
        secrets::objects,
        api::objects,
        dns::objects,
        masters::objects,
        nodes::objects,
        services::objects,
    ];
    let mut objects = Vec::new();
    let mut problems = Vec::new();
    for part in parts {
        match part(&site) {
            Ok(some) => objects.extend(some),
            Err(problem) => problems.push(problem),
        }
    }
    objects.extend(addons::objects(&site));
    problems.extend(places::doubles(&site, &objects));
    if !problems.is_empty() {
        return Err(BlueprintError { problems });
    }
    objects.sort_by(|a, b| a.address.cmp(&b.address));
    let mut notes = notes(&site);
    notes.extend(settled::notes(cluster));
    notes.extend(upgrade::note(&site.pins(), facts));
    Ok(Blueprint { objects, pins: site.pins().resolve(cluster, pins), notes })
}

/// Returns notes for the user.
fn notes(site: &BuildContext<'_>) -> Vec<BlueprintNote> {
    let nameless = matches!(site.public, PublicNames::NotFound);
    let mut notes = Vec::new();
    notes.extend(nameless.then(|| BlueprintNote::NoPublicZone { name: site.cluster.name.clone() }));
    let services = services::scaled(site);
    if !services.is_empty() && !addons::serves_metrics(site) {
        notes.push(BlueprintNote::NoMetrics { services });
    }
    notes
}

/// Returns the kinds of objects that few clusters have, and that this one has: an observation looks for these, and for the
/// objects in the record.
pub fn optional_kinds(cluster: &Cluster) -> BTreeSet<&'static str> {
    services::optional_kinds(cluster)
}

/// Returns the location of a cluster in an account.
pub fn location(cluster: &Cluster, account: &str) -> ClusterLocation {
    BootstrapStore::of(cluster, account).location(cluster)
}

/// Returns the bucket of a cluster's boot files: the state's, or one of its own in the account.
pub fn bucket(cluster: &Cluster, account: &str) -> String {
    BootstrapStore::of(cluster, account).bucket
}

#[cfg(test)]
mod tests;
