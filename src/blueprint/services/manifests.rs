//! The manifests of a service.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};

use crate::spec::{Health, Placement, Port, Process, Scale, Service, Sidecar, Transport, Volume, Zone};

use super::super::{GROUP_TAG, names};
use super::expansion::literally;
use super::security;

/// The label that selects the pods of a service. It is ours alone: a common label would also select
/// the pods of another team's `redis`, and a selector cannot be changed later.
const SERVICE: &str = "quorate.dev/service";
/// The label that shows people and tools which objects belong together. Nothing selects by it.
pub(super) const NAME: &str = "app.kubernetes.io/name";
/// The label that distinguishes the pods of one rollout from those of the last one.
const ROLLOUT: &str = "pod-template-hash";
/// The same for the pods of a stateful set.
const REVISION: &str = "controller-revision-hash";
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

/// Returns the name of the claim to a volume of one pod of a stateful set, by which Kubernetes finds it.
pub(super) fn claim_of_pod(service: &str, volume: &str, pod: u32) -> String {
    format!("{volume}-{service}-{pod}")
}

/// Returns the names of all claims of a service with their volumes: one for each pod of a stateful set.
pub(super) fn claims<'a>(
    name: &'a str,
    service: &'a Service,
) -> impl Iterator<Item = (String, &'a String, &'a Volume)> {
    service.volumes.iter().flat_map(move |(volume, wanted)| {
        let names: Vec<String> = if service.volume_per_pod {
            (0..service.scale.least()).map(|pod| claim_of_pod(name, volume, pod)).collect()
        } else {
            vec![claim_name(name, volume)]
        };
        names.into_iter().map(move |claim| (claim, volume, wanted))
    })
}

/// Returns the name of the Service that gives each pod of a stateful set a name.
fn pods_name(service: &str) -> String {
    names::fitted(&format!("{service}-pods"), 63)
}

/// Returns the Service that gives each pod of a stateful set a name: `chat-0.chat-pods`. Pods find each other before they are
/// ready.
pub(super) fn pods_service(name: &str, service: &Service) -> Json {
    let mut metadata = metadata(name, service);
    metadata["name"] = pods_name(name).into();
    let none = NodePorts { of: &|_| None, health: None };
    let spec = json!({
        "clusterIP": "None",
        "publishNotReadyAddresses": true,
        "selector": selector(name),
        "ports": service_ports(service, &none),
    });
    json!({ "apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec })
}

/// Returns the stateful set of a service whose pods have volumes of their own.
///
/// The claims are objects of the plan, so that none is made or deleted outside of it. Kubernetes uses a claim that exists under
/// the name that follows from a template; the size in the template, which cannot be changed, is never used.
pub(super) fn stateful_set(name: &str, service: &Service) -> Json {
    let mut set = deployment(name, service);
    set["kind"] = "StatefulSet".into();
    let spec = &mut set["spec"];
    if let Some(spec) = spec.as_object_mut() {
        spec.remove("strategy");
        spec.remove("progressDeadlineSeconds");
    }
    spec["serviceName"] = pods_name(name).into();
    // With the other policy, a pod that never becomes ready has to be deleted by hand before its correction is rolled out.
    spec["podManagementPolicy"] = "Parallel".into();
    spec["updateStrategy"] = json!({ "type": "RollingUpdate" });
    let templates = service.volumes.iter().map(|(volume, wanted)| {
        let any = Volume { gib: 1, ..wanted.clone() };
        json!({ "metadata": { "name": volume }, "spec": volume_claim("", service, &any)["spec"] })
    });
    spec["volumeClaimTemplates"] = templates.collect();
    set
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
    set(&mut spec["template"]["metadata"], "annotations", annotations(service));
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
            "matchLabelKeys": [if service.volume_per_pod { REVISION } else { ROLLOUT }],
        })
    };
    let mut pod = json!({
        "containers": [container(name, service)],
        "topologySpreadConstraints": [spread(ZONE), spread("kubernetes.io/hostname")],
    });
    let sidecars = service.sidecars.iter().map(|(name, wanted)| sidecar(name, wanted, service));
    set(&mut pod, "initContainers", sidecars.collect());
    if sees_clients(service) || service.grace_seconds.is_some() {
        let grace = service.grace_seconds.unwrap_or(GRACE);
        pod["terminationGracePeriodSeconds"] = (pre_stop_seconds(service) + grace).into();
    }
    // The volumes of a stateful set follow from its templates.
    let claims =
        service.volumes.keys().filter(|_| !service.volume_per_pod).map(
            |volume| json!({ "name": volume, "persistentVolumeClaim": { "claimName": claim_name(name, volume) } }),
        );
    set(&mut pod, "volumes", pod_volumes(name, service, claims.collect()));
    settle(&mut pod, service);
    pod
}

/// Sets the fields that all pods of a service have, those of its jobs too.
pub(super) fn settle(pod: &mut Json, service: &Service) {
    pod["securityContext"] = security::of_pod(service);
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
        place(pod, placement);
    }
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
    let mut container = program(name, &service.process(), service);
    set(&mut container, "volumeMounts", mounts(service, PodVolumes::All));
    let ports = container_ports(service.own_ports().map(|(_, port)| port));
    set(&mut container, "ports", ports);
    if !service.ports.is_empty() {
        set(&mut container, "lifecycle", json!({ "preStop": { "sleep": { "seconds": pre_stop_seconds(service) } } }));
    }
    if let Some(health) = &service.health {
        set(&mut container, "readinessProbe", readiness(health));
    }
    container
}

/// Returns the container of a sidecar. Kubernetes starts it before the container of the service, restarts it as long as the
/// pod lives, and stops it after the others.
fn sidecar(name: &str, sidecar: &Sidecar, service: &Service) -> Json {
    let mut container = program(name, &sidecar.process, service);
    container["restartPolicy"] = "Always".into();
    set(&mut container, "volumeMounts", mounts(service, PodVolumes::All));
    let ports = sidecar.ports.iter().filter_map(|name| service.ports.get(name));
    set(&mut container, "ports", container_ports(ports));
    container
}

/// Returns a container with a program, with the rights that the service gives to its processes.
pub(super) fn program(name: &str, process: &Process, service: &Service) -> Json {
    let mut container = json!({ "name": name, "image": process.image });
    set(&mut container, "command", texts(&process.command));
    set(&mut container, "args", texts(&process.args));
    set(&mut container, "env", variables(process));
    set(&mut container, "resources", resources(process));
    set(&mut container, "securityContext", security::of_container(&service.security));
    container
}

/// Sets a field that is not empty.
pub(super) fn set(container: &mut Json, field: &str, value: Json) {
    let empty = value.as_array().is_some_and(Vec::is_empty) || value.as_object().is_some_and(Map::is_empty);
    if !empty && !value.is_null() {
        container[field] = value;
    }
}

/// The volumes of a pod.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum PodVolumes {
    /// Those of the service, its files and its writable folders.
    All,
    /// The files and the writable folders: volumes are attached to the pods of the service.
    WithoutClaims,
}

/// Returns the mounts of a container.
pub(super) fn mounts(service: &Service, volumes: PodVolumes) -> Json {
    let claims = service.volumes.iter().filter(|_| volumes == PodVolumes::All);
    let claims = claims.map(|(volume, wanted)| json!({ "name": volume, "mountPath": wanted.path }));
    // One file each: the folder keeps what the image has in it.
    let files = service
        .files
        .keys()
        .map(|path| json!({ "name": FILES, "mountPath": path, "subPath": file_key(path), "readOnly": true }));
    let scratch = service.security.writable.iter();
    let scratch = scratch.map(|path| json!({ "name": SCRATCH, "mountPath": path, "subPath": file_key(path) }));
    claims.chain(files).chain(scratch).collect()
}

/// Returns the volumes of a pod; `claims` are those of the service.
pub(super) fn pod_volumes(name: &str, service: &Service, claims: Vec<Json>) -> Json {
    let files = json!({ "name": FILES, "configMap": { "name": files_name(name) } });
    let files = Some(files).filter(|_| !service.files.is_empty());
    let scratch = Some(json!({ "name": SCRATCH, "emptyDir": {} }));
    let scratch = scratch.filter(|_| !service.security.writable.is_empty());
    claims.into_iter().chain(files).chain(scratch).collect()
}

/// Returns the annotations of pods with files: another content is another pod.
pub(super) fn annotations(service: &Service) -> Json {
    if service.files.is_empty() {
        return Json::Null;
    }
    json!({ FILES_HASH: names::sha256(json!(service.files).to_string().as_bytes()) })
}

fn container_ports<'a>(ports: impl Iterator<Item = &'a Port>) -> Json {
    let one = |number: u16, protocol: Transport| match protocol {
        // Defaults of Kubernetes are left out.
        Transport::Tcp => json!({ "containerPort": number }),
        other => json!({ "containerPort": number, "protocol": other.as_str() }),
    };
    let all = ports.flat_map(|port| port.transport.each().iter().map(|each| one(port.number, *each)));
    all.collect()
}

/// Returns texts that reach the container as they are written in the file.
fn texts(texts: &[String]) -> Json {
    texts.iter().map(|text| literally(text)).collect()
}

/// Returns values that reach the container as written in the file, and references to secrets: only the machine that runs
/// the pod reads their values.
fn variables(process: &Process) -> Json {
    let plain = process.env.iter().map(|(name, value)| (name, json!({ "name": name, "value": literally(value) })));
    let secret = process.secrets.iter().map(|(name, from)| {
        (name, json!({ "name": name, "valueFrom": { "secretKeyRef": { "name": from.secret, "key": from.key } } }))
    });
    let mut all: Vec<(&String, Json)> = plain.chain(secret).collect();
    all.sort_by_key(|(name, _)| *name);
    all.into_iter().map(|(_, variable)| variable).collect()
}

/// Returns the requests and limits. The memory request is also the limit, which protects other pods. CPU is shared.
fn resources(process: &Process) -> Json {
    let mut requests = Map::new();
    requests.extend(process.cpu.as_ref().map(|cpu| ("cpu".to_owned(), json!(cpu))));
    requests.extend(process.memory.as_ref().map(|memory| ("memory".to_owned(), json!(memory))));
    match (&process.memory, requests.is_empty()) {
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
            "metrics": [metric(name, service)],
        },
    })
}

/// Returns the metric that sets the number of pods. With sidecars, it is that of the service's own container: of all containers
/// together, Kubernetes has none if one of them has no CPU request.
fn metric(name: &str, service: &Service) -> Json {
    let target = json!({ "type": "Utilization", "averageUtilization": LOAD });
    if service.sidecars.is_empty() {
        return json!({ "type": "Resource", "resource": { "name": "cpu", "target": target } });
    }
    json!({ "type": "ContainerResource", "containerResource": { "name": "cpu", "container": name, "target": target } })
}

pub(super) fn metadata(name: &str, service: &Service) -> Json {
    json!({ "name": name, "namespace": service.namespace, "labels": labels(name) })
}

fn labels(name: &str) -> Json {
    json!({ SERVICE: name, NAME: name })
}

fn selector(name: &str) -> Json {
    json!({ SERVICE: name })
}
