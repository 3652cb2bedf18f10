//! The settings of services.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::spec::spanned::{List, Map, Spanned, from_choice, from_table};

/// A service: a Deployment, a Service, and optionally load balancers.
#[derive(Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
#[schemars(rename = "Service")]
pub(in crate::spec) struct ServiceFile {
    /// The container image.
    #[schemars(required, example = "nginx:1.27")]
    pub(in crate::spec) image: Option<Spanned<String>>,

    /// The program to run in the container, instead of the image's own (`ENTRYPOINT`).
    #[schemars(extend("examples" = [["/app/bin/server"]]))]
    pub(in crate::spec) command: Option<Spanned<List<String>>>,

    /// Arguments, instead of the image's own (`CMD`).
    #[schemars(extend("examples" = [["start"]]))]
    pub(in crate::spec) args: Option<Spanned<List<String>>>,

    /// The namespace; created with the service unless it exists. Default: `default`.
    #[schemars(extend("examples" = ["chat"]))]
    pub(in crate::spec) namespace: Option<Spanned<String>>,

    /// Number of pods, which this file sets. Default: 1.
    #[schemars(example = 3)]
    pub(in crate::spec) replicas: Option<Spanned<u32>>,

    /// Minimum number of pods, when their load sets the number. Goes with `max` and `cpu`, instead of `replicas`. It needs a
    /// metrics server in the cluster.
    #[schemars(example = 2)]
    pub(in crate::spec) min: Option<Spanned<u32>>,

    /// Maximum number of pods, when their load sets the number. Goes with `min`, instead of `replicas`.
    #[schemars(example = 6)]
    pub(in crate::spec) max: Option<Spanned<u32>>,

    /// The TCP port that the container listens on. Its name is `main`.
    #[schemars(range(min = 1, max = 65535), example = 4000)]
    pub(in crate::spec) port: Option<Spanned<u16>>,

    /// More ports that the container listens on, by name, each as a number and a protocol: `9090`, `7777/udp`,
    /// `53/tcp+udp`.
    #[schemars(extend("examples" = [{ "metrics": "9090" }]))]
    pub(in crate::spec) ports: Option<Spanned<Map<String>>>,

    /// Environment variables. Do not use them for secrets: everybody who can read this file, or a plan, can read them.
    #[schemars(extend("examples" = [{ "PORT": "4000" }]))]
    pub(in crate::spec) env: Option<Spanned<Map<String>>>,

    /// Environment variables from Kubernetes secrets that are created outside of this file, each as `secret/key`. Their
    /// values are never read, shown or recorded.
    #[schemars(extend("examples" = [{ "SECRET_KEY_BASE": "chat/secret-key-base" }]))]
    pub(in crate::spec) secrets: Option<Spanned<Map<String>>>,

    /// CPU request of each pod: `0.5` or `500m` is half a CPU. Default: no request.
    #[schemars(example = "250m")]
    pub(in crate::spec) cpu: Option<Spanned<String>>,

    /// Memory request and limit of each pod. Default: no request and no limit.
    #[schemars(example = "256Mi")]
    pub(in crate::spec) memory: Option<Spanned<String>>,

    /// The readiness check of the pods. Default: a TCP connection to `port`, or to the first port by name that uses TCP.
    /// Pods without a TCP port are not checked.
    pub(in crate::spec) health: Option<Spanned<HealthFile>>,

    /// The nodes and zones that the pods may run on. Default: any node, spread over zones and nodes.
    pub(in crate::spec) placement: Option<Spanned<PlacementFile>>,

    /// Volumes that outlive the pod, by name.
    pub(in crate::spec) volume: Option<Spanned<Map<VolumeFile>>>,

    /// Files in the container, by path: their content. A change replaces the pods. Do not use them for secrets: everybody who
    /// can read this file, or a plan, can read them.
    #[schemars(extend("examples" = [{ "/etc/app/config.toml": "port = 4000" }]))]
    pub(in crate::spec) files: Option<Spanned<Map<String>>>,

    /// Kubernetes secrets of the type `kubernetes.io/dockerconfigjson` in the service's namespace, for images of private
    /// registries. Images of ECR need none.
    #[schemars(extend("examples" = [["registry"]]))]
    pub(in crate::spec) pull_secrets: Option<Spanned<List<String>>>,

    /// The service account of the pods, which exists or which an add-on creates. Default: `default`.
    #[schemars(extend("examples" = ["chat"]))]
    pub(in crate::spec) service_account: Option<Spanned<String>>,

    /// The priority class of the pods, which exists or which an add-on creates: pods with a higher priority take the place of
    /// others when nodes are full. Default: that of the cluster.
    #[schemars(extend("examples" = ["high"]))]
    pub(in crate::spec) priority_class: Option<Spanned<String>>,

    /// Time in seconds for a pod to end by itself after its stop signal. Default: 30.
    #[schemars(range(min = 1, max = 86400), example = 60)]
    pub(in crate::spec) grace_seconds: Option<Spanned<u32>>,

    /// What the processes of the container may do, and as which user they run. By default it is enough for images that start
    /// as root, use a port below 1024 and switch to another user, and no more.
    pub(in crate::spec) security: Option<Spanned<SecurityFile>>,

    /// Programs that end, by name: once before each change of the service's pods (a migration), or by a schedule.
    pub(in crate::spec) job: Option<Spanned<Map<JobFile>>>,

    /// More containers in each pod, by name. They start before the container of the service, and end after it.
    pub(in crate::spec) sidecar: Option<Spanned<Map<SidecarFile>>>,

    /// `true` if each pod keeps data that the others do not have (a chat's room, a session). `false` if any pod can
    /// answer any request. Default: not set.
    pub(in crate::spec) stateful: Option<Spanned<bool>>,

    /// A network load balancer in front of the service. By default it is open to the internet.
    pub(in crate::spec) nlb: Option<Spanned<NlbFile>>,

    /// The service on the web, by HTTPS: behind the application load balancer that all services share (see `web`).
    pub(in crate::spec) http: Option<Spanned<HttpFile>>,
}

from_table!(ServiceFile {
    image,
    command,
    args,
    namespace,
    replicas,
    min,
    max,
    port,
    ports,
    env,
    secrets,
    cpu,
    memory,
    health,
    placement,
    volume,
    files,
    pull_secrets,
    service_account,
    priority_class,
    grace_seconds,
    security,
    job,
    sidecar,
    stateful,
    nlb,
    http
});

/// A program that ends. Without a `schedule` it runs once for each of its changes, before the pods of the service are
/// replaced; if it fails, they are not. It has the files, pull secrets, service account, security settings and placement of
/// the service, and none of its volumes.
#[derive(Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
#[schemars(rename = "Job")]
pub(in crate::spec) struct JobFile {
    /// The container image. Default: that of the service, so that a new image runs the job again.
    #[schemars(example = "ghcr.io/example/chat:1")]
    pub(in crate::spec) image: Option<Spanned<String>>,

    /// The program to run, instead of the image's own (`ENTRYPOINT`).
    #[schemars(extend("examples" = [["/app/bin/migrate"]]))]
    pub(in crate::spec) command: Option<Spanned<List<String>>>,

    /// Arguments, instead of the image's own (`CMD`).
    #[schemars(extend("examples" = [["migrate"]]))]
    pub(in crate::spec) args: Option<Spanned<List<String>>>,

    /// Environment variables, beside those of the service.
    #[schemars(extend("examples" = [{ "POOL_SIZE": "1" }]))]
    pub(in crate::spec) env: Option<Spanned<Map<String>>>,

    /// Environment variables from secrets, each as `secret/key`, beside those of the service.
    #[schemars(extend("examples" = [{ "DATABASE_URL": "chat/owner-url" }]))]
    pub(in crate::spec) secrets: Option<Spanned<Map<String>>>,

    /// CPU request. Default: that of the service.
    #[schemars(example = "250m")]
    pub(in crate::spec) cpu: Option<Spanned<String>>,

    /// Memory request and limit. Default: that of the service.
    #[schemars(example = "256Mi")]
    pub(in crate::spec) memory: Option<Spanned<String>>,

    /// The times at which it runs, as cron writes them: minute, hour, day of the month, month, day of the week. A run that
    /// would start while the last one runs is left out.
    #[schemars(extend("examples" = ["0 3 * * *"]))]
    pub(in crate::spec) schedule: Option<Spanned<String>>,

    /// The time zone of `schedule`. Default: `Etc/UTC`.
    #[schemars(extend("examples" = ["America/Sao_Paulo"]))]
    pub(in crate::spec) time_zone: Option<Spanned<String>>,

    /// Number of further attempts after one that fails. Default: 3.
    #[schemars(range(min = 0, max = 20), example = 0)]
    pub(in crate::spec) retries: Option<Spanned<u32>>,

    /// Time in seconds after which it counts as failed, with all attempts. Default: 600; with a `schedule`, no limit.
    #[schemars(range(min = 1, max = 86400), example = 1800)]
    pub(in crate::spec) timeout_seconds: Option<Spanned<u32>>,
}

from_table!(JobFile { image, command, args, env, secrets, cpu, memory, schedule, time_zone, retries, timeout_seconds });

/// One more container in each pod: a proxy, an exporter of metrics, a program that ships logs. It has the security settings of
/// the service, and its volumes, files and writable folders at the same paths.
#[derive(Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
#[schemars(rename = "Sidecar")]
pub(in crate::spec) struct SidecarFile {
    /// The container image.
    #[schemars(required, example = "nginx/nginx-prometheus-exporter:1.4")]
    pub(in crate::spec) image: Option<Spanned<String>>,

    /// The program to run, instead of the image's own (`ENTRYPOINT`).
    #[schemars(extend("examples" = [["/bin/exporter"]]))]
    pub(in crate::spec) command: Option<Spanned<List<String>>>,

    /// Arguments, instead of the image's own (`CMD`).
    #[schemars(extend("examples" = [["--nginx.scrape-uri=http://localhost/status"]]))]
    pub(in crate::spec) args: Option<Spanned<List<String>>>,

    /// Environment variables; those of the service are not set.
    #[schemars(extend("examples" = [{ "LEVEL": "info" }]))]
    pub(in crate::spec) env: Option<Spanned<Map<String>>>,

    /// Environment variables from secrets, each as `secret/key`.
    #[schemars(extend("examples" = [{ "TOKEN": "chat/token" }]))]
    pub(in crate::spec) secrets: Option<Spanned<Map<String>>>,

    /// Ports that it listens on, by name, as in `ports` of the service. The pod has each number once.
    #[schemars(extend("examples" = [{ "metrics": "9113" }]))]
    pub(in crate::spec) ports: Option<Spanned<Map<String>>>,

    /// CPU request, beside that of the service. Default: no request.
    #[schemars(example = "50m")]
    pub(in crate::spec) cpu: Option<Spanned<String>>,

    /// Memory request and limit, beside that of the service. Default: no request and no limit.
    #[schemars(example = "64Mi")]
    pub(in crate::spec) memory: Option<Spanned<String>>,
}

from_table!(SidecarFile { image, command, args, env, secrets, ports, cpu, memory });

/// What the processes of a container may do, and as which user they run.
#[derive(Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
#[schemars(rename = "Security")]
pub(in crate::spec) struct SecurityFile {
    /// The number of the user. Any but 0 gets no capabilities by default, and may listen on ports below 1024. Default: the
    /// user of the image.
    #[schemars(range(min = 0, max = 2_147_483_647), example = 1000)]
    pub(in crate::spec) run_as_user: Option<Spanned<u32>>,

    /// The number of the main group. Default: the group of the image's user.
    #[schemars(range(min = 0, max = 2_147_483_647), example = 1000)]
    pub(in crate::spec) run_as_group: Option<Spanned<u32>>,

    /// The number of the group that owns the volumes. Default: 2000, and none without volumes.
    #[schemars(range(min = 0, max = 2_147_483_647), example = 1000)]
    pub(in crate::spec) fs_group: Option<Spanned<u32>>,

    /// `true` if nothing in the container can be written but its volumes and the folders of `writable`. Default: `false`.
    pub(in crate::spec) read_only_root: Option<Spanned<bool>>,

    /// Folders that can be written. They are empty when a pod starts, and their content ends with the pod.
    #[schemars(extend("examples" = [["/tmp", "/var/cache/nginx"]]))]
    pub(in crate::spec) writable: Option<Spanned<List<String>>>,

    /// The capabilities of Linux that root has in the container, without `CAP_`. Default: `CHOWN`, `DAC_OVERRIDE`, `FOWNER`,
    /// `FSETID`, `KILL`, `NET_BIND_SERVICE`, `SETGID`, `SETPCAP` and `SETUID`; none with a `run_as_user` other than 0.
    #[schemars(extend("examples" = [["NET_BIND_SERVICE"]]))]
    pub(in crate::spec) capabilities: Option<Spanned<List<String>>>,

    /// `true` if processes may get more rights than the process that starts them (`sudo`, `ping` for other users). Default:
    /// `false`.
    pub(in crate::spec) privilege_escalation: Option<Spanned<bool>>,

    /// The filter of system calls. Default: `RuntimeDefault`.
    pub(in crate::spec) seccomp: Option<Spanned<SeccompFile>>,
}

from_table!(SecurityFile {
    run_as_user,
    run_as_group,
    fs_group,
    read_only_root,
    writable,
    capabilities,
    privilege_escalation,
    seccomp
});

/// The filter of system calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[schemars(rename = "Seccomp")]
pub(in crate::spec) enum SeccompFile {
    /// The filter of the container runtime, which refuses about 50 system calls that containers rarely need.
    RuntimeDefault,
    /// No filter.
    Unconfined,
}

from_choice!(SeccompFile);

/// The readiness check of the pods.
#[derive(Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
#[schemars(rename = "Health")]
pub(in crate::spec) struct HealthFile {
    /// The path of an HTTP check; a status code from 200 to 399 means ready.
    #[schemars(required, example = "/health")]
    pub(in crate::spec) path: Option<Spanned<String>>,

    /// The name of the port to check. Default: the service's `port`, or the first one by name that uses TCP.
    #[schemars(extend("examples" = ["metrics"]))]
    pub(in crate::spec) port: Option<Spanned<String>>,
}

from_table!(HealthFile { path, port });

/// The nodes and zones that the pods may run on. The pods are spread over them.
#[derive(Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
#[schemars(rename = "Placement")]
pub(in crate::spec) struct PlacementFile {
    /// The node groups. Default: all.
    #[schemars(extend("examples" = [["workers"]]))]
    pub(in crate::spec) nodes: Option<Spanned<List<String>>>,

    /// The zones. Default: all.
    #[schemars(extend("examples" = [["us-east-1a"]]))]
    pub(in crate::spec) zones: Option<Spanned<List<String>>>,

    /// Taints of nodes that the pods tolerate, each as kubectl writes it: `key`, `key=value`, or with an effect after a
    /// colon.
    #[schemars(extend("examples" = [["dedicated=games:NoSchedule"]]))]
    pub(in crate::spec) tolerate: Option<Spanned<List<String>>>,
}

from_table!(PlacementFile { nodes, zones, tolerate });

/// A volume that outlives the pod: gp3, encrypted.
#[derive(Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
#[schemars(rename = "Volume")]
pub(in crate::spec) struct VolumeFile {
    /// The mount path in the container.
    #[schemars(required, example = "/data")]
    pub(in crate::spec) path: Option<Spanned<String>>,

    /// Size in GiB. It can grow, never shrink.
    #[schemars(required, range(min = 1, max = 16384), example = 10)]
    pub(in crate::spec) gib: Option<Spanned<u32>>,

    /// The storage class. Default: the cluster's own (gp3, encrypted).
    #[schemars(extend("examples" = ["gp3"]))]
    pub(in crate::spec) class: Option<Spanned<String>>,
}

from_table!(VolumeFile { path, gib, class });

/// A network load balancer in front of a service. It listens on `port`, on those of `listener`, or on both.
#[derive(Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
#[schemars(rename = "Nlb")]
pub(in crate::spec) struct NlbFile {
    /// The port that clients connect to.
    #[schemars(range(min = 1, max = 65535), example = 80)]
    pub(in crate::spec) port: Option<Spanned<u16>>,

    /// The name of the service's port behind it. Default: the only one, or `main`.
    #[schemars(extend("examples" = ["main"]))]
    pub(in crate::spec) target: Option<Spanned<String>>,

    /// The protocol for clients. Default: the protocol of the port behind it.
    pub(in crate::spec) protocol: Option<Spanned<ProtocolFile>>,

    /// The ARN of the certificate that clients see; goes with `protocol = "TLS"`.
    #[schemars(extend("examples" = ["arn:aws:acm:us-east-1:123456789012:certificate/12345678-1234-1234-1234-123456789012"]))]
    pub(in crate::spec) certificate: Option<Spanned<String>>,

    /// The TLS versions and ciphers that are accepted: the name of one of ELB's security policies. Default:
    /// `ELBSecurityPolicy-TLS13-1-2-2021-06` (1.2 and 1.3).
    #[schemars(extend("examples" = ["ELBSecurityPolicy-TLS13-1-3-2021-06"]))]
    pub(in crate::spec) tls_policy: Option<Spanned<String>>,

    /// More ports that clients connect to, by name.
    pub(in crate::spec) listener: Option<Spanned<Map<ListenerFile>>>,

    /// The name in Route 53, created and deleted with the service.
    #[schemars(example = "chat.poeticoding.com")]
    pub(in crate::spec) domain: Option<Spanned<String>>,

    /// The address ranges that may connect. Default: all addresses; with `internal`, only those inside the VPC.
    #[schemars(extend("examples" = [["203.0.113.0/24"]]))]
    pub(in crate::spec) allow: Option<Spanned<List<String>>>,

    /// `true` for addresses inside the VPC only. Default: `false`.
    pub(in crate::spec) internal: Option<Spanned<bool>>,

    /// `true` to connect each of its addresses to the pods of all zones; AWS charges for traffic between zones.
    /// Default: `true`.
    pub(in crate::spec) cross_zone: Option<Spanned<bool>>,

    /// `true` to send all connections from one address to the same pod, as long as it exists. Default: `false`.
    pub(in crate::spec) sticky: Option<Spanned<bool>>,

    /// `true` to let the pods see the addresses of clients instead of those of nodes. Only nodes with a pod then accept
    /// connections. Default: `false`.
    pub(in crate::spec) preserve_client_ip: Option<Spanned<bool>>,
}

from_table!(NlbFile {
    port,
    target,
    protocol,
    certificate,
    tls_policy,
    listener,
    domain,
    allow,
    internal,
    cross_zone,
    sticky,
    preserve_client_ip
});

/// A service on the web. Clients connect to `https://HOST/PATH`; the load balancer ends TLS and speaks HTTP with the pods.
#[derive(Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
#[schemars(rename = "Http")]
pub(in crate::spec) struct HttpFile {
    /// The host: a label (`chat` is `chat.<the cluster's name>`) or a full name in the cluster's hosted zone. Its record in
    /// Route 53 and its certificate are created and deleted with the service.
    #[schemars(extend("examples" = ["chat.poeticoding.com"]))]
    pub(in crate::spec) host: Option<Spanned<String>>,

    /// Several hosts, instead of `host`.
    #[schemars(extend("examples" = [["poeticoding.com", "www.poeticoding.com"]]))]
    pub(in crate::spec) hosts: Option<Spanned<List<String>>>,

    /// The path: the service gets requests for it and for everything below. Services can share a host by different paths; the
    /// longest one decides. Pods get the whole path. Default: `/`.
    #[schemars(extend("examples" = ["/api"]))]
    pub(in crate::spec) path: Option<Spanned<String>>,

    /// The name of the service's port behind it. Default: the only one, or `main`.
    #[schemars(extend("examples" = ["main"]))]
    pub(in crate::spec) target: Option<Spanned<String>>,

    /// The path that the load balancer requests of a healthy service; a status code from 200 to 399 means healthy. Default:
    /// that of `health`, or `/`.
    #[schemars(extend("examples" = ["/health"]))]
    pub(in crate::spec) health_path: Option<Spanned<String>>,

    /// The ARN of a certificate of yours for the hosts. Default: one for each host, requested from ACM and validated in the
    /// cluster's hosted zone.
    #[schemars(extend("examples" = ["arn:aws:acm:us-east-1:123456789012:certificate/12345678-1234-1234-1234-123456789012"]))]
    pub(in crate::spec) certificate: Option<Spanned<String>>,
}

from_table!(HttpFile { host, hosts, path, target, health_path, certificate });

/// A port that clients connect to.
#[derive(Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
#[schemars(rename = "Listener")]
pub(in crate::spec) struct ListenerFile {
    /// The port that clients connect to.
    #[schemars(required, range(min = 1, max = 65535), example = 443)]
    pub(in crate::spec) port: Option<Spanned<u16>>,

    /// The name of the service's port behind it. Default: the only one, or `main`.
    #[schemars(extend("examples" = ["main"]))]
    pub(in crate::spec) target: Option<Spanned<String>>,

    /// The protocol for clients. Default: the protocol of the port behind it.
    pub(in crate::spec) protocol: Option<Spanned<ProtocolFile>>,

    /// The ARN of the certificate that clients see; goes with `protocol = "TLS"`.
    #[schemars(extend("examples" = ["arn:aws:acm:us-east-1:123456789012:certificate/12345678-1234-1234-1234-123456789012"]))]
    pub(in crate::spec) certificate: Option<Spanned<String>>,

    /// The TLS versions and ciphers that are accepted: the name of one of ELB's security policies. Default:
    /// `ELBSecurityPolicy-TLS13-1-2-2021-06` (1.2 and 1.3).
    #[schemars(extend("examples" = ["ELBSecurityPolicy-TLS13-1-3-2021-06"]))]
    pub(in crate::spec) tls_policy: Option<Spanned<String>>,
}

from_table!(ListenerFile { port, target, protocol, certificate, tls_policy });

/// The protocol between clients and a load balancer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[schemars(rename = "Protocol")]
pub(in crate::spec) enum ProtocolFile {
    /// TCP connections, forwarded unchanged.
    #[serde(rename = "TCP")]
    Tcp,
    /// UDP datagrams.
    #[serde(rename = "UDP")]
    Udp,
    /// TCP and UDP on one port (DNS, HTTP/3).
    #[serde(rename = "TCP_UDP")]
    Both,
    /// TLS between clients and the load balancer, plain TCP from there to the pods.
    #[serde(rename = "TLS")]
    Tls,
}

from_choice!(ProtocolFile);
