//! Runs that conflict, die, or are stopped.

use super::*;
use crate::cli::run::run_lock;

#[tokio::test(start_paused = true)]
async fn a_second_run_names_the_holder_of_the_lease() {
    let user = SandboxUser::built().await;
    let _held = user.with(async |context| run_lock::open_run(context, "apply").await.ok().unwrap()).await;
    let error = user.apply(YES).await.0.unwrap_err();
    assert_eq!(error.exit(), Exit::Held);
    assert!(error.to_string().contains("alice on laptop"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_dead_run_is_taken_over_and_reported() {
    // The sandbox's own store measures ages by the real clock, which does not move here.
    let user = SandboxUser { store: Some(Arc::new(MemoryStore::new())), ..SandboxUser::new() };
    drop(user.with(async |context| run_lock::open_run(context, "apply").await.ok().unwrap()).await);
    tokio::time::sleep(Duration::from_secs(61)).await;
    let exit = user.apply(YES).await.0;
    let messages = user.err.read();
    assert_eq!(exit.unwrap(), Exit::Done);
    assert!(messages.contains("(`apply` by alice on laptop) did not finish"), "{messages}");
}

#[tokio::test(start_paused = true)]
async fn an_interrupted_apply_is_recorded_and_the_next_one_goes_on() {
    let mut user = SandboxUser::new();
    let faults = "latency=50ms".parse().unwrap();
    user.sandbox = user.sandbox.again(SandboxSettings { faults, ..user.sandbox.settings().clone() });
    let ((exit, out), ()) = tokio::join!(user.apply(YES), async {
        tokio::time::sleep(Duration::from_millis(700)).await;
        user.interrupt.stop.cancel();
    });
    assert_eq!(exit.unwrap(), Exit::Interrupted, "{out}");
    assert!(out.contains("Applied: ") && out.contains("not tried"), "{out}");
    user.interrupt = Interrupt::default();
    let (exit, out) = user.apply(YES).await;
    assert_eq!(exit.unwrap(), Exit::Done, "{out}");
    assert!(!out.contains("Plan: 37 to create"), "what was done is not done again: {out}");
    assert_eq!(user.plan().await.0.unwrap(), Exit::Done);
}

#[tokio::test(start_paused = true)]
async fn an_interrupt_before_the_plan_changes_nothing() {
    let user = SandboxUser::built().await;
    user.interrupt.stop.cancel();
    assert_eq!(user.apply(YES).await.0.unwrap_err().exit(), Exit::Interrupted);
}

#[tokio::test(start_paused = true)]
async fn a_cluster_is_built_and_removed_on_a_bad_day() {
    let mut user = SandboxUser::new();
    let before = user.sandbox.inventory().unwrap();
    let faults = "seed=3,throttle=0.1,unavailable=0.05,unknown=0.05,half=0.05,invisible=0.2".parse().unwrap();
    user.sandbox = user.sandbox.again(SandboxSettings { faults, ..user.sandbox.settings().clone() });
    let (exit, out) = user.apply(YES).await;
    assert_eq!(exit.unwrap(), Exit::Done, "{out}{}", user.err.read());
    let (exit, out) = user.destroy(true).await;
    assert_eq!(exit.unwrap(), Exit::Done, "{out}{}", user.err.read());
    assert_eq!(user.sandbox.inventory().unwrap(), before);
}

#[tokio::test(start_paused = true)]
async fn an_interrupt_during_the_last_refresh_is_not_taken_for_one_before_the_first_change() {
    let mut user = SandboxUser::built().await;
    let before = SandboxUser::new().sandbox.inventory().unwrap();
    let faults = "latency=50ms".parse().unwrap();
    user.sandbox = user.sandbox.again(SandboxSettings { faults, ..user.sandbox.settings().clone() });
    let ((exit, out), ()) = tokio::join!(user.destroy(true), async {
        for _ in 0..1_000_000 {
            tokio::time::sleep(Duration::from_millis(1)).await;
            if user.sandbox.inventory().unwrap() == before {
                break;
            }
        }
        user.interrupt.stop.cancel();
    });
    assert_eq!(exit.unwrap(), Exit::Interrupted);
    assert!(out.contains("Destroyed: 62 deleted."), "{out}");
    assert!(user.err.read().contains("was not scanned"));
}
