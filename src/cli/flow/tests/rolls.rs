//! Machines that are replaced, and new ones that do not start.

use std::collections::BTreeSet;

use super::*;

/// Returns the tutorial's cluster with larger workers.
fn larger_workers() -> String {
    let (masters, workers) = FILE.split_once("nodes").unwrap();
    format!("{masters}nodes{}", workers.replace("t3.medium", "t3.large"))
}

async fn workers(lab: &SandboxUser) -> BTreeSet<String> {
    let machines = lab.machines().await.into_iter();
    machines.filter(|(_, group)| group == "nodes-workers").map(|(machine, _)| machine).collect()
}

#[tokio::test(start_paused = true)]
async fn a_new_worker_that_never_gets_ready_stops_the_roll_after_one() {
    let mut lab = SandboxUser::built().await;
    let group = "autoscaling-group/nodes-workers".parse().unwrap();
    lab.sandbox.fail_boot(&group).unwrap();
    let before = workers(&lab).await;
    lab.text = larger_workers();
    let (exit, out) = lab.apply(YES).await;
    assert_eq!(exit.unwrap(), Exit::Partly, "{out}");
    let said = lab.err.read().split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.contains("does not become ready, so 1 before it in workers.nodes"), "{said}");
    let after = workers(&lab).await;
    assert_eq!((after.len(), after.intersection(&before).count()), (2, 1), "one was replaced, the other one stays");

    // Nor does another run take the next one: it puts another machine in the place of the one that failed.
    let (exit, out) = lab.apply(YES).await;
    assert_eq!(exit.unwrap(), Exit::Error, "{out}");
    let again = workers(&lab).await;
    assert_eq!((again.len(), again.intersection(&after).count()), (2, 1));
    assert_eq!(again.intersection(&before).count(), 1);

    lab.sandbox.restore_boot(&group).unwrap();
    let (exit, out) = lab.apply(YES).await;
    assert_eq!(exit.unwrap(), Exit::Done, "{out}");
    assert_eq!(workers(&lab).await.intersection(&before).count(), 0);
    assert_eq!(lab.plan().await.0.unwrap(), Exit::Done);
}

#[tokio::test(start_paused = true)]
async fn a_machine_that_did_not_come_up_is_in_the_plan_until_it_does() {
    let lab = SandboxUser::built().await;
    let group = "autoscaling-group/nodes-workers".parse().unwrap();
    lab.sandbox.fail_boot(&group).unwrap();
    lab.sandbox.terminate(workers(&lab).await.first().unwrap()).unwrap();
    for _ in 0..2 {
        // Its group notices, and the new machine boots.
        lab.sandbox.pass(std::time::Duration::from_mins(5)).unwrap();
    }
    let before = workers(&lab).await;

    let (exit, out) = lab.plan().await;
    assert_eq!(exit.unwrap(), Exit::Differs, "{out}");
    assert!(out.contains("~> autoscaling-group/nodes-workers"), "{out}");
    assert!(out.contains("does not become ready\" -> 1"), "{out}");
    assert!(out.contains("Plan: 1 to roll."), "{out}");

    // Another one in its place fares no better, and the next plan says that too.
    assert_eq!(lab.apply(YES).await.0.unwrap(), Exit::Error);
    let after = workers(&lab).await;
    assert_eq!((after.len(), after.intersection(&before).count()), (2, 1));
    assert_eq!(lab.plan().await.0.unwrap(), Exit::Differs);

    // It tries again meanwhile: then nothing is left to do.
    lab.sandbox.restore_boot(&group).unwrap();
    assert_eq!(lab.plan().await.0.unwrap(), Exit::Done);
    assert_eq!(workers(&lab).await, after);
}
