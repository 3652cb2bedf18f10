//! One object of an add-on, and the objects that must exist before it.

use std::fmt;

use serde_json::Value as Json;

use super::documents::AddonDocument;
use crate::engine::Address;
use crate::resource::{API_TYPES, ApiType, MANIFEST};

/// The creation order of an add-on's objects; they are deleted in reverse order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum AddonPhase {
    /// Namespaces and custom resource definitions, which other objects need.
    Foundation,
    /// Objects that neither run nor decide anything.
    Settled,
    /// Objects that run pods.
    Workload,
    /// Webhooks and API services: they ask a workload whether objects are allowed, or serve types by it. Without the
    /// workload, they would block every object, those of their own add-on first.
    Gate,
    /// Objects of a custom type. Their controllers, which check them and clean up after them, are created before them and
    /// deleted after them.
    Custom,
}

const FOUNDATIONS: [&str; 2] = ["Namespace", "CustomResourceDefinition"];
const WORKLOADS: [&str; 5] = ["Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob"];
const GATES: [&str; 2] = ["admissionregistration.k8s.io", "apiregistration.k8s.io"];

impl AddonPhase {
    fn of(api: &ApiType) -> Self {
        let kind = api.kind.as_ref();
        if !api.is_known() {
            Self::Custom
        } else if FOUNDATIONS.contains(&kind) {
            Self::Foundation
        } else if WORKLOADS.contains(&kind) {
            Self::Workload
        } else if GATES.contains(&api.group()) {
            Self::Gate
        } else {
            Self::Settled
        }
    }
}

/// One object of an add-on.
pub(in crate::blueprint) struct AddonObject {
    pub(super) addon: String,
    pub(super) address: Address,
    pub(super) rank: AddonPhase,
    pub(super) manifest: Json,
    /// The add-on that defines its type, if any.
    defined_by: Option<String>,
}

impl AddonObject {
    pub(super) fn new(addon: &str, document: AddonDocument) -> Self {
        Self {
            addon: addon.to_owned(),
            address: address(addon, &document.api, &document.manifest),
            rank: AddonPhase::of(&document.api),
            manifest: document.manifest,
            defined_by: document.defined_by,
        }
    }

    /// Returns `true` if the object is created after another: of its own add-on, or of the one that defines its type.
    pub(super) fn follows(&self, other: &Self) -> bool {
        let related = other.addon == self.addon || self.defined_by.as_ref() == Some(&other.addon);
        related && other.rank < self.rank
    }

    /// Returns the position among the objects of its add-on.
    pub(super) fn order(&self) -> (AddonPhase, Option<usize>) {
        (self.rank, API_TYPES.iter().position(|api| self.manifest["kind"] == api.kind.as_ref()))
    }
}

impl fmt::Debug for AddonObject {
    /// Leaves out the manifest: it may be a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Part").field("address", &self.address).field("rank", &self.rank).finish_non_exhaustive()
    }
}

/// Returns `manifest/ebs-csi-driver/DaemonSet/kube-system/ebs-csi-node`. A custom type may have the name of a built-in one.
fn address(addon: &str, api: &ApiType, manifest: &Json) -> Address {
    let kind = if api.is_known() { api.kind.to_string() } else { format!("{}.{}", api.kind, api.group()) };
    let metadata = &manifest["metadata"];
    let names = [&metadata["namespace"], &metadata["name"]].into_iter().filter_map(Json::as_str);
    let parts: Vec<&str> = [addon, &kind].into_iter().chain(names).collect();
    Address::new(MANIFEST, parts.join("/"))
}
