//! The settings of node groups.

use schemars::JsonSchema;
use serde::Deserialize;

use super::RootFile;
use crate::spec::sink::{DiagnosticSink, ErrorReported};
use crate::spec::spanned::{FromNode, List, Map, Spanned, from_choice, from_table};
use crate::spec::tree::{FileNode, FileValue};

/// A group of equal nodes.
#[derive(Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
#[schemars(rename = "Nodes")]
pub(in crate::spec) struct NodesFile {
    /// Number of nodes, which this file sets.
    #[schemars(example = 3)]
    pub(in crate::spec) count: Option<Spanned<u32>>,

    /// Minimum number of nodes, when an autoscaler sets the number. Goes with `max`, instead of `count`.
    #[schemars(example = 3)]
    pub(in crate::spec) min: Option<Spanned<u32>>,

    /// Maximum number of nodes, when an autoscaler sets the number. Goes with `min`, instead of `count`.
    #[schemars(example = 9)]
    pub(in crate::spec) max: Option<Spanned<u32>>,

    /// The instance size of every node. This, or `sizes`, is required.
    #[schemars(example = "t3.large")]
    pub(in crate::spec) size: Option<Spanned<String>>,

    /// The instance sizes that nodes may have, instead of `size`, the preferred one first: a node starts in another size
    /// if AWS has no capacity for the first. All are of one CPU architecture.
    #[schemars(extend("examples" = [["m7i.large", "m6i.large"]]))]
    pub(in crate::spec) sizes: Option<Spanned<List<String>>>,

    /// `true` for Spot Instances only, or a block with the share of On-Demand Instances. AWS can take Spot Instances back
    /// with a notice of two minutes, in which their pods move. Default: `false`.
    pub(in crate::spec) spot: Option<Spanned<SpotFile>>,

    /// Labels of the nodes.
    #[schemars(extend("examples" = [{ "team": "ml" }]))]
    pub(in crate::spec) labels: Option<Spanned<Map<String>>>,

    /// Taints of the nodes, each as kubectl writes it: `key:effect` or `key=value:effect`. Only pods that tolerate them run
    /// there (`placement { tolerate }`).
    #[schemars(extend("examples" = [["dedicated=ml:NoSchedule"]]))]
    pub(in crate::spec) taints: Option<Spanned<List<String>>>,

    /// Settings of the kubelet.
    pub(in crate::spec) kubelet: Option<Spanned<KubeletFile>>,

    /// The id of your own machine image. Default: the Amazon Linux 2023 image that was the newest when the cluster
    /// was created.
    #[schemars(example = "ami-0123456789abcdef0")]
    pub(in crate::spec) image: Option<Spanned<String>>,

    /// The zones of the group. Default: all zones of the cluster.
    #[schemars(extend("examples" = [["us-east-1a"]]))]
    pub(in crate::spec) zones: Option<Spanned<List<String>>>,

    /// The root volume of each node.
    pub(in crate::spec) root: Option<Spanned<RootFile>>,

    /// The limits of a roll, which replaces the nodes by newer ones.
    pub(in crate::spec) roll: Option<Spanned<RollFile>>,
}

from_table!(NodesFile { count, min, max, size, sizes, spot, labels, taints, kubelet, image, zones, root, roll });

/// The limits of a roll, which replaces the nodes by newer ones.
#[derive(Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
#[schemars(rename = "Roll")]
pub(in crate::spec) struct RollFile {
    /// Maximum number of nodes that are started beside those of the group before the first old node is ended. Default: 1.
    #[schemars(range(min = 0, max = 50), example = 1)]
    pub(in crate::spec) max_surge: Option<Spanned<u32>>,

    /// Maximum number of nodes of the group that are missing at the same time. Default: 0, or 1 if `max_surge` is 0.
    #[schemars(range(min = 0, max = 50), example = 0)]
    pub(in crate::spec) max_unavailable: Option<Spanned<u32>>,
}

from_table!(RollFile { max_surge, max_unavailable });

/// `true`, `false`, or a block.
#[derive(Debug, JsonSchema)]
#[schemars(untagged, rename = "Spot")]
pub(in crate::spec) enum SpotFile {
    /// `true`: every node is a Spot Instance.
    Switch(bool),
    /// The share of On-Demand Instances.
    Block(SpotBlockFile),
}

impl FromNode for SpotFile {
    fn from_node(node: &FileNode, sink: &mut DiagnosticSink) -> Result<Self, ErrorReported> {
        match &node.value {
            FileValue::Bool(on) => Ok(Self::Switch(*on)),
            _ => SpotBlockFile::from_node(node, sink).map(Self::Block),
        }
    }
}

/// Spot Instances, and the share of On-Demand Instances beside them.
#[derive(Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
#[schemars(rename = "SpotShare")]
pub(in crate::spec) struct SpotBlockFile {
    /// Number of nodes that are On-Demand Instances before any is a Spot Instance. Default: 0.
    #[schemars(example = 1)]
    pub(in crate::spec) on_demand_base: Option<Spanned<u32>>,

    /// Percentage of On-Demand Instances among the nodes above that number. Default: 0.
    #[schemars(range(min = 0, max = 100), example = 25)]
    pub(in crate::spec) on_demand_percent: Option<Spanned<u32>>,

    /// The choice of the pools of capacity (a size in a zone) that Spot Instances come from. Default:
    /// `price-capacity-optimized`.
    pub(in crate::spec) strategy: Option<Spanned<SpotStrategyFile>>,
}

from_table!(SpotBlockFile { on_demand_base, on_demand_percent, strategy });

/// The choice of the pools of capacity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(rename = "SpotStrategy")]
pub(in crate::spec) enum SpotStrategyFile {
    /// The pools with the most spare capacity, and of those the cheapest.
    PriceCapacityOptimized,
    /// The pools with the most spare capacity: the fewest interruptions.
    CapacityOptimized,
    /// Likewise, and of those the size that `sizes` names first.
    CapacityOptimizedPrioritized,
    /// The cheapest pools: the most interruptions.
    LowestPrice,
}

from_choice!(SpotStrategyFile);

/// Settings of the kubelet. What is not set, a machine derives from its own CPUs and memory.
#[derive(Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
#[schemars(rename = "Kubelet")]
pub(in crate::spec) struct KubeletFile {
    /// Maximum number of pods on a node. Default: 110.
    #[schemars(range(min = 4, max = 1000), example = 60)]
    pub(in crate::spec) max_pods: Option<Spanned<u32>>,

    /// CPU and memory that the kubelet, containerd and the system keep for themselves.
    pub(in crate::spec) reserved: Option<Spanned<ReservedFile>>,

    /// Free memory and disk space below which the kubelet evicts pods.
    pub(in crate::spec) eviction: Option<Spanned<EvictionFile>>,
}

from_table!(KubeletFile { max_pods, reserved, eviction });

/// CPU and memory that pods do not get.
#[derive(Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
#[schemars(rename = "Reserved")]
pub(in crate::spec) struct ReservedFile {
    /// CPU. Default: 6 % of the first CPU, 1 % of the second, 0.5 % of the next two, 0.25 % of each other.
    #[schemars(example = "200m")]
    pub(in crate::spec) cpu: Option<Spanned<String>>,

    /// Memory. Default: 255 MiB and 11 MiB for each pod of `max_pods`, at most a quarter of the machine's memory.
    #[schemars(example = "512Mi")]
    pub(in crate::spec) memory: Option<Spanned<String>>,
}

from_table!(ReservedFile { cpu, memory });

/// Free memory and disk space below which the kubelet evicts pods, each as an amount or a percentage.
#[derive(Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
#[schemars(rename = "Eviction")]
pub(in crate::spec) struct EvictionFile {
    /// Free memory. Default: `100Mi`.
    #[schemars(example = "200Mi")]
    pub(in crate::spec) memory: Option<Spanned<String>>,

    /// Free space of the root volume. Default: `10%`.
    #[schemars(example = "5%")]
    pub(in crate::spec) disk: Option<Spanned<String>>,
}

from_table!(EvictionFile { memory, disk });
