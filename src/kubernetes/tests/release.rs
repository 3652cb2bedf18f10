//! Objects of controllers outside of the cluster are removed before the cluster.

use std::sync::{Arc, Mutex};

use super::*;
use crate::kubernetes::KubernetesProvider;

fn service(name: &str, kind: &str) -> Json {
    json!({
        "apiVersion": "v1", "kind": "Service", "metadata": { "name": name, "namespace": "web" },
        "spec": { "type": kind, "ports": [{ "port": 80 }] },
    })
}

fn claim(name: &str) -> Json {
    json!({
        "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": { "name": name, "namespace": "web" },
        "spec": { "accessModes": ["ReadWriteOnce"], "resources": { "requests": { "storage": "8Gi" } } },
    })
}

#[tokio::test]
async fn services_with_a_load_balancer_and_claims_go_and_nothing_else_does() {
    let api = FakeApi::start().await;
    for object in [service("chat", "LoadBalancer"), service("redis", "ClusterIP"), claim("data")] {
        api.put("somebody", object);
    }
    let kubernetes = KubernetesProvider::new("chat.example.com", Arc::new(api.access()));
    let notes = Mutex::new(Vec::new());
    kubernetes.release(&|note| notes.lock().unwrap().push(note)).await.unwrap();
    assert_eq!(api.get("Service", "web", "chat"), None);
    assert_eq!(api.get("PersistentVolumeClaim", "web", "data"), None);
    assert!(api.get("Service", "web", "redis").is_some());
    assert_eq!(*notes.lock().unwrap(), Vec::<String>::new(), "there was nothing to wait for");
}

#[tokio::test]
async fn a_claim_that_a_pod_uses_is_not_waited_for() {
    let api = FakeApi::start().await;
    let mut used = claim("data");
    used["metadata"]["finalizers"] = json!(["kubernetes.io/pvc-protection"]);
    api.put("somebody", used);
    api.put(
        "somebody",
        json!({
            "apiVersion": "v1", "kind": "Pod", "metadata": { "name": "db-0", "namespace": "web" },
            "spec": {
                "containers": [{ "name": "db", "image": "db:1" }],
                "volumes": [{ "name": "data", "persistentVolumeClaim": { "claimName": "data" } }],
            },
        }),
    );
    let kubernetes = KubernetesProvider::new("chat.example.com", Arc::new(api.access()));
    let released = kubernetes.release(&|note| panic!("waits: {note}"));
    tokio::time::timeout(std::time::Duration::from_secs(30), released).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_claim_on_a_volume_of_others_is_left_alone_and_reported() {
    let api = FakeApi::start().await;
    for (name, source) in [
        ("ebs", json!({ "csi": { "driver": "ebs.csi.aws.com", "volumeHandle": "vol-1" } })),
        ("nfs", json!({ "nfs": { "server": "files", "path": "/" } })),
    ] {
        let mut bound = claim(name);
        bound["spec"]["volumeName"] = name.into();
        api.put("somebody", bound);
        let mut spec = json!({ "capacity": { "storage": "8Gi" }, "accessModes": ["ReadWriteOnce"] });
        spec.as_object_mut().unwrap().extend(source.as_object().unwrap().clone());
        let volume =
            json!({ "apiVersion": "v1", "kind": "PersistentVolume", "metadata": { "name": name }, "spec": spec });
        api.put("somebody", volume);
    }
    let kubernetes = KubernetesProvider::new("chat.example.com", Arc::new(api.access()));
    let notes = Mutex::new(Vec::new());
    kubernetes.release(&|note| notes.lock().unwrap().push(note)).await.unwrap();
    assert_eq!(api.get("PersistentVolumeClaim", "web", "ebs"), None);
    assert!(api.get("PersistentVolumeClaim", "web", "nfs").is_some());
    assert_eq!(
        *notes.lock().unwrap(),
        ["1 claims hold volumes that ebs.csi.aws.com did not make: these are left alone"]
    );
}
