//! Add-ons: what a cluster needs inside itself, and the manifests that users bring.

mod documents;
mod part;
mod release;

use serde_json::Value as Json;

use super::slots::filled;
use super::{Problem, Site, nodes, services};
use crate::engine::{Address, Object};
use crate::resource::{ApiType, manifest_object};
use crate::spec::{Cluster, NetworkPlugin};

use documents::{Definition, definitions, read, typed};
use part::Rank;
use release::Release;

pub(super) use part::Part;

/// The add-on without which no node takes work.
pub(super) const CLOUD_CONTROLLER: &str = "cloud-controller-manager";
/// The add-on that makes volumes.
pub(super) const EBS: &str = "ebs-csi-driver";

/// The add-ons that come with Quorate, and their manifests.
const BUILT_IN: [(&str, &str); 3] = [
    (CLOUD_CONTROLLER, include_str!("cloud-controller-manager.yaml")),
    ("coredns", include_str!("coredns.yaml")),
    (EBS, include_str!("ebs-csi-driver.yaml")),
];

/// The object that serves what autoscalers ask.
const METRICS: &str = "v1beta1.metrics.k8s.io";

pub(super) fn objects(site: &Site<'_>) -> impl Iterator<Item = Object> {
    site.addons.iter().map(|part| object(site, part))
}

/// The types that a manifest defines; none if it cannot be read.
pub fn custom_types(manifest: &str) -> Vec<ApiType> {
    read("", manifest).unwrap_or_default().iter().flat_map(ApiType::defined).collect()
}

/// What of a built-in add-on must run before something that relies on it.
pub(super) fn workloads_of(site: &Site<'_>, name: &str) -> Vec<Address> {
    let workloads = site.addons.iter().filter(|part| part.addon == name && part.rank == Rank::Workload);
    workloads.map(|part| part.address.clone()).collect()
}

/// What makes a namespace, if an add-on of the file does.
pub(super) fn namespace(site: &Site<'_>, wanted: &str) -> Option<Address> {
    let mut ground = site.addons.iter().filter(|part| part.rank == Rank::Ground);
    let made = ground.find(|part| part.manifest["kind"] == "Namespace" && part.manifest["metadata"]["name"] == wanted);
    made.map(|part| part.address.clone())
}

/// Whether an add-on of the file serves what autoscalers ask.
pub(super) fn serves_metrics(site: &Site<'_>) -> bool {
    site.addons.iter().any(|part| part.rank == Rank::Gate && part.manifest["metadata"]["name"] == METRICS)
}

/// Everything that add-ons make, those that come with Quorate and the file's, in the order in which it should be made.
pub(super) fn parts(cluster: &Cluster) -> Result<Vec<Part>, Problem> {
    let ours = BUILT_IN.map(|(name, text)| Ok((name, read(name, &built_in(cluster, text))?)));
    let own = cluster.addons.iter().map(|(name, addon)| Ok((name.as_str(), read(name, &addon.content)?)));
    let read: Vec<(&str, Vec<Json>)> = ours.into_iter().chain(own).collect::<Result<_, Problem>>()?;
    let custom: Vec<Definition> = read.iter().flat_map(|(name, documents)| definitions(name, documents)).collect();
    let mut parts = Vec::new();
    for (name, documents) in read {
        for document in documents {
            parts.push(Part::new(name, typed(name, document, &custom)?));
        }
    }
    parts.sort_by_key(Part::order);
    Ok(parts)
}

fn object(site: &Site<'_>, part: &Part) -> Object {
    let mut object = manifest_object(site.cluster.name.as_str(), part.address.clone(), part.manifest.clone());
    object.depends_on.extend(services::api_of(site));
    object.depends_on.extend(site.addons.iter().filter(|other| part.follows(other)).map(|other| other.address.clone()));
    // Nobody confirms that a pod has ended whose machine is gone. The one exception is who tells machines apart from
    // those that are gone: it stays until there are none.
    if part.rank == Rank::Workload && part.addon != CLOUD_CONTROLLER {
        object.depends_on.extend(nodes::groups(site));
    }
    object
}

/// A built-in manifest for this cluster.
fn built_in(cluster: &Cluster, text: &str) -> String {
    let release = Release::of(cluster.kubernetes);
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
