//! Faults, crashes, and things that cannot be seen yet.

use super::*;

fn with(faults: Faults) -> Settings {
    Settings { faults, ..settings() }
}

async fn attempts(sandbox: &Sandbox, times: u32) -> Vec<Result<Live, Failure>> {
    let mut answers = Vec::new();
    for number in 0..times {
        let object = Object { address: Address::new("vpc", number.to_string()), ..vpc() };
        answers.push(sandbox.create(&object, &Token(number.to_string())).await);
    }
    answers
}

fn ours(sandbox: &Sandbox) -> usize {
    sandbox.inventory().unwrap().iter().filter(|resident| resident.cluster.is_some()).count()
}

#[tokio::test]
async fn a_throttled_or_failed_call_has_no_effect() {
    for (faults, class) in [
        (Faults { throttle: 1.0, ..Faults::default() }, Class::Throttled),
        (Faults { unavailable: 1.0, ..Faults::default() }, Class::Unavailable),
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
    let sandbox = Sandbox::in_memory(with(Faults { unknown: 1.0, ..Faults::default() }));
    assert!(
        attempts(&sandbox, 40)
            .await
            .iter()
            .all(|answer| { answer.as_ref().is_err_and(|failure| failure.class == Class::UnknownOutcome) })
    );
    assert!((10..30).contains(&ours(&sandbox)), "{} of 40 took effect", ours(&sandbox));
}

#[tokio::test(start_paused = true)]
async fn what_is_new_can_be_invisible_for_a_moment() {
    let sandbox = Sandbox::in_memory(with(Faults { invisible: 1.0, ..Faults::default() }));
    let mut builder = Builder::new(&sandbox);
    let made = sandbox.create(&vpc(), &Token("t".to_owned())).await.unwrap();
    builder.made.insert(made.address.clone(), made.clone());
    assert_eq!(sandbox.find(&made.address).await.unwrap(), []);
    let failure = sandbox.create(&builder.resolve(&security_group("nodes")), &Token("u".to_owned())).await;
    assert_eq!(failure.unwrap_err().class, Class::MaybeNotYetConsistent);
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(sandbox.find(&made.address).await.unwrap().len(), 1);
}

/// What a second call would have added can be added by an update.
#[tokio::test]
async fn a_creation_can_stop_half_way() {
    let sandbox = Sandbox::in_memory(with(Faults { half: 1.0, ..Faults::default() }));
    let role = identity().remove(0);
    let failure = sandbox.create(&role, &Token("t".to_owned())).await.unwrap_err();
    assert_eq!(failure.class, Class::Unavailable);
    let found = sandbox.find(&role.address).await.unwrap().remove(0);
    assert_ne!(found.attributes["policies"], role.attributes["policies"]);
    let changed = BTreeSet::from(["policies".to_owned()]);
    let whole = sandbox.update(&found, &role, &changed).await.unwrap();
    assert_eq!(whole.attributes["policies"], role.attributes["policies"]);
}

/// Sent again with its token, a creation that stopped half way goes on from there.
#[tokio::test]
async fn a_creation_that_stopped_half_way_goes_on() {
    let sandbox = Sandbox::in_memory(with(Faults { half: 1.0, ..Faults::default() }));
    let mut builder = Builder::new(&sandbox.again(settings()));
    for object in network().iter().take(4) {
        builder.make(object).await;
    }
    let table = builder.resolve(&network()[4]);
    let token = Token("t".to_owned());
    assert_eq!(sandbox.create(&table, &token).await.unwrap_err().class, Class::Unavailable);
    let whole = sandbox.create(&table, &token).await.unwrap();
    assert_eq!(whole.attributes, table.attributes);
    assert_eq!(sandbox.find(&table.address).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_crash_ends_the_process_before_or_after_the_effect() {
    for after in [false, true] {
        let crash = Some(Crash { call: 3, after });
        let sandbox = Sandbox::in_memory(with(Faults { crash, ..Faults::default() }));
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
        assert_eq!(sandbox.again(settings()).observe().await.unwrap().len(), ours(&sandbox));
    }
}

#[tokio::test(start_paused = true)]
async fn latency_and_pace_take_real_time() {
    let slow = Settings { pace: 0.5, ..with(Faults { latency: Duration::from_secs(3), ..Faults::default() }) };
    let begun = Instant::now();
    Builder::whole(&Sandbox::in_memory(slow)).await;
    assert!(begun.elapsed() > Duration::from_mins(1), "{:?}", begun.elapsed());
}
