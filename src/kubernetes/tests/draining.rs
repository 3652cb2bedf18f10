//! Draining a machine through the API.

use super::*;
use crate::kubernetes::KubernetesProvider;
use crate::resource::DrainProgress;
use crate::testkit::fake::node;

fn pod(name: &str, node: &str, owner: &str) -> Json {
    json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": name, "namespace": "default",
            "ownerReferences": [{ "apiVersion": "apps/v1", "kind": owner, "name": "x", "uid": "1" }],
        },
        "spec": { "nodeName": node, "containers": [{ "name": "main", "image": "chat:1" }] },
        "status": { "phase": "Running" },
    })
}

fn refusal() -> Json {
    json!({
        "kind": "Status", "apiVersion": "v1", "status": "Failure", "code": 429, "reason": "TooManyRequests",
        "message": "Cannot evict pod as it would violate the pod's disruption budget.",
        "details": { "causes": [{
            "reason": "DisruptionBudget",
            "message": "The disruption budget chat needs 2 healthy pods and has 2 currently",
        }] },
    })
}

fn evicted() -> Json {
    json!({ "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201 })
}

async fn cluster() -> (FakeApi, KubernetesProvider) {
    let api = FakeApi::start().await;
    for number in [1, 2] {
        api.put("kubelet", node("workers", number));
    }
    let provider = KubernetesProvider::new("c", std::sync::Arc::new(api.access()));
    provider.state().await.unwrap();
    (api, provider)
}

#[tokio::test]
async fn a_machine_is_drained_when_no_pod_is_left_that_could_run_elsewhere() {
    let (api, provider) = cluster().await;
    api.put("scheduler", pod("chat-1", "workers-1", "ReplicaSet"));
    api.put("scheduler", pod("proxy-1", "workers-1", "DaemonSet"));
    api.put("scheduler", pod("chat-2", "workers-2", "ReplicaSet"));
    api.fail_next("/pods/chat-1/eviction", 201, evicted());
    let progress = provider.drain("i-workers-1").await.unwrap();
    assert_eq!(progress, DrainProgress::Moving("1 pod".to_owned()));
    assert_eq!(api.get("Node", "", "workers-1").unwrap()["spec"]["unschedulable"], true);
    assert_eq!(api.get("Node", "", "workers-2").unwrap()["spec"]["unschedulable"], Json::Null);
    let requests = api.take_requests();
    let evictions: Vec<_> = requests.iter().filter(|request| request.starts_with("POST")).collect();
    assert_eq!(evictions, ["POST /api/v1/namespaces/default/pods/chat-1/eviction"]);
    api.removed_after(1, "Pod", "default", "chat-1");
    assert_eq!(provider.drain("i-workers-1").await.unwrap(), DrainProgress::Done);
}

#[tokio::test]
async fn the_budget_that_blocks_a_drain_is_named() {
    let (api, provider) = cluster().await;
    api.put("scheduler", pod("chat-1", "workers-1", "ReplicaSet"));
    api.fail_next("/pods/chat-1/eviction", 429, refusal());
    let DrainProgress::Blocked(why) = provider.drain("i-workers-1").await.unwrap() else { panic!("not blocked") };
    assert_eq!(
        why,
        "the pod default/chat-1 is not evicted: The disruption budget chat needs 2 healthy pods and has 2 currently"
    );
}

#[tokio::test]
async fn a_machine_without_a_node_is_drained_and_nothing_is_asked_before_the_api_has_answered() {
    let (api, provider) = cluster().await;
    assert_eq!(provider.drain("i-0123").await.unwrap(), DrainProgress::Done);
    let silent = KubernetesProvider::new("c", std::sync::Arc::new(api.access()));
    api.take_requests();
    assert_eq!(silent.drain("i-workers-1").await.unwrap(), DrainProgress::Done);
    assert_eq!(api.take_requests(), Vec::<String>::new());
}
