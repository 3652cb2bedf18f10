//! The nodes and the control plane, as an API server reports them.

use std::sync::Arc;

use super::*;
use crate::health::{ControlPlaneState, NodeState, PodState};
use crate::kubernetes::KubernetesProvider;
use crate::resource::ClusterNode;

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
async fn the_census_has_nodes_control_plane_and_system_and_nothing_else() {
    let api = FakeApi::start().await;
    api.put("kubelet", node("ip-2", "i-2", "False"));
    let mut fresh = node("ip-3", "i-3", "True");
    fresh["spec"]["taints"] =
        json!([{ "key": "node.cloudprovider.kubernetes.io/uninitialized", "value": "true", "effect": "NoSchedule" }]);
    api.put("kubelet", fresh);
    api.put("kubelet", node("ip-1", "i-1", "True"));
    api.put("kubelet", pod("etcd-ip-1", &json!({ "tier": "control-plane", "component": "etcd" }), "True"));
    api.put(
        "kubelet",
        pod("kube-scheduler-ip-1", &json!({ "tier": "control-plane", "component": "kube-scheduler" }), "False"),
    );
    api.put("kubelet", pod("coredns", &json!({ "k8s-app": "kube-dns" }), "True"));
    api.put(
        "kubelet",
        pod(
            "aws-cloud-controller-manager",
            &json!({ "app.kubernetes.io/name": "aws-cloud-controller-manager" }),
            "False",
        ),
    );
    let mut done = pod("once", &json!({ "k8s-app": "once" }), "False");
    done["status"]["phase"] = json!("Succeeded");
    api.put("kubelet", done);
    api.put("kubelet", pod("somebody", &json!({ "app": "somebody" }), "False"));
    let kubernetes = KubernetesProvider::new("chat.example.com", Arc::new(api.access()));
    let census = kubernetes.census().await.unwrap().unwrap();
    let node = |name: &str, instance: &str, trouble: Option<&str>| NodeState {
        name: name.to_owned(),
        instance: instance.to_owned(),
        trouble: trouble.map(str::to_owned),
        initialized: instance != "i-3",
    };
    let pod = |component: &str, trouble: Option<&str>| PodState {
        component: component.to_owned(),
        node: "ip-1".to_owned(),
        trouble: trouble.map(str::to_owned),
    };
    let expected = ControlPlaneState {
        nodes: vec![
            node("ip-1", "i-1", None),
            node("ip-2", "i-2", Some("not ready: container runtime is down")),
            node("ip-3", "i-3", None),
        ],
        pods: vec![pod("etcd", None), pod("kube-scheduler", Some("not ready"))],
        system: vec![pod("aws-cloud-controller-manager", Some("not ready")), pod("kube-dns", None)],
    };
    assert_eq!(census, expected);
}

#[tokio::test]
async fn the_state_has_the_nodes_and_the_pods_of_the_workloads_of_the_file() {
    let api = FakeApi::start().await;
    let mut ready = node("ip-1", "i-1", "True");
    ready["status"]["nodeInfo"] = json!({ "kubeletVersion": "v1.36.2" });
    api.put("kubelet", ready);
    api.put("kubelet", node("ip-2", "i-2", "False"));
    for (kind, name, cluster, status) in [
        ("Deployment", "chat", "chat.example.com", json!({ "readyReplicas": 2 })),
        ("Deployment", "new", "chat.example.com", json!({})),
        ("StatefulSet", "queue", "chat.example.com", json!({ "readyReplicas": 1, "replicas": 3 })),
        ("Deployment", "theirs", "other.example.com", json!({ "readyReplicas": 1 })),
    ] {
        let metadata = json!({ "name": name, "namespace": "talk", "labels": { "quorate.dev/cluster": cluster } });
        let spec = json!({ "replicas": 3, "selector": {}, "template": {} });
        let mut workload = json!({ "apiVersion": "apps/v1", "kind": kind });
        (workload["metadata"], workload["spec"], workload["status"]) = (metadata, spec, status);
        api.put("controller", workload);
    }
    let kubernetes = KubernetesProvider::new("chat.example.com", Arc::new(api.access()));
    let state = kubernetes.state().await.unwrap().unwrap();
    let node = |instance: &str, kubelet: Option<&str>, ready| ClusterNode {
        instance: instance.to_owned(),
        kubelet: kubelet.map(str::to_owned),
        ready,
    };
    assert_eq!(state.nodes, [node("i-1", Some("1.36.2"), true), node("i-2", None, false)]);
    let pods: Vec<_> = state.workloads.iter().map(|pods| (pods.name.as_str(), pods.ready, pods.wanted)).collect();
    assert_eq!(pods, [("chat", 2, 3), ("new", 0, 3), ("queue", 1, 3)]);
}

#[tokio::test]
async fn an_object_that_its_type_cannot_hold_is_a_failure_with_its_name() {
    let api = FakeApi::start().await;
    let mut odd = node("ip-1", "i-1", "True");
    odd["status"]["conditions"] = json!("Ready");
    api.put("kubelet", odd);
    let kubernetes = KubernetesProvider::new("chat.example.com", Arc::new(api.access()));
    let failure = kubernetes.census().await.unwrap_err();
    assert_eq!(failure.action, "list nodes");
    assert!(failure.message.starts_with("the Node ip-1 cannot be read: invalid type: string"), "{}", failure.message);
}

#[tokio::test]
async fn an_api_that_does_not_answer_is_a_failure_and_no_empty_cluster() {
    let api = FakeApi::start().await;
    let access = api.access();
    drop(api);
    let kubernetes = KubernetesProvider::new("chat.example.com", Arc::new(access));
    assert!(kubernetes.census().await.is_err());
}

#[tokio::test]
async fn the_evidence_before_an_upgrade_is_read_in_few_calls() {
    let api = FakeApi::start().await;
    api.put("kubelet", node("ip-2", "i-2", "False"));
    api.set_metrics(
        "apiserver_requested_deprecated_apis{group=\"a\",removed_release=\"1.37\",resource=\"b\",version=\"v1\"} 1\n",
    );
    api.put(
        "kube-controller-manager",
        json!({
            "apiVersion": "policy/v1",
            "kind": "PodDisruptionBudget",
            "metadata": { "name": "web", "namespace": "default" },
            "spec": { "minAvailable": 2, "selector": { "matchLabels": { "app": "web" } } },
            "status": { "expectedPods": 2, "disruptionsAllowed": 0, "currentHealthy": 2, "desiredHealthy": 2 },
        }),
    );
    let provider = KubernetesProvider::new("c.example.com", Arc::new(api.access()));
    api.take_requests();
    let evidence = provider.upgrade_evidence((1, 34)).await.unwrap().unwrap();
    let requests = api.take_requests();
    for path in ["/metrics", "/api/v1/nodes", "/apis/policy/v1/poddisruptionbudgets"] {
        assert!(requests.iter().any(|request| request.ends_with(path)), "{requests:?}");
    }
    assert_eq!(requests.len(), 4, "the first request of a connection asks whether the API is ready: {requests:?}");
    let findings = crate::health::examine_upgrade(&evidence, (1, 37));
    let findings: Vec<String> = findings.iter().map(ToString::to_string).collect();
    assert_eq!(findings.len(), 3, "{findings:?}");
    assert!(findings[0].starts_with("clients use a/v1 b, which Kubernetes 1.37 removes"), "{findings:?}");
    assert!(findings[1].contains("ip-2") && findings[2].contains("default/web"), "{findings:?}");
}

/// A class of volumes that two managers have written: one of them in an API version that Kubernetes 1.37 removes.
fn volume_class(name: &str, version: &str) -> Json {
    let fields = json!({ "f:driverName": {} });
    let other = json!({ "manager": "helm", "operation": "Update", "apiVersion": version, "fieldsType": "FieldsV1", "fieldsV1": fields });
    json!({
        "apiVersion": "storage.k8s.io/v1",
        "kind": "VolumeAttributesClass",
        "metadata": { "name": name, "managedFields": [other] },
        "driverName": "ebs.csi.aws.com",
        "parameters": { "type": "gp3" },
    })
}

#[tokio::test]
async fn objects_that_were_written_in_a_removed_api_version_are_found_without_a_request_in_it() {
    let api = FakeApi::start().await;
    api.put("kubectl", volume_class("old", "storage.k8s.io/v1beta1"));
    api.put("kubectl", volume_class("new", "storage.k8s.io/v1"));
    let provider = KubernetesProvider::new("c.example.com", Arc::new(api.access()));
    api.take_requests();
    let evidence = provider.upgrade_evidence((1, 37)).await.unwrap().unwrap();
    let requests = api.take_requests();
    let findings: Vec<String> =
        crate::health::examine_upgrade(&evidence, (1, 37)).iter().map(ToString::to_string).collect();
    assert_eq!(
        findings,
        [
            "1 object was written as storage.k8s.io/v1beta1 volumeattributesclasses, which Kubernetes 1.37 removes (old): write \
          it in another API version before the upgrade"
        ]
    );
    assert!(requests.iter().all(|request| !request.contains("v1beta1")), "{requests:?}");
    assert!(provider.upgrade_evidence((1, 36)).await.unwrap().unwrap().removed.is_empty());
}

#[tokio::test]
async fn a_manifest_of_a_removed_api_version_is_found_on_any_server() {
    let api = TestApi::start().await;
    if !api.knows("volume attributes classes", 34) {
        return;
    }
    let mut class = volume_class("old", "storage.k8s.io/v1");
    let manifest = json!({ "apiVersion": "storage.k8s.io/v1beta1", "kind": "VolumeAttributesClass" });
    class["metadata"] = json!({
        "name": "old",
        "labels": { "quorate.dev/cluster": "c.example.com" },
        "annotations": { "kubectl.kubernetes.io/last-applied-configuration": manifest.to_string() },
    });
    api.put("kubectl", class).await;
    let provider = KubernetesProvider::new("c.example.com", Arc::new(api.access()));
    let evidence = provider.upgrade_evidence((1, 37)).await.unwrap().unwrap();
    let found = evidence.removed.iter().find(|removed| removed.resource == "volumeattributesclasses").unwrap();
    assert_eq!(found.objects.as_deref(), Some(&["old".to_owned()][..]));
}
