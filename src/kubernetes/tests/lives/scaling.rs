//! The manager of the number of replicas.

use super::*;

async fn pods(life: &ClusterLife) -> u64 {
    life.api.get("Deployment", "default", "chat").await.unwrap()["spec"]["replicas"].as_u64().unwrap()
}

/// Returns the deployment without a number of replicas, and its autoscaler, if the server supports one.
fn scaled(life: &ClusterLife) -> Vec<Object> {
    let mut chat = chat();
    chat["spec"].as_object_mut().unwrap().remove("replicas");
    let scaler = json!({
        "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": { "name": "chat", "namespace": "default" },
        "spec": { "minReplicas": 2, "maxReplicas": 20,
                  "scaleTargetRef": { "apiVersion": "apps/v1", "kind": "Deployment", "name": "chat" } },
    });
    let scaler = life.api.sieve(scaler).map(|scaler| object("horizontal-pod-autoscaler/chat", scaler));
    [object("deployment/chat", chat)].into_iter().chain(scaler).collect()
}

fn fixed(replicas: u64) -> Vec<Object> {
    let mut chat = chat();
    chat["spec"]["replicas"] = replicas.into();
    vec![object("deployment/chat", chat)]
}

#[tokio::test]
async fn the_pods_stay_when_an_autoscaler_takes_over_and_when_it_leaves() {
    let mut life = ClusterLife::begin().await;
    life.settle(&fixed(10)).await;
    let scaled = scaled(&life);
    life.settle(&scaled).await;
    assert_eq!(pods(&life).await, 10, "one pod for a moment is an outage");

    // It scales, and that is no drift. Our other changes leave its number alone.
    life.api
        .edit("kube-controller-manager", "Deployment", "default", "chat", &json!({ "spec": { "replicas": 7 } }))
        .await;
    life.api.rolled_out("default", "chat").await;
    assert_eq!(lines(&life.plan(PlanMode::Apply, &scaled).await), Vec::<String>::new());
    assert_eq!(pods(&life).await, 7);

    let prepared = life.plan(PlanMode::Apply, &fixed(3)).await;
    let reported =
        ["Update deployment/chat (File): spec.replicas", "Delete horizontal-pod-autoscaler/chat (NotInFile)"];
    assert_eq!(lines(&prepared), reported[..scaled.len()]);
    life.settle(&fixed(3)).await;
    assert_eq!(pods(&life).await, 3);
}

#[tokio::test]
async fn a_number_that_waits_for_an_autoscaler_has_no_other_owner() {
    let mut life = ClusterLife::begin().await;
    life.settle(&fixed(10)).await;
    let scaled = scaled(&life);
    life.settle(&scaled).await;
    life.settle(&fixed(4)).await;
    assert_eq!((pods(&life).await, life.notes.as_slice()), (4, &[][..]), "no autoscaler has evaluated it");
}
