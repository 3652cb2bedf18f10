//! Runs that conflict, die, or are stopped.

use super::*;
use crate::cli::run::run_lock;

#[tokio::test(start_paused = true)]
async fn a_second_run_says_who_works() {
    let lab = SandboxUser::built().await;
    let _held = lab.with(async |context| run_lock::open_run(context, "apply").await.ok().unwrap()).await;
    let error = lab.apply(YES).await.0.unwrap_err();
    assert_eq!(error.exit(), Exit::Held);
    assert!(error.to_string().contains("alice on laptop"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_dead_run_is_taken_over_and_said_so() {
    // The sandbox's own store tells ages by the real clock, which does not move here.
    let lab = SandboxUser { store: Some(Arc::new(MemoryStore::new())), ..SandboxUser::new() };
    drop(lab.with(async |context| run_lock::open_run(context, "apply").await.ok().unwrap()).await);
    tokio::time::sleep(Duration::from_secs(61)).await;
    let exit = lab.apply(YES).await.0;
    let said = lab.err.read();
    assert_eq!(exit.unwrap(), Exit::Done);
    assert!(said.contains("(`apply` by alice on laptop) did not finish"), "{said}");
}

#[tokio::test(start_paused = true)]
async fn an_interrupted_apply_is_recorded_and_the_next_one_goes_on() {
    let mut lab = SandboxUser::new();
    let faults = "latency=50ms".parse().unwrap();
    lab.sandbox = lab.sandbox.again(SandboxSettings { faults, ..lab.sandbox.settings().clone() });
    let ((exit, out), ()) = tokio::join!(lab.apply(YES), async {
        tokio::time::sleep(Duration::from_millis(700)).await;
        lab.interrupt.stop.cancel();
    });
    assert_eq!(exit.unwrap(), Exit::Interrupted, "{out}");
    assert!(out.contains("Applied: ") && out.contains("not tried"), "{out}");
    lab.interrupt = Interrupt::default();
    let (exit, out) = lab.apply(YES).await;
    assert_eq!(exit.unwrap(), Exit::Done, "{out}");
    assert!(!out.contains("Plan: 37 to create"), "what was done is not done again: {out}");
    assert_eq!(lab.plan().await.0.unwrap(), Exit::Done);
}

#[tokio::test(start_paused = true)]
async fn an_interrupt_before_the_plan_changes_nothing() {
    let lab = SandboxUser::built().await;
    lab.interrupt.stop.cancel();
    assert_eq!(lab.apply(YES).await.0.unwrap_err().exit(), Exit::Interrupted);
}

#[tokio::test(start_paused = true)]
async fn a_cluster_is_built_and_removed_on_a_bad_day() {
    let mut lab = SandboxUser::new();
    let before = lab.sandbox.inventory().unwrap();
    let faults = "seed=3,throttle=0.1,unavailable=0.05,unknown=0.05,half=0.05,invisible=0.2".parse().unwrap();
    lab.sandbox = lab.sandbox.again(SandboxSettings { faults, ..lab.sandbox.settings().clone() });
    let (exit, out) = lab.apply(YES).await;
    assert_eq!(exit.unwrap(), Exit::Done, "{out}{}", lab.err.read());
    let (exit, out) = lab.destroy(true).await;
    assert_eq!(exit.unwrap(), Exit::Done, "{out}{}", lab.err.read());
    assert_eq!(lab.sandbox.inventory().unwrap(), before);
}

#[tokio::test(start_paused = true)]
async fn an_interrupt_during_the_last_look_is_not_taken_for_one_before_the_first_change() {
    let mut lab = SandboxUser::built().await;
    let before = SandboxUser::new().sandbox.inventory().unwrap();
    let faults = "latency=50ms".parse().unwrap();
    lab.sandbox = lab.sandbox.again(SandboxSettings { faults, ..lab.sandbox.settings().clone() });
    let ((exit, out), ()) = tokio::join!(lab.destroy(true), async {
        for _ in 0..1_000_000 {
            tokio::time::sleep(Duration::from_millis(1)).await;
            if lab.sandbox.inventory().unwrap() == before {
                break;
            }
        }
        lab.interrupt.stop.cancel();
    });
    assert_eq!(exit.unwrap(), Exit::Interrupted);
    assert!(out.contains("Destroyed: 62 deleted."), "{out}");
    assert!(lab.err.read().contains("was not scanned"));
}
