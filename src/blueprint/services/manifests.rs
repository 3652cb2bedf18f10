//! The manifests of a service.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};

use crate::spec::{Health, Placement, Scale, Service, Transport, Volume, Zone};

use super::super::{GROUP_TAG, names};
use super::expansion::literally;
use super::security;

/// The label that selects the pods of a service. It is ours alone: a common label would also select
/// the pods of another team's `redis`, and a selector cannot be changed later.
const SERVICE: &str = "quorate.dev/service";
/// The label that shows people and tools which objects belong together. Nothing selects by it.
const NAME: &str = "app.kubernetes.io/name";
/// The label that distinguishes the pods of one rollout from those of the last one.
const ROLLOUT: &str = "pod-template-hash";
/// The label of nodes with the name of their zone.
const ZONE: &str = "topology.kubernetes.io/zone";
/// Time without progress before a rollout counts as stuck, in seconds.
const STUCK: u32 = 300;
/// CPU utilization above which more pods are started, in percent of the request.
const LOAD: u32 = 80;
/// Time that a terminating pod continues to serve, in seconds: its clients learn of its end with a delay.
const PRE_STOP_SECONDS: u32 = 5;
/// The same behind a load balancer: two failed health checks ten seconds apart, and the time to deregister the target.
const LONG_PRE_STOP_SECONDS: u32 = 40;
/// Time for a pod to terminate by itself after that, in seconds: the default of Kubernetes.
const GRACE: u32 = 30;
/// The annotation of pods with the hash of their files: another content replaces the pods.
const FILES_HASH: &str = "quorate.dev/files-sha256";
/// The volume of a pod with its files.
const FILES: &str = "quorate-files";
/// Time that a new pod must be ready before an old one is removed, in seconds, so that a load balancer finds its node.
const FOUND: u32 = 20;
/// The volume of a pod with its writable folders.
const SCRATCH: &str = "quorate-writable";
/// The load balancer class of services: no controller watches it, because the plan creates the load balancer.
const BALANCER_CLASS: &str = "quorate.dev/network-load-balancer";

/// Returns the name of the claim to a volume of a service.
pub(super) fn claim_name(service: &str, volume: &str) -> String {
    format!("{service}-{volume}")
}

/// Returns the name of the `ConfigMap` with the files of a service.
pub(super) fn files_name(service: &str) -> String {
    format!("{service}-files")
}

/// Returns the key of a file in its `ConfigMap`: its path in the characters of a key, and a hash that keeps `/a/b` and `/a-b`
/// apart.
fn file_key(path: &str) -> String {
    let allowed = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
    let readable: String = path.trim_start_matches('/').chars().map(allowed).take(200).collect();
    format!("{readable}-{}", &names::sha256(path.as_bytes())[..6])
}

pub(super) fn files(service_name: &str, service: &Service) -> Json {
    let data: BTreeMap<String, &String> =
        service.files.iter().map(|(path, content)| (file_key(path), content)).collect();
    let mut metadata = metadata(service_name, service);
    metadata["name"] = files_name(service_name).into();
    json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data })
}

pub(super) fn namespace(name: &str) -> Json {
    json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": name } })
}

pub(super) fn volume_claim(name: &str, service: &Service, volume: &Volume) -> Json {
    let mut spec = json!({
        "accessModes": ["ReadWriteOnce"],
        "resources": { "requests": { "storage": format!("{}Gi", volume.gib) } },
    });
    if let Some(class) = &volume.class {
        spec["storageClassName"] = class.as_str().into();
    }
    json!({
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": { "name": name, "namespace": service.namespace },
        "spec": spec,
    })
}

pub(super) fn deployment(name: &str, service: &Service) -> Json {
    let mut spec = json!({
        "selector": { "matchLabels": selector(name) },
        "progressDeadlineSeconds": STUCK,
        "strategy": strategy(service),
        "template": { "metadata": { "labels": labels(name) }, "spec": pod(name, service) },
    });
    if !service.files.is_empty() {
        let hash = names::sha256(json!(service.files).to_string().as_bytes());
        spec["template"]["metadata"]["annotations"] = json!({ FILES_HASH: hash });
    }
    if sees_clients(service) {
        spec["minReadySeconds"] = FOUND.into();
    }
    // A number that the load decides is not ours.
    if let Scale::Count(count) = service.scale {
        spec["replicas"] = count.into();
    }
    json!({ "apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata(name, service), "spec": spec })
}

/// Returns the update strategy. A volume can only be attached to the new pod once the old one is gone; without a volume, no
/// pod is removed before another is ready.
fn strategy(service: &Service) -> Json {
    if service.volumes.is_empty() {
        json!({ "type": "RollingUpdate", "rollingUpdate": { "maxSurge": 1, "maxUnavailable": 0 } })
    } else {
        json!({ "type": "Recreate" })
    }
}

fn pod(name: &str, service: &Service) -> Json {
    let spread = |key: &str| {
        json!({
            "topologyKey": key,
            "maxSkew": 1,
            // When a zone is lost, its pods are better anywhere than nowhere.
            "whenUnsatisfiable": "ScheduleAnyway",
            "labelSelector": { "matchLabels": selector(name) },
            // The pods of the last rollout leave: they are no reason to put a new one elsewhere.
            "matchLabelKeys": [ROLLOUT],
        })
    };
    let mut pod = json!({
        "containers": [container(name, service)],
        "topologySpreadConstraints": [spread(ZONE), spread("kubernetes.io/hostname")],
        "securityContext": security::of_pod(service),
    });
    if sees_clients(service) || service.grace_seconds.is_some() {
        let grace = service.grace_seconds.unwrap_or(GRACE);
        pod["terminationGracePeriodSeconds"] = (pre_stop_seconds(service) + grace).into();
    }
    if !service.pull_secrets.is_empty() {
        pod["imagePullSecrets"] = service.pull_secrets.iter().map(|name| json!({ "name": name })).collect();
    }
    match &service.service_account {
        Some(account) => pod["serviceAccountName"] = account.as_str().into(),
        // A program that does not name an account does not use the API: whoever breaks into it gets no token.
        None => pod["automountServiceAccountToken"] = false.into(),
    }
    if let Some(class) = &service.priority_class {
        pod["priorityClassName"] = class.as_str().into();
    }
    if let Some(placement) = &service.placement {
        place(&mut pod, placement);
    }
    let claims = service
        .volumes
        .keys()
        .map(|volume| json!({ "name": volume, "persistentVolumeClaim": { "claimName": claim_name(name, volume) } }));
    let files = Some(json!({ "name": FILES, "configMap": { "name": files_name(name) } }));
    let scratch = Some(json!({ "name": SCRATCH, "emptyDir": {} }));
    let scratch = scratch.filter(|_| !service.security.writable.is_empty());
    let volumes: Vec<Json> = claims.chain(files.filter(|_| !service.files.is_empty())).chain(scratch).collect();
    if !volumes.is_empty() {
        pod["volumes"] = volumes.into();
    }
    pod
}

/// Returns the time that a terminating pod continues to serve, in seconds; none without a port.
fn pre_stop_seconds(service: &Service) -> u32 {
    match (service.ports.is_empty(), sees_clients(service)) {
        (true, _) => 0,
        (false, true) => LONG_PRE_STOP_SECONDS,
        (false, false) => PRE_STOP_SECONDS,
    }
}

/// Returns `true` if the pods see the addresses of clients. Then only nodes with a pod accept connections.
fn sees_clients(service: &Service) -> bool {
    service.nlb.as_ref().is_some_and(|nlb| nlb.preserve_client_ip)
}

/// Restricts pods to some nodes, or lets them tolerate taints.
fn place(pod: &mut Json, placement: &Placement) {
    let among = |key: &str, values: Vec<&str>| json!({ "key": key, "operator": "In", "values": values });
    let mut wanted = Vec::new();
    if !placement.nodes.is_empty() {
        wanted.push(among(GROUP_TAG, placement.nodes.iter().map(String::as_str).collect()));
    }
    if !placement.zones.is_empty() {
        wanted.push(among(ZONE, placement.zones.iter().map(Zone::as_str).collect()));
    }
    if !wanted.is_empty() {
        let terms = json!({ "nodeSelectorTerms": [{ "matchExpressions": wanted }] });
        pod["affinity"] = json!({ "nodeAffinity": { "requiredDuringSchedulingIgnoredDuringExecution": terms } });
    }
    let tolerations = placement.tolerate.iter().map(|taint| {
        let mut toleration = match &taint.value {
            Some(value) => json!({ "key": taint.key, "operator": "Equal", "value": value }),
            None => json!({ "key": taint.key, "operator": "Exists" }),
        };
        if let Some(effect) = &taint.effect {
            toleration["effect"] = effect.as_str().into();
        }
        toleration
    });
    let tolerations: Vec<Json> = tolerations.collect();
    if !tolerations.is_empty() {
        pod["tolerations"] = tolerations.into();
    }
}

fn container(name: &str, service: &Service) -> Json {
    let mut container = json!({ "name": name, "image": service.image });
    let mut set = |field: &str, value: Json| {
        let empty = value.as_array().is_some_and(Vec::is_empty) || value.as_object().is_some_and(Map::is_empty);
        if !empty && !value.is_null() {
            container[field] = value;
        }
    };
    set("command", texts(&service.command));
    set("args", texts(&service.args));
    set("env", variables(service));
    set("resources", resources(service));
    let mounts = service.volumes.iter().map(|(volume, wanted)| json!({ "name": volume, "mountPath": wanted.path }));
    // One file each: the folder keeps what the image has in it.
    let files = service
        .files
        .keys()
        .map(|path| json!({ "name": FILES, "mountPath": path, "subPath": file_key(path), "readOnly": true }));
    let scratch = service.security.writable.iter();
    let scratch = scratch.map(|path| json!({ "name": SCRATCH, "mountPath": path, "subPath": file_key(path) }));
    set("volumeMounts", mounts.chain(files).chain(scratch).collect());
    set("securityContext", security::of_container(&service.security));
    if !service.ports.is_empty() {
        set("ports", container_ports(service));
        set("lifecycle", json!({ "preStop": { "sleep": { "seconds": pre_stop_seconds(service) } } }));
    }
    if let Some(health) = &service.health {
        set("readinessProbe", readiness(health));
    }
    container
}

fn container_ports(service: &Service) -> Json {
    let one = |number: u16, protocol: Transport| match protocol {
        // Defaults of Kubernetes are left out.
        Transport::Tcp => json!({ "containerPort": number }),
        other => json!({ "containerPort": number, "protocol": other.as_str() }),
    };
    let all = service.ports.values().flat_map(|port| port.transport.each().iter().map(|each| one(port.number, *each)));
    all.collect()
}

/// Returns texts that reach the container as they are written in the file.
fn texts(texts: &[String]) -> Json {
    texts.iter().map(|text| literally(text)).collect()
}

/// Returns values that reach the container as written in the file, and references to secrets: only the machine that runs
/// the pod reads their values.
fn variables(service: &Service) -> Json {
    let plain = service.env.iter().map(|(name, value)| (name, json!({ "name": name, "value": literally(value) })));
    let secret = service.secrets.iter().map(|(name, from)| {
        (name, json!({ "name": name, "valueFrom": { "secretKeyRef": { "name": from.secret, "key": from.key } } }))
    });
    let mut all: Vec<(&String, Json)> = plain.chain(secret).collect();
    all.sort_by_key(|(name, _)| *name);
    all.into_iter().map(|(_, variable)| variable).collect()
}

/// Returns the requests and limits. The memory request is also the limit, which protects other pods. CPU is shared.
fn resources(service: &Service) -> Json {
    let mut requests = Map::new();
    requests.extend(service.cpu.as_ref().map(|cpu| ("cpu".to_owned(), json!(cpu))));
    requests.extend(service.memory.as_ref().map(|memory| ("memory".to_owned(), json!(memory))));
    match (&service.memory, requests.is_empty()) {
        (_, true) => json!({}),
        (None, false) => json!({ "requests": requests }),
        (Some(memory), false) => json!({ "requests": requests, "limits": { "memory": memory } }),
    }
}

fn readiness(health: &Health) -> Json {
    let port = health.port;
    let mut probe = match &health.path {
        Some(path) => json!({ "httpGet": { "path": path, "port": port } }),
        None => json!({ "tcpSocket": { "port": port } }),
    };
    probe["periodSeconds"] = 5.into();
    probe
}

/// The node ports of a service.
pub(super) struct NodePorts<'a> {
    /// The node port of each of its ports, by name.
    pub(super) of: &'a dyn Fn(&str) -> Option<u16>,
    /// The node port that reports whether a machine has a pod of the service.
    pub(super) health: Option<u16>,
}

/// Returns the Service: its name in the cluster is `chat`, or `chat.namespace` from other namespaces. A load balancer uses
/// its node ports.
pub(super) fn service(name: &str, service: &Service, node_ports: &NodePorts<'_>) -> Json {
    let mut spec = json!({
        "type": if service.exposed().is_empty() { "ClusterIP" } else { "NodePort" },
        "selector": selector(name),
        "ports": service_ports(service, node_ports),
    });
    if service.nlb.as_ref().is_some_and(|nlb| nlb.sticky) {
        spec["sessionAffinity"] = "ClientIP".into();
    }
    if let Some(port) = node_ports.health {
        // Only services of this type have a port that reports on which nodes their pods are. With its class, no
        // controller takes it for a wish: the load balancer is there already.
        spec["type"] = "LoadBalancer".into();
        spec["loadBalancerClass"] = BALANCER_CLASS.into();
        spec["externalTrafficPolicy"] = "Local".into();
        spec["healthCheckNodePort"] = port.into();
    }
    json!({ "apiVersion": "v1", "kind": "Service", "metadata": metadata(name, service), "spec": spec })
}

fn service_ports(service: &Service, node_ports: &NodePorts<'_>) -> Vec<Json> {
    let several = service.ports.values().map(|port| port.transport.each().len()).sum::<usize>() > 1;
    let mut ports = Vec::new();
    for (name, port) in &service.ports {
        for protocol in port.transport.each() {
            let mut entry = json!({ "port": port.number, "targetPort": port.number });
            if *protocol != Transport::Tcp {
                entry["protocol"] = protocol.as_str().into();
            }
            if several {
                let both = port.transport.each().len() > 1;
                let name = if both { format!("{name}-{}", protocol.as_str().to_lowercase()) } else { name.clone() };
                entry["name"] = name.into();
            }
            if let Some(node_port) = (node_ports.of)(name) {
                entry["nodePort"] = node_port.into();
            }
            ports.push(entry);
        }
    }
    ports
}

/// Returns the disruption budget: a drain may evict one pod at a time, and a pod that is not ready at any time.
pub(super) fn disruption_budget(name: &str, service: &Service) -> Json {
    json!({
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": metadata(name, service),
        "spec": {
            "maxUnavailable": 1,
            "selector": { "matchLabels": selector(name) },
            "unhealthyPodEvictionPolicy": "AlwaysAllow",
        },
    })
}

pub(super) fn autoscaler(name: &str, service: &Service, min: u32, max: u32) -> Json {
    json!({
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": metadata(name, service),
        "spec": {
            "scaleTargetRef": { "apiVersion": "apps/v1", "kind": "Deployment", "name": name },
            "minReplicas": min,
            "maxReplicas": max,
            "metrics": [{
                "type": "Resource",
                "resource": { "name": "cpu", "target": { "type": "Utilization", "averageUtilization": LOAD } },
            }],
        },
    })
}

fn metadata(name: &str, service: &Service) -> Json {
    json!({ "name": name, "namespace": service.namespace, "labels": labels(name) })
}

fn labels(name: &str) -> Json {
    json!({ SERVICE: name, NAME: name })
}

fn selector(name: &str) -> Json {
    json!({ SERVICE: name })
}
