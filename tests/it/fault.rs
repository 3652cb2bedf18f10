//! Faults on the wire to moto: throttling, errors, lost answers, a killed run. Slower, never twice, nothing left behind.

use std::time::Duration;

use quorate::cli::Exit;
use quorate::engine::PlanMode;

use crate::moto::MotoServer;
use crate::stage::{MotoStage, TUTORIAL};
use crate::wire::{TestWire, WireFate};

#[tokio::test]
async fn throttling_errors_and_lost_answers_neither_fail_a_run_nor_make_anything_twice() {
    let Some(moto) = MotoServer::start() else { return };
    moto.seed();
    let before = moto.inventory();
    let wire = TestWire::to(moto.endpoint());
    let mut stage = MotoStage::new(wire.clone(), TUTORIAL).await;
    wire.decide(|number, _| match number % 9 {
        2 => WireFate::Throttle,
        5 => WireFate::LoseAnswer,
        8 => WireFate::Fail,
        _ => WireFate::Pass,
    });
    stage.apply().await.must(Exit::Done);
    wire.decide(|_, _| WireFate::Pass);
    assert_eq!(stage.changes(PlanMode::Apply).await, Vec::<String>::new());
    stage.destroy().await.must(Exit::Done);
    assert_eq!(moto.inventory(), before);
}

#[tokio::test]
async fn a_killed_run_is_finished_by_the_next_one() {
    let Some(moto) = MotoServer::start() else { return };
    moto.seed();
    let before = moto.inventory();
    let wire = TestWire::to(moto.endpoint());
    // A first run determines the number of calls, and their result.
    let mut stage = MotoStage::new(wire.clone(), TUTORIAL).await;
    stage.apply().await.must(Exit::Done);
    let calls = wire.take_log().len();
    stage.destroy().await.must(Exit::Done);
    assert_eq!(moto.inventory(), before);
    for (round, number) in (3..calls).step_by(calls / 5).enumerate() {
        wire.take_log();
        let fate = if round % 2 == 0 { WireFate::HangAfter } else { WireFate::HangBefore };
        wire.decide(move |this, _| if this >= number { fate } else { WireFate::Pass });
        tokio::select! {
            run = stage.apply() => panic!("the run was to hang at call {number} of {calls}: {run:?}"),
            () = killed(&wire) => {}
        }
        wire.decide(|_, _| WireFate::Pass);
        stage.expire_lease().await;
        stage.apply().await.must(Exit::Done);
        assert_eq!(stage.changes(PlanMode::Apply).await, Vec::<String>::new(), "after a kill at call {number}");
        stage.destroy().await.must(Exit::Done);
        assert_eq!(moto.inventory(), before, "after a kill at call {number}");
    }
}

/// Waits until after the first call hangs: other calls are pending by then, and some have taken effect.
async fn killed(wire: &TestWire) {
    wire.hung().await;
    tokio::time::sleep(Duration::from_millis(700)).await;
}
