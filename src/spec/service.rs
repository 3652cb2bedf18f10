//! A service as the rest of the program sees it: its pods, its ports, and the load balancer in front.

use std::collections::BTreeMap;

use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};

use super::cluster::{Scale, Zone};

/// A service: a Deployment, a Service, and perhaps a network load balancer.
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
    /// How many pods.
    pub scale: Scale,
    /// The ports that the container listens on, by name; that of `port` is [`Service::MAIN`].
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub ports: BTreeMap<String, Port>,
    /// Environment variables.
    pub env: BTreeMap<String, String>,
    /// Environment variables from secrets.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub secrets: BTreeMap<String, SecretKey>,
    /// How much of a CPU each pod is promised, as Kubernetes writes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu: Option<String>,
    /// How much memory each pod is promised and may use, as Kubernetes writes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<String>,
    /// How it is known that a pod can take requests; nothing is asked of one without a port.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub health: Option<Health>,
    /// Where the pods may run, if not anywhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub placement: Option<Placement>,
    /// Volumes, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub volumes: BTreeMap<String, Volume>,
    /// The load balancer in front, if any.
    pub nlb: Option<Nlb>,
}

/// A port that a container listens on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Port {
    /// Its number.
    pub number: u16,
    /// What it speaks.
    pub transport: Transport,
}

/// What a port speaks.
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

/// How it is known that a pod can take requests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Health {
    /// The number of the port that is asked; it speaks TCP.
    pub port: u16,
    /// The path that is asked for by HTTP; without one, a connection is enough.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
}

/// Where pods may run. What is empty does not matter.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Placement {
    /// The node groups.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub nodes: Vec<String>,
    /// The zones.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub zones: Vec<Zone>,
    /// The taints of nodes that do not keep the pods away.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tolerate: Vec<Taint>,
}

/// A taint of a node, as a pod tolerates it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Taint {
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

/// A volume of a service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Volume {
    /// Where the container finds it.
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
    /// What it listens on, by port.
    pub listeners: BTreeMap<u16, PortListener>,
    /// The name in Route 53.
    pub domain: Option<String>,
    /// Who may connect, sorted.
    pub allow: Vec<Ipv4Net>,
    /// Whether it has addresses inside the VPC only.
    pub internal: bool,
    /// Whether each of its addresses leads to the pods of all zones.
    pub cross_zone: bool,
    /// Whether connections from one address go to one pod.
    #[serde(default)]
    pub sticky: bool,
    /// Whether pods see the addresses of clients.
    #[serde(default)]
    pub preserve_client_ip: bool,
}

/// What becomes of those who connect to a port of a load balancer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PortListener {
    /// What it speaks.
    pub protocol: Protocol,
    /// The name of the service's port that it leads to.
    pub target: String,
}

/// What a listener speaks.
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

/// What a listener needs for TLS.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tls {
    /// The ARN of the certificate that it shows.
    pub certificate: String,
    /// The name of ELB's security policy: which versions and ciphers it takes.
    pub policy: String,
}

impl Service {
    /// The name of the port that is said by `port` alone.
    pub const MAIN: &str = "main";

    /// The names and ports that a load balancer leads to, each once.
    pub fn targets(&self) -> BTreeMap<&str, Port> {
        let named = self.nlb.iter().flat_map(|nlb| nlb.listeners.values()).map(|listener| listener.target.as_str());
        named.filter_map(|name| Some((name, *self.ports.get(name)?))).collect()
    }
}

impl Transport {
    /// The protocol in AWS' word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tcp => "TCP",
            Self::Udp => "UDP",
            Self::Both => "TCP_UDP",
        }
    }

    /// The protocols one by one, as Kubernetes takes them: TCP and UDP in the place of both.
    pub fn each(self) -> &'static [Self] {
        match self {
            Self::Tcp => &[Self::Tcp],
            Self::Udp => &[Self::Udp],
            Self::Both => &[Self::Tcp, Self::Udp],
        }
    }
}

impl Protocol {
    /// The protocol in AWS' word.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Tls(_) => "TLS",
            Self::Tcp | Self::Udp | Self::Both => self.transport().as_str(),
        }
    }

    /// What it is made of.
    pub fn transport(&self) -> Transport {
        match self {
            Self::Tcp | Self::Tls(_) => Transport::Tcp,
            Self::Udp => Transport::Udp,
            Self::Both => Transport::Both,
        }
    }

    /// What it needs for TLS, if that is what it speaks.
    pub fn tls(&self) -> Option<&Tls> {
        match self {
            Self::Tls(tls) => Some(tls),
            _ => None,
        }
    }
}
