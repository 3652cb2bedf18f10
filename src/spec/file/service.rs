//! What a file says about services.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

/// A service: a Deployment, a Service, and perhaps a network load balancer.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Service")]
pub(in crate::spec) struct ServiceFile {
    /// The container image.
    #[schemars(required, example = "nginx:1.27")]
    pub(in crate::spec) image: Option<String>,

    /// The program in the image that is run instead of its own (`ENTRYPOINT`).
    #[schemars(extend("examples" = [["/app/bin/server"]]))]
    pub(in crate::spec) command: Option<Vec<String>>,

    /// Arguments, instead of the image's own (`CMD`).
    #[schemars(extend("examples" = [["start"]]))]
    pub(in crate::spec) args: Option<Vec<String>>,

    /// The namespace; made with the service unless it is there. Default: `default`.
    #[schemars(extend("examples" = ["chat"]))]
    pub(in crate::spec) namespace: Option<String>,

    /// How many pods; the number belongs to this file. Default: 1.
    #[schemars(example = 3)]
    pub(in crate::spec) replicas: Option<u32>,

    /// The fewest pods, when their load chooses the number. Goes with `max` and `cpu`, instead of `replicas`. It needs a
    /// metrics server in the cluster.
    #[schemars(example = 2)]
    pub(in crate::spec) min: Option<u32>,

    /// The most pods, when their load chooses the number. Goes with `min`, instead of `replicas`.
    #[schemars(example = 6)]
    pub(in crate::spec) max: Option<u32>,

    /// The port that the container listens on, by TCP. Its name is `main`.
    #[schemars(range(min = 1, max = 65535), example = 4000)]
    pub(in crate::spec) port: Option<u32>,

    /// More ports that the container listens on, by name, each as a number and what it speaks: `9090`, `7777/udp`,
    /// `53/tcp+udp`.
    #[schemars(extend("examples" = [{ "metrics": "9090" }]))]
    pub(in crate::spec) ports: Option<BTreeMap<String, String>>,

    /// Environment variables. They are no place for secrets: everybody who reads this file, or a plan, reads them.
    #[schemars(extend("examples" = [{ "PORT": "4000" }]))]
    pub(in crate::spec) env: Option<BTreeMap<String, String>>,

    /// Environment variables from Kubernetes secrets that are made outside of this file, each as `secret/key`. Their values
    /// are never read, shown or recorded.
    #[schemars(extend("examples" = [{ "SECRET_KEY_BASE": "chat/secret-key-base" }]))]
    pub(in crate::spec) secrets: Option<BTreeMap<String, String>>,

    /// How much of a CPU each pod is promised: `0.5` or `500m` is half of one. Default: nothing is promised.
    #[schemars(example = "250m")]
    pub(in crate::spec) cpu: Option<String>,

    /// How much memory each pod is promised, and may use at most. Default: no promise and no limit.
    #[schemars(example = "256Mi")]
    pub(in crate::spec) memory: Option<String>,

    /// How it is known that a pod can take requests. Default: it takes connections on its port, or on the first one by
    /// name that speaks TCP. Nothing is asked of a pod that listens nowhere.
    pub(in crate::spec) health: Option<HealthFile>,

    /// Where the pods may run. Default: on any node, spread over zones and nodes.
    pub(in crate::spec) placement: Option<PlacementFile>,

    /// Volumes that outlive the pod, by name.
    pub(in crate::spec) volume: Option<BTreeMap<String, VolumeFile>>,

    /// Whether each pod keeps something that the others do not have (a chat's room, a session). `false` says that any
    /// pod may answer anything. Default: not said.
    pub(in crate::spec) stateful: Option<bool>,

    /// A network load balancer in front, open to the world.
    pub(in crate::spec) nlb: Option<NlbFile>,
}

/// How it is known that a pod can take requests.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Health")]
pub(in crate::spec) struct HealthFile {
    /// The path that is asked for by HTTP; an answer from 200 to 399 is good.
    #[schemars(required, example = "/health")]
    pub(in crate::spec) path: Option<String>,

    /// The name of the port that is asked. Default: the service's `port`, or the first one by name that speaks TCP.
    #[schemars(extend("examples" = ["metrics"]))]
    pub(in crate::spec) port: Option<String>,
}

/// Where pods may run. They are spread over what is left of zones and nodes.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Placement")]
pub(in crate::spec) struct PlacementFile {
    /// The node groups. Default: all.
    #[schemars(extend("examples" = [["workers"]]))]
    pub(in crate::spec) nodes: Option<Vec<String>>,

    /// The zones. Default: all.
    #[schemars(extend("examples" = [["us-east-1a"]]))]
    pub(in crate::spec) zones: Option<Vec<String>>,

    /// Taints of nodes that do not keep these pods away, each as kubectl writes it: `key`, `key=value`, or with an effect
    /// behind a colon.
    #[schemars(extend("examples" = [["dedicated=games:NoSchedule"]]))]
    pub(in crate::spec) tolerate: Option<Vec<String>>,
}

/// A volume that outlives the pod: gp3, encrypted.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Volume")]
pub(in crate::spec) struct VolumeFile {
    /// Where the container finds it.
    #[schemars(required, example = "/data")]
    pub(in crate::spec) path: Option<String>,

    /// Size in GiB. It can grow, never shrink.
    #[schemars(required, range(min = 1, max = 16384), example = 10)]
    pub(in crate::spec) gib: Option<u32>,

    /// The storage class. Default: the cluster's own (gp3, encrypted).
    #[schemars(extend("examples" = ["gp3"]))]
    pub(in crate::spec) class: Option<String>,
}

/// A network load balancer in front of a service. It listens on `port`, on those of `listener`, or on both.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Nlb")]
pub(in crate::spec) struct NlbFile {
    /// The port that clients connect to.
    #[schemars(range(min = 1, max = 65535), example = 80)]
    pub(in crate::spec) port: Option<u32>,

    /// The name of the service's port behind it. Default: the only one, or `main`.
    #[schemars(extend("examples" = ["main"]))]
    pub(in crate::spec) target: Option<String>,

    /// What clients speak. Default: what the port behind it speaks.
    pub(in crate::spec) protocol: Option<ProtocolFile>,

    /// The ARN of the certificate that clients see; goes with `protocol = "TLS"`.
    #[schemars(extend("examples" = ["arn:aws:acm:us-east-1:123456789012:certificate/12345678-1234-1234-1234-123456789012"]))]
    pub(in crate::spec) certificate: Option<String>,

    /// Which versions and ciphers of TLS are taken: the name of one of ELB's security policies. Default:
    /// `ELBSecurityPolicy-TLS13-1-2-2021-06` (1.2 and 1.3).
    #[schemars(extend("examples" = ["ELBSecurityPolicy-TLS13-1-3-2021-06"]))]
    pub(in crate::spec) tls_policy: Option<String>,

    /// More ports that clients connect to, by name.
    pub(in crate::spec) listener: Option<BTreeMap<String, ListenerFile>>,

    /// The name in Route 53, made and removed with the service.
    #[schemars(example = "chat.poeticoding.com")]
    pub(in crate::spec) domain: Option<String>,

    /// The address ranges that may connect. Default: everybody; inside the VPC alone with `internal`.
    #[schemars(extend("examples" = [["203.0.113.0/24"]]))]
    pub(in crate::spec) allow: Option<Vec<String>>,

    /// Whether it has addresses inside the VPC only. Default: `false`.
    pub(in crate::spec) internal: Option<bool>,

    /// Whether each of its addresses leads to the pods of all zones, which costs for what crosses from one to another.
    /// Default: `true`.
    pub(in crate::spec) cross_zone: Option<bool>,

    /// Whether all connections from one address go to the same pod, as long as it is there. Default: `false`.
    pub(in crate::spec) sticky: Option<bool>,

    /// Whether the pods see the addresses of clients, and not those of nodes. Only nodes with a pod then take connections.
    /// Default: `false`.
    pub(in crate::spec) preserve_client_ip: Option<bool>,
}

/// A port that clients connect to.
#[derive(Debug, Default, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Listener")]
pub(in crate::spec) struct ListenerFile {
    /// The port that clients connect to.
    #[schemars(required, range(min = 1, max = 65535), example = 443)]
    pub(in crate::spec) port: Option<u32>,

    /// The name of the service's port behind it. Default: the only one, or `main`.
    #[schemars(extend("examples" = ["main"]))]
    pub(in crate::spec) target: Option<String>,

    /// What clients speak. Default: what the port behind it speaks.
    pub(in crate::spec) protocol: Option<ProtocolFile>,

    /// The ARN of the certificate that clients see; goes with `protocol = "TLS"`.
    #[schemars(extend("examples" = ["arn:aws:acm:us-east-1:123456789012:certificate/12345678-1234-1234-1234-123456789012"]))]
    pub(in crate::spec) certificate: Option<String>,

    /// Which versions and ciphers of TLS are taken: the name of one of ELB's security policies. Default:
    /// `ELBSecurityPolicy-TLS13-1-2-2021-06` (1.2 and 1.3).
    #[schemars(extend("examples" = ["ELBSecurityPolicy-TLS13-1-3-2021-06"]))]
    pub(in crate::spec) tls_policy: Option<String>,
}

/// What clients of a load balancer speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[schemars(rename = "Protocol")]
pub(in crate::spec) enum ProtocolFile {
    /// Connections, passed on as they are.
    #[serde(rename = "TCP")]
    Tcp,
    /// Datagrams.
    #[serde(rename = "UDP")]
    Udp,
    /// Both on one port (DNS, HTTP/3).
    #[serde(rename = "TCP_UDP")]
    Both,
    /// TLS up to the load balancer, plain TCP from there to the pods.
    #[serde(rename = "TLS")]
    Tls,
}

impl NlbFile {
    /// The listeners, each with the name of its block; the one that the load balancer's own settings describe has none.
    pub(in crate::spec) fn listeners(&self) -> Vec<(Option<&str>, ListenerFile)> {
        let own = self.port.map(|port| ListenerFile {
            port: Some(port),
            target: self.target.clone(),
            protocol: self.protocol,
            certificate: self.certificate.clone(),
            tls_policy: self.tls_policy.clone(),
        });
        let named = self.listener.iter().flatten().map(|(name, file)| (Some(name.as_str()), file.clone()));
        own.map(|own| (None, own)).into_iter().chain(named).collect()
    }
}
