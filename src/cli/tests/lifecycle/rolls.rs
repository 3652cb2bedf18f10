//! Machines that are replaced, and new ones that do not start.

use std::collections::BTreeSet;

use super::*;

/// Returns the tutorial's cluster with larger workers.
fn larger_workers() -> String {
    let (masters, workers) = FILE.split_once("nodes").unwrap();
    format!("{masters}nodes{}", workers.replace("t3.medium", "t3.large"))
}

async fn workers(user: &SandboxUser) -> BTreeSet<String> {
    let machines = user.machines().await.into_iter();
    machines.filter(|(_, group)| group == "nodes-workers").map(|(machine, _)| machine).collect()
}

#[tokio::test(start_paused = true)]
async fn a_new_worker_that_never_gets_ready_stops_the_roll_after_one() {
    let mut user = SandboxUser::built().await;
    let group = "autoscaling-group/nodes-workers".parse().unwrap();
    user.sandbox.fail_boot(&group).unwrap();
    let before = workers(&user).await;
    user.text = larger_workers();
    let (exit, out) = user.apply(YES).await;
    assert_eq!(exit.unwrap(), Exit::Partly, "{out}");
    let messages = user.err.read().split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(messages.contains("does not become ready, so 1 before it in workers.nodes"), "{messages}");
    let after = workers(&user).await;
    assert_eq!((after.len(), after.intersection(&before).count()), (2, 1), "one was replaced, the other one stays");

    // Nor does another run take the next one: it puts another machine in the place of the one that failed.
    let (exit, out) = user.apply(YES).await;
    assert_eq!(exit.unwrap(), Exit::Error, "{out}");
    let again = workers(&user).await;
    assert_eq!((again.len(), again.intersection(&after).count()), (2, 1));
    assert_eq!(again.intersection(&before).count(), 1);

    user.sandbox.restore_boot(&group).unwrap();
    let (exit, out) = user.apply(YES).await;
    assert_eq!(exit.unwrap(), Exit::Done, "{out}");
    assert_eq!(workers(&user).await.intersection(&before).count(), 0);
    assert_eq!(user.plan().await.0.unwrap(), Exit::Done);
}

#[tokio::test(start_paused = true)]
async fn a_machine_that_did_not_come_up_is_in_the_plan_until_it_does() {
    let user = SandboxUser::built().await;
    let group = "autoscaling-group/nodes-workers".parse().unwrap();
    user.sandbox.fail_boot(&group).unwrap();
    user.sandbox.terminate(workers(&user).await.first().unwrap()).unwrap();
    for _ in 0..2 {
        // Its group notices, and the new machine boots.
        user.sandbox.pass(std::time::Duration::from_mins(5)).unwrap();
    }
    let before = workers(&user).await;

    let (exit, out) = user.plan().await;
    assert_eq!(exit.unwrap(), Exit::Differs, "{out}");
    assert!(out.contains("~> autoscaling-group/nodes-workers"), "{out}");
    assert!(out.contains("does not become ready\" -> 1"), "{out}");
    assert!(out.contains("Plan: 1 to roll."), "{out}");

    // Another one in its place fails too, and the next plan shows that.
    assert_eq!(user.apply(YES).await.0.unwrap(), Exit::Error);
    let after = workers(&user).await;
    assert_eq!((after.len(), after.intersection(&before).count()), (2, 1));
    assert_eq!(user.plan().await.0.unwrap(), Exit::Differs);

    // It tries again meanwhile: then nothing is left to do.
    user.sandbox.restore_boot(&group).unwrap();
    assert_eq!(user.plan().await.0.unwrap(), Exit::Done);
    assert_eq!(workers(&user).await, after);
}

/// The tutorial's cluster with one worker.
fn one_worker(file: &str) -> String {
    let (masters, workers) = file.split_once("nodes").unwrap();
    format!("{masters}nodes{}", workers.replace("count = 2", "count = 1"))
}

async fn with_one_worker() -> SandboxUser {
    let user = SandboxUser { text: one_worker(FILE), ..SandboxUser::new() };
    assert_eq!(user.apply(YES).await.0.unwrap(), Exit::Done);
    user
}

fn watched(user: &SandboxUser) {
    user.sandbox.witness(|witness| witness.watching = true);
}

fn problems(user: &SandboxUser) -> Vec<String> {
    user.sandbox.witness(|witness| std::mem::take(&mut witness.problems))
}

#[tokio::test(start_paused = true)]
async fn the_only_worker_goes_when_another_one_is_ready() {
    let mut user = with_one_worker().await;
    let before = workers(&user).await;
    user.text = one_worker(&larger_workers());
    let (exit, out) = user.plan().await;
    assert_eq!(exit.unwrap(), Exit::Differs, "{out}");
    let messages = user.err.read().split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        messages.contains("the only machine of nodes-workers is replaced: a second one is started first"),
        "{messages}"
    );
    assert!(!messages.contains("without nodes"), "{messages}");
    watched(&user);
    assert_eq!(user.apply(YES).await.0.unwrap(), Exit::Done);
    assert_eq!(problems(&user), Vec::<String>::new());
    let after = workers(&user).await;
    assert_eq!((after.len(), after.intersection(&before).count()), (1, 0));
    assert_eq!(user.plan().await.0.unwrap(), Exit::Done);
}

#[tokio::test(start_paused = true)]
async fn the_only_worker_stays_while_the_other_one_does_not_get_ready() {
    let mut user = with_one_worker().await;
    let before = workers(&user).await;
    let group = "autoscaling-group/nodes-workers".parse().unwrap();
    user.sandbox.fail_boot(&group).unwrap();
    user.text = one_worker(&larger_workers());
    watched(&user);
    for _ in 0..2 {
        let (exit, out) = user.apply(YES).await;
        assert_ne!(exit.unwrap(), Exit::Done, "{out}");
        assert_eq!(workers(&user).await.intersection(&before).count(), 1, "{out}");
    }
    user.sandbox.restore_boot(&group).unwrap();
    let (exit, out) = user.apply(YES).await;
    assert_eq!(exit.unwrap(), Exit::Done, "{out}{}", user.err.read());
    assert_eq!(problems(&user), Vec::<String>::new());
    let after = workers(&user).await;
    assert_eq!((after.len(), after.intersection(&before).count()), (1, 0));
    assert_eq!(user.plan().await.0.unwrap(), Exit::Done);
}

#[tokio::test(start_paused = true)]
async fn a_roll_of_the_only_worker_that_is_killed_at_any_call_takes_no_last_node() {
    let account = with_one_worker().await;
    let text = one_worker(&larger_workers());
    let person = |call: u64| {
        let faults = crate::sandbox::FaultRates {
            crash: Some(crate::sandbox::CrashPoint { call, after: true }),
            ..crate::sandbox::FaultRates::default()
        };
        let sandbox = account.sandbox.fork();
        let sandbox = sandbox.again(SandboxSettings { faults, ..sandbox.settings().clone() });
        let user = SandboxUser { sandbox, text: text.clone(), ..SandboxUser::new() };
        watched(&user);
        user
    };
    let whole = person(u64::MAX);
    assert_eq!(whole.apply(YES).await.0.unwrap(), Exit::Done);
    let calls: u64 = whole.sandbox.calls().values().sum();
    let mut deaths = 0;
    for call in 1..=calls {
        let dying = person(call);
        let died = tokio::select! {
            biased;
            () = dying.sandbox.crashed() => true,
            _ = dying.apply(YES) => false,
        };
        if !died {
            continue;
        }
        deaths += 1;
        assert_eq!(problems(&dying), Vec::<String>::new(), "call {call}");
        let next = dying.sandbox.again(SandboxSettings {
            faults: crate::sandbox::FaultRates::default(),
            ..dying.sandbox.settings().clone()
        });
        let next = SandboxUser { sandbox: next, text: text.clone(), ..SandboxUser::new() };
        watched(&next);
        next.put_away_lease().await;
        let (exit, out) = next.apply(YES).await;
        assert_eq!(exit.unwrap(), Exit::Done, "call {call}: {out}{}", next.err.read());
        assert_eq!(problems(&next), Vec::<String>::new(), "call {call}");
        assert_eq!(workers(&next).await.len(), 1, "call {call}");
        assert_eq!(next.plan().await.0.unwrap(), Exit::Done, "call {call}");
    }
    assert!(deaths > 20, "only {deaths} moments were tried");
}
