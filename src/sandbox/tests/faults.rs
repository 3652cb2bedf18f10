//! Faults, crashes, and objects that are not visible yet.

use super::*;

fn with(faults: FaultRates) -> SandboxSettings {
    SandboxSettings { faults, ..settings() }
}

async fn attempts(sandbox: &Sandbox, times: u32) -> Vec<Result<Live, Failure>> {
    let mut answers = Vec::new();
    for number in 0..times {
        let object = Object { address: Address::new("vpc", number.to_string()), ..vpc() };
        answers.push(sandbox.create(&object, &IdempotencyToken(number.to_string())).await);
    }
    answers
}

fn ours(sandbox: &Sandbox) -> usize {
    sandbox.inventory().unwrap().iter().filter(|resident| resident.cluster.is_some()).count()
}

#[tokio::test]
async fn a_throttled_or_failed_call_has_no_effect() {
    for (faults, class) in [
        (FaultRates { throttle: 1.0, ..FaultRates::default() }, FailureClass::Throttled),
        (FaultRates { unavailable: 1.0, ..FaultRates::default() }, FailureClass::Unavailable),
    ] {
        let sandbox = Sandbox::in_memory(with(faults));
        for answer in attempts(&sandbox, 5).await {
            assert_eq!(answer.unwrap_err().class, class);
        }
        assert_eq!(ours(&sandbox), 0);
    }
}

#[tokio::test]
async fn a_lost_answer_leaves_the_effect_in_doubt() {
    let sandbox = Sandbox::in_memory(with(FaultRates { unknown: 1.0, ..FaultRates::default() }));
    assert!(
        attempts(&sandbox, 40)
            .await
            .iter()
            .all(|answer| { answer.as_ref().is_err_and(|failure| failure.class == FailureClass::UnknownOutcome) })
    );
    assert!((10..30).contains(&ours(&sandbox)), "{} of 40 took effect", ours(&sandbox));
}

#[tokio::test(start_paused = true)]
async fn what_is_new_can_be_invisible_for_a_moment() {
    let sandbox = Sandbox::in_memory(with(FaultRates { invisible: 1.0, ..FaultRates::default() }));
    let mut builder = ObjectBuilder::new(&sandbox);
    let made = sandbox.create(&vpc(), &IdempotencyToken("t".to_owned())).await.unwrap();
    builder.made.insert(made.address.clone(), made.clone());
    assert_eq!(sandbox.find(&made.address).await.unwrap(), []);
    let failure = sandbox.create(&builder.resolve(&security_group("nodes")), &IdempotencyToken("u".to_owned())).await;
    assert_eq!(failure.unwrap_err().class, FailureClass::MaybeNotYetConsistent);
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(sandbox.find(&made.address).await.unwrap().len(), 1);
}

/// An update can add the part that a second call would have added.
#[tokio::test]
async fn a_creation_can_stop_half_way() {
    let sandbox = Sandbox::in_memory(with(FaultRates { half: 1.0, ..FaultRates::default() }));
    let role = identity().remove(0);
    let failure = sandbox.create(&role, &IdempotencyToken("t".to_owned())).await.unwrap_err();
    assert_eq!(failure.class, FailureClass::Unavailable);
    let found = sandbox.find(&role.address).await.unwrap().remove(0);
    assert_ne!(found.attributes["policies"], role.attributes["policies"]);
    let changed = BTreeSet::from(["policies".to_owned()]);
    let whole = sandbox.update(&found, &role, &changed).await.unwrap();
    assert_eq!(whole.attributes["policies"], role.attributes["policies"]);
}

/// A creation that stopped after a part and is sent again with its token continues from there.
#[tokio::test]
async fn a_creation_that_stopped_half_way_goes_on() {
    let sandbox = Sandbox::in_memory(with(FaultRates { half: 1.0, ..FaultRates::default() }));
    let mut builder = ObjectBuilder::new(&sandbox.again(settings()));
    for object in network().iter().take(4) {
        builder.make(object).await;
    }
    let table = builder.resolve(&network()[4]);
    let token = IdempotencyToken("t".to_owned());
    assert_eq!(sandbox.create(&table, &token).await.unwrap_err().class, FailureClass::Unavailable);
    let whole = sandbox.create(&table, &token).await.unwrap();
    assert_eq!(whole.attributes, table.attributes);
    assert_eq!(sandbox.find(&table.address).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_crash_ends_the_process_before_or_after_the_effect() {
    for after in [false, true] {
        let crash = Some(CrashPoint { call: 3, after });
        let sandbox = Sandbox::in_memory(with(FaultRates { crash, ..FaultRates::default() }));
        tokio::select! {
            _ = attempts(&sandbox, 5) => panic!("the third call returned"),
            () = sandbox.crashed() => {}
        }
        assert_eq!(ours(&sandbox), if after { 3 } else { 2 });
        tokio::select! {
            biased;
            _ = sandbox.observe() => panic!("a dead process made a call"),
            () = tokio::time::sleep(Duration::from_millis(10)) => {}
        }
        assert_eq!(sandbox.again(settings()).observe().await.unwrap().live.len(), ours(&sandbox));
    }
}

#[tokio::test(start_paused = true)]
async fn latency_and_pace_take_real_time() {
    let slow =
        SandboxSettings { pace: 0.5, ..with(FaultRates { latency: Duration::from_secs(3), ..FaultRates::default() }) };
    let begun = Instant::now();
    ObjectBuilder::whole(&Sandbox::in_memory(slow)).await;
    assert!(begun.elapsed() > Duration::from_mins(1), "{:?}", begun.elapsed());
}
