//! The built-in add-ons, and the list of all objects of add-ons.

use serde_json::Value as Json;

use super::documents::{CustomDefinition, definitions, read, typed};
use super::part::AddonObject;
use super::release::{COMPONENTS, PinnedAddons};
use crate::blueprint::BlueprintProblem;
use crate::blueprint::slots::filled;
use crate::spec::{Cluster, NetworkPlugin};

/// The add-on without which no node accepts pods.
pub(in crate::blueprint) const CLOUD_CONTROLLER: &str = "cloud-controller-manager";
/// The add-on that creates volumes.
pub(in crate::blueprint) const EBS: &str = "ebs-csi-driver";

/// The built-in add-ons, and their manifests.
const BUILT_IN: [(&str, &str); 3] = [
    (CLOUD_CONTROLLER, include_str!("cloud-controller-manager.yaml")),
    ("coredns", include_str!("coredns.yaml")),
    (EBS, include_str!("ebs-csi-driver.yaml")),
];

/// Returns all objects of add-ons, the built-in ones and those of the file, in the order in which they are created.
pub(in crate::blueprint) fn parts(
    cluster: &Cluster,
    versions: &PinnedAddons,
) -> Result<Vec<AddonObject>, BlueprintProblem> {
    let ours = BUILT_IN.map(|(name, text)| Ok((name, read(name, &built_in(cluster, versions, text))?)));
    let own = cluster.addons.iter().map(|(name, addon)| Ok((name.as_str(), read(name, &addon.content)?)));
    let read: Vec<(&str, Vec<Json>)> = ours.into_iter().chain(own).collect::<Result<_, BlueprintProblem>>()?;
    let custom: Vec<CustomDefinition> =
        read.iter().flat_map(|(name, documents)| definitions(name, documents)).collect();
    let mut parts = Vec::new();
    for (name, documents) in read {
        for document in documents {
            parts.push(AddonObject::new(name, typed(name, document, &custom)?));
        }
    }
    parts.sort_by_key(AddonObject::order);
    Ok(parts)
}

/// Returns a built-in manifest for this cluster.
fn built_in(cluster: &Cluster, versions: &PinnedAddons, text: &str) -> String {
    let routes = (cluster.network.plugin == NetworkPlugin::Routes).to_string();
    // Two controllers are enough for one to lead while the other's machine is replaced.
    let controllers = cluster.masters.zones.len().min(2).to_string();
    let pods = cluster.network.pods.to_string();
    let slots = [
        ("@CLUSTER@", cluster.name.as_str()),
        ("@REGION@", &cluster.region),
        ("@PODS@", &pods),
        ("@ROUTES@", &routes),
        ("@CONTROLLERS@", &controllers),
    ];
    let versions = COMPONENTS.map(|(name, slot)| (slot, versions.of(name)));
    filled(text, &[&slots[..], &versions[..]].concat())
}
