//! A changed file on moto: the plan says exactly what was changed, and nothing else.

use quorate::cli::Exit;
use quorate::cli::flow::Consent;
use quorate::engine::Mode;

use crate::moto::Moto;
use crate::stage::{Stage, TUTORIAL};
use crate::wire::Wire;

#[tokio::test]
async fn more_nodes_change_one_group() {
    let Some((_moto, mut stage)) = applied().await else { return };
    stage.edit(&edited("count = 2", "count = 3"));
    settles_with(&mut stage, &["update autoscaling-group/nodes-workers (file): desired, max, min"]).await;
}

#[tokio::test]
async fn somebody_more_at_the_api_changes_one_set_of_rules() {
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

#[tokio::test]
async fn another_zone_moves_one_master_and_only_when_its_data_may_go() {
    let Some((_moto, mut stage)) = applied().await else { return };
    stage.edit(&edited(r#""us-east-1f"]"#, r#""us-east-1f", "us-east-1a"]"#));
    let changes = stage.changes(Mode::Apply).await;
    assert_eq!(changes, ANOTHER_ZONE, "{changes:#?}");
    let refused = stage.apply().await.must(Exit::Refused);
    assert!(refused.err.contains("--delete-data"), "{}", refused.err);
    assert_eq!(stage.changes(Mode::Apply).await, ANOTHER_ZONE, "nothing was changed");
    stage.consenting(Consent { yes: true, delete_data: true }).await.must(Exit::Done);
    assert_eq!(stage.changes(Mode::Apply).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_zone_takes_the_place_of_another_one() {
    let Some((_moto, mut stage)) = applied().await else { return };
    stage.edit(&edited(r#""us-east-1f"]"#, r#""us-east-1a"]"#));
    let changes = stage.changes(Mode::Apply).await;
    for change in ["create subnet/us-east-1a (new)", "delete subnet/us-east-1f (not_in_file)"] {
        assert!(changes.iter().any(|found| found == change), "{changes:#?}");
    }
    stage.consenting(Consent { yes: true, delete_data: true }).await.must(Exit::Done);
    assert_eq!(stage.changes(Mode::Apply).await, Vec::<String>::new());
}

/// A third zone: master `c` moves there with a new volume, and everything that spans zones spans it too.
const ANOTHER_ZONE: &[&str] = &[
    "roll autoscaling-group/masters-c (file): machines, subnets, version",
    "update autoscaling-group/nodes-workers (file): subnets",
    "update launch-template/masters-c (file): user_data",
    "update load-balancer/api (file): subnets",
    "update route-table/public (file): subnets",
    "create subnet/us-east-1a (new)",
    "replace volume/etcd-c (file): zone",
];

/// A cluster that was just applied.
async fn applied() -> Option<(Moto, Stage)> {
    let moto = Moto::start()?;
    let mut stage = Stage::new(Wire::to(moto.endpoint()), TUTORIAL).await;
    stage.apply().await.must(Exit::Done);
    Some((moto, stage))
}

/// The plan is these changes; after an apply it is empty.
async fn settles_with(stage: &mut Stage, changes: &[&str]) {
    assert_eq!(stage.changes(Mode::Apply).await, changes);
    stage.apply().await.must(Exit::Done);
    assert_eq!(stage.changes(Mode::Apply).await, Vec::<String>::new());
}

fn edited(from: &str, to: &str) -> String {
    assert!(TUTORIAL.contains(from), "the tutorial says {from}");
    TUTORIAL.replacen(from, to, 1)
}
