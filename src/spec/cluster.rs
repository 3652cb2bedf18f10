//! The cluster as the rest of the program sees it: every default filled in, every name parsed.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::PathBuf;

use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};

use super::service::Service;

/// A cluster, complete: what a file says plus every default.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cluster {
    /// The cluster's DNS name, for example `chat.poeticoding.com`.
    pub name: ClusterName,
    /// Where the record and the lease live.
    pub state: StateLocation,
    /// The only AWS account that this file may be applied to.
    pub account: Option<String>,
    /// The region that all zones belong to, for example `us-east-1`.
    pub region: String,
    /// Availability zones, in file order, without repetition.
    pub zones: Vec<Zone>,
    /// The Kubernetes minor version, for example `1.36`.
    pub kubernetes: KubernetesVersion,
    /// Whether the file itself names the version. That of any other cluster stays what it was first.
    #[serde(default)]
    pub kubernetes_given: bool,
    /// Addresses of everything.
    pub network: Network,
    /// The control plane.
    pub masters: Masters,
    /// Node groups, by name.
    pub nodes: BTreeMap<String, NodeGroup>,
    /// Who reaches the Kubernetes API.
    pub api: Api,
    /// Who reaches machines by SSH, and with which key.
    pub ssh: Ssh,
    /// Names in Route 53.
    pub dns: Dns,
    /// Tags on everything that can carry one, beside Quorate's own.
    pub tags: BTreeMap<String, String>,
    /// Services, by name.
    pub services: BTreeMap<String, Service>,
    /// Manifests of the user's own, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub addons: BTreeMap<String, Addon>,
}

/// A manifest of the user's own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Addon {
    /// The file, as the cluster file names it: from its own directory.
    pub manifest: PathBuf,
    /// What stands in it, once it has been read; it is no part of what the cluster file says.
    #[serde(skip)]
    pub content: String,
}

/// A cluster's DNS name: lower case, at least one dot, at most 63 characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ClusterName(pub(super) String);

/// An availability zone, for example `us-east-1a`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Zone(pub(super) String);

/// A Kubernetes minor version, for example `1.36`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct KubernetesVersion {
    /// Always 1 so far.
    pub major: u32,
    /// The minor version.
    pub minor: u32,
}

/// An EC2 instance size, for example `t3.medium`: family and size.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct InstanceSize(pub(super) String);

/// The id of a machine image, for example `ami-0123456789abcdef0`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ImageId(pub(super) String);

/// A CPU architecture, in the names that AWS uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Architecture {
    /// 64-bit x86.
    #[serde(rename = "x86_64")]
    X86_64,
    /// 64-bit ARM (Graviton).
    #[serde(rename = "arm64")]
    Arm64,
}

/// Where the record and the lease are kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StateLocation {
    /// An S3 bucket, and a prefix in it that ends without a slash (often empty).
    S3 {
        /// The bucket's name.
        bucket: String,
        /// The key prefix, without leading or trailing slash.
        prefix: String,
    },
    /// A directory on this machine.
    Directory(PathBuf),
}

/// The cluster's address ranges.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Network {
    /// The VPC, by default `172.20.0.0/16`.
    pub cidr: Ipv4Net,
    /// One public subnet per zone, in zone order.
    pub subnets: BTreeMap<Zone, Ipv4Net>,
    /// The zones whose subnet the file itself gives. That of any other stays what it was first.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub given: BTreeSet<Zone>,
    /// Pod addresses, by default `100.96.0.0/11`.
    pub pods: Ipv4Net,
    /// Service addresses, by default `100.64.0.0/13`.
    pub services: Ipv4Net,
    /// Who routes pod traffic.
    pub plugin: NetworkPlugin,
}

/// Who routes pod traffic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NetworkPlugin {
    /// The VPC's route table, one route a node.
    Routes,
    /// The user brings a CNI.
    None,
}

/// The control plane.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Masters {
    /// The instance size of every master.
    pub size: InstanceSize,
    /// The image that they start from; without one, Amazon Linux 2023.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<ImageId>,
    /// The zone of each master, in order: master `a` is in the first, and so on. Its length is the count.
    pub zones: Vec<Zone>,
    /// Whether the file itself says where masters are. Otherwise each one stays where it is.
    #[serde(default)]
    pub zones_given: bool,
    /// The root volume of each master.
    pub root: RootVolume,
    /// The etcd volume of each master, GiB of gp3.
    pub etcd_gib: u32,
    /// How long a snapshot of etcd is kept, in days.
    pub keep_days: u32,
}

/// A root volume, always encrypted gp3.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RootVolume {
    /// Size in GiB.
    pub gib: u32,
}

/// A group of equal nodes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NodeGroup {
    /// How many.
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
}

/// How many nodes a group has, or pods a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scale {
    /// Exactly so many; the count belongs to the file.
    Count(u32),
    /// Between the two; the count belongs to an autoscaler.
    Range {
        /// The fewest.
        min: u32,
        /// The most.
        max: u32,
    },
}

impl Scale {
    /// How many there are at least.
    pub fn least(self) -> u32 {
        match self {
            Self::Count(count) => count,
            Self::Range { min, .. } => min,
        }
    }
}

/// Access to the Kubernetes API.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Api {
    /// Who may connect from outside, sorted. Nobody by default.
    pub allow: Vec<Ipv4Net>,
}

/// Access by SSH.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ssh {
    /// Who may connect, sorted. Nobody by default.
    pub allow: Vec<Ipv4Net>,
    /// An OpenSSH public key for the machines' first user.
    pub public_key: Option<String>,
}

/// Names in Route 53.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Dns {
    /// Which public zone holds the cluster's names.
    pub zone: PublicZone,
}

/// Which public zone holds the cluster's names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PublicZone {
    /// The account's zone with the longest name that the cluster's name ends in; no public names without one.
    Discover,
    /// This zone, which must exist.
    Existing(String),
    /// This zone, made and removed with the cluster.
    Create(String),
    /// No public names: the API answers on its load balancer's name.
    None,
}

impl ClusterName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Zone {
    /// The zone as text, for example `us-east-1a`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The region that the zone belongs to, for example `us-east-1`.
    pub fn region(&self) -> &str {
        self.0.trim_end_matches(|c: char| c.is_ascii_lowercase())
    }
}

impl InstanceSize {
    /// The size as AWS writes it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ClusterName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl ImageId {
    /// The id.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ImageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for InstanceSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for KubernetesVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

impl fmt::Display for Architecture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::X86_64 => "x86_64",
            Self::Arm64 => "arm64",
        })
    }
}

impl Masters {
    /// The masters with their letters and zones: `("a", us-east-1a)`, `("b", …)`.
    pub fn placed(&self) -> impl Iterator<Item = (String, &Zone)> {
        ('a'..='z').map(String::from).zip(&self.zones)
    }
}
