//! Who is there, as an API server tells it.

use std::sync::Arc;

use super::*;
use crate::health::{Census, Node, Pod};
use crate::kubernetes::Kubernetes;

fn node(name: &str, instance: &str, ready: &str) -> Json {
    json!({
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": { "name": name },
        "spec": { "providerID": format!("aws:///us-east-1a/{instance}") },
        "status": { "conditions": [{ "type": "Ready", "status": ready, "message": "container runtime is down" }] },
    })
}

fn pod(name: &str, labels: &Json, ready: &str) -> Json {
    json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": { "name": name, "namespace": "kube-system", "labels": labels },
        "spec": { "nodeName": "ip-1", "containers": [{ "name": "c", "image": "c:1" }] },
        "status": { "conditions": [{ "type": "Ready", "status": ready }] },
    })
}

#[tokio::test]
async fn nodes_and_the_control_plane_are_told_and_nothing_else() {
    let api = FakeApi::start().await;
    api.put("kubelet", node("ip-2", "i-2", "False"));
    api.put("kubelet", node("ip-1", "i-1", "True"));
    api.put("kubelet", pod("etcd-ip-1", &json!({ "tier": "control-plane", "component": "etcd" }), "True"));
    api.put(
        "kubelet",
        pod("kube-scheduler-ip-1", &json!({ "tier": "control-plane", "component": "kube-scheduler" }), "False"),
    );
    api.put("kubelet", pod("coredns", &json!({ "k8s-app": "kube-dns" }), "True"));
    let kubernetes = Kubernetes::new("chat.example.com", Arc::new(api.access()));
    let census = kubernetes.census().await.unwrap().unwrap();
    let node = |name: &str, instance: &str, trouble: Option<&str>| Node {
        name: name.to_owned(),
        instance: instance.to_owned(),
        trouble: trouble.map(str::to_owned),
    };
    let pod = |component: &str, trouble: Option<&str>| Pod {
        component: component.to_owned(),
        node: "ip-1".to_owned(),
        trouble: trouble.map(str::to_owned),
    };
    let expected = Census {
        nodes: vec![node("ip-1", "i-1", None), node("ip-2", "i-2", Some("not ready: container runtime is down"))],
        pods: vec![pod("etcd", None), pod("kube-scheduler", Some("not ready"))],
    };
    assert_eq!(census, expected);
}

#[tokio::test]
async fn an_api_that_does_not_answer_is_a_failure_and_no_empty_cluster() {
    let api = FakeApi::start().await;
    let access = api.access();
    drop(api);
    let kubernetes = Kubernetes::new("chat.example.com", Arc::new(access));
    assert!(kubernetes.census().await.is_err());
}
