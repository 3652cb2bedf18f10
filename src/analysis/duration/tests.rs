#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::collections::BTreeMap;
use std::time::Duration;

use super::*;
use crate::analysis::tests::{EXAMPLES, cluster, first_plan};
use crate::engine::{Action, Address};

fn estimated(times: &ChangeTimes) -> PlanDuration {
    let mut plan = first_plan(&cluster(EXAMPLES[5].1));
    PlanDuration::estimate(&mut plan, times, 16).unwrap()
}

#[test]
fn a_first_plan_takes_as_long_as_its_longest_path() {
    let duration = estimated(&ChangeTimes::default());
    assert_eq!(duration.seconds, duration.critical_path.iter().map(|change| change.seconds).sum::<u64>());
    assert!((150..600).contains(&duration.seconds), "{duration:#?}");
    assert!(duration.critical_path.iter().all(|change| change.source == TimeSource::Default));
    let groups = duration.critical_path.iter().filter(|change| change.address.kind() == "autoscaling-group");
    let groups: Vec<_> = groups.map(|change| (change.address.name(), change.action, change.seconds)).collect();
    let (masters, nodes) = (("masters-c", Action::Create, 90), ("nodes-workers", Action::Create, 90));
    assert_eq!(groups, [masters, nodes], "{duration:#?}");
}

#[test]
fn measured_times_take_the_place_of_defaults() {
    let plan = first_plan(&cluster(EXAMPLES[5].1));
    let api = Address::new("load-balancer", "api");
    let mut times = ChangeTimes::default();
    times.learn_change(&plan, &api, Action::Create, Duration::from_millis(300_200));
    let duration = estimated(&times);
    let balancer = duration.critical_path.iter().find(|change| change.address == api).unwrap();
    assert_eq!((balancer.seconds, balancer.source), (301, TimeSource::Measured));

    // Newer measurements count more, and one that is far off is not everything.
    for _ in 0..6 {
        times.learn_change(&plan, &api, Action::Create, Duration::from_secs(90));
    }
    let stored: BTreeMap<String, u64> = times.clone().into();
    assert_eq!(stored.keys().collect::<Vec<_>>(), ["load-balancer create"]);
    assert!((90_000..120_000).contains(&stored["load-balancer create"]), "{stored:?}");
    assert_eq!(ChangeTimes::from(stored), times);
}
