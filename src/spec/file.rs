//! The cluster file as it is written: the source of the schema and the reference.
//!
//! Every setting is an `Option`, even a required one: a missing or wrong setting is reported against the
//! schema, and the rules still see the rest. So one pass finds everything.

mod nodes;
mod service;

use std::collections::BTreeMap;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;

use super::spanned::{List, Map, OptionalSetting, Spanned, from_choice, from_table};

pub(super) use nodes::{NodesFile, SpotFile, SpotStrategyFile};
pub(super) use service::{
    HttpFile, JobFile, ListenerFile, NlbFile, ProtocolFile, SeccompFile, SecurityFile, ServiceFile, SidecarFile,
    VolumeFile,
};

/// A Kubernetes cluster on AWS.
#[derive(Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
#[schemars(title = "Quorate cluster file")]
pub(super) struct ClusterFile {
    /// The cluster's DNS name: lower case, with a dot, at most 63 characters. It is the name in
    /// tags, in kubeconfig, and the end of the API's name (`api.<name>`).
    #[schemars(required, example = "chat.poeticoding.com")]
    pub(super) name: Option<Spanned<String>>,

    /// The location of the state record and the lease: `s3://bucket`, `s3://bucket/prefix`, or
    /// `file:./dir` for tests on one machine.
    #[schemars(required, example = "s3://state.chat.poeticoding.com")]
    pub(super) state: Option<Spanned<String>>,

    /// The only AWS account (12 digits) that this file may be applied to. Default: any account.
    #[schemars(example = "123456789012")]
    pub(super) account: Option<Spanned<String>>,

    /// The availability zones, all of one region. Masters and nodes are spread over them in this
    /// order, and so are the subnets.
    #[schemars(required, extend("examples" = [["us-east-1a", "us-east-1d", "us-east-1f"]]))]
    pub(super) zones: Option<Spanned<List<String>>>,

    /// The Kubernetes minor version. Default: 1.36; an existing cluster keeps its version.
    #[schemars(example = "1.36")]
    pub(super) kubernetes: Option<Spanned<String>>,

    /// Address ranges, and the network plugin.
    pub(super) network: Option<Spanned<NetworkFile>>,

    /// The control plane.
    #[schemars(required)]
    pub(super) masters: Option<Spanned<MastersFile>>,

    /// Node groups, by name: a labelled block each in HCL, a table each in TOML.
    pub(super) nodes: Option<Spanned<Map<NodesFile>>>,

    /// Access to the Kubernetes API.
    pub(super) api: Option<Spanned<ApiFile>>,

    /// SSH access to the machines, and its public key.
    pub(super) ssh: Option<Spanned<SshFile>>,

    /// `false` to give the machines no permission for AWS Systems Manager: `quorate shell` is refused
    /// then, and `quorate logs` shows only console output. Default: `true`.
    pub(super) ssm: Option<Spanned<bool>>,

    /// Requirements of every plan. A plan that does not meet them is refused.
    pub(super) require: Option<Spanned<RequireFile>>,

    /// Names in Route 53. Default: the account's public zone with the longest name that the
    /// cluster's name ends in, and no public names without such a zone.
    pub(super) dns: Option<Spanned<DnsFile>>,

    /// Tags on every object that supports tags, in addition to Quorate's own.
    #[schemars(extend("examples" = [{ "team": "chat" }]))]
    pub(super) tags: Option<Spanned<Map<String>>>,

    /// The application load balancer that all services with `http` share. By default it is open to the internet.
    pub(super) web: Option<Spanned<WebFile>>,

    /// Services, by name: a labelled block each in HCL, a table each in TOML.
    pub(super) service: Option<Spanned<Map<ServiceFile>>>,

    /// Your own manifests, by name: a labelled block each in HCL, a table each in TOML.
    pub(super) addon: Option<Spanned<Map<AddonFile>>>,
}

from_table!(ClusterFile {
    name,
    state,
    account,
    zones,
    kubernetes,
    network,
    masters,
    nodes,
    api,
    ssh,
    ssm,
    require,
    dns,
    tags,
    web,
    service,
    addon
});

impl ClusterFile {
    /// The manifest that each add-on names, whatever else is wrong with the file.
    pub(super) fn manifests(&self) -> BTreeMap<String, PathBuf> {
        let addons = self.addon.given().into_iter().flatten();
        let manifest = |addon: &Spanned<AddonFile>| addon.given()?.manifest.given().map(PathBuf::from);
        addons.filter_map(|(name, addon)| Some((name.clone(), manifest(addon)?))).collect()
    }
}

/// A manifest of your own: applied with the cluster. Objects that are removed from it are deleted.
#[derive(Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
#[schemars(rename = "Addon")]
pub(super) struct AddonFile {
    /// The YAML file, beside this one; it may hold several documents.
    #[schemars(required, extend("examples" = ["metrics-server.yaml"]))]
    pub(super) manifest: Option<Spanned<String>>,
}

from_table!(AddonFile { manifest });

/// Address ranges, and the network plugin.
#[derive(Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
#[schemars(rename = "Network")]
pub(super) struct NetworkFile {
    /// The VPC's range, /16 to /28. Default: `172.20.0.0/16`.
    #[schemars(example = "172.20.0.0/16")]
    pub(super) cidr: Option<Spanned<String>>,

    /// The public subnet of each zone. Default: equal parts of the VPC's range in zone order, three bits
    /// longer than the range and starting with the second part (`172.20.32.0/19`, …). With private
    /// machines: parts of the first part (`172.20.4.0/22`, …).
    #[schemars(extend("examples" = [{ "us-east-1a": "172.20.32.0/19" }]))]
    pub(super) subnets: Option<Spanned<Map<String>>>,

    /// The subnets of machines: public, or private, where machines have no public address. Default: `public`.
    pub(super) topology: Option<Spanned<TopologyFile>>,

    /// The NAT gateways that private machines reach the internet through. Default: `regional`.
    pub(super) nat: Option<Spanned<NatFile>>,

    /// The private subnet of each zone. Default: the parts that public subnets have without private
    /// machines (`172.20.32.0/19`, …).
    #[schemars(extend("examples" = [{ "us-east-1a": "172.20.32.0/19" }]))]
    pub(super) private_subnets: Option<Spanned<Map<String>>>,

    /// Pod addresses; each node takes a /24 of them. Default: `100.96.0.0/11`.
    #[schemars(example = "100.96.0.0/11")]
    pub(super) pods: Option<Spanned<String>>,

    /// Service addresses, /12 to /24. Default: `100.64.0.0/13`.
    #[schemars(example = "100.64.0.0/13")]
    pub(super) services: Option<Spanned<String>>,

    /// The network plugin, which routes pod traffic. Default: `routes`.
    pub(super) plugin: Option<Spanned<PluginFile>>,
}

from_table!(NetworkFile { cidr, subnets, topology, nat, private_subnets, pods, services, plugin });

/// The subnets of machines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "Topology")]
pub(super) enum TopologyFile {
    /// Each machine has a public address; security groups close it.
    Public,
    /// Machines have no public address. Load balancers are in public subnets of their own.
    Private,
}

from_choice!(TopologyFile);

/// The NAT gateways of private machines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "Nat")]
pub(super) enum NatFile {
    /// One gateway that AWS keeps in every zone of the cluster. It survives the loss of a zone.
    Regional,
    /// A gateway in each zone, with a fixed address. Only with `plugin = "none"`.
    PerZone,
    /// One gateway in one zone, with a fixed address. Without that zone, no machine reaches the internet.
    Shared,
    /// No gateway: you provide what machines must reach.
    None,
}

from_choice!(NatFile);

/// The network plugin, which routes pod traffic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "Plugin")]
pub(super) enum PluginFile {
    /// The VPC's route table, one route for each machine: no daemon, and at most 499 machines.
    Routes,
    /// You install a CNI yourself (Cilium, Calico, …).
    None,
}

from_choice!(PluginFile);

/// The control plane.
#[derive(Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
#[schemars(rename = "Masters")]
pub(super) struct MastersFile {
    /// Number of masters: 1, 3, 5 or 7. Default: 3, or as many as `zones` lists.
    #[schemars(example = 3)]
    pub(super) count: Option<Spanned<u32>>,

    /// The instance size of every master.
    #[schemars(required, example = "t3.medium")]
    pub(super) size: Option<Spanned<String>>,

    /// The id of your own machine image. Default: the Amazon Linux 2023 image that was the newest when the cluster
    /// was created.
    #[schemars(example = "ami-0123456789abcdef0")]
    pub(super) image: Option<Spanned<String>>,

    /// The zone of each master, one entry for each master. Default: round robin over the cluster's zones.
    #[schemars(extend("examples" = [["us-east-1a", "us-east-1d", "us-east-1a"]]))]
    pub(super) zones: Option<Spanned<List<String>>>,

    /// The root volume of each master.
    pub(super) root: Option<Spanned<RootFile>>,

    /// The etcd volume of each master. It outlives its machine.
    pub(super) etcd: Option<Spanned<EtcdFile>>,
}

from_table!(MastersFile { count, size, image, zones, root, etcd });

/// A root volume: gp3, encrypted.
#[derive(Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
#[schemars(rename = "Root")]
pub(super) struct RootFile {
    /// Size in GiB. Default: 30 for masters, 60 for nodes (images and logs live there).
    #[schemars(range(min = 10, max = 16384), example = 60)]
    pub(super) gib: Option<Spanned<u32>>,
}

from_table!(RootFile { gib });

/// An etcd volume: gp3, encrypted; and its snapshots.
#[derive(Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
#[schemars(rename = "Etcd")]
pub(super) struct EtcdFile {
    /// Size in GiB. Default: 20.
    #[schemars(range(min = 4, max = 16384), example = 20)]
    pub(super) gib: Option<Spanned<u32>>,

    /// Retention of etcd snapshots in the state bucket, in days; a snapshot is taken every hour. Default: 7.
    #[schemars(range(min = 1, max = 3650), example = 7)]
    pub(super) keep_days: Option<Spanned<u32>>,
}

from_table!(EtcdFile { gib, keep_days });

/// Access to the Kubernetes API.
#[derive(Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
#[schemars(rename = "Api")]
pub(super) struct ApiFile {
    /// The address ranges that may connect from outside. Default: none; `quorate access open` opens
    /// the API for a limited time.
    #[schemars(extend("examples" = [["203.0.113.7/32"]]))]
    pub(super) allow: Option<Spanned<List<String>>>,
}

from_table!(ApiFile { allow });

/// SSH access to the machines, and its public key.
#[derive(Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
#[schemars(rename = "Ssh")]
pub(super) struct SshFile {
    /// The address ranges that may connect. Default: none.
    #[schemars(extend("examples" = [["203.0.113.7/32"]]))]
    pub(super) allow: Option<Spanned<List<String>>>,

    /// An OpenSSH public key for the machines' first user (`ec2-user`). Default: none.
    #[schemars(example = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ… you@example.com")]
    pub(super) public_key: Option<Spanned<String>>,
}

from_table!(SshFile { allow, public_key });

/// Requirements of every plan.
#[derive(Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
#[schemars(rename = "Require")]
pub(super) struct RequireFile {
    /// The failure that the cluster must survive after each plan. Default: none is required.
    pub(super) survives: Option<Spanned<SurvivesFile>>,
}

from_table!(RequireFile { survives });

/// A failure that the cluster must survive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "Survives")]
pub(super) enum SurvivesFile {
    /// The loss of any machine.
    Machine,
    /// The loss of any machine or zone.
    Zone,
}

from_choice!(SurvivesFile);

/// The application load balancer that all services with `http` share. It exists while a service has `http`.
#[derive(Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
#[schemars(rename = "Web")]
pub(super) struct WebFile {
    /// The address ranges that may connect. Default: all addresses.
    #[schemars(extend("examples" = [["203.0.113.0/24"]]))]
    pub(super) allow: Option<Spanned<List<String>>>,

    /// Time in seconds after which a connection without traffic is closed. A WebSocket that sends nothing for longer, in either
    /// direction, needs more. Default: 60.
    #[schemars(range(min = 1, max = 4000), example = 300)]
    pub(super) idle_seconds: Option<Spanned<u32>>,

    /// `false` to listen on port 443 only; otherwise port 80 redirects clients to HTTPS. Default: `true`.
    pub(super) redirect: Option<Spanned<bool>>,

    /// The TLS versions and ciphers that are accepted: the name of one of ELB's security policies. Default:
    /// `ELBSecurityPolicy-TLS13-1-2-2021-06` (1.2 and 1.3).
    #[schemars(extend("examples" = ["ELBSecurityPolicy-TLS13-1-3-2021-06"]))]
    pub(super) tls_policy: Option<Spanned<String>>,
}

from_table!(WebFile { allow, idle_seconds, redirect, tls_policy });

/// Names in Route 53.
#[derive(Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
#[schemars(rename = "Dns")]
pub(super) struct DnsFile {
    /// The public hosted zone that holds the cluster's names. Default: the account's zone with the
    /// longest name that the cluster's name ends in.
    #[schemars(example = "poeticoding.com")]
    pub(super) zone: Option<Spanned<String>>,

    /// `true` to create `zone` with the cluster and delete it with the cluster. Default: `false`, it must exist.
    pub(super) create: Option<Spanned<bool>>,

    /// `false` to create no public names; the API is then reached by the name of its load balancer.
    /// Default: `true`.
    pub(super) public: Option<Spanned<bool>>,
}

from_table!(DnsFile { zone, create, public });
