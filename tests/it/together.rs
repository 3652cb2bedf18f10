//! A service on both clouds, through the program's own routing: AWS on moto, Kubernetes on an API server.

use quorate::cli::Exit;
use quorate::engine::PlanMode;
use serde_json::json;

use crate::moto::{AccountInventory, MotoServer};
use crate::stage::{MotoStage, TUTORIAL};
use crate::wire::TestWire;

/// A service behind a load balancer, with a name.
const CHAT: &str = r#"
service "chat" {
  image    = "chat:1"
  replicas = 2
  port     = 4000
  nlb {
    port   = 80
    domain = "talk.chat.poeticoding.com"
  }
}
"#;

/// All objects of the service, in the order of a plan.
const PARTS: [&str; 9] = [
    "deployment/chat",
    "listener/service-chat/80",
    "load-balancer/service-chat",
    "pod-disruption-budget/chat",
    "record/talk.chat.poeticoding.com",
    "security-group/service-chat",
    "security-group-rules/service-chat",
    "service/chat",
    "target-group/service-chat",
];

/// Returns the parts that the server's version has.
fn parts(stage: &MotoStage) -> impl Iterator<Item = &'static str> {
    let budgets = stage.api.sieve(json!({ "apiVersion": "policy/v1", "kind": "PodDisruptionBudget" })).is_some();
    PARTS.into_iter().filter(move |part| budgets || !part.starts_with("pod-disruption-budget"))
}

fn with_chat() -> String {
    TUTORIAL.to_owned() + CHAT
}

/// Returns a deployment of another team, in the namespace of ours.
fn of_another_team() -> serde_json::Value {
    json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": { "name": "theirs", "namespace": "default", "labels": { "team": "them" } },
        "spec": {
            "selector": { "matchLabels": { "app": "theirs" } },
            "template": {
                "metadata": { "labels": { "app": "theirs" } },
                "spec": { "containers": [{ "name": "theirs", "image": "theirs:1" }] },
            },
        },
    })
}

#[tokio::test]
async fn a_service_lives_on_both_clouds_and_leaves_nothing_behind() {
    let Some(moto) = MotoServer::start() else { return };
    moto.seed();
    let before = moto.inventory();
    let mut stage = MotoStage::new(TestWire::to(moto.endpoint()), &with_chat()).await;
    stage.api.put("them", of_another_team()).await;

    let planned = stage.changes(PlanMode::Apply).await;
    for part in parts(&stage).chain(["vpc/main", "autoscaling-group/masters-a"]) {
        assert!(planned.contains(&format!("create {part} (new)")), "{part} is planned:\n{planned:#?}");
    }
    let applied = stage.apply().await.must(Exit::Done);
    made_in_order(&applied.err);
    assert_eq!(stage.changes(PlanMode::Apply).await, Vec::<String>::new());
    assert_eq!(stage.api.get("Service", "default", "chat").await.unwrap()["spec"]["ports"][0]["nodePort"], 30_000);

    another_image_rolls(&mut stage).await;
    replicas_changed_by_hand_are_taken_back(&mut stage).await;

    stage.edit(TUTORIAL);
    let leaving: Vec<String> = stage.changes(PlanMode::Apply).await;
    let parts: Vec<String> = parts(&stage).map(|part| format!("delete {part} (not_in_file)")).collect();
    assert!(parts.iter().all(|part| leaving.contains(part)), "{leaving:#?}");
    stage.apply().await.must(Exit::Done);
    assert_eq!(stage.changes(PlanMode::Apply).await, Vec::<String>::new());
    assert!(stage.api.get("Deployment", "default", "chat").await.is_none());
    let without = inventory_of_aws(&moto);
    assert_eq!((without["load balancers"].len(), without["target groups"].len()), (1, 1), "the API's own stay");
    comes_and_goes_without_a_trace(&mut stage, &moto, &without).await;

    what_would_outlive_it(&stage).await;
    stage.destroy().await.must(Exit::Done);
    released_first(&stage);
    assert_eq!(moto.inventory(), before);
    assert!(stage.api.get("Deployment", "default", "theirs").await.is_some(), "another team's stays all the while");
}

/// Returns everything in the account but the bucket, which keeps older versions of the record.
fn inventory_of_aws(moto: &MotoServer) -> AccountInventory {
    let mut inventory = moto.inventory();
    inventory.remove("buckets");
    inventory
}

/// Checks that the AWS objects of the chat (rules, records, groups, balancers) exist with it, and only with it.
async fn comes_and_goes_without_a_trace(stage: &mut MotoStage, moto: &MotoServer, without: &AccountInventory) {
    stage.edit(&with_chat());
    stage.apply().await.must(Exit::Done);
    let with = inventory_of_aws(moto);
    let grown: Vec<&str> =
        with.iter().filter(|(kind, things)| without[*kind] != **things).map(|(kind, _)| &**kind).collect();
    assert_eq!(grown, ["load balancers", "security groups", "target groups", "zones"]);
    stage.edit(TUTORIAL);
    stage.apply().await.must(Exit::Done);
    assert_eq!(inventory_of_aws(moto), *without);
}

/// Creates objects of another team for which controllers create something outside of the cluster.
async fn what_would_outlive_it(stage: &MotoStage) {
    let Some(fake) = stage.api.fake() else { return };
    let metadata = |name: &str| json!({ "name": name, "namespace": "default" });
    let balanced = json!({ "type": "LoadBalancer", "ports": [{ "port": 80 }] });
    let asked = json!({ "accessModes": ["ReadWriteOnce"], "resources": { "requests": { "storage": "8Gi" } } });
    for (kind, name, spec) in [("Service", "their-balancer", balanced), ("PersistentVolumeClaim", "their-data", asked)]
    {
        let object = json!({ "apiVersion": "v1", "kind": kind, "metadata": metadata(name), "spec": spec });
        stage.api.put("them", object).await;
    }
    fake.take_changes();
}

/// Checks that controllers are notified while everything that they work with still exists.
fn released_first(stage: &MotoStage) {
    let Some(fake) = stage.api.fake() else { return };
    let changes = fake.take_changes();
    assert_eq!(changes[..2], ["delete services/their-balancer", "delete persistentvolumeclaims/their-data"]);
    assert!(changes[2..].iter().any(|change| change.starts_with("delete daemonsets/")), "{changes:?}");
}

/// Checks the creation order: each pair is an object and one that needs it.
fn made_in_order(log: &str) {
    let at = |address: &str| {
        let line = format!("created {address} ");
        log.find(&line).unwrap_or_else(|| panic!("{address} was made:\n{log}"))
    };
    for (first, then) in [
        ("listener/api", "deployment/chat"),
        ("autoscaling-group/masters-a", "service/chat"),
        ("security-group-rules/api", "deployment/chat"),
        ("autoscaling-group/nodes-workers", "deployment/chat"),
        ("manifest/cloud-controller-manager/DaemonSet/kube-system/aws-cloud-controller-manager", "deployment/chat"),
    ] {
        assert!(at(first) < at(then), "{first} before {then}:\n{log}");
    }
}

async fn another_image_rolls(stage: &mut MotoStage) {
    let old = generation(stage).await;
    stage.edit(&with_chat().replace("chat:1", "chat:2"));
    let changes = ["update deployment/chat (file): spec.template.spec.containers[chat].image"];
    assert_eq!(stage.changes(PlanMode::Apply).await, changes);
    stage.apply().await.must(Exit::Done);
    assert!(generation(stage).await > old, "it rolls");
    assert_eq!(stage.changes(PlanMode::Apply).await, Vec::<String>::new());
}

/// Returns the generation of the chat's deployment: the number of changes of its spec.
async fn generation(stage: &MotoStage) -> u64 {
    stage.api.get("Deployment", "default", "chat").await.unwrap()["metadata"]["generation"].as_u64().unwrap()
}

async fn replicas_changed_by_hand_are_taken_back(stage: &mut MotoStage) {
    stage.api.edit("kubectl-scale", "Deployment", "default", "chat", &json!({ "spec": { "replicas": 5 } })).await;
    assert_eq!(stage.changes(PlanMode::Apply).await, ["update deployment/chat (drift): spec.replicas"]);
    let reported = stage.plan().await.must(Exit::Differs);
    assert!(reported.err.contains("set by kubectl-scale"), "{}", reported.err);
    stage.apply().await.must(Exit::Done);
    assert_eq!(stage.api.get("Deployment", "default", "chat").await.unwrap()["spec"]["replicas"], 2);
    assert_eq!(stage.changes(PlanMode::Apply).await, Vec::<String>::new());
}
