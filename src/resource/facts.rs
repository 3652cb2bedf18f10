//! Facts about the account and the region before anything is built: the blueprint's other input.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::spec::{Architecture, KubernetesRelease};

/// The parameters of a query for facts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FactsQuery {
    /// The instance sizes in the file.
    pub sizes: Vec<String>,
    /// The machine images in the file, each with the architecture that its machines should have.
    pub own_images: BTreeMap<String, Architecture>,
    /// `true` if the newest images are not needed: the file names an image for all machines, or an earlier run has chosen one
    /// for each architecture.
    pub skips_images: bool,
    /// The cluster's name, to find the public zone that it belongs to.
    pub name: String,
    /// What an earlier run has recorded, if it answers all of the query that can be recorded.
    pub known: Option<KnownFacts>,
}

/// The facts that a run records for later ones, because they do not change: what a size is, and where it is offered.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownFacts {
    /// The available zones of the region.
    pub zones: Vec<String>,
    /// The facts of each instance size.
    pub sizes: BTreeMap<String, SizeFacts>,
    /// The zones that offer each instance size.
    pub offered: BTreeMap<String, Vec<String>>,
}

impl KnownFacts {
    /// Returns the part of the facts to record.
    pub fn of(facts: &Facts) -> Self {
        Self { zones: facts.zones.clone(), sizes: facts.sizes.clone(), offered: facts.offered.clone() }
    }

    /// Returns `true` if all of these sizes and zones are known, and each zone offers each size.
    pub fn covers(&self, sizes: &[String], zones: &[String]) -> bool {
        zones.iter().all(|zone| self.zones.contains(zone))
            && sizes.iter().all(|size| {
                let offered = self.offered.get(size);
                self.sizes.contains_key(size)
                    && offered.is_some_and(|offered| zones.iter().all(|zone| offered.contains(zone)))
            })
    }
}

/// The facts about the account and the region.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// The account's 12 digits.
    pub account: String,
    /// The ARN of the caller.
    pub caller: String,
    /// The region.
    pub region: String,
    /// The available zones of the region.
    pub zones: Vec<String>,
    /// The newest Amazon Linux 2023 image of each architecture; empty if no machine starts from it.
    pub images: BTreeMap<Architecture, PublishedImage>,
    /// The facts of each requested image; absent if the account cannot start machines from it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub own_images: BTreeMap<String, ImageFacts>,
    /// The facts of each requested instance size; absent if the region does not have it.
    pub sizes: BTreeMap<String, SizeFacts>,
    /// The zones that offer each requested instance size; without entry if the cloud did not return them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub offered: BTreeMap<String, Vec<String>>,
    /// Releases of Kubernetes that the package repository has, beside those that this release of Quorate knows. Empty unless
    /// it was asked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub releases: Vec<KubernetesRelease>,
    /// The account's public hosted zones that the cluster's name ends in: name (without a final dot) to ids.
    pub public_zones: BTreeMap<String, Vec<String>>,
}

/// A machine image as AWS publishes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "RecordedImage")]
pub struct PublishedImage {
    /// The image's id.
    pub id: String,
    /// The day on which AWS published it, if it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub published: Option<Date>,
}

/// The forms of an image in a record: the older one is the id alone.
#[derive(Deserialize)]
#[serde(untagged)]
enum RecordedImage {
    Id(String),
    Image { id: String, published: Option<Date> },
}

impl From<RecordedImage> for PublishedImage {
    fn from(recorded: RecordedImage) -> Self {
        match recorded {
            RecordedImage::Id(id) => Self { id, published: None },
            RecordedImage::Image { id, published } => Self { id, published },
        }
    }
}

impl From<&str> for PublishedImage {
    fn from(id: &str) -> Self {
        Self { id: id.to_owned(), published: None }
    }
}

/// The facts of a machine image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageFacts {
    /// The architecture.
    pub architecture: Architecture,
    /// The root device of machines, for example `/dev/xvda`.
    pub root_device: String,
    /// Minimum size of the root volume, GiB.
    pub root_gib: u32,
}

/// The facts of an instance size.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SizeFacts {
    /// The architecture.
    pub architecture: Architecture,
    /// Virtual CPUs.
    pub vcpus: u32,
    /// Memory in MiB.
    pub memory_mib: u64,
}

impl SizeFacts {
    /// Number of pods that a kubelet runs unless it is configured otherwise.
    const DEFAULT_PODS: u64 = 110;

    /// Returns the memory in bytes and the thousandths of a CPU that pods can have on a node of this size: `node.sh` reserves the
    /// rest for the kubelet, containerd and the system, and pods are evicted from the last 100 MiB.
    pub fn for_pods(&self) -> (u64, u64) {
        let reserved_mib = (255 + 11 * Self::DEFAULT_PODS).min(self.memory_mib / 4);
        let cpus = u64::from(self.vcpus);
        let of = |first: u64, last: u64| cpus.clamp(first, last) - first;
        let hundredths = 600 + 100 * of(1, 2) + 50 * of(2, 4) + 25 * of(4, u64::MAX);
        let memory_mib = self.memory_mib.saturating_sub(reserved_mib + 100);
        (memory_mib << 20, (cpus * 1000).saturating_sub(hundredths.div_ceil(10)))
    }
}

/// The health of a machine behind a load balancer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetHealth {
    /// The instance.
    pub instance: String,
    /// The state that the load balancer reports, for example `healthy`.
    pub state: String,
    /// The reason for the state; empty if the load balancer gives none.
    pub reason: String,
}

/// The nodes and pods of a cluster, as its Kubernetes API reports them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KubernetesState {
    /// The nodes.
    pub nodes: Vec<ClusterNode>,
    /// The Deployments and stateful sets of the cluster file.
    pub workloads: Vec<WorkloadPods>,
}

/// A node of a cluster.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ClusterNode {
    /// The id of its instance.
    pub instance: String,
    /// The version of its kubelet, for example `1.36.2`.
    pub kubelet: Option<String>,
    /// `true` if it takes pods: it is ready, and the cloud controller manager has initialized it.
    pub ready: bool,
}

/// The pods of a Deployment or a stateful set.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct WorkloadPods {
    /// The namespace.
    pub namespace: String,
    /// The name.
    pub name: String,
    /// Number of ready pods.
    pub ready: usize,
    /// Number of wanted pods.
    pub wanted: usize,
}

impl KubernetesState {
    /// Returns the node of an instance.
    pub fn node(&self, instance: &str) -> Option<&ClusterNode> {
        self.nodes.iter().find(|node| node.instance == instance)
    }

    /// Returns the pods of a Deployment.
    pub fn pods(&self, namespace: &str, name: &str) -> Option<&WorkloadPods> {
        self.workloads.iter().find(|pods| pods.namespace == namespace && pods.name == name)
    }
}
