//! The rules of applying, one by one: the effect of each class of failure, and the events that listeners get.

use std::sync::Mutex;
use std::time::Duration;

use tokio::time::Instant;

use super::worlds::{KeptRecord, assert_settled, converge, run};
use super::*;

/// A listener that records the events.
#[derive(Default)]
struct RecordingListener(Mutex<Vec<String>>);

impl EventListener for RecordingListener {
    fn on_event(&self, event: &RunEvent) {
        let line = match event {
            RunEvent::Started { address, action } => format!("started {address} {action:?}"),
            RunEvent::Waiting { address, note } => format!("waiting {address} {note}"),
            RunEvent::Retrying { address, failure, attempt, .. } => {
                format!("retrying {address} {:?} {attempt}", failure.class)
            }
            RunEvent::Finished { address, action, id } => format!("finished {address} {action:?} {id}"),
            RunEvent::Failed { address, action, failure } => format!("failed {address} {action:?} {:?}", failure.class),
            RunEvent::Unfinished { address, action } => format!("unfinished {address} {action:?}"),
            RunEvent::Deferred { address } => format!("deferred {address}"),
            RunEvent::Skipped { address, because } => {
                format!("skipped {address} {}", because.as_ref().map(Address::to_string).unwrap_or_default())
            }
        };
        self.0.lock().unwrap().push(line);
    }
}

async fn heard(cloud: &TestCloud, desired: &[Object], record: &KeptRecord) -> (Outcome, Vec<String>) {
    let notes = RecordingListener::default();
    let prepared = plan_for(PlanMode::Apply, desired, &cloud.objects(), record).unwrap();
    let options = ApplyOptions::default();
    let outcome = super::super::apply(cloud, &TestKinds, &prepared, record, &options, &notes).await;
    (outcome, notes.0.into_inner().unwrap())
}

fn part(name: &str, links: &[&str]) -> Object {
    let links = list(links.iter().map(|link| output(&format!("{link}.id"))));
    object(name, [("color", text("red")), ("links", links)])
}

fn shaped(shape: &str) -> [Object; 2] {
    [object("part/a", [("shape", text(shape))]), part("part/b", &["part/a"])]
}

/// Returns a cloud on which calls of one verb fail until `until` of them were made.
fn failing(verb: ProviderVerb, fault: CallFault, until: usize) -> TestCloud {
    let failed = Mutex::new(0);
    TestCloud::new().with_faults(move |_, called| {
        let mut failed = failed.lock().unwrap();
        (called == verb && *failed < until).then(|| {
            *failed += 1;
            fault
        })
    })
}

fn only_failure(outcome: &Outcome) -> &Failure {
    assert_eq!(outcome.failed.len(), 1);
    &outcome.failed[0].1
}

#[tokio::test(start_paused = true)]
async fn listeners_hear_everything_in_order() {
    let cloud = TestCloud::new();
    let (_, heard) = heard(&cloud, &[part("part/a", &[]), part("part/b", &["part/a"])], &KeptRecord::new()).await;
    let expected = [
        "started part/a Create",
        "finished part/a Create part-000001",
        "started part/b Create",
        "finished part/b Create part-000002",
    ];
    assert_eq!(heard, expected);
}

#[tokio::test(start_paused = true)]
async fn a_replacement_makes_the_new_one_moves_users_and_removes_the_old_one() {
    let cloud = TestCloud::new();
    let record = converge(&cloud, &shaped("round"), &KeptRecord::new()).await;
    let (outcome, heard) = heard(&cloud, &shaped("square"), &record).await;
    let expected = [
        "started part/a Replace",
        "finished part/a Replace part-000003",
        "started part/b Update",
        "finished part/b Update part-000002",
        "started part/a Delete",
        "finished part/a Delete part-000001",
    ];
    assert_eq!(heard, expected);
    assert_eq!(outcome.done, [at("part/b"), at("part/a")], "a replacement is done once, when the old one is gone");
    assert_settled(&cloud, &shaped("square"), &outcome.recorded);
}

#[tokio::test(start_paused = true)]
async fn what_a_failure_skips_is_reported_with_the_reason() {
    let cloud = failing(ProviderVerb::Create, CallFault::Before(FailureClass::Denied), 1);
    let wanted = [part("part/a", &[]), part("part/b", &["part/a"]), part("part/c", &["part/b"])];
    let (outcome, heard) = heard(&cloud, &wanted, &KeptRecord::new()).await;
    let expected =
        ["started part/a Create", "failed part/a Create Denied", "skipped part/b part/a", "skipped part/c part/a"];
    assert_eq!(heard, expected);
    assert_eq!(outcome.skipped, [at("part/b"), at("part/c")]);
    assert!(!outcome.interrupted && outcome.recorded.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_creation_without_an_answer_is_looked_up_and_finished() {
    for class in [FailureClass::UnknownOutcome, FailureClass::Unavailable, FailureClass::Throttled] {
        let cloud = failing(ProviderVerb::Create, CallFault::Half(class), 1);
        let wanted = [object("part/a", [("color", text("red")), ("secret", text("s")), ("shape", text("round"))])];
        let prepared = plan_for(PlanMode::Apply, &wanted, &[], &KeptRecord::new()).unwrap();
        let options = ApplyOptions::default();
        let outcome =
            super::super::apply(&cloud, &TestKinds, &prepared, &KeptRecord::new(), &options, &NoListener).await;
        assert_eq!(outcome.failed, []);
        let verbs: Vec<ProviderVerb> = cloud.calls().into_iter().map(|(verb, _)| verb).collect();
        assert_eq!(
            verbs,
            [ProviderVerb::Create, ProviderVerb::Find, ProviderVerb::Update, ProviderVerb::Ready],
            "after {class:?}"
        );
        assert_eq!(cloud.objects()[0].attributes["color"], text("red"));
        assert_eq!(cloud.hidden("part/a")["secret"], text("s"), "it is unknown whether it got through");
    }
}

#[tokio::test(start_paused = true)]
async fn a_creation_that_did_not_happen_is_sent_again_after_a_long_check() {
    for (class, checks) in [(FailureClass::UnknownOutcome, 5), (FailureClass::Throttled, 1)] {
        let cloud = failing(ProviderVerb::Create, CallFault::Before(class), 2);
        converge(&cloud, &[part("part/a", &[])], &KeptRecord::new()).await;
        let verbs: Vec<ProviderVerb> = cloud.calls().into_iter().map(|(verb, _)| verb).collect();
        let attempt = [vec![ProviderVerb::Create], vec![ProviderVerb::Find; checks]].concat();
        assert_eq!(
            verbs,
            [attempt.clone(), attempt, vec![ProviderVerb::Create, ProviderVerb::Ready]].concat(),
            "after {class:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn what_exists_already_and_is_ours_is_adopted() {
    let cloud = failing(ProviderVerb::Create, CallFault::After(FailureClass::AlreadyExists), 1);
    let record = converge(&cloud, &[part("part/a", &[])], &KeptRecord::new()).await;
    assert_settled(&cloud, &[part("part/a", &[])], &record);
}

#[tokio::test(start_paused = true)]
async fn what_exists_already_and_is_not_ours_is_left_alone() {
    let cloud = failing(ProviderVerb::Create, CallFault::Before(FailureClass::AlreadyExists), 9);
    let (outcome, _) = heard(&cloud, &[part("part/a", &[])], &KeptRecord::new()).await;
    let message = &only_failure(&outcome).message;
    assert!(message.ends_with("remove or rename what is there, then apply again"), "{message}");
    assert_eq!(cloud.called(ProviderVerb::Create).len(), 2, "the second time with another token");
}

/// A random life has found this: the reversed reference made a circle, and the removal of the old object was free to come
/// before the creation of the new one.
#[tokio::test(start_paused = true)]
async fn the_old_object_is_removed_last_even_if_a_reference_turns_around() {
    let cloud = TestCloud::new();
    let shaped = |shape: &str, links: &[&str]| {
        let links = list(links.iter().map(|link| output(&format!("{link}.id"))));
        object("part/a", [("shape", text(shape)), ("links", links)])
    };
    let record = converge(&cloud, &[part("part/b", &[]), shaped("round", &["part/b"])], &KeptRecord::new()).await;
    // The new object has more to wait for than the removal of the old one.
    let slow = ["part/c", "part/d"];
    let mut desired: Vec<Object> = slow.iter().map(|name| part(name, &[])).collect();
    desired.extend([shaped("square", &slow), part("part/b", &["part/a"])]);
    let (outcome, heard) = heard(&cloud, &desired, &record).await;
    let began = |line: &str| heard.iter().position(|heard| heard == line).unwrap();
    let created = heard.iter().position(|line| line.starts_with("finished part/a Replace")).unwrap();
    assert!(created < began("started part/a Delete"), "{heard:#?}");
    assert_settled(&cloud, &desired, &outcome.recorded);
}

#[tokio::test(start_paused = true)]
async fn a_replacement_never_takes_the_old_one_for_the_new_one() {
    let mut cloud = TestCloud::new();
    let record = converge(&cloud, &shaped("round"), &KeptRecord::new()).await;
    cloud.heal();
    let cloud = cloud.with_faults(|_, verb| {
        (verb == ProviderVerb::Create).then_some(CallFault::Before(FailureClass::AlreadyExists))
    });
    let (outcome, _) = heard(&cloud, &shaped("square"), &record).await;
    assert_eq!(only_failure(&outcome).class, FailureClass::AlreadyExists);
    assert_eq!(outcome.recorded, record, "nothing changed");
    assert_eq!(cloud.called(ProviderVerb::Delete), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn what_may_be_invisible_is_tried_again_only_after_something_was_made() {
    let maybe = CallFault::Before(FailureClass::MaybeNotYetConsistent);
    let alone = heard(&failing(ProviderVerb::Create, maybe, 1), &[part("part/a", &[])], &KeptRecord::new()).await.0;
    assert_eq!(only_failure(&alone).class, FailureClass::MaybeNotYetConsistent, "nothing was made a moment ago");

    let cloud = TestCloud::new().with_faults(move |number, _| (number == 2 || number == 4).then_some(maybe));
    let wanted = [part("part/a", &[]), part("part/b", &["part/a"])];
    let record = converge(&cloud, &wanted, &KeptRecord::new()).await;
    assert_settled(&cloud, &wanted, &record);
}

#[tokio::test(start_paused = true)]
async fn patience_ends() {
    let limits = [
        (ProviderVerb::Create, FailureClass::Throttled, 15),
        (ProviderVerb::Create, FailureClass::Unavailable, 15),
        (ProviderVerb::Create, FailureClass::NotYetConsistent, 5),
        (ProviderVerb::Ready, FailureClass::UnknownOutcome, 15),
    ];
    for (verb, class, minutes) in limits {
        let began = Instant::now();
        let (outcome, _) =
            heard(&failing(verb, CallFault::Before(class), usize::MAX), &[part("part/a", &[])], &KeptRecord::new())
                .await;
        assert_eq!(only_failure(&outcome).class, class);
        let limit = Duration::from_mins(minutes);
        assert!(
            (limit..limit + Duration::from_secs(25)).contains(&began.elapsed()),
            "{class:?}: {:?}",
            began.elapsed()
        );
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_still_held_is_tried_for_a_while() {
    let mut cloud = TestCloud::new();
    let record = converge(&cloud, &[part("part/a", &[])], &KeptRecord::new()).await;
    cloud.put(live("disk/theirs", "disk-000009", [("zone", text("part-000001"))]));
    let theirs = recorded(&[]);
    let began = Instant::now();
    let prepared = plan_for(PlanMode::Destroy, &[], &cloud.objects()[..1], &record).unwrap();
    let options = ApplyOptions::default();
    let outcome = super::super::apply(&cloud, &TestKinds, &prepared, &theirs, &options, &NoListener).await;
    assert_eq!(only_failure(&outcome).message, "disk/theirs holds part/a");
    assert!(began.elapsed() >= options.retry.held);
    cloud.heal();
}

#[tokio::test(start_paused = true)]
async fn what_is_gone_already_is_removed() {
    let cloud = TestCloud::new();
    let record = converge(&cloud, &[part("part/a", &[])], &KeptRecord::new()).await;
    let ghost = live("part/ghost", "part-000077", []);
    let lives = [cloud.objects().remove(0), ghost];
    let prepared = plan_for(PlanMode::Destroy, &[], &lives, &record).unwrap();
    let options = ApplyOptions::default();
    let outcome = super::super::apply(&cloud, &TestKinds, &prepared, &record, &options, &NoListener).await;
    assert_eq!((outcome.failed, outcome.done.len(), outcome.recorded.len()), (vec![], 2, 0));
}

#[tokio::test(start_paused = true)]
async fn a_lane_stops_where_one_failed() {
    let group = |name: &str, version: &str| {
        let is = [("version", text(version)), ("machines", text(version))];
        Object { lane: Some("masters".to_owned()), ..object(name, is) }
    };
    let groups = |version: &str| ["group/a", "group/b", "group/c"].map(|name| group(name, version));
    let cloud = TestCloud::new();
    let record = converge(&cloud, &groups("1"), &KeptRecord::new()).await;
    let cloud =
        cloud.with_faults(|_, verb| (verb == ProviderVerb::Roll).then_some(CallFault::Before(FailureClass::Fatal)));
    let wanted = [groups("2").to_vec(), vec![part("part/a", &[])]].concat();
    let (outcome, _) = heard(&cloud, &wanted, &record).await;
    assert_eq!(
        cloud.called(ProviderVerb::Roll),
        ["group/a"],
        "a master that did not come back is not followed by another"
    );
    assert_eq!(outcome.skipped, [at("group/b"), at("group/c")]);
    assert_eq!(outcome.done, [at("part/a")], "everything else continues");
}

#[tokio::test(start_paused = true)]
async fn groups_that_are_left_half_made_roll_one_at_a_time_too() {
    let group = |name: &str| {
        let is = [("version", text("1")), ("machines", text("1"))];
        Object { lane: Some("masters".to_owned()), ..object(name, is) }
    };
    let wanted = ["group/a", "group/b"].map(group);
    let lost = |_, verb| (verb == ProviderVerb::Create).then_some(CallFault::Half(FailureClass::UnknownOutcome));
    let mut cloud = TestCloud::new().with_faults(lost);
    cloud.slow = true;
    // The cloud insists that no two of a lane roll at once.
    let (outcome, _) = heard(&cloud, &wanted, &KeptRecord::new()).await;
    assert_eq!(outcome.failed, []);
    assert_eq!(cloud.called(ProviderVerb::Roll).len(), 2, "these were not planned");
}

#[tokio::test(start_paused = true)]
async fn a_roll_updates_first() {
    let group = |size: i64, version: &str| {
        let is = [("version", text(version)), ("machines", text(version)), ("size", Value::Integer(size))];
        [object("group/g", is)]
    };
    let cloud = TestCloud::new();
    let record = converge(&cloud, &group(1, "1"), &KeptRecord::new()).await;
    let (outcome, heard) = heard(&cloud, &group(2, "2"), &record).await;
    let expected = ["started group/g Roll", "waiting group/g machines", "finished group/g Roll group-000001"];
    assert_eq!(heard, expected);
    assert_settled(&cloud, &group(2, "2"), &outcome.recorded);
}

#[tokio::test(start_paused = true)]
async fn a_refused_plan_is_not_begun() {
    let a = live("part/a", "part-000001", [("range", text("1"))]);
    let cloud = TestCloud::new();
    cloud.put(a.clone());
    let record = recorded(&[a]);
    let (outcome, heard) =
        heard(&cloud, &[object("part/a", [("range", text("2"))]), part("part/b", &[])], &record).await;
    assert_eq!((outcome.failed.len(), outcome.recorded, heard), (1, record, vec![]));
    assert_eq!(cloud.calls(), []);
}

#[tokio::test(start_paused = true)]
async fn an_output_that_is_missing_fails_with_its_name() {
    let cloud = TestCloud::new();
    // A part without a label has no such output.
    let wanted = [part("part/a", &[]), object("part/b", [("color", output("part/a.label"))])];
    let (outcome, _) = heard(&cloud, &wanted, &KeptRecord::new()).await;
    let expected = "quorate resolve: part/a.label is not known: the object has no such output";
    assert_eq!(only_failure(&outcome).to_string(), expected);
}

#[tokio::test(start_paused = true)]
async fn the_second_half_of_a_split_plan_refers_to_the_first() {
    let cloud = TestCloud::new();
    let wanted = [part("part/a", &[]), part("part/b", &["part/a"])];
    let whole = plan_for(PlanMode::Apply, &wanted, &[], &KeptRecord::new()).unwrap();
    let (first, second) = whole.split(|address| address.name() == "a");
    let options = ApplyOptions::default();
    let one = super::super::apply(&cloud, &TestKinds, &first, &KeptRecord::new(), &options, &NoListener).await;
    let two = super::super::apply(&cloud, &TestKinds, &second, &one.recorded, &options, &NoListener).await;
    assert_settled(&cloud, &wanted, &two.recorded);
}

#[tokio::test(start_paused = true)]
async fn what_was_right_all_along_is_recorded_and_what_is_nowhere_is_forgotten() {
    let cloud = TestCloud::new();
    let mut record = converge(&cloud, &[part("part/a", &[])], &KeptRecord::new()).await;
    record.get_mut(&at("part/a")).unwrap().attributes.clear();
    record.extend(recorded(&[live("part/nowhere", "part-000042", [])]));
    let outcome = run(&cloud, PlanMode::Apply, &[part("part/a", &[])], &record, &ApplyOptions::default()).await;
    assert_settled(&cloud, &[part("part/a", &[])], &outcome.recorded);
}

#[tokio::test(start_paused = true)]
async fn a_stop_lets_finish_what_is_in_flight_and_starts_nothing() {
    let mut cloud = TestCloud::new();
    let options = ApplyOptions { concurrency: 2, ..ApplyOptions::default() };
    cloud.stops_at = Some((1, options.stop.clone()));
    let wanted = [part("part/a", &[]), part("part/b", &[]), part("part/c", &[]), part("part/d", &["part/a"])];
    let outcome = run(&cloud, PlanMode::Apply, &wanted, &KeptRecord::new(), &options).await;
    let reported = (outcome.done.len() + outcome.unfinished.len(), outcome.failed.len(), outcome.skipped.len());
    assert_eq!((reported, cloud.objects().len(), outcome.interrupted), ((2, 0, 2), 2, true));
}

/// Returns the result of a run that is stopped while it waits for one object without end.
async fn stopped_while_waiting(
    cloud: &mut TestCloud,
    awaited: &str,
    wanted: &[Object],
    record: &KeptRecord,
) -> Outcome {
    let options = ApplyOptions::default();
    cloud.endless = Some(at(awaited));
    let cloud = &*cloud;
    let stop = async {
        // Everything else has come to its end by then: the clock jumps to here.
        tokio::time::sleep(Duration::from_mins(1)).await;
        options.stop.cancel();
    };
    let began = Instant::now();
    let (outcome, ()) = tokio::join!(run(cloud, PlanMode::Apply, wanted, record, &options), stop);
    assert_eq!(began.elapsed(), Duration::from_mins(1), "it ends at once");
    outcome
}

#[tokio::test(start_paused = true)]
async fn a_stop_ends_a_wait_at_once_and_the_next_run_waits_on() {
    let mut cloud = TestCloud::new();
    let wanted = [part("part/a", &[]), part("part/b", &["part/a"]), part("part/c", &[])];
    let outcome = stopped_while_waiting(&mut cloud, "part/a", &wanted, &KeptRecord::new()).await;
    assert_eq!((outcome.done, outcome.failed), (vec![at("part/c")], vec![]));
    assert_eq!(
        (outcome.unfinished, outcome.skipped, outcome.interrupted),
        (vec![at("part/a")], vec![at("part/b")], true)
    );
    cloud.heal();
    let made = cloud.called(ProviderVerb::Create).len();
    let record = converge(&cloud, &wanted, &outcome.recorded).await;
    assert_settled(&cloud, &wanted, &record);
    assert_eq!(cloud.called(ProviderVerb::Create).len(), made + 1, "what was waited for is not made again");
}

#[tokio::test(start_paused = true)]
async fn a_stop_ends_the_wait_for_a_removal_and_for_a_replacement_too() {
    let mut cloud = TestCloud::new();
    let before = converge(&cloud, &[part("part/a", &[]), part("part/b", &[])], &KeptRecord::new()).await;
    let outcome = stopped_while_waiting(&mut cloud, "part/a", &[part("part/b", &[])], &before).await;
    assert_eq!((outcome.unfinished, outcome.interrupted), (vec![at("part/a")], true));
    cloud.heal();
    let record = converge(&cloud, &[part("part/b", &[])], &outcome.recorded).await;
    let replaced = [object("part/b", [("shape", text("square"))])];
    let outcome = stopped_while_waiting(&mut cloud, "part/b", &replaced, &record).await;
    assert_eq!((outcome.unfinished, outcome.skipped), (vec![at("part/b")], vec![]), "one object is reported once");
    cloud.heal();
    let record = converge(&cloud, &replaced, &outcome.recorded).await;
    assert_settled(&cloud, &replaced, &record);
}

#[tokio::test(start_paused = true)]
async fn a_stop_lets_a_slow_change_finish() {
    let mut cloud = TestCloud::new();
    cloud.slow = true;
    let options = ApplyOptions::default();
    cloud.stops_at = Some((0, options.stop.clone()));
    let outcome = run(&cloud, PlanMode::Apply, &[part("part/a", &[])], &KeptRecord::new(), &options).await;
    assert_eq!((outcome.failed, cloud.objects().len()), (vec![], 1), "the call is answered");
    assert_eq!(outcome.unfinished, [at("part/a")], "and nothing else is waited for");
}

#[tokio::test(start_paused = true)]
async fn a_stop_ends_the_wait_for_a_service_that_does_not_answer() {
    let mut cloud = failing(ProviderVerb::Create, CallFault::Before(FailureClass::Unavailable), 1000);
    let options = ApplyOptions::default();
    cloud.stops_at = Some((6, options.stop.clone()));
    let began = Instant::now();
    let wanted = [part("part/a", &[]), part("part/b", &["part/a"])];
    let outcome = run(&cloud, PlanMode::Apply, &wanted, &KeptRecord::new(), &options).await;
    assert_eq!(only_failure(&outcome).class, FailureClass::Unavailable);
    assert_eq!(outcome.skipped, [at("part/b")]);
    assert!(began.elapsed() < options.retry.outage / 10, "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn an_abandoned_change_is_reported_as_unknown() {
    let mut cloud = TestCloud::new();
    cloud.slow = true;
    let options = ApplyOptions { concurrency: 1, ..ApplyOptions::default() };
    cloud.stops_at = Some((0, options.abandon.clone()));
    let wanted = [part("part/a", &[]), part("part/b", &[])];
    let outcome = run(&cloud, PlanMode::Apply, &wanted, &KeptRecord::new(), &options).await;
    assert_eq!(only_failure(&outcome).class, FailureClass::UnknownOutcome);
    assert_eq!((outcome.skipped, outcome.interrupted), (vec![at("part/b")], true));
}

#[tokio::test(start_paused = true)]
async fn pauses_depend_on_nothing_but_the_seed() {
    async fn elapsed(seed: u64) -> Duration {
        let cloud = failing(ProviderVerb::Create, CallFault::Before(FailureClass::Throttled), 6);
        let retry = RetryPolicy { seed, ..RetryPolicy::default() };
        let began = Instant::now();
        run(
            &cloud,
            PlanMode::Apply,
            &[part("part/a", &[])],
            &KeptRecord::new(),
            &ApplyOptions { retry, ..ApplyOptions::default() },
        )
        .await;
        began.elapsed()
    }
    assert_eq!(elapsed(1).await, elapsed(1).await);
    assert_ne!(elapsed(1).await, elapsed(2).await);
}

#[tokio::test(start_paused = true)]
async fn what_machines_still_run_with_is_removed_after_they_were_rolled() {
    // The group does not name the part: its template does, and forgets it before the machines are replaced.
    let wanted = |shape: &str| {
        let version = || output("template/t.version");
        let links = list([output("part/firewall.id")]);
        [
            object("part/firewall", [("shape", text(shape))]),
            object("template/t", [("image", text("x")), ("links", links)]),
            object("group/g", [("template", output("template/t.id")), ("version", version()), ("machines", version())]),
        ]
    };
    let cloud = TestCloud::new();
    let record = converge(&cloud, &wanted("round"), &KeptRecord::new()).await;
    let (outcome, heard) = heard(&cloud, &wanted("square"), &record).await;
    let started: Vec<&str> = heard.iter().filter_map(|line| line.strip_prefix("started ")).collect();
    let expected = ["part/firewall Replace", "template/t Update", "group/g Roll", "part/firewall Delete"];
    assert_eq!(started, expected);
    assert_settled(&cloud, &wanted("square"), &outcome.recorded);
}

#[tokio::test(start_paused = true)]
async fn what_is_replaced_by_itself_is_not_removed() {
    let old = live("part/a", "part-key", [("shape", text("round"))]);
    let record = recorded(std::slice::from_ref(&old));
    let prepared =
        plan_for(PlanMode::Apply, &[object("part/a", [("shape", text("square"))])], &[old], &record).unwrap();
    let mut cloud = TestCloud::new();
    cloud.overwrites = Some("part-key".to_owned());
    let options = ApplyOptions::default();
    let outcome = super::super::apply(&cloud, &TestKinds, &prepared, &record, &options, &NoListener).await;
    assert_eq!((outcome.failed, outcome.done), (vec![], vec![at("part/a")]));
    assert_eq!(cloud.called(ProviderVerb::Delete), Vec::<String>::new());
}

#[test]
fn an_apply_can_be_moved_between_threads() {
    fn assert_send<T: Send>(_: T) {}
    let prepared = plan_for(PlanMode::Apply, &[], &[], &KeptRecord::new()).unwrap();
    let (cloud, record, options) = (TestCloud::new(), KeptRecord::new(), ApplyOptions::default());
    assert_send(super::super::apply(&cloud, &TestKinds, &prepared, &record, &options, &NoListener));
}
