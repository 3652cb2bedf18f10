#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod brute_force;

use super::*;
use crate::analysis::tests::{EXAMPLES, cluster, facts, first_plan};

/// Returns the availability of a cluster after its first plan.
fn judged(file: &str) -> Availability {
    let cluster = cluster(file);
    PlanAvailability::new(&first_plan(&cluster), &facts(&cluster).sizes).unwrap().after.unwrap()
}

fn example(name: &str) -> Availability {
    judged(EXAMPLES.iter().find(|(known, _)| *known == name).unwrap().1)
}

/// Returns the failures that are not survived, each with its outcome and its effects.
fn not_survived(availability: &Availability) -> Vec<String> {
    let reported = |effects: &FailureEffects| {
        let reasons =
            effects.effects.iter().map(|effect| format!("{}: {} -> {}", effect.part, effect.reason, effect.advice));
        format!("{} {:?}: {}", effects.failure, effects.outcome, reasons.collect::<Vec<_>>().join("; "))
    };
    availability.not_survived().map(reported).collect()
}

#[test]
fn two_of_three_masters_in_one_zone_are_reported() {
    let availability = example("tutorial");
    assert_eq!(
        not_survived(&availability),
        [
            "zone us-east-1d Stopped: control plane: 2 of 3 masters are lost, so the API stops until the zone is back -> put \
             one master in a third zone"
        ]
    );
    let names: Vec<String> = availability.failures.iter().map(|effects| effects.failure.to_string()).collect();
    assert_eq!(
        names,
        [
            "zone us-east-1d",
            "zone us-east-1f",
            "master a",
            "master b",
            "master c",
            "a node of workers",
            "etcd volume a",
            "etcd volume b",
            "etcd volume c"
        ]
    );
    assert!(availability.now.is_empty());
}

#[test]
fn three_zones_survive_everything() {
    assert_eq!(not_survived(&example("ha")), Vec::<String>::new());
    assert_eq!(not_survived(&example("nginx")), Vec::<String>::new());
}

#[test]
fn a_nat_gateway_that_all_zones_share_does_not_survive_its_zone() {
    let file = EXAMPLES.iter().find(|(known, _)| *known == "ha").unwrap().1;
    let private = |nat: &str| judged(&format!("{file}\nnetwork {{\n  topology = \"private\"\n  nat = \"{nat}\"\n}}\n"));
    assert_eq!(not_survived(&private("regional")), Vec::<String>::new());
    let lost = not_survived(&private("shared"));
    assert_eq!(lost.len(), 1, "{lost:#?}");
    assert!(
        lost[0].starts_with("zone eu-central-1a Stopped: network: the only NAT gateway is in eu-central-1a"),
        "{lost:#?}"
    );
}

#[test]
fn a_single_machine_of_each_sort_survives_nothing() {
    assert_eq!(
        not_survived(&example("minimal")),
        [
            "zone us-east-1a Stopped: control plane: the only master is lost, so the API stops until the zone is back -> use \
             three masters in three zones",
            "master a Interrupted: control plane: the only master is lost, so the API stops until its machine is replaced -> use \
             three masters",
            "etcd volume a Stopped: control plane: too few copies of the cluster's state are left: it must be restored from a \
             snapshot -> use three masters",
        ]
    );
}

#[test]
fn a_single_pod_and_a_single_volume_are_reported() {
    let lost = not_survived(&example("phoenix-chat-redis"));
    let of = |failure: &str| lost.iter().find(|text| text.starts_with(failure)).unwrap().clone();
    assert_eq!(lost.len(), 5, "three zones, a node, a volume: {lost:#?}");
    assert!(of("zone us-east-1a Stopped: service redis: its volume redis-data may be in the zone").contains("-> keep"));
    assert!(
        of("a node of workers Interrupted: service redis: its only pod may be lost, and start again").contains("->")
    );
    assert!(
        of("volume redis-data Stopped: service redis: the data of its volume redis-data is lost").contains("-> keep")
    );
}

#[test]
fn a_requirement_names_the_worst_failure_and_the_way_to_survive_it() {
    let tutorial = example("tutorial");
    assert_eq!(tutorial.check(RequiredSurvival::Machine), Ok(()));
    let error = tutorial.check(RequiredSurvival::Zone).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the cluster would not survive the loss of zone us-east-1d (control plane: 2 of 3 masters are lost, so the API stops \
         until the zone is back)"
    );
    assert_eq!(error.advice(), "put one master in a third zone");
    let minimal = example("minimal").check(RequiredSurvival::Machine).unwrap_err();
    assert!(minimal.to_string().contains("the loss of master a"), "{minimal}");
}

#[test]
fn requests_that_need_every_node_do_not_survive_the_loss_of_one() {
    let service = |memory: &str| {
        format!("service \"web\" {{\n  image = \"web:1\"\n  port = 80\n  replicas = 3\n  memory = \"{memory}\"\n}}\n")
    };
    let file = EXAMPLES[5].1.replace("count = 2", "count = 3");
    // Each node has 4 GiB, of which 2,972 MiB are for pods: one of 2 GiB.
    let full = judged(&format!("{file}{}", service("2Gi")));
    let of_node = full.effects_of(&SingleFailure::Node("workers".to_owned())).unwrap();
    assert_eq!(of_node.outcome, FailureOutcome::Interrupted);
    assert_eq!(
        of_node.effects[0].reason,
        "the other nodes have no room for 1 pod of web, which wait until the machine is replaced"
    );
    let roomy = judged(&format!("{file}{}", service("1Gi")));
    assert!(roomy.effects_of(&SingleFailure::Node("workers".to_owned())).unwrap().is_survived());
    let more = judged(&format!("{file}{}", service("5Gi")));
    assert_eq!(more.now.len(), 1, "there is no room even now");
    assert!(more.now[0].reason.starts_with("the nodes have no room for 3 pods of web"), "{:?}", more.now);
    assert!(matches!(more.check(RequiredSurvival::Machine), Err(SurvivalError::Broken { .. })));
}
