//! A changed file on moto: the plan shows exactly the changes, and nothing else.

use quorate::cli::Exit;
use quorate::engine::PlanMode;

use crate::moto::MotoServer;
use crate::stage::{MotoStage, TUTORIAL};
use crate::wire::TestWire;

#[tokio::test]
async fn more_nodes_change_one_group() {
    let Some((_moto, mut stage)) = applied().await else { return };
    stage.edit(&edited("count = 2", "count = 3"));
    settles_with(&mut stage, &["update autoscaling-group/nodes-workers (file): desired, max, min"]).await;
}

#[tokio::test]
async fn one_more_range_for_the_api_changes_one_set_of_rules() {
    let Some((_moto, mut stage)) = applied().await else { return };
    stage.edit(&format!("{TUTORIAL}\napi {{\n  allow = [\"203.0.113.7/32\"]\n}}\n"));
    settles_with(&mut stage, &["update security-group-rules/api (file): ingress"]).await;
}

#[tokio::test]
async fn a_larger_size_of_nodes_rolls_their_group() {
    let Some((_moto, mut stage)) = applied().await else { return };
    let (masters, nodes) = TUTORIAL.split_once("nodes \"workers\"").expect("the tutorial has nodes");
    stage.edit(&format!("{masters}nodes \"workers\"{}", nodes.replace("t3.medium", "t3.large")));
    let changes = [
        "roll autoscaling-group/nodes-workers (file): machines, version",
        "update launch-template/nodes-workers (file): instance_size",
    ];
    settles_with(&mut stage, &changes).await;
}

/// The second machine is there before the only one of its group is ended, and the group has its size again afterwards.
#[tokio::test]
async fn the_only_node_is_replaced_beside_a_second_one() {
    let Some(moto) = MotoServer::start() else { return };
    let wire = TestWire::to(moto.endpoint());
    let one = edited("count = 2", "count = 1");
    let mut stage = MotoStage::new(wire.clone(), &one).await;
    stage.apply().await.must(Exit::Done);
    let (masters, nodes) = one.split_once("nodes \"workers\"").expect("the tutorial has nodes");
    stage.edit(&format!("{masters}nodes \"workers\"{}", nodes.replace("t3.medium", "t3.large")));
    wire.take_log();
    let run = stage.apply().await.must(Exit::Done);
    let messages = run.err.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        messages.contains("the only machine of nodes-workers is replaced: a second one is started first"),
        "{messages}"
    );
    let log = wire.take_log();
    let calls: Vec<&str> = log
        .iter()
        .map(String::as_str)
        .filter(|call| {
            ["autoscaling:UpdateAutoScalingGroup", "autoscaling:TerminateInstanceInAutoScalingGroup"].contains(call)
        })
        .collect();
    let (first, last) = (calls.first().copied(), calls.last().copied());
    let terminated = calls.iter().filter(|call| call.contains("Terminate")).count();
    assert_eq!(terminated, 1, "{calls:?}");
    assert!(first.is_some_and(|call| call.contains("Update")), "the group grows first: {calls:?}");
    assert!(last.is_some_and(|call| call.contains("Update")), "and has its size again: {calls:?}");
    assert_eq!(stage.changes(PlanMode::Apply).await, Vec::<String>::new());
}

#[tokio::test]
async fn another_zone_moves_no_master() {
    let Some((_moto, mut stage)) = applied().await else { return };
    stage.edit(&edited(r#""us-east-1f"]"#, r#""us-east-1f", "us-east-1a"]"#));
    settles_with(&mut stage, ANOTHER_ZONE).await;
}

#[tokio::test]
async fn a_zone_takes_the_place_of_another_one() {
    let Some((_moto, mut stage)) = applied().await else { return };
    stage.edit(&edited(r#""us-east-1f"]"#, r#""us-east-1a"]"#));
    let changes = stage.changes(PlanMode::Apply).await;
    let expected = [
        "create subnet/us-east-1a (new)",
        "delete subnet/us-east-1f (not_in_file)",
        "replace volume/etcd-b (moved): zone",
    ];
    for change in expected {
        assert!(changes.iter().any(|found| found == change), "{changes:#?}");
    }
    let moved = changes.iter().filter(|change| change.contains("volume/"));
    assert_eq!(moved.count(), 1, "only the master of the zone that leaves moves: {changes:#?}");
    // The data comes from the other members, so its loss need not be confirmed.
    stage.apply().await.must(Exit::Done);
    assert_eq!(stage.changes(PlanMode::Apply).await, Vec::<String>::new());
}

/// A third zone: everything that spans zones spans it too, and each master stays with its data.
const ANOTHER_ZONE: &[&str] = &[
    "update autoscaling-group/nodes-workers (file): subnets",
    "update load-balancer/api (file): subnets",
    "update route-table/public (file): subnets",
    "create subnet/us-east-1a (new)",
];

/// Returns a cluster that was just applied.
async fn applied() -> Option<(MotoServer, MotoStage)> {
    let moto = MotoServer::start()?;
    let mut stage = MotoStage::new(TestWire::to(moto.endpoint()), TUTORIAL).await;
    stage.apply().await.must(Exit::Done);
    Some((moto, stage))
}

/// Checks that the plan has these changes, and is empty after an apply.
async fn settles_with(stage: &mut MotoStage, changes: &[&str]) {
    assert_eq!(stage.changes(PlanMode::Apply).await, changes);
    stage.apply().await.must(Exit::Done);
    assert_eq!(stage.changes(PlanMode::Apply).await, Vec::<String>::new());
}

fn edited(from: &str, to: &str) -> String {
    assert!(TUTORIAL.contains(from), "the tutorial contains {from}");
    TUTORIAL.replacen(from, to, 1)
}
