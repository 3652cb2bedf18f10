//! Properties of whole lifecycles: for any objects, edits, faults and moment of a crash.

use proptest::prelude::*;
use tokio_util::sync::CancellationToken;

use super::worlds::{KeptRecord, assert_settled, converge, on_paused_clock, run, world};
use super::*;

/// Returns a cloud on which one call in four fails, with every kind of temporary failure.
fn troubled(seed: u64) -> TestCloud {
    TestCloud::new().with_faults(move |number, verb| {
        let mut random = fastrand::Rng::with_seed(seed.wrapping_add(number as u64));
        if random.u8(..) >= 64 {
            return None;
        }
        let half = CallFault::Half(random.choice([FailureClass::UnknownOutcome, FailureClass::Unavailable]).unwrap());
        let faults = [
            CallFault::Before(FailureClass::Throttled),
            CallFault::Before(FailureClass::Unavailable),
            CallFault::Before(FailureClass::UnknownOutcome),
            CallFault::Before(FailureClass::NotYetConsistent),
            CallFault::After(FailureClass::UnknownOutcome),
            CallFault::After(FailureClass::Unavailable),
            if verb == ProviderVerb::Create { half } else { CallFault::After(FailureClass::UnknownOutcome) },
        ];
        random.choice(faults)
    })
}

/// Returns `true` if a verb changes objects.
fn changing(verb: ProviderVerb) -> bool {
    !matches!(verb, ProviderVerb::Observe | ProviderVerb::Find | ProviderVerb::Ready)
}

async fn destroy(cloud: &TestCloud, record: &KeptRecord) -> Outcome {
    run(cloud, PlanMode::Destroy, &[], record, &ApplyOptions::default()).await
}

/// Runs until the connection is lost, as if the process had been killed: the record is never written.
async fn run_until_death(cloud: &TestCloud, mode: PlanMode, desired: &[Object], record: &KeptRecord) {
    let dead = cloud.dead.clone();
    let options = ApplyOptions::default();
    tokio::select! {
        _ = run(cloud, mode, desired, record, &options) => {}
        () = dead.cancelled() => {}
    }
}

proptest! {
    #![proptest_config(worlds::cases())]

    #[test]
    fn a_second_plan_is_empty_and_destroy_leaves_nothing(first in world(), second in world()) {
        on_paused_clock(async {
            let cloud = TestCloud::new();
            let record = converge(&cloud, &first, &KeptRecord::new()).await;
            assert_settled(&cloud, &first, &record);
            let record = converge(&cloud, &second, &record).await;
            assert_settled(&cloud, &second, &record);
            prop_assert_eq!(cloud.called(ProviderVerb::Find), Vec::<String>::new());
            let outcome = destroy(&cloud, &record).await;
            prop_assert_eq!(cloud.objects(), []);
            prop_assert!(outcome.recorded.is_empty() && outcome.failed.is_empty());
            Ok(())
        })?;
    }

    /// Deletions are in order even without a record: no object is deleted while another one uses it.
    #[test]
    fn destroy_needs_no_record(first in world()) {
        on_paused_clock(async {
            let cloud = TestCloud::new();
            converge(&cloud, &first, &KeptRecord::new()).await;
            let outcome = destroy(&cloud, &KeptRecord::new()).await;
            prop_assert_eq!(outcome.failed, []);
            prop_assert_eq!(cloud.objects(), []);
            prop_assert_eq!(cloud.called(ProviderVerb::Delete).len(), first.len(), "a deletion had to be tried again");
            Ok(())
        })?;
    }

    #[test]
    fn faults_that_pass_delay_and_never_duplicate(first in world(), second in world(), seed: u64) {
        on_paused_clock(async {
            let cloud = troubled(seed);
            let record = converge(&cloud, &first, &KeptRecord::new()).await;
            assert_settled(&cloud, &first, &record);
            let record = converge(&cloud, &second, &record).await;
            assert_settled(&cloud, &second, &record);
            let outcome = destroy(&cloud, &record).await;
            prop_assert_eq!(outcome.failed, []);
            prop_assert_eq!(cloud.objects(), []);
            Ok(())
        })?;
    }

    /// A failed change can be half done: only a run that reports no change has left everything as it was.
    #[test]
    fn a_run_that_reports_no_change_has_made_none(first in world(), second in world(), seed: u64) {
        on_paused_clock(async {
            let cloud = TestCloud::new();
            let record = converge(&cloud, &first, &KeptRecord::new()).await;
            let before = cloud.objects();
            let cloud = cloud.with_faults(move |number, verb| {
                let mut random = fastrand::Rng::with_seed(seed.wrapping_add(number as u64));
                let half = CallFault::Half(FailureClass::Unavailable);
                let faults = [
                    CallFault::Before(FailureClass::Denied),
                    CallFault::Before(FailureClass::Denied),
                    CallFault::After(FailureClass::UnknownOutcome),
                    if verb == ProviderVerb::Create { half } else { CallFault::After(FailureClass::Unavailable) },
                ];
                faults.get(random.usize(..6)).copied().filter(|_| changing(verb))
            });
            let outcome = run(&cloud, PlanMode::Apply, &second, &record, &ApplyOptions::default()).await;
            prop_assert!(outcome.changed || cloud.objects() == before);

            let before = cloud.objects();
            let cloud = cloud.with_faults(|_, verb| changing(verb).then_some(CallFault::Before(FailureClass::Denied)));
            let outcome = run(&cloud, PlanMode::Destroy, &[], &record, &ApplyOptions::default()).await;
            prop_assert_eq!((outcome.changed, cloud.objects()), (false, before));
            Ok(())
        })?;
    }

    #[test]
    fn a_crash_anywhere_changes_nothing_in_the_end(
        first in world(), second in world(), moment in 0..60_usize, after: bool, then_destroy: bool,
    ) {
        on_paused_clock(async {
            let mut cloud = TestCloud::new();
            let record = converge(&cloud, &first, &KeptRecord::new()).await;
            cloud.dies_at = Some((cloud.calls().len() + moment, after));
            run_until_death(&cloud, PlanMode::Apply, &second, &record).await;
            cloud.heal();
            if then_destroy {
                let outcome = destroy(&cloud, &record).await;
                prop_assert_eq!(outcome.failed, []);
                prop_assert_eq!(cloud.objects(), []);
            } else {
                let record = converge(&cloud, &second, &record).await;
                assert_settled(&cloud, &second, &record);
            }
            Ok(())
        })?;
    }

    #[test]
    fn a_crash_while_destroying_is_finished_by_the_next_destroy(first in world(), moment in 0..20_usize, after: bool) {
        on_paused_clock(async {
            let mut cloud = TestCloud::new();
            let record = converge(&cloud, &first, &KeptRecord::new()).await;
            cloud.dies_at = Some((cloud.calls().len() + moment, after));
            run_until_death(&cloud, PlanMode::Destroy, &[], &record).await;
            cloud.heal();
            let outcome = destroy(&cloud, &record).await;
            prop_assert_eq!(cloud.objects(), []);
            prop_assert!(outcome.failed.is_empty() && outcome.recorded.is_empty());
            Ok(())
        })?;
    }

    #[test]
    fn a_stop_keeps_the_record_true(first in world(), second in world(), moment in 0..40_usize, abandon: bool) {
        on_paused_clock(async {
            let mut cloud = TestCloud::new();
            let before = converge(&cloud, &first, &KeptRecord::new()).await;
            let options = ApplyOptions { concurrency: 2, ..ApplyOptions::default() };
            let token: &CancellationToken = if abandon { &options.abandon } else { &options.stop };
            cloud.stops_at = Some((cloud.calls().len() + moment, token.clone()));
            let outcome = run(&cloud, PlanMode::Apply, &second, &before, &options).await;
            assert_true(&cloud, &outcome, &before);
            prop_assert!(abandon || outcome.failed.is_empty(), "what is in flight finishes");
            let left = [outcome.failed.len(), outcome.skipped.len(), outcome.unfinished.len()];
            prop_assert_eq!(outcome.interrupted, left != [0, 0, 0]);
            cloud.heal();
            let record = converge(&cloud, &second, &outcome.recorded).await;
            assert_settled(&cloud, &second, &record);
            Ok(())
        })?;
    }

    #[test]
    fn a_failure_stops_only_what_needs_it(first in world(), victim in 0..10_usize) {
        on_paused_clock(async {
            let failing = first.get(victim % first.len().max(1)).map(|object| object.address.clone());
            let mut cloud = TestCloud::new();
            cloud.denied.clone_from(&failing);
            let outcome = run(&cloud, PlanMode::Apply, &first, &KeptRecord::new(), &ApplyOptions::default()).await;
            let mut expected: BTreeSet<Address> = failing.iter().cloned().collect();
            // Objects come after what they need, so one pass finds everything that needs the failed one.
            for object in &first {
                if !object.needs().is_disjoint(&expected) {
                    expected.insert(object.address.clone());
                }
            }
            let made: BTreeSet<Address> = cloud.objects().into_iter().map(|live| live.address).collect();
            prop_assert!(made.is_disjoint(&expected));
            prop_assert_eq!(made.len() + expected.len(), first.len());
            prop_assert_eq!(outcome.failed.len() + outcome.skipped.len(), expected.len());
            prop_assert_eq!(outcome.recorded.keys().cloned().collect::<BTreeSet<_>>(), made);
            prop_assert!(!outcome.interrupted);
            Ok(())
        })?;
    }
}

/// Checks that every change that is done is recorded as it is; all other entries are unchanged.
fn assert_true(cloud: &TestCloud, outcome: &Outcome, before: &KeptRecord) {
    let lives = cloud.objects();
    let unfinished: BTreeSet<&Address> =
        outcome.failed.iter().map(|(address, _)| address).chain(&outcome.skipped).collect();
    for address in &outcome.done {
        match outcome.recorded.get(address) {
            Some(entry) => {
                let live = lives.iter().find(|live| live.id == entry.id).expect("what is recorded is there");
                assert_eq!(entry.outputs, live.outputs);
            }
            None => assert!(lives.iter().all(|live| live.address != *address), "{address} is gone"),
        }
    }
    for (address, entry) in before.iter().filter(|(address, _)| unfinished.contains(address)) {
        let now = outcome.recorded.get(address).expect("what was not done keeps its entry");
        let replaced = lives.iter().any(|live| live.id == now.id && now.id != entry.id);
        assert!(now == entry || replaced, "{address} was recorded without being done");
    }
}
