//! Call budgets of commands, counted on the wire.

use quorate::cli::Exit;
use quorate::engine::PlanMode;

use crate::moto::MotoServer;
use crate::stage::{MotoStage, TUTORIAL};
use crate::wire::TestWire;
use quorate::testkit::fake::FakeApi;

/// Maximum number of calls of a plan without changes, for a cluster of any size. Five of them read tags that no list has:
/// those of two roles, two instance profiles, and all machines.
const UNCHANGED: usize = 50;
/// Maximum number of its calls that wait for one another.
const HOPS: usize = 3;
/// Number of objects of the tutorial's cluster on AWS, in an account without a public zone.
const OBJECTS: usize = 42;
/// Maximum number of AWS calls to reach the cluster's API, for any use of it: its address, the caller's identity, and the
/// authority that signs the certificate.
const ENTRANCE: usize = 12;
/// Number of its objects in Kubernetes: the add-ons.
const INSIDE: usize = 19;
/// Maximum number of Kubernetes requests of a first apply for each object: existence, apply, and a wait.
const FIRST_INSIDE: usize = 5;
/// Maximum number of Kubernetes requests of a plan without changes: a list for each type, a dry run for each object.
const UNCHANGED_INSIDE: usize = 55;
/// Maximum number of calls of a first apply for each object, in tenths.
const FIRST_TENTHS: usize = 22;
/// Number of calls for the quotas that a first apply needs a part of: two for vCPUs, one for VPCs.
const QUOTAS: usize = 3;

#[tokio::test]
async fn a_first_apply_and_an_unchanged_plan_stay_within_their_budgets() {
    let Some(moto) = MotoServer::start() else { return };
    let wire = TestWire::to(moto.endpoint());
    let mut stage = MotoStage::new(wire.clone(), &sized(3)).await;
    let first = stage.apply().await.must(Exit::Done);
    let calls = wire.take_log();
    assert!(first.out.contains(&format!("{} created", OBJECTS + INSIDE)), "{}", first.out);
    let inside = requests(&stage);
    assert!(inside.len() <= INSIDE * FIRST_INSIDE, "{} requests:\n{}", inside.len(), inside.join("\n"));
    let messages = format!("{} calls for {OBJECTS} objects:\n{}", calls.len(), calls.join("\n"));
    assert!(calls.len() * 10 <= OBJECTS * FIRST_TENTHS + (ENTRANCE + QUOTAS) * 10, "{messages}");

    let small = unchanged(&moto, &mut stage).await;
    shown(&wire, &mut stage).await;
    stage.edit(&sized(300));
    stage.apply().await.must(Exit::Done);
    requests(&stage);
    let large = unchanged(&moto, &mut stage).await;
    assert_eq!(nameless(&small), nameless(&large), "300 nodes cost as many calls as 3");
}

/// Returns the Kubernetes requests since the last call, as far as they count.
fn requests(stage: &MotoStage) -> Vec<String> {
    stage.api.fake().map(FakeApi::take_requests).unwrap_or_default()
}

/// Shows the cluster within the budget of a plan without changes. Ages, sizes and pods need no call for each machine.
async fn shown(wire: &TestWire, stage: &mut MotoStage) {
    wire.take_log();
    let run = stage.show().await.must(Exit::Done);
    assert!(run.out.contains("MACHINE") && run.out.contains("master a  i-"), "{}", run.out);
    let (calls, inside) = (wire.take_log(), requests(stage));
    assert!(
        calls.len() <= UNCHANGED,
        "{} calls:
{}",
        calls.len(),
        calls.join(
            "
"
        )
    );
    assert!(
        inside.len() <= UNCHANGED_INSIDE,
        "{} requests:
{}",
        inside.len(),
        inside.join(
            "
"
        )
    );
}

/// Returns the calls of a plan without changes, sorted.
async fn unchanged(moto: &MotoServer, stage: &mut MotoStage) -> Vec<String> {
    let wire = std::mem::replace(&mut stage.wire, TestWire::counting_hops(moto.endpoint()));
    assert_eq!(stage.changes(PlanMode::Apply).await, Vec::<String>::new());
    let hops = stage.wire.hops();
    let mut calls = stage.wire.take_log();
    stage.wire = wire;
    let inside = requests(stage);
    assert!(inside.len() <= UNCHANGED_INSIDE, "{} requests:\n{}", inside.len(), inside.join("\n"));
    calls.sort();
    assert!(calls.len() <= UNCHANGED, "{} calls:\n{}", calls.len(), calls.join("\n"));
    assert!(hops <= HOPS, "{hops} hops:\n{}", calls.join("\n"));
    calls
}

/// Returns the tutorial's cluster with this number of nodes, which may be more than a route table can lead to.
fn sized(nodes: u32) -> String {
    let file = TUTORIAL.replacen("count = 2", &format!("count = {nodes}"), 1);
    format!("{file}\nnetwork {{\n  plugin = \"none\"\n}}\n")
}

/// Returns calls about machines, without the machines' ids.
fn nameless(calls: &[String]) -> Vec<String> {
    let nameless = |call: &String| match call.split_once("/nodes/i-") {
        Some((before, after)) => {
            format!("{before}/nodes/{}", after.trim_start_matches(|digit: char| digit.is_ascii_hexdigit()))
        }
        None => call.clone(),
    };
    calls.iter().map(nameless).collect()
}
