//! The time of an apply, on a clock that jumps: no waves, no barriers, never more steps at a time than allowed.

use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::*;
use tokio::time::Instant;

use super::worlds::{KeptRecord, converge, on_paused_clock, parts, run, world};
use super::*;

/// Returns the length of the longest path through the objects, computed from the objects alone. They are in order.
fn longest_road(objects: &[Object]) -> Duration {
    let mut ends: BTreeMap<&Address, u64> = BTreeMap::new();
    for object in objects {
        let begin = object.needs().iter().map(|need| ends[need]).max().unwrap_or(0);
        ends.insert(&object.address, begin + seconds(object));
    }
    Duration::from_secs(ends.into_values().max().unwrap_or(0))
}

fn seconds(object: &Object) -> u64 {
    TestKinds.kind(object.address.kind()).unwrap().seconds.into()
}

fn slow() -> TestCloud {
    let mut cloud = TestCloud::new();
    cloud.slow = true;
    cloud
}

/// Timers tick in milliseconds.
fn close(one: Duration, other: Duration) -> bool {
    one.abs_diff(other) < Duration::from_millis(200)
}

/// Returns the groups in the order in which their machines were created or replaced.
fn machines(cloud: &TestCloud) -> Vec<String> {
    let calls = cloud.calls().into_iter();
    let touched = calls.filter(|(verb, _)| matches!(verb, ProviderVerb::Create | ProviderVerb::Roll));
    let addresses = touched.filter_map(|(_, address)| Some(address?.to_string()));
    addresses.filter(|address| address.starts_with("group/")).collect()
}

fn at_a_time(concurrency: usize) -> ApplyOptions {
    ApplyOptions { concurrency, ..ApplyOptions::default() }
}

proptest! {
    #![proptest_config(worlds::cases())]

    #[test]
    fn an_apply_takes_as_long_as_its_longest_road(objects in world()) {
        on_paused_clock(async {
            let cloud = slow();
            let began = Instant::now();
            let prepared = plan_for(PlanMode::Apply, &objects, &[], &KeptRecord::new()).unwrap();
            let (_, seconds) = prepared.critical_path();
            run(&cloud, PlanMode::Apply, &objects, &KeptRecord::new(), &at_a_time(100)).await;
            let (took, road) = (began.elapsed(), longest_road(&objects));
            prop_assert!(close(took, road), "took {took:?}, the longest road is {road:?}");
            prop_assert_eq!(Duration::from_secs(seconds), road);
            Ok(())
        })?;
    }

    /// Graham's bound: a schedule that never idles while a step is ready is at most this late.
    #[test]
    fn the_limit_holds_and_no_worker_is_idle(objects in parts(), cap in 1..5_usize) {
        on_paused_clock(async {
            let cloud = slow();
            let began = Instant::now();
            run(&cloud, PlanMode::Apply, &objects, &KeptRecord::new(), &at_a_time(cap)).await;
            prop_assert!(cloud.most_flying() <= cap);
            let work: u64 = objects.iter().map(seconds).sum();
            let bound = Duration::from_secs(work) / u32::try_from(cap).unwrap() + longest_road(&objects);
            prop_assert!(began.elapsed() <= bound + Duration::from_millis(200));
            Ok(())
        })?;
    }
}

#[tokio::test(start_paused = true)]
async fn lanes_roll_one_at_a_time_and_beside_each_other() {
    let groups = |version: &str| -> Vec<Object> {
        let group = |name: &str, lane: &str| {
            let is = [("version", text(version)), ("machines", text(version))];
            Object { lane: Some(lane.to_owned()), ..object(name, is) }
        };
        let masters = ["group/a", "group/b", "group/c"].map(|name| group(name, "masters"));
        let nodes = ["group/m", "group/n"].map(|name| group(name, "nodes"));
        [masters.as_slice(), nodes.as_slice()].concat()
    };
    let mut cloud = TestCloud::new();
    let record = converge(&cloud, &groups("1"), &KeptRecord::new()).await;
    cloud.slow = true;
    let began = Instant::now();
    let outcome = run(&cloud, PlanMode::Apply, &groups("2"), &record, &at_a_time(16)).await;
    assert_eq!(outcome.failed, []);
    // Each of three takes 90 seconds to update and 90 to roll; the cloud refuses two of a lane at once.
    assert!(close(began.elapsed(), Duration::from_mins(9)), "took {:?}", began.elapsed());
}

/// The plan names them in this order: the one whose settings are there first does not go first.
#[tokio::test(start_paused = true)]
async fn a_lane_is_rolled_in_the_order_of_its_addresses_and_a_broken_one_first() {
    let group = |name: &str, version: &str, links: &[&str]| {
        let links = list(links.iter().map(|link| output(&format!("{link}.id"))));
        let is = [("version", text(version)), ("machines", text(version)), ("links", links)];
        Object { lane: Some("masters".to_owned()), ..object(name, is) }
    };
    let state = |version: &str| {
        vec![
            object("disk/a", [("zone", text("a")), ("size", text(version))]),
            object("template/b", [("image", text(version))]),
            group("group/a", version, &["disk/a"]),
            group("group/b", version, &["template/b"]),
            group("group/c", version, &[]),
        ]
    };
    for (broken, expected) in [
        (None, ["group/a", "group/b", "group/c"]),
        (Some("group/b"), ["group/b", "group/a", "group/c"]),
        (Some("group/c"), ["group/c", "group/a", "group/b"]),
    ] {
        let mut cloud = TestCloud::new();
        let record = converge(&cloud, &state("1"), &KeptRecord::new()).await;
        if let Some(broken) = broken {
            cloud.tamper(broken, |attributes| {
                attributes.insert("machines".to_owned(), text("broken"));
            });
        }
        cloud.slow = true;
        let outcome = run(&cloud, PlanMode::Apply, &state("2"), &record, &at_a_time(16)).await;
        assert_eq!(outcome.failed, []);
        assert_eq!(cloud.called(ProviderVerb::Roll), expected, "{broken:?}");
    }
}

/// A lane does not order what its members need: one that needs another one comes after it.
#[tokio::test(start_paused = true)]
async fn one_that_needs_a_later_one_of_its_lane_is_rolled_after_it() {
    let group = |name: &str, version: &str, links: &[&str]| {
        let links = list(links.iter().map(|link| output(&format!("{link}.id"))));
        let is = [("version", text(version)), ("machines", text(version)), ("links", links)];
        Object { lane: Some("masters".to_owned()), ..object(name, is) }
    };
    let state = |version: &str| {
        [group("group/a", version, &["group/c"]), group("group/b", version, &[]), group("group/c", version, &[])]
    };
    let cloud = TestCloud::new();
    let record = converge(&cloud, &state("1"), &KeptRecord::new()).await;
    let outcome = run(&cloud, PlanMode::Apply, &state("2"), &record, &at_a_time(16)).await;
    assert_eq!(outcome.failed, []);
    let rolled = cloud.called(ProviderVerb::Roll);
    let place = |group: &str| rolled.iter().position(|address| address == group);
    assert!(rolled.len() == 3 && place("group/c") < place("group/a"), "{rolled:?}");
}

/// The first members start together, and wait for each other. Later ones join existing ones one by one, before its rolls.
#[tokio::test(start_paused = true)]
async fn who_joins_a_living_lane_comes_alone() {
    let groups = |names: &[&str], version: &str| -> Vec<Object> {
        let is = [("version", text(version)), ("machines", text(version))];
        let group = |name: &&str| Object { lane: Some("masters".to_owned()), ..object(name, is.clone()) };
        names.iter().map(group).collect()
    };
    let cloud = slow();
    let began = Instant::now();
    let record = converge(&cloud, &groups(&["group/a", "group/b"], "1"), &KeptRecord::new()).await;
    assert!(close(began.elapsed(), Duration::from_secs(90)), "took {:?}", began.elapsed());
    let began = Instant::now();
    let four = groups(&["group/a", "group/b", "group/c", "group/d"], "2");
    assert_eq!(run(&cloud, PlanMode::Apply, &four, &record, &at_a_time(16)).await.failed, []);
    // Two are updated and rolled, two are made.
    assert!(close(began.elapsed(), Duration::from_mins(9)), "took {:?}", began.elapsed());
    let expected = ["group/a", "group/b", "group/c", "group/d", "group/a", "group/b"];
    assert_eq!(machines(&cloud), expected, "two were made before");
}

/// One master that becomes three would have no quorum while it is rolled between the two others.
#[tokio::test(start_paused = true)]
async fn one_that_others_join_is_rolled_last_even_if_they_are_ready_later() {
    let group = |name: &str, version: &str, template: &str| {
        let links = list([output(&format!("{template}.id"))]);
        let is = [("version", text(version)), ("machines", text(version)), ("links", links)];
        Object { lane: Some("masters".to_owned()), ..object(name, is) }
    };
    let template = |name: &str| object(name, [("image", text("x"))]);
    let one = [template("template/a"), group("group/a", "1", "template/a")];
    let three = [
        [template("template/a"), group("group/a", "2", "template/a")],
        [template("template/b"), group("group/b", "2", "template/b")],
        [template("template/c"), group("group/c", "2", "template/c")],
    ];
    let mut cloud = TestCloud::new();
    let record = converge(&cloud, &one, &KeptRecord::new()).await;
    cloud.slow = true;
    assert_eq!(run(&cloud, PlanMode::Apply, &three.concat(), &record, &at_a_time(16)).await.failed, []);
    let machines = machines(&cloud);
    assert_eq!((machines.len(), machines.last().map(String::as_str)), (4, Some("group/a")), "{machines:?}");
}

/// A new member that needs the changed output of an existing one comes after it.
#[tokio::test(start_paused = true)]
async fn one_that_needs_a_rolled_one_joins_after_it() {
    let group = |name: &str, links: Value| {
        let is = [("version", text("1")), ("machines", text("1")), ("links", links)];
        Object { lane: Some("masters".to_owned()), ..object(name, is) }
    };
    let rolled = |version: &str| {
        let is = [("version", text(version)), ("machines", text(version))];
        Object { lane: Some("masters".to_owned()), ..object("group/a", is) }
    };
    let cloud = TestCloud::new();
    let record = converge(&cloud, &[rolled("1")], &KeptRecord::new()).await;
    let wanted = [rolled("2"), group("group/b", list([output("group/a.id")]))];
    let outcome = run(&cloud, PlanMode::Apply, &wanted, &record, &at_a_time(16)).await;
    assert_eq!(outcome.failed, []);
    assert_eq!(machines(&cloud), ["group/a", "group/a", "group/b"]);
}

#[tokio::test(start_paused = true)]
async fn the_longest_road_starts_first() {
    let chain = [
        object("disk/a", [("zone", text("a"))]),
        object("disk/b", [("zone", text("b"))]),
        object("template/t", [("image", text("x"))]),
        object("group/g", [("links", list([output("template/t.id")]))]),
    ];
    let cloud = slow();
    let began = Instant::now();
    run(&cloud, PlanMode::Apply, &chain, &KeptRecord::new(), &at_a_time(1)).await;
    assert_eq!(cloud.called(ProviderVerb::Create), ["template/t", "group/g", "disk/a", "disk/b"]);
    assert!(close(began.elapsed(), Duration::from_secs(3 + 90 + 5 + 5)));
}

#[tokio::test(start_paused = true)]
async fn a_destroy_is_as_deep_as_what_it_removes() {
    let chain = [
        object("template/t", [("image", text("x"))]),
        object("group/g", [("links", list([output("template/t.id")]))]),
        object("disk/a", [("zone", text("a"))]),
    ];
    let mut cloud = TestCloud::new();
    converge(&cloud, &chain, &KeptRecord::new()).await;
    cloud.slow = true;
    let began = Instant::now();
    run(&cloud, PlanMode::Destroy, &[], &KeptRecord::new(), &at_a_time(16)).await;
    assert_eq!(cloud.objects(), []);
    assert!(close(began.elapsed(), Duration::from_secs(93)), "took {:?}", began.elapsed());
}
