//! The typed cluster that the rest of the program uses: every default is filled in, every name is parsed.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::PathBuf;

use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};

use super::defaults;
use super::kubernetes_version::KubernetesVersion;
use super::node_group::NodeGroup;
use super::service::Service;

/// A complete cluster: the settings of the file and every default.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cluster {
    /// The cluster's DNS name, for example `chat.poeticoding.com`.
    pub name: ClusterName,
    /// The location of the state record and the lease.
    pub state: StateLocation,
    /// The only AWS account that this file may be applied to.
    pub account: Option<String>,
    /// The region that all zones belong to, for example `us-east-1`.
    pub region: String,
    /// Availability zones, in file order, without repetition.
    pub zones: Vec<Zone>,
    /// The Kubernetes minor version, for example `1.36`.
    pub kubernetes: KubernetesVersion,
    /// `true` if the file names the version. Otherwise an existing cluster keeps the version of its last apply.
    #[serde(default)]
    pub kubernetes_given: bool,
    /// Address ranges of the cluster.
    pub network: Network,
    /// The control plane.
    pub masters: Masters,
    /// Node groups, by name.
    pub nodes: BTreeMap<String, NodeGroup>,
    /// Access to the Kubernetes API.
    pub api: Api,
    /// SSH access to the machines, and its public key.
    pub ssh: Ssh,
    /// `true` if the machines may use AWS Systems Manager, which `quorate logs` and `quorate shell` need.
    #[serde(default = "default_ssm")]
    pub ssm: bool,
    /// The failure that the cluster must survive after each plan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub survives: Option<Survives>,
    /// Names in Route 53.
    pub dns: Dns,
    /// Tags on every object that supports tags, in addition to Quorate's own.
    pub tags: BTreeMap<String, String>,
    /// The load balancer of all services on the web.
    #[serde(default, skip_serializing_if = "Web::is_default")]
    pub web: Web,
    /// Services, by name.
    pub services: BTreeMap<String, Service>,
    /// The user's own manifests, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub addons: BTreeMap<String, Addon>,
}

/// The application load balancer that all services with `http` share.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Web {
    /// Address ranges that may connect, sorted.
    pub allow: Vec<Ipv4Net>,
    /// Time in seconds after which a connection without traffic is closed.
    pub idle_seconds: u32,
    /// `true` if port 80 redirects to HTTPS.
    pub redirect: bool,
    /// The name of ELB's security policy.
    pub tls_policy: String,
}

impl Web {
    /// Returns `true` if no setting of it differs from its default.
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

impl Default for Web {
    fn default() -> Self {
        Self {
            allow: vec![defaults::EVERYBODY],
            idle_seconds: defaults::WEB_IDLE_SECONDS,
            redirect: true,
            tls_policy: defaults::TLS_POLICY.to_owned(),
        }
    }
}

/// A failure that a cluster must survive. A later one contains the earlier ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Survives {
    /// The loss of any machine.
    Machine,
    /// The loss of any machine or zone.
    Zone,
}

/// Returns the default of [`Cluster::ssm`].
fn default_ssm() -> bool {
    true
}

/// A manifest of the user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Addon {
    /// The manifest's path, relative to the directory of the cluster file.
    pub manifest: PathBuf,
    /// The content of the manifest, once it has been read; not a part of the cluster file.
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

/// The location of the state record and the lease.
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
    /// One public subnet per zone, in zone order. Without private subnets, machines are in them.
    pub subnets: BTreeMap<Zone, Ipv4Net>,
    /// Zones whose subnet is set in the file. Any other zone keeps its first subnet.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub given: BTreeSet<Zone>,
    /// Pod addresses, by default `100.96.0.0/11`.
    pub pods: Ipv4Net,
    /// Service addresses, by default `100.64.0.0/13`.
    pub services: Ipv4Net,
    /// The network plugin, which routes pod traffic.
    pub plugin: NetworkPlugin,
    /// The private subnets of machines; `None` if machines are in the public ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub private: Option<PrivateNetwork>,
}

/// The private subnets of machines, which have no public address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PrivateNetwork {
    /// One private subnet per zone.
    pub subnets: BTreeMap<Zone, Ipv4Net>,
    /// Zones whose private subnet is set in the file. Any other zone keeps its first one.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub given: BTreeSet<Zone>,
    /// The NAT gateways that machines reach the internet through.
    pub nat: NatGateways,
}

impl PrivateNetwork {
    /// Returns the number of NAT gateways of one zone, each with an address of its own.
    pub fn zonal_gateways(&self) -> usize {
        match self.nat {
            NatGateways::PerZone => self.subnets.len(),
            NatGateways::Shared => 1,
            NatGateways::Regional | NatGateways::None => 0,
        }
    }
}

/// The NAT gateways of private machines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NatGateways {
    /// One gateway that AWS keeps in every zone of the cluster.
    Regional,
    /// One gateway in each zone.
    PerZone,
    /// One gateway in one zone.
    Shared,
    /// None.
    None,
}

/// A network plugin, which routes pod traffic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NetworkPlugin {
    /// The VPC's route table, with one route for each node.
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
    /// `true` if the file sets the zones of masters. Otherwise each existing master keeps its zone.
    #[serde(default)]
    pub zones_given: bool,
    /// The root volume of each master.
    pub root: RootVolume,
    /// The etcd volume of each master, and its snapshots.
    pub etcd: EtcdVolume,
}

/// An etcd volume, always encrypted gp3; and its snapshots.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EtcdVolume {
    /// Size in GiB.
    pub gib: u32,
    /// Retention of etcd snapshots, in days.
    pub keep_days: u32,
}

/// A root volume, always encrypted gp3.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RootVolume {
    /// Size in GiB.
    pub gib: u32,
}

/// Access to the Kubernetes API.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Api {
    /// Address ranges that may connect from outside, sorted. Empty by default.
    pub allow: Vec<Ipv4Net>,
}

/// Access by SSH.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ssh {
    /// Address ranges that may connect, sorted. Empty by default.
    pub allow: Vec<Ipv4Net>,
    /// An OpenSSH public key for the machines' first user.
    pub public_key: Option<String>,
}

/// Names in Route 53.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Dns {
    /// The public hosted zone of the cluster's names.
    pub zone: PublicZone,
}

/// The public hosted zone of the cluster's names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PublicZone {
    /// The account's zone with the longest name that the cluster's name ends in; without such a zone, no public names.
    Discover,
    /// This zone, which must exist.
    Existing(String),
    /// This zone, created and deleted with the cluster.
    Create(String),
    /// No public names: the API answers on its load balancer's name.
    None,
}

impl ClusterName {
    /// Returns the name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Zone {
    /// Returns the zone as text, for example `us-east-1a`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the region that the zone belongs to, for example `us-east-1`.
    pub fn region(&self) -> &str {
        self.0.trim_end_matches(|c: char| c.is_ascii_lowercase())
    }
}

impl InstanceSize {
    /// Returns the size as AWS writes it.
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
    /// Returns the id.
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

impl fmt::Display for Architecture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::X86_64 => "x86_64",
            Self::Arm64 => "arm64",
        })
    }
}

impl Masters {
    /// Returns the masters with their letters and zones: `("a", us-east-1a)`, `("b", …)`.
    pub fn placed(&self) -> impl Iterator<Item = (String, &Zone)> {
        ('a'..='z').map(String::from).zip(&self.zones)
    }
}
