//! Add-ons: what a cluster needs inside itself, and the manifests that users bring.

mod documents;
mod part;
mod release;

use serde_json::Value as Json;

use super::{Problem, Site, nodes, services};
use crate::engine::{Address, Object};
use crate::resource::{ApiType, manifest_object};
use crate::spec::NetworkPlugin;

use documents::{Definition, definitions, read, typed};
use part::{Part, Rank};
use release::Release;

/// The add-on without which no node takes work.
pub(super) const CLOUD_CONTROLLER: &str = "cloud-controller-manager";
/// The add-on that makes volumes.
pub(super) const EBS: &str = "ebs-csi-driver";

/// The add-ons that come with Quorate, and their manifests.
const BUILT_IN: [(&str, &str); 2] =
    [(CLOUD_CONTROLLER, include_str!("cloud-controller-manager.yaml")), (EBS, include_str!("ebs-csi-driver.yaml"))];

/// The object that serves what autoscalers ask.
const METRICS: &str = "v1beta1.metrics.k8s.io";

pub(super) fn objects(site: &Site<'_>) -> Result<Vec<Object>, Problem> {
    let parts = parts(texts(site))?;
    Ok(parts.iter().map(|part| object(site, part, &parts)).collect())
}

/// The types that a manifest defines; none if it cannot be read.
pub fn custom_types(manifest: &str) -> Vec<ApiType> {
    read("", manifest).unwrap_or_default().iter().flat_map(ApiType::defined).collect()
}

/// What of a built-in add-on must run before something that relies on it.
pub(super) fn workloads_of(site: &Site<'_>, name: &str) -> Vec<Address> {
    let texts = texts(site).into_iter().filter(|(addon, _)| *addon == name).collect();
    let parts = parts(texts).unwrap_or_default().into_iter();
    parts.filter(|part| part.rank == Rank::Workload).map(|part| part.address).collect()
}

/// What makes a namespace, if an add-on of the file does.
pub(super) fn namespace(site: &Site<'_>, wanted: &str) -> Option<Address> {
    let mut ground = parts(texts(site)).unwrap_or_default().into_iter().filter(|part| part.rank == Rank::Ground);
    let made = ground.find(|part| part.manifest["kind"] == "Namespace" && part.manifest["metadata"]["name"] == wanted);
    made.map(|part| part.address)
}

/// Whether an add-on of the file serves what autoscalers ask.
pub(super) fn serves_metrics(site: &Site<'_>) -> bool {
    let parts = parts(texts(site)).unwrap_or_default();
    parts.iter().any(|part| part.rank == Rank::Gate && part.manifest["metadata"]["name"] == METRICS)
}

/// The manifest of each add-on by name: those that come with Quorate, and the file's.
fn texts<'a>(site: &'a Site<'_>) -> Vec<(&'a str, String)> {
    let built_in = BUILT_IN.map(|(name, text)| (name, filled(site, text)));
    let own = site.cluster.addons.iter().map(|(name, addon)| (name.as_str(), addon.content.clone()));
    built_in.into_iter().chain(own).collect()
}

/// Everything that add-ons make, in the order in which it should be made.
fn parts(texts: Vec<(&str, String)>) -> Result<Vec<Part>, Problem> {
    let read: Vec<(&str, Vec<Json>)> =
        texts.into_iter().map(|(name, text)| Ok((name, read(name, &text)?))).collect::<Result<_, Problem>>()?;
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

fn object(site: &Site<'_>, part: &Part, all: &[Part]) -> Object {
    let mut object = manifest_object(site.cluster.name.as_str(), part.address.clone(), part.manifest.clone());
    object.depends_on.extend(services::api_of(site));
    object.depends_on.extend(all.iter().filter(|other| part.follows(other)).map(|other| other.address.clone()));
    // Nobody confirms that a pod has ended whose machine is gone. The one exception is who tells machines apart from
    // those that are gone: it stays until there are none.
    if part.rank == Rank::Workload && part.addon != CLOUD_CONTROLLER {
        object.depends_on.extend(nodes::groups(site));
    }
    object
}

/// A built-in manifest for this cluster.
fn filled(site: &Site<'_>, text: &str) -> String {
    let cluster = site.cluster;
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
    ];
    slots.into_iter().fold(text.to_owned(), |text, (slot, value)| text.replace(slot, value))
}
