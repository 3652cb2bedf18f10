//! The manifests of a service.

use serde_json::{Map, Value as Json, json};

use crate::spec::{Scale, Service, Volume};

/// The label by which everything of a service finds its pods. It is ours alone: a name that everybody uses would catch
/// the pods of somebody else's `redis`, too, and what selects cannot be changed later.
const SERVICE: &str = "quorate.dev/service";
/// The label by which people and tools know what belongs together. Nothing selects by it.
const NAME: &str = "app.kubernetes.io/name";
/// The label that tells the pods of one rollout from those of the last.
const ROLLOUT: &str = "pod-template-hash";
/// How long a rollout may stand still before it counts as stuck, in seconds.
const STUCK: u32 = 300;
/// How much of the promised CPU pods use before more are started, in percent.
const LOAD: u32 = 80;
/// How long a pod that leaves goes on answering, in seconds: those who send to it do not hear of it at once.
const FAREWELL: u32 = 5;

/// The name of the claim to a volume of a service.
pub(super) fn claim_name(service: &str, volume: &str) -> String {
    format!("{service}-{volume}")
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
    // A number that the load decides is not ours.
    if let Scale::Count(count) = service.scale {
        spec["replicas"] = count.into();
    }
    json!({ "apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata(name, service), "spec": spec })
}

/// A volume can only be attached to the new pod once the old one is gone; without one, no pod goes before another is
/// there.
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
        "topologySpreadConstraints": [spread("topology.kubernetes.io/zone"), spread("kubernetes.io/hostname")],
    });
    if !service.volumes.is_empty() {
        pod["volumes"] = service
            .volumes
            .keys()
            .map(|volume| json!({ "name": volume, "persistentVolumeClaim": { "claimName": claim_name(name, volume) } }))
            .collect();
    }
    pod
}

fn container(name: &str, service: &Service) -> Json {
    let mut container = json!({ "name": name, "image": service.image });
    let mut set = |field: &str, value: Json| {
        let empty = value.as_array().is_some_and(Vec::is_empty) || value.as_object().is_some_and(Map::is_empty);
        if !empty && !value.is_null() {
            container[field] = value;
        }
    };
    set("command", json!(service.command));
    set("args", json!(service.args));
    set("env", variables(service));
    set("resources", resources(service));
    let mounts = service.volumes.iter().map(|(volume, wanted)| json!({ "name": volume, "mountPath": wanted.path }));
    set("volumeMounts", mounts.collect());
    if let Some(port) = service.port {
        set("ports", json!([{ "containerPort": port }]));
        set("readinessProbe", readiness(service, port));
        set("lifecycle", json!({ "preStop": { "sleep": { "seconds": FAREWELL } } }));
    }
    container
}

/// Values as they stand in the file, and values of secrets by name: only the machine that runs the pod reads those.
fn variables(service: &Service) -> Json {
    let plain = service.env.iter().map(|(name, value)| (name, json!({ "name": name, "value": value })));
    let secret = service.secrets.iter().map(|(name, from)| {
        (name, json!({ "name": name, "valueFrom": { "secretKeyRef": { "name": from.secret, "key": from.key } } }))
    });
    let mut all: Vec<(&String, Json)> = plain.chain(secret).collect();
    all.sort_by_key(|(name, _)| *name);
    all.into_iter().map(|(_, variable)| variable).collect()
}

/// Memory that is promised is also the most: what takes more is ended, and not its neighbours. CPU is shared.
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

fn readiness(service: &Service, port: u16) -> Json {
    let mut probe = match &service.health {
        Some(path) => json!({ "httpGet": { "path": path, "port": port } }),
        None => json!({ "tcpSocket": { "port": port } }),
    };
    probe["periodSeconds"] = 5.into();
    probe
}

/// The service's name in the cluster: `chat`, or `chat.namespace` from elsewhere. A load balancer comes in by a port that
/// every machine has.
pub(super) fn service(name: &str, service: &Service, node_port: Option<u16>) -> Json {
    let mut port = json!({ "port": service.port, "targetPort": service.port });
    if let Some(node_port) = node_port {
        port["nodePort"] = node_port.into();
    }
    let kind = if node_port.is_some() { "NodePort" } else { "ClusterIP" };
    json!({
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata(name, service),
        "spec": { "type": kind, "selector": selector(name), "ports": [port] },
    })
}

/// One pod at a time may be taken away when a machine is emptied, and one that does not work at any time.
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
