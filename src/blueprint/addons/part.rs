//! One object of an add-on, and what comes before it.

use std::fmt;

use serde_json::Value as Json;

use super::documents::Document;
use crate::engine::Address;
use crate::resource::{API_TYPES, ApiType, MANIFEST};

/// When an object of an add-on is made, and in the reverse order removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rank {
    /// What others are made of or in.
    Ground,
    /// What neither runs nor decides anything.
    Settled,
    /// What runs.
    Workload,
    /// What asks something that runs whether others' objects may be, or serves types by it: one that stood alone would
    /// block everybody, its own add-on first.
    Gate,
    /// Objects of a custom type: who checks them and cleans up after them is there before they come, and until they are
    /// gone.
    Custom,
}

const GROUND: [&str; 2] = ["Namespace", "CustomResourceDefinition"];
const WORKLOADS: [&str; 5] = ["Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob"];
const GATES: [&str; 2] = ["admissionregistration.k8s.io", "apiregistration.k8s.io"];

impl Rank {
    fn of(api: &ApiType) -> Self {
        let kind = api.kind.as_ref();
        if !api.is_known() {
            Self::Custom
        } else if GROUND.contains(&kind) {
            Self::Ground
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
pub(in crate::blueprint) struct Part {
    pub(super) addon: String,
    pub(super) address: Address,
    pub(super) rank: Rank,
    pub(super) manifest: Json,
    /// The add-on that defines its type, if one does.
    defined_by: Option<String>,
}

impl Part {
    pub(super) fn new(addon: &str, document: Document) -> Self {
        Self {
            addon: addon.to_owned(),
            address: address(addon, &document.api, &document.manifest),
            rank: Rank::of(&document.api),
            manifest: document.manifest,
            defined_by: document.defined_by,
        }
    }

    /// Whether it is made after another: of its own add-on, or of the one that defines its type.
    pub(super) fn follows(&self, other: &Self) -> bool {
        let related = other.addon == self.addon || self.defined_by.as_ref() == Some(&other.addon);
        related && other.rank < self.rank
    }

    /// Where it stands among the others of its add-on.
    pub(super) fn order(&self) -> (Rank, Option<usize>) {
        (self.rank, API_TYPES.iter().position(|api| self.manifest["kind"] == api.kind.as_ref()))
    }
}

impl fmt::Debug for Part {
    /// Without the manifest: it may be a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Part").field("address", &self.address).field("rank", &self.rank).finish_non_exhaustive()
    }
}

/// `manifest/ebs-csi-driver/DaemonSet/kube-system/ebs-csi-node`. A custom type may be called like one of Kubernetes' own.
fn address(addon: &str, api: &ApiType, manifest: &Json) -> Address {
    let kind = if api.is_known() { api.kind.to_string() } else { format!("{}.{}", api.kind, api.group()) };
    let metadata = &manifest["metadata"];
    let names = [&metadata["namespace"], &metadata["name"]].into_iter().filter_map(Json::as_str);
    let parts: Vec<&str> = [addon, &kind].into_iter().chain(names).collect();
    Address::new(MANIFEST, parts.join("/"))
}
