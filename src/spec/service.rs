//! A service as the rest of the program uses it: its pods, its ports, and the load balancer in front.

mod parse;

use std::collections::{BTreeMap, BTreeSet};

use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};

use super::cluster::Zone;
use super::node_group::Scale;

/// A service: a Deployment, a Service, and optionally load balancers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Service {
    /// The container image.
    pub image: String,
    /// The program that is run instead of the image's own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub command: Vec<String>,
    /// Arguments instead of the image's own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub args: Vec<String>,
    /// The namespace.
    pub namespace: String,
    /// Number of pods.
    pub scale: Scale,
    /// The ports that the pods listen on, those of sidecars too, by name; that of `port` is [`Service::MAIN`].
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub ports: BTreeMap<String, Port>,
    /// Environment variables.
    pub env: BTreeMap<String, String>,
    /// Environment variables from secrets.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub secrets: BTreeMap<String, SecretKey>,
    /// CPU request of each pod, as Kubernetes writes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu: Option<String>,
    /// Memory request and limit of each pod, as Kubernetes writes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<String>,
    /// The readiness check; `None` for a service without a TCP port.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub health: Option<Health>,
    /// The nodes and zones that the pods may run on, if restricted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub placement: Option<Placement>,
    /// Volumes, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub volumes: BTreeMap<String, Volume>,
    /// `true` if each pod has volumes of its own (a stateful set), `false` if the only pod has them (a deployment).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub volume_per_pod: bool,
    /// Files in the container, by path: their content.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub files: BTreeMap<String, String>,
    /// The names of secrets for images of private registries.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pull_secrets: Vec<String>,
    /// The service account; `None` for the namespace's default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_account: Option<String>,
    /// The priority class; `None` for the cluster's default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority_class: Option<String>,
    /// Time in seconds for a pod to end by itself; `None` for the default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grace_seconds: Option<u32>,
    /// The rights of its processes.
    #[serde(default, skip_serializing_if = "Security::is_default")]
    pub security: Security,
    /// Programs that end, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub jobs: BTreeMap<String, Job>,
    /// More containers in each pod, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub sidecars: BTreeMap<String, Sidecar>,
    /// `true` if each pod keeps state that the others do not have; `None` if the file does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stateful: Option<bool>,
    /// The load balancer in front, if any.
    pub nlb: Option<Nlb>,
    /// The place on the web, behind the application load balancer of all services; if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http: Option<Http>,
}

/// A port that a container listens on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Port {
    /// Its number.
    pub number: u16,
    /// The transport protocol.
    pub transport: Transport,
}

/// The transport protocol of a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Transport {
    /// TCP.
    #[serde(rename = "TCP")]
    Tcp,
    /// UDP.
    #[serde(rename = "UDP")]
    Udp,
    /// Both, under one number.
    #[serde(rename = "TCP_UDP")]
    Both,
}

/// The readiness check of the pods.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Health {
    /// The number of the port to check; it uses TCP.
    pub port: u16,
    /// The path of an HTTP check; without one, a TCP connection is enough.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
}

/// The nodes and zones that the pods may run on. An empty list does not restrict.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Placement {
    /// The node groups.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub nodes: Vec<String>,
    /// The zones.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub zones: Vec<Zone>,
    /// Taints of nodes that the pods tolerate.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tolerate: Vec<Toleration>,
}

/// Taints of nodes that pods tolerate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Toleration {
    /// Its key.
    pub key: String,
    /// Its value; any without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// Its effect; any without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effect: Option<String>,
}

/// A key of a Kubernetes secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretKey {
    /// The secret's name.
    pub secret: String,
    /// The key in it.
    pub key: String,
}

/// The rights of the processes of a container.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Security {
    /// The number of the user; `None` for the image's.
    pub run_as_user: Option<u32>,
    /// The number of the main group; `None` for the one of the image's user.
    pub run_as_group: Option<u32>,
    /// The number of the group that owns the volumes; `None` for the default.
    pub fs_group: Option<u32>,
    /// `true` if only volumes and folders of `writable` can be written.
    pub read_only_root: bool,
    /// Folders that can be written, and end with the pod.
    pub writable: Vec<String>,
    /// The capabilities of root in the container, sorted; `None` for the default.
    pub capabilities: Option<Vec<String>>,
    /// `true` if processes may get more rights than the process that starts them.
    pub privilege_escalation: bool,
    /// `true` without a filter of system calls.
    pub unconfined: bool,
}

/// A program in a container.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Process {
    /// The container image.
    pub image: String,
    /// The program that is run instead of the image's own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub command: Vec<String>,
    /// Arguments instead of the image's own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub args: Vec<String>,
    /// Environment variables.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<String, String>,
    /// Environment variables from secrets.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub secrets: BTreeMap<String, SecretKey>,
    /// CPU request, as Kubernetes writes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu: Option<String>,
    /// Memory request and limit, as Kubernetes writes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<String>,
}

/// A program that ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    /// The program, with the image, the variables and the requests of the service where the file sets none.
    pub process: Process,
    /// The times at which it runs; `None` to run it before the pods of the service are replaced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<Schedule>,
    /// Number of further attempts after one that fails.
    pub retries: u32,
    /// Maximum time in seconds of all attempts together; `None` without a limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_seconds: Option<u32>,
}

/// The times at which a job runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schedule {
    /// The times, as cron writes them.
    pub cron: String,
    /// The name of the time zone.
    pub time_zone: String,
}

/// One more container in each pod.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sidecar {
    /// The program.
    pub process: Process,
    /// The names of its ports among those of the service.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub ports: BTreeSet<String>,
}

/// A volume of a service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Volume {
    /// The mount path in the container.
    pub path: String,
    /// Size in GiB.
    pub gib: u32,
    /// The storage class, where it is not the cluster's default.
    pub class: Option<String>,
}

/// A network load balancer in front of a service.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[allow(clippy::struct_excessive_bools, reason = "switches of the file, none of which depends on another")]
pub struct Nlb {
    /// The listeners, by port.
    pub listeners: BTreeMap<u16, PortListener>,
    /// The name in Route 53.
    pub domain: Option<String>,
    /// Address ranges that may connect, sorted.
    pub allow: Vec<Ipv4Net>,
    /// `true` for addresses inside the VPC only.
    pub internal: bool,
    /// `true` if each of its addresses leads to the pods of all zones.
    pub cross_zone: bool,
    /// `true` if all connections from one address go to one pod.
    #[serde(default)]
    pub sticky: bool,
    /// `true` if pods see the addresses of clients.
    #[serde(default)]
    pub preserve_client_ip: bool,
}

/// The place of a service on the web.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Http {
    /// The hosts: full names, sorted.
    pub hosts: Vec<String>,
    /// The path: `/`, or one that begins with a slash and does not end in one.
    pub path: String,
    /// The name of the service's port that it leads to.
    pub target: String,
    /// The path that the load balancer requests of a healthy service.
    pub health_path: String,
    /// The ARN of the user's certificate for the hosts; `None` for a new one for each host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<String>,
}

/// The listener on a port of a load balancer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PortListener {
    /// The protocol for clients.
    pub protocol: Protocol,
    /// The name of the service's port that it leads to.
    pub target: String,
}

/// The protocol of a listener.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Protocol {
    /// TCP.
    #[serde(rename = "TCP")]
    Tcp,
    /// UDP.
    #[serde(rename = "UDP")]
    Udp,
    /// Both.
    #[serde(rename = "TCP_UDP")]
    Both,
    /// TLS to the load balancer, TCP behind it.
    #[serde(rename = "TLS")]
    Tls(Tls),
}

/// The TLS settings of a listener.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tls {
    /// The ARN of the certificate that it presents.
    pub certificate: String,
    /// The name of ELB's security policy: the versions and ciphers that it accepts.
    pub policy: String,
}

impl Service {
    /// The name of the port that the setting `port` describes.
    pub const MAIN: &str = "main";

    /// Returns the names of the ports that any load balancer leads to, each once.
    pub fn exposed(&self) -> BTreeSet<&str> {
        self.targets().into_keys().chain(self.http.iter().map(|http| http.target.as_str())).collect()
    }

    /// Returns the program of its own container.
    pub fn process(&self) -> Process {
        Process {
            image: self.image.clone(),
            command: self.command.clone(),
            args: self.args.clone(),
            env: self.env.clone(),
            secrets: self.secrets.clone(),
            cpu: self.cpu.clone(),
            memory: self.memory.clone(),
        }
    }

    /// Returns the names and ports that its own container listens on: those that no sidecar has.
    pub fn own_ports(&self) -> impl Iterator<Item = (&String, &Port)> {
        let of_sidecar = |name: &String| self.sidecars.values().any(|sidecar| sidecar.ports.contains(name));
        self.ports.iter().filter(move |(name, _)| !of_sidecar(name))
    }

    /// Returns the names and ports that its network load balancer leads to, each once.
    pub fn targets(&self) -> BTreeMap<&str, Port> {
        let named = self.nlb.iter().flat_map(|nlb| nlb.listeners.values()).map(|listener| listener.target.as_str());
        named.filter_map(|name| Some((name, *self.ports.get(name)?))).collect()
    }
}

impl Security {
    /// Returns `true` if the file sets nothing.
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

impl Transport {
    /// Returns the protocol as AWS writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tcp => "TCP",
            Self::Udp => "UDP",
            Self::Both => "TCP_UDP",
        }
    }

    /// Returns the protocols one by one, as Kubernetes takes them: TCP and UDP in the place of both.
    pub fn each(self) -> &'static [Self] {
        match self {
            Self::Tcp => &[Self::Tcp],
            Self::Udp => &[Self::Udp],
            Self::Both => &[Self::Tcp, Self::Udp],
        }
    }
}

impl Protocol {
    /// Returns the protocol as AWS writes it.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Tls(_) => "TLS",
            Self::Tcp | Self::Udp | Self::Both => self.transport().as_str(),
        }
    }

    /// Returns the transport protocol that carries it.
    pub fn transport(&self) -> Transport {
        match self {
            Self::Tcp | Self::Tls(_) => Transport::Tcp,
            Self::Udp => Transport::Udp,
            Self::Both => Transport::Both,
        }
    }

    /// Returns the TLS settings of a TLS listener; `None` for any other.
    pub fn tls(&self) -> Option<&Tls> {
        match self {
            Self::Tls(tls) => Some(tls),
            _ => None,
        }
    }
}
