//! Add-ons: the components that a cluster needs inside itself, and the user's own manifests.

mod built_in;
mod documents;
mod part;
mod release;

use super::BuildContext;
use super::outputs::{kubernetes_api, nodes_groups};
use crate::engine::{Address, Object};
use crate::resource::{ApiType, manifest_object};

use documents::read;
use part::AddonPhase;

pub(super) use built_in::{CLOUD_CONTROLLER, EBS, parts};
pub(super) use part::AddonObject;
pub use release::PinnedAddons;

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
    let mut parts = site.addons.iter().filter(|part| part.rank == AddonPhase::Foundation);
    let made = parts.find(|part| part.manifest["kind"] == "Namespace" && part.manifest["metadata"]["name"] == wanted);
    made.map(|part| part.address.clone())
}

/// Returns `true` if an add-on of the file serves the metrics for autoscalers.
pub(super) fn serves_metrics(site: &BuildContext<'_>) -> bool {
    site.addons.iter().any(|part| part.rank == AddonPhase::Gate && part.manifest["metadata"]["name"] == METRICS)
}

fn object(site: &BuildContext<'_>, part: &AddonObject) -> Object {
    let mut object = manifest_object(site.cluster.name.as_str(), part.address.clone(), part.manifest.clone());
    object.depends_on.extend(kubernetes_api(site.cluster));
    object.depends_on.extend(site.addons.iter().filter(|other| part.follows(other)).map(|other| other.address.clone()));
    // Nobody confirms that a pod has ended whose machine is gone. The one exception is who tells machines apart from
    // those that are gone: it stays until there are none.
    if part.rank == AddonPhase::Workload && part.addon != CLOUD_CONTROLLER {
        object.depends_on.extend(nodes_groups(site.cluster));
    }
    object
}
