//! Add-ons: what a cluster needs inside itself, and the manifests that users bring.

mod release;

use std::collections::BTreeSet;

use serde_json::Value as Json;

use super::{Problem, Site, services};
use crate::engine::{Address, Object};
use crate::resource::{API_TYPES, ApiType, MANIFEST, manifest_object};
use crate::spec::NetworkPlugin;

use release::Release;

/// The add-on without which no node takes work.
pub(super) const CLOUD_CONTROLLER: &str = "cloud-controller-manager";
/// The add-on that makes volumes.
pub(super) const EBS: &str = "ebs-csi-driver";

/// The add-ons that come with Quorate, and their manifests.
const BUILT_IN: [(&str, &str); 2] =
    [(CLOUD_CONTROLLER, include_str!("cloud-controller-manager.yaml")), (EBS, include_str!("ebs-csi-driver.yaml"))];

/// Types whose objects run something: they come after everything else of their add-on.
const WORKLOADS: [&str; 5] = ["Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob"];
/// Types that others are made of or in.
const GROUND: [&str; 2] = ["Namespace", "CustomResourceDefinition"];

pub(super) fn objects(site: &Site<'_>) -> Result<Vec<Object>, Problem> {
    let mut objects = Vec::new();
    for (name, text) in BUILT_IN {
        objects.extend(addon(site, name, &filled(site, text))?);
    }
    for (name, addon_file) in &site.cluster.addons {
        objects.extend(addon(site, name, &addon_file.content)?);
    }
    Ok(objects)
}

/// What of an add-on must run before something that relies on it.
pub(super) fn workloads_of(site: &Site<'_>, name: &str) -> Vec<Address> {
    let text = BUILT_IN.iter().find(|(known, _)| *known == name);
    let documents = text.and_then(|(_, text)| documents(name, &filled(site, text)).ok()).unwrap_or_default();
    documents.iter().filter(|manifest| is(manifest, &WORKLOADS)).map(|manifest| address(name, manifest)).collect()
}

/// What makes a namespace, if an add-on of the file does.
pub(super) fn namespace(site: &Site<'_>, wanted: &str) -> Option<Address> {
    site.cluster.addons.iter().find_map(|(name, addon)| {
        let documents = documents(name, &addon.content).ok()?;
        let made = |manifest: &&Json| is(manifest, &GROUND[..1]) && manifest["metadata"]["name"] == wanted;
        documents.iter().find(made).map(|manifest| address(name, manifest))
    })
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

fn addon(site: &Site<'_>, name: &str, text: &str) -> Result<Vec<Object>, Problem> {
    let documents = documents(name, text)?;
    let all: Vec<(Address, &Json)> = documents.iter().map(|manifest| (address(name, manifest), manifest)).collect();
    let of = |picked: &dyn Fn(&Json) -> bool| -> BTreeSet<Address> {
        all.iter().filter(|(_, manifest)| picked(manifest)).map(|(address, _)| address.clone()).collect()
    };
    let ground = of(&|manifest| is(manifest, &GROUND));
    let settled = of(&|manifest| !is(manifest, &WORKLOADS));
    let object = |(address, manifest): &(Address, &Json)| {
        let mut object = manifest_object(site.cluster.name.as_str(), address.clone(), (*manifest).clone());
        object.depends_on.extend(services::api_of(site));
        if is(manifest, &WORKLOADS) {
            object.depends_on.extend(settled.iter().cloned());
        } else if !is(manifest, &GROUND) {
            object.depends_on.extend(ground.iter().cloned());
        }
        object
    };
    Ok(all.iter().map(object).collect())
}

/// The documents of a manifest, each of a type that is known; in the order in which they should be made.
fn documents(name: &str, text: &str) -> Result<Vec<Json>, Problem> {
    let unreadable = |why: String| Problem::AddonUnreadable { addon: name.to_owned(), why };
    let documents: Vec<Json> = serde_saphyr::from_multiple(text).map_err(|error| unreadable(error.to_string()))?;
    let mut documents: Vec<Json> = documents.into_iter().filter(|document| !document.is_null()).collect();
    for document in &mut documents {
        let text = |field: &Json| field.as_str().unwrap_or_default().to_owned();
        let (api_version, kind) = (text(&document["apiVersion"]), text(&document["kind"]));
        let Some(api) = ApiType::find(&api_version, &kind) else {
            let (addon, what) = (name.to_owned(), format!("{kind} of {api_version}"));
            return Err(Problem::AddonType { addon, what });
        };
        if document["metadata"]["name"].as_str().is_none_or(str::is_empty) {
            return Err(unreadable(format!("a {kind} has no metadata.name")));
        }
        if api.namespaced && document["metadata"]["namespace"].is_null() {
            document["metadata"]["namespace"] = "default".into();
        }
    }
    documents.sort_by_key(|document| API_TYPES.iter().position(|api| document["kind"] == api.kind.as_ref()));
    Ok(documents)
}

fn is(manifest: &Json, kinds: &[&str]) -> bool {
    manifest["kind"].as_str().is_some_and(|kind| kinds.contains(&kind))
}

/// `manifest/ebs-csi-driver/DaemonSet/kube-system/ebs-csi-node`
fn address(addon: &str, manifest: &Json) -> Address {
    let metadata = &manifest["metadata"];
    let parts = [&manifest["kind"], &metadata["namespace"], &metadata["name"]];
    let parts: Vec<&str> = [addon].into_iter().chain(parts.into_iter().filter_map(Json::as_str)).collect();
    Address::new(MANIFEST, parts.join("/"))
}
