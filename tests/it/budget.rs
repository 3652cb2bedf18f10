//! How many calls a command may make, counted on the wire.

use quorate::cli::Exit;
use quorate::engine::Mode;

use crate::kubernetes::fake::FakeApi;
use crate::moto::Moto;
use crate::stage::{Stage, TUTORIAL};
use crate::wire::Wire;

/// The most calls of a plan that finds nothing to do, for a cluster of any size. Five of them read tags that no list tells:
/// those of two roles, two instance profiles, and all machines.
const UNCHANGED: usize = 50;
/// The most calls of it that wait for one another.
const HOPS: usize = 3;
/// The objects of the tutorial's cluster on AWS, in an account without a public zone.
const OBJECTS: usize = 42;
/// The most calls of AWS's that it takes to get into the cluster's API, whatever is done there: its address, who asks, the
/// authority that signs the certificate.
const ENTRANCE: usize = 12;
/// Its objects in Kubernetes: the add-ons.
const INSIDE: usize = 19;
/// The most requests to Kubernetes of a first apply, for each object there: is it there, apply, and a wait.
const FIRST_INSIDE: usize = 5;
/// The most requests to Kubernetes of a plan that finds nothing to do: a list for each type, a dry run for each object.
const UNCHANGED_INSIDE: usize = 55;
/// The most calls of a first apply for each object, in tenths.
const FIRST_TENTHS: usize = 22;

#[tokio::test]
async fn a_first_apply_and_an_unchanged_plan_stay_within_their_budgets() {
    let Some(moto) = Moto::start() else { return };
    let wire = Wire::to(moto.endpoint());
    let mut stage = Stage::new(wire.clone(), &sized(3)).await;
    let first = stage.apply().await.must(Exit::Done);
    let calls = wire.take_log();
    assert!(first.out.contains(&format!("{} created", OBJECTS + INSIDE)), "{}", first.out);
    let inside = requests(&stage);
    assert!(inside.len() <= INSIDE * FIRST_INSIDE, "{} requests:\n{}", inside.len(), inside.join("\n"));
    let said = format!("{} calls for {OBJECTS} objects:\n{}", calls.len(), calls.join("\n"));
    assert!(calls.len() * 10 <= OBJECTS * FIRST_TENTHS + ENTRANCE * 10, "{said}");

    let small = unchanged(&moto, &mut stage).await;
    stage.edit(&sized(300));
    stage.apply().await.must(Exit::Done);
    requests(&stage);
    let large = unchanged(&moto, &mut stage).await;
    assert_eq!(nameless(&small), nameless(&large), "300 nodes cost as many calls as 3");
}

/// What Kubernetes was asked since the last time, as far as it counts.
fn requests(stage: &Stage) -> Vec<String> {
    stage.api.fake().map(FakeApi::take_requests).unwrap_or_default()
}

/// The calls of a plan that finds nothing to do, sorted.
async fn unchanged(moto: &Moto, stage: &mut Stage) -> Vec<String> {
    let wire = std::mem::replace(&mut stage.wire, Wire::counting_hops(moto.endpoint()));
    assert_eq!(stage.changes(Mode::Apply).await, Vec::<String>::new());
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

/// The tutorial's cluster with so many nodes, more of them than a route table can lead to.
fn sized(nodes: u32) -> String {
    let file = TUTORIAL.replacen("count = 2", &format!("count = {nodes}"), 1);
    format!("{file}\nnetwork {{\n  plugin = \"none\"\n}}\n")
}

/// Calls about machines, whichever those are.
fn nameless(calls: &[String]) -> Vec<String> {
    let nameless = |call: &String| match call.split_once("/nodes/i-") {
        Some((before, after)) => {
            format!("{before}/nodes/{}", after.trim_start_matches(|digit: char| digit.is_ascii_hexdigit()))
        }
        None => call.clone(),
    };
    calls.iter().map(nameless).collect()
}
