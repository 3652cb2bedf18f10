//! Checks of etcd: its masters report it every five minutes, and its pods show the rest.

use super::*;

/// Returns a recent report of a master about an etcd of these members, which all serve.
fn word(member: &str, members: &[&str]) -> StatusReport<EtcdStatus> {
    let members = members.iter().map(|name| EtcdMember { name: (*name).to_owned(), learner: false });
    let status = EtcdStatus {
        at: now(),
        member: member.to_owned(),
        answers: true,
        leader: Some("etcd-b".to_owned()),
        members: members.collect(),
        alarms: Vec::new(),
        bytes: 21 << 20,
        quota: 2 << 30,
    };
    StatusReport { status, written: now() }
}

/// Returns the healthy cluster a few hours later: its masters have reported ever since.
fn later() -> HealthEvidence {
    let mut evidence = HealthEvidence { at: now() + SignedDuration::from_hours(5), ..healthy() };
    for (id, member) in [("i-a", "etcd-a"), ("i-b", "etcd-b"), ("i-c", "etcd-c")] {
        let mut report = word(member, &["etcd-a", "etcd-b", "etcd-c"]);
        report.written = evidence.at - SignedDuration::from_mins(4);
        report.status.at = report.written;
        evidence.etcd.insert(id.to_owned(), report);
    }
    evidence
}

fn of<'a>(evidence: &'a mut HealthEvidence, id: &str) -> &'a mut EtcdStatus {
    &mut evidence.etcd.get_mut(id).unwrap().status
}

fn silent(evidence: HealthEvidence) -> HealthEvidence {
    HealthEvidence { kubernetes: ApiState::Silent("timed out".to_owned()), ..evidence }
}

/// Returns the checks of etcd, including healthy ones.
fn messages(evidence: &HealthEvidence) -> String {
    let checks = examine(evidence).into_iter().filter(|check| check.area == CheckArea::Etcd);
    let lines: Vec<String> = checks.map(|check| format!("{:?}: {}", check.verdict, check.finding)).collect();
    lines.join("\n")
}

#[test]
fn a_healthy_etcd_has_a_leader() {
    assert_eq!(messages(&later()), "Healthy: 3 members serve, etcd-b leads");
    assert_eq!(messages(&silent(later())), "Healthy: 3 members serve, etcd-b leads", "that needs no API");
    assert_eq!(messages(&healthy()), "Healthy: 3 members serve", "a cluster that is minutes old has its pods");
}

#[test]
fn members_are_those_of_the_masters() {
    let mut evidence = later();
    for id in ["i-a", "i-b", "i-c"] {
        of(&mut evidence, id).members.remove(2);
        of(&mut evidence, id).members.push(EtcdMember { name: "etcd-x".to_owned(), learner: false });
    }
    insta::assert_snapshot!(messages(&evidence), @r"
    Wrong: etcd-x is a member and belongs to no master
    Waiting: etcd-c is not a member yet
    ");
}

#[test]
fn the_newest_report_counts() {
    let mut evidence = later();
    of(&mut evidence, "i-a").members.remove(2);
    evidence.etcd.get_mut("i-c").unwrap().written += SignedDuration::from_secs(60);
    assert_eq!(messages(&evidence), "Healthy: 3 members serve, etcd-b leads");
}

#[test]
fn a_learner_is_waited_for_while_its_master_works_on_it() {
    let mut evidence = later();
    for id in ["i-a", "i-b", "i-c"] {
        of(&mut evidence, id).members[2].learner = true;
    }
    let learns = "etcd-c has no vote: it learns what the others have";
    assert_eq!(messages(&evidence), format!("Wrong: {learns}"), "its master reports that it is through");
    evidence.statuses.insert("i-c".to_owned(), report(JoinProgress::Working));
    assert_eq!(messages(&evidence), format!("Waiting: {learns}"));
    evidence.statuses.insert("i-c".to_owned(), report(JoinProgress::Failed));
    assert_eq!(messages(&evidence), format!("Wrong: {learns}"));
}

#[test]
fn a_lost_quorum_is_detected_without_the_api() {
    let mut evidence = silent(later());
    for id in ["i-a", "i-b"] {
        of(&mut evidence, id).leader = None;
    }
    *of(&mut evidence, "i-c") = EtcdStatus { answers: false, members: Vec::new(), ..word("etcd-c", &[]).status };
    of(&mut evidence, "i-c").leader = None;
    insta::assert_snapshot!(messages(&evidence), @r"
    Wrong: etcd-a knew no leader at 16:56 UTC: fewer than half of the members were up, or reach it
    Wrong: etcd-b knew no leader at 16:56 UTC: fewer than half of the members were up, or reach it
    Wrong: etcd-c did not answer at 12:00 UTC
    ");
}

#[test]
fn a_moment_without_a_leader_is_over_when_the_api_answers() {
    let mut evidence = later();
    of(&mut evidence, "i-a").leader = None;
    assert_eq!(messages(&evidence), "Healthy: 3 members serve, etcd-b leads");
}

#[test]
fn alarms_and_what_leads_to_them_are_named() {
    let mut evidence = later();
    for id in ["i-a", "i-b", "i-c"] {
        of(&mut evidence, id).alarms = vec!["NOSPACE of etcd-b".to_owned(), "CORRUPT of etcd-a".to_owned()];
    }
    of(&mut evidence, "i-b").bytes = 1800 << 20;
    insta::assert_snapshot!(messages(&evidence), @r"
    Wrong: alarm NOSPACE of etcd-b: nothing can be written
    Wrong: alarm CORRUPT of etcd-a: its data is damaged
    Wrong: etcd-b holds 1800 MiB of 2048: then it takes no more
    ");
}

#[test]
fn an_old_report_shows_its_age_and_nothing_else() {
    let mut evidence = later();
    evidence.etcd.get_mut("i-a").unwrap().written = evidence.at - SignedDuration::from_mins(47);
    evidence.etcd.get_mut("i-b").unwrap().written = evidence.at - SignedDuration::from_mins(200);
    of(&mut evidence, "i-b").alarms = vec!["NOSPACE of etcd-b".to_owned()];
    evidence.etcd.remove("i-c");
    insta::assert_snapshot!(messages(&evidence), @r"
    Waiting: the last report of i-a (masters-a, us-east-1a) is 47 minutes old
    Waiting: the last report of i-b (masters-b, us-east-1a) is 3 hours old
    Waiting: i-c (masters-c, us-east-1a) has not reported yet
    ");
    assert!(
        messages(&silent(evidence)).starts_with("Unknown: the API server did not respond"),
        "old reports are no proof"
    );
}

#[test]
fn everything_that_is_wrong_with_etcd_has_a_way_out() {
    let mut evidence = silent(later());
    *of(&mut evidence, "i-a") = EtcdStatus { leader: None, ..word("etcd-a", &[]).status };
    of(&mut evidence, "i-b").members[2].learner = true;
    of(&mut evidence, "i-b").members[0].name = "etcd-x".to_owned();
    of(&mut evidence, "i-b").alarms = vec!["NOSPACE of etcd-b".to_owned()];
    of(&mut evidence, "i-b").bytes = 2 << 30;
    evidence.etcd.remove("i-c");
    let checks: Vec<HealthFinding> =
        examine(&evidence).into_iter().filter(|check| check.area == CheckArea::Etcd).collect();
    assert_eq!(checks.len(), 7, "{checks:#?}");
    assert!(checks.iter().all(|check| check.advice.is_some()), "{checks:#?}");
}

#[test]
fn a_masters_clock_is_known_from_its_last_report() {
    let mut evidence = later();
    assert_eq!(troubles(&evidence), "");
    of(&mut evidence, "i-b").at += SignedDuration::from_secs(30);
    assert_eq!(troubles(&evidence), "Wrong Clocks: the clock of i-b (masters-b, us-east-1a) is 30 s ahead");
}

#[test]
fn what_a_master_writes_is_read() {
    let written = r#"{"at":"2026-11-22T12:00:00Z","member":"etcd-a","answers":true,"leader":"etcd-b",
        "members":[{"name":"etcd-a","learner":false},{"name":"etcd-b","learner":false},{"name":"etcd-c","learner":false}],
        "alarms":[],"bytes":22020096,"quota":2147483648}"#;
    let read: EtcdStatus = serde_json::from_str(written).unwrap();
    assert_eq!(read, word("etcd-a", &["etcd-a", "etcd-b", "etcd-c"]).status);
}
