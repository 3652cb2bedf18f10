//! Node groups: number, sizes, zones, and the settings of their nodes.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::cluster::{ImageId, InstanceSize, RootVolume, Zone};

/// The limits of a roll.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeRoll {
    /// Maximum number of nodes beside those of the group.
    pub max_surge: u32,
    /// Maximum number of nodes of the group that are missing at the same time.
    pub max_unavailable: u32,
}

impl Default for NodeRoll {
    fn default() -> Self {
        Self { max_surge: 1, max_unavailable: 0 }
    }
}

/// A group of equal nodes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NodeGroup {
    /// Number of nodes.
    pub scale: Scale,
    /// The instance size.
    pub size: InstanceSize,
    /// The image that they start from; without one, Amazon Linux 2023.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<ImageId>,
    /// The zones it spans; all of the cluster's by default.
    pub zones: Vec<Zone>,
    /// The root volume of each node.
    pub root: RootVolume,
    /// The limits of a roll.
    #[serde(default)]
    pub roll: NodeRoll,
    /// Other instance sizes that nodes may have, in order of preference; all of the architecture of `size`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub other_sizes: Vec<InstanceSize>,
    /// The share of Spot Instances; `None` if all nodes are On-Demand Instances.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spot: Option<Spot>,
    /// Labels of its nodes, by key, beside those of Kubernetes and Quorate.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// Taints of its nodes, in file order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub taints: Vec<Taint>,
    /// Settings of the kubelet.
    #[serde(default)]
    pub kubelet: Kubelet,
}

impl NodeGroup {
    /// Returns every instance size that its nodes may have, the preferred one first.
    pub fn sizes(&self) -> impl Iterator<Item = &InstanceSize> {
        std::iter::once(&self.size).chain(&self.other_sizes)
    }
}

/// The share of Spot Instances in a node group: unused capacity of EC2 at a lower price, which AWS can take back with a
/// notice of two minutes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spot {
    /// Number of nodes that are On-Demand Instances before any is a Spot Instance.
    pub on_demand_base: u32,
    /// Percentage of On-Demand Instances among the nodes above that number.
    pub on_demand_percent: u32,
    /// The choice of the pools of capacity.
    pub strategy: SpotStrategy,
}

/// The choice of the pools of capacity (an instance size in a zone) that Spot Instances come from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SpotStrategy {
    /// The pools with the most spare capacity, and of those the cheapest.
    #[default]
    PriceCapacityOptimized,
    /// The pools with the most spare capacity.
    CapacityOptimized,
    /// The pools with the most spare capacity, and of those the size that the file names first.
    CapacityOptimizedPrioritized,
    /// The cheapest pools.
    LowestPrice,
}

impl SpotStrategy {
    /// Returns the strategy in the words of Auto Scaling.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PriceCapacityOptimized => "price-capacity-optimized",
            Self::CapacityOptimized => "capacity-optimized",
            Self::CapacityOptimizedPrioritized => "capacity-optimized-prioritized",
            Self::LowestPrice => "lowest-price",
        }
    }
}

/// A taint of nodes: pods that do not tolerate it are not scheduled there, or leave.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Taint {
    /// Its key.
    pub key: String,
    /// Its value; empty without one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub value: String,
    /// Its effect.
    pub effect: TaintEffect,
}

/// The effect of a taint on pods that do not tolerate it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum TaintEffect {
    /// They are not scheduled.
    NoSchedule,
    /// They are scheduled only if there is no other node.
    PreferNoSchedule,
    /// They are not scheduled, and those that run are evicted.
    NoExecute,
}

impl TaintEffect {
    /// Returns the effect in the words of Kubernetes.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoSchedule => "NoSchedule",
            Self::PreferNoSchedule => "PreferNoSchedule",
            Self::NoExecute => "NoExecute",
        }
    }
}

impl fmt::Display for Taint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let equals = if self.value.is_empty() { "" } else { "=" };
        write!(f, "{}{equals}{}:{}", self.key, self.value, self.effect.as_str())
    }
}

/// Settings of the kubelet of a node group. Without a value, the machine derives it from its own CPUs and memory.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kubelet {
    /// Maximum number of pods on a node.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_pods: Option<u32>,
    /// CPU that pods do not get, as a Kubernetes quantity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reserved_cpu: Option<String>,
    /// Memory that pods do not get, as a Kubernetes quantity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reserved_memory: Option<String>,
    /// Free memory below which the kubelet evicts pods: a Kubernetes quantity, or a percentage.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub eviction_memory: Option<String>,
    /// Free space of the root volume below which the kubelet evicts pods: a Kubernetes quantity, or a percentage.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub eviction_disk: Option<String>,
}

/// Number of nodes of a group, or of pods of a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scale {
    /// A fixed number, which the file sets.
    Count(u32),
    /// A range, in which an autoscaler sets the number.
    Range {
        /// Minimum number.
        min: u32,
        /// Maximum number.
        max: u32,
    },
}

impl Scale {
    /// Returns the minimum number.
    pub fn least(self) -> u32 {
        match self {
            Self::Count(count) => count,
            Self::Range { min, .. } => min,
        }
    }

    /// Returns the maximum.
    pub fn most(self) -> u32 {
        match self {
            Self::Count(count) => count,
            Self::Range { max, .. } => max,
        }
    }
}
