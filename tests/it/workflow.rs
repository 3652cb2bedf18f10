//! The main workflow on moto: plan, apply, change, drift, destroy; with budgets of calls.

use quorate::cli::Exit;
use quorate::engine::PlanMode;

use crate::moto::MotoServer;
use crate::stage::{MotoStage, TUTORIAL};
use crate::wire::TestWire;

const CLUSTER: &str = "chat.poeticoding.com";

/// Changes outside of Quorate, and the plan's name for each.
const MANUAL_CHANGES: &[(&str, &str)] = &[
    ("tag", "update vpc/main (drift): tags"),
    ("rule-removed", "update security-group-rules/masters (drift): ingress"),
    ("rule-added", "update security-group-rules/masters (drift): ingress"),
    ("policy-added", "update role/nodes (drift): policies"),
    ("interval", "update target-group/api (drift): health_check"),
    ("size", "update autoscaling-group/nodes-workers (drift): desired, min"),
    ("volume-renamed", "update volume/etcd-b (drift): tags"),
];

#[tokio::test]
async fn the_tutorials_cluster_lives_and_leaves_nothing_behind() {
    let Some(moto) = MotoServer::start() else { return };
    moto.seed();
    let before = moto.inventory();
    let mut stage = MotoStage::new(TestWire::to(moto.endpoint()), TUTORIAL).await;

    let first = stage.apply().await.must(Exit::Done);
    assert!(first.out.contains("62 created"), "{}", first.out);
    assert_eq!(stage.changes(PlanMode::Apply).await, Vec::<String>::new());
    stage.plan().await.must(Exit::Done);

    for (change, named) in MANUAL_CHANGES {
        moto.tamper(change, CLUSTER);
        assert_eq!(stage.changes(PlanMode::Apply).await, [*named], "{change}");
        stage.plan().await.must(Exit::Differs);
        stage.apply().await.must(Exit::Done);
        assert_eq!(stage.changes(PlanMode::Apply).await, Vec::<String>::new(), "after correcting {change}");
    }

    let last = stage.destroy().await.must(Exit::Done);
    assert!(last.out.contains("0 resources left"), "{}", last.out);
    assert_eq!(moto.inventory(), before);
}

#[tokio::test]
async fn a_bucket_that_others_use_is_left_and_counted_once() {
    let Some(moto) = MotoServer::start() else { return };
    let mut stage = MotoStage::new(TestWire::to(moto.endpoint()), TUTORIAL).await;
    stage.apply().await.must(Exit::Done);
    stage.leave_in_bucket("others/notes.txt").await;
    let last = stage.destroy().await.must(Exit::Done);
    let (_, end) = last.out.split_once("Destroyed: ").expect("the end of a destroy");
    assert!(end.contains("1 resource left:"), "{end}");
    assert_eq!(end.matches("bucket/state").count(), 1, "{end}");
    assert!(end.contains("others keep something in it: others/notes.txt"), "{end}");
    assert_eq!(stage.keys_of("s3://state.chat.poeticoding.com").await, ["others/notes.txt"]);
}
