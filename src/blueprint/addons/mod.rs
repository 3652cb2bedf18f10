//! Add-ons: the components that a cluster needs inside itself, and the user's own manifests.

mod documents;
mod part;
mod release;

use serde_json::Value as Json;

use super::slots::filled;
use super::{BlueprintProblem, BuildContext, nodes, services};
use crate::engine::{Address, Object};
use crate::resource::{ApiType, manifest_object};
use crate::spec::{Cluster, NetworkPlugin};

use documents::{CustomDefinition, definitions, read, typed};
use part::AddonPhase;
use release::ReleaseVersions;

pub(super) use part::AddonObject;

/// The add-on without which no node accepts pods.
pub(super) const CLOUD_CONTROLLER: &str = "cloud-controller-manager";
/// The add-on that creates volumes.
pub(super) const EBS: &str = "ebs-csi-driver";

/// The built-in add-ons, and their manifests.
const BUILT_IN: [(&str, &str); 3] = [
    (CLOUD_CONTROLLER, include_str!("cloud-controller-manager.yaml")),
    ("coredns", include_str!("coredns.yaml")),
    (EBS, include_str!("ebs-csi-driver.yaml")),
];

/// The object that serves the metrics for autoscalers.
const METRICS: &str = "v1beta1.metrics.k8s.io";

pub(super) fn objects(site: &BuildContext<'_>) -> impl Iterator<Item = Object> {
    site.addons.iter().map(|part| object(site, part))
}

/// Returns the types that a manifest defines; none if it cannot be parsed.
pub fn custom_types(manifest: &str) -> Vec<ApiType> {
    read("", manifest).unwrap_or_default().iter().flat_map(ApiType::defined).collect()
}

/// Returns the workloads of a built-in add-on, which must run before any object that relies on the add-on.
pub(super) fn workloads_of(site: &BuildContext<'_>, name: &str) -> Vec<Address> {
    let workloads = site.addons.iter().filter(|part| part.addon == name && part.rank == AddonPhase::Workload);
    workloads.map(|part| part.address.clone()).collect()
}

/// Returns the object that creates a namespace, if an add-on of the file does.
pub(super) fn namespace(site: &BuildContext<'_>, wanted: &str) -> Option<Address> {
    let mut ground = site.addons.iter().filter(|part| part.rank == AddonPhase::Ground);
    let made = ground.find(|part| part.manifest["kind"] == "Namespace" && part.manifest["metadata"]["name"] == wanted);
    made.map(|part| part.address.clone())
}

/// Returns `true` if an add-on of the file serves the metrics for autoscalers.
pub(super) fn serves_metrics(site: &BuildContext<'_>) -> bool {
    site.addons.iter().any(|part| part.rank == AddonPhase::Gate && part.manifest["metadata"]["name"] == METRICS)
}

/// Returns all objects of add-ons, the built-in ones and those of the file, in the order in which they are created.
pub(super) fn parts(cluster: &Cluster) -> Result<Vec<AddonObject>, BlueprintProblem> {
    let ours = BUILT_IN.map(|(name, text)| Ok((name, read(name, &built_in(cluster, text))?)));
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

fn object(site: &BuildContext<'_>, part: &AddonObject) -> Object {
    let mut object = manifest_object(site.cluster.name.as_str(), part.address.clone(), part.manifest.clone());
    object.depends_on.extend(services::api_of(site));
    object.depends_on.extend(site.addons.iter().filter(|other| part.follows(other)).map(|other| other.address.clone()));
    // Nobody confirms that a pod has ended whose machine is gone. The one exception is who tells machines apart from
    // those that are gone: it stays until there are none.
    if part.rank == AddonPhase::Workload && part.addon != CLOUD_CONTROLLER {
        object.depends_on.extend(nodes::groups(site));
    }
    object
}

/// Returns a built-in manifest for this cluster.
fn built_in(cluster: &Cluster, text: &str) -> String {
    let release = ReleaseVersions::of(cluster.kubernetes);
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
        ("@CLOUD_CONTROLLER@", release.cloud_controller),
        ("@EBS_CSI@", release.ebs_csi),
        ("@PROVISIONER@", release.provisioner),
        ("@ATTACHER@", release.attacher),
        ("@RESIZER@", release.resizer),
        ("@REGISTRAR@", release.registrar),
        ("@LIVENESS@", release.liveness),
    ];
    filled(text, &slots)
}
