//! Checks of clusters in every state.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::*;

mod etcd;

fn now() -> Timestamp {
    "2026-11-22T12:00:00Z".parse().unwrap()
}

fn group(name: &str, masters: bool, machines: &[&str]) -> ObservedGroup {
    let machine = |id: &&str| ObservedMachine {
        id: (*id).to_owned(),
        zone: "us-east-1a".to_owned(),
        state: "InService".to_owned(),
    };
    ObservedGroup {
        name: name.to_owned(),
        masters,
        wanted: machines.len(),
        machines: machines.iter().map(machine).collect(),
        problem: None,
    }
}

fn report(state: JoinProgress) -> StatusReport {
    let status = MachineStatus { step: "join".to_owned(), state, at: now(), certificates_end: None };
    StatusReport { status, written: now() }
}

fn pods(node: &str) -> Vec<PodState> {
    ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"]
        .map(|component| PodState { component: component.to_owned(), node: node.to_owned(), trouble: None })
        .into()
}

/// Returns a healthy cluster of three masters and a node.
fn healthy() -> HealthEvidence {
    let ids = ["i-a", "i-b", "i-c", "i-w"];
    let node = |id: &&str| NodeState {
        name: format!("ip-{id}"),
        instance: (*id).to_owned(),
        trouble: None,
        initialized: true,
    };
    let census = ControlPlaneState {
        nodes: ids.iter().map(node).collect(),
        pods: ["ip-i-a", "ip-i-b", "ip-i-c"].into_iter().flat_map(pods).collect(),
        system: [("aws-cloud-controller-manager", "a"), ("kube-dns", "a"), ("kube-dns", "b"), ("kube-proxy", "a")]
            .map(|(name, node)| PodState { component: name.to_owned(), node: format!("ip-i-{node}"), trouble: None })
            .into(),
    };
    let target = |id: &str| BalancerTarget {
        group: "api".to_owned(),
        masters: true,
        instance: id.to_owned(),
        state: "healthy".to_owned(),
        reason: String::new(),
    };
    HealthEvidence {
        at: now(),
        groups: vec![
            group("masters-a", true, &["i-a"]),
            group("masters-b", true, &["i-b"]),
            group("masters-c", true, &["i-c"]),
            group("nodes-workers", false, &["i-w"]),
        ],
        target_groups: vec!["api".to_owned()],
        targets: ["i-a", "i-b", "i-c"].map(target).into(),
        statuses: ids.map(|id| (id.to_owned(), report(JoinProgress::Ready))).into(),
        etcd: BTreeMap::new(),
        kubernetes: ApiState::Answered(census),
        names: vec![DnsName { name: "api.chat.example.com".to_owned(), trouble: None }],
        certificates: vec![CertificateState {
            name: "the cluster's CA".to_owned(),
            end: Ok(now() + SignedDuration::from_hours(24 * 3650)),
        }],
    }
}

fn census(evidence: &mut HealthEvidence) -> &mut ControlPlaneState {
    match &mut evidence.kubernetes {
        ApiState::Answered(census) => census,
        other => unreachable!("{other:?}"),
    }
}

/// Returns the problems, one on each line.
fn troubles(evidence: &HealthEvidence) -> String {
    let checks = examine(evidence).into_iter().filter(HealthFinding::is_trouble);
    let lines: Vec<String> =
        checks.map(|check| format!("{:?} {:?}: {}", check.verdict, check.area, check.finding)).collect();
    lines.join("\n")
}

#[test]
fn a_healthy_cluster_has_one_finding_for_each_area() {
    let checks = examine(&healthy());
    assert!(checks.iter().all(|check| check.verdict == CheckStatus::Healthy), "{checks:#?}");
    let areas: Vec<CheckArea> = checks.iter().map(|check| check.area).collect();
    let mut sorted = areas.clone();
    sorted.sort();
    sorted.dedup();
    assert_eq!((areas.len(), areas), (10, sorted));
}

#[test]
fn a_single_point_of_failure_is_reported_where_there_are_several_machines() {
    let pod = |component: &str, node: &str| PodState {
        component: component.to_owned(),
        node: node.to_owned(),
        trouble: None,
    };
    let mut evidence = healthy();
    census(&mut evidence).system.retain(|pod| pod.node != "ip-i-b");
    let names = "Waiting System: kube-dns works on ip-i-a alone: DNS does not work in pods while it is gone";
    assert_eq!(troubles(&evidence), names);
    census(&mut evidence).system.push(pod("kube-dns", "ip-i-a"));
    assert_eq!(troubles(&evidence), names, "two pods on one machine are no better");

    let mut evidence = healthy();
    census(&mut evidence).system.push(pod("ebs-csi-controller", "ip-i-c"));
    assert!(troubles(&evidence).contains("ebs-csi-controller works on ip-i-c alone"), "{}", troubles(&evidence));
    census(&mut evidence).system.push(pod("ebs-csi-controller", "ip-i-b"));
    assert_eq!(troubles(&evidence), "");

    // Its pods run on masters: where there is one, one pod is all there can be.
    let mut evidence = healthy();
    evidence.groups.retain(|group| !["masters-b", "masters-c"].contains(&group.name.as_str()));
    census(&mut evidence).system.push(pod("ebs-csi-controller", "ip-i-a"));
    assert!(!troubles(&evidence).contains("alone"), "{}", troubles(&evidence));
}

#[test]
fn every_trouble_comes_with_a_way_out() {
    let mut evidence = healthy();
    evidence.groups[3].wanted = 2;
    evidence.statuses.insert("i-a".to_owned(), report(JoinProgress::Failed));
    evidence.statuses.insert("i-b".to_owned(), report(JoinProgress::Working));
    evidence.statuses.remove("i-c");
    evidence.targets[0].state = "unhealthy".to_owned();
    evidence.names[0].trouble = Some("no such name".to_owned());
    evidence.certificates[0].end = Ok(now() + SignedDuration::from_hours(24 * 7));
    census(&mut evidence).pods.retain(|pod| pod.node != "ip-i-c");
    census(&mut evidence).nodes.retain(|node| node.instance != "i-w");
    for check in examine(&evidence).iter().filter(|check| check.is_trouble()) {
        assert!(check.advice.is_some(), "{check:?}");
    }
    insta::assert_snapshot!(troubles(&evidence), @r"
    Waiting Machines: nodes-workers: 1 of 2 in service
    Wrong Boot: i-a (masters-a, us-east-1a) failed in the step join
    Waiting Boot: i-b (masters-b, us-east-1a) is at the step join
    Waiting Boot: i-c (masters-c, us-east-1a) has not reported yet
    Waiting Etcd: 2 of 3 members serve: 0 more may fail before the cluster stops
    Waiting ControlPlane: i-c (masters-c, us-east-1a): etcd, kube-apiserver, kube-controller-manager, kube-scheduler: there is no such pod
    Waiting Nodes: i-w (nodes-workers, us-east-1a) is not a Node
    Waiting Targets: i-a in api is unhealthy
    Wrong Names: api.chat.example.com does not resolve: no such name
    Wrong Certificates: the cluster's CA: ends on 2026-11-29
    ");
}

#[test]
fn a_master_that_is_no_target_is_missed() {
    let mut evidence = healthy();
    evidence.targets.truncate(1);
    assert_eq!(troubles(&evidence), "Waiting Targets: 1 of 3 masters are registered in api");
}

#[test]
fn the_number_of_masters_that_may_still_fail_is_shown() {
    let mut evidence = healthy();
    census(&mut evidence).pods.retain(|pod| pod.node != "ip-i-c" || pod.component != "etcd");
    assert!(troubles(&evidence).contains("2 of 3 members serve: 0 more may fail"), "{}", troubles(&evidence));
    census(&mut evidence).pods.retain(|pod| pod.node == "ip-i-a" || pod.component != "etcd");
    assert!(troubles(&evidence).contains("1 of 3 members serve: no quorum"), "{}", troubles(&evidence));
}

#[test]
fn a_silent_api_is_not_taken_for_a_healthy_one() {
    let evidence = HealthEvidence { kubernetes: ApiState::Silent("timed out".to_owned()), ..healthy() };
    let unknown = examine(&evidence).into_iter().filter(|check| check.verdict == CheckStatus::Unknown).count();
    assert_eq!(unknown, 4);
}

#[test]
fn the_sandbox_is_neither_healthy_nor_unhealthy() {
    let evidence = HealthEvidence { kubernetes: ApiState::Simulated, statuses: BTreeMap::new(), ..healthy() };
    let simulated = examine(&evidence).into_iter().filter(|check| check.verdict == CheckStatus::Simulated).count();
    assert_eq!((simulated, troubles(&evidence).as_str()), (2, ""));

    let mut evidence = evidence;
    evidence.groups[0].problem = Some("i-1 does not become ready".to_owned());
    assert!(troubles(&evidence).contains("i-1 does not become ready"), "{}", troubles(&evidence));
}

#[test]
fn a_clock_is_compared_with_the_stores_and_not_with_ours() {
    let mut evidence = healthy();
    let late = StatusReport { written: now() - SignedDuration::from_secs(12), ..report(JoinProgress::Ready) };
    evidence.statuses.insert("i-a".to_owned(), late);
    // Long ago by the local clock, but the machine and the store agree.
    let old = now() - SignedDuration::from_hours(100);
    // A machine that had to write several times does not have a wrong clock.
    let slow = StatusReport { written: now() + SignedDuration::from_secs(40), ..report(JoinProgress::Ready) };
    evidence.statuses.insert("i-c".to_owned(), slow);
    let mut agreed = StatusReport { written: old, ..report(JoinProgress::Ready) };
    agreed.status.at = old + SignedDuration::from_secs(1);
    evidence.statuses.insert("i-w".to_owned(), agreed);
    assert_eq!(troubles(&evidence), "Wrong Clocks: the clock of i-a (masters-a, us-east-1a) is 12 s ahead");
}

#[test]
fn what_is_missing_is_not_healthy() {
    let mut evidence = healthy();
    evidence.groups[1].machines.clear();
    evidence.targets.clear();
    evidence.target_groups.push("gone".to_owned());
    evidence.certificates[0].end = Err("Access Denied".to_owned());
    let troubles = troubles(&evidence);
    assert!(troubles.contains("masters-b: 0 of 1 in service"), "{troubles}");
    assert!(troubles.contains("api has no targets"), "{troubles}");
    evidence.target_groups.clear();
    assert!(self::troubles(&evidence).contains("there is no target group"));
    assert!(troubles.contains("Unknown Certificates: the cluster's CA: Access Denied"), "{troubles}");
}

#[test]
fn a_machine_on_its_way_is_no_reason_to_remove_its_node() {
    let mut evidence = healthy();
    evidence.groups[3].machines[0].state = "Standby".to_owned();
    assert!(!troubles(&evidence).contains("without a machine"), "{}", troubles(&evidence));
}

#[test]
fn a_node_without_a_machine_is_named() {
    let mut evidence = healthy();
    let ghost =
        NodeState { name: "ip-gone".to_owned(), instance: "i-gone".to_owned(), trouble: None, initialized: true };
    census(&mut evidence).nodes.push(ghost);
    assert_eq!(troubles(&evidence), "Waiting Nodes: ip-gone is a Node without a machine (i-gone)");
}

#[test]
fn nodes_that_can_run_nothing_are_not_healthy() {
    let mut evidence = healthy();
    census(&mut evidence).system.retain(|pod| pod.component != "aws-cloud-controller-manager");
    census(&mut evidence).nodes[3].initialized = false;
    insta::assert_snapshot!(troubles(&evidence), @r"
    Waiting Nodes: ip-i-w takes no pods: it is not initialized yet
    Waiting System: aws-cloud-controller-manager has no pod: new nodes accept no pods and have no routes
    ");
}

#[test]
fn a_problem_of_a_workload_on_many_nodes_is_reported_once() {
    let mut evidence = healthy();
    let proxy = |node: &str, trouble: &str| PodState {
        component: "kube-proxy".to_owned(),
        node: node.to_owned(),
        trouble: Some(trouble.to_owned()),
    };
    census(&mut evidence).system.extend([proxy("ip-i-b", "not ready"), proxy("ip-i-c", "not ready")]);
    census(&mut evidence)
        .system
        .extend([proxy("ip-i-w", "its image cannot be had"), proxy("", "no node can take a pod")]);
    insta::assert_snapshot!(troubles(&evidence), @r"
    Waiting System: kube-proxy on ip-i-w: its image cannot be had
    Waiting System: kube-proxy: no node can take a pod
    Waiting System: kube-proxy on 2 nodes: not ready
    ");
}
