//! The health of etcd, from the reports of its masters and from its pods.

use std::collections::BTreeSet;

use jiff::SignedDuration;

use super::checks::{CheckArea, CheckStatus, HealthFinding, all_machines, title};
use super::evidence::{
    ApiState, ControlPlaneState, EtcdStatus, HealthEvidence, JoinProgress, ObservedGroup, ObservedMachine, StatusReport,
};
use crate::words::count;

/// Age from which a master's report is ignored: masters report every five minutes.
const STALE: SignedDuration = SignedDuration::from_mins(15);

/// Tenths of etcd's quota from which its size is reported as a problem.
const FULL: u64 = 8;

pub(super) fn etcd(evidence: &HealthEvidence) -> Vec<HealthFinding> {
    let reports = fresh(evidence);
    let mut checks = match &evidence.kubernetes {
        ApiState::Simulated => return Vec::new(),
        ApiState::Answered(census) => pods(evidence, census),
        ApiState::Silent(why) if reports.is_empty() => {
            let unknown = HealthFinding::new(
                CheckArea::Etcd,
                CheckStatus::Unknown,
                format!("the API server did not respond: {why}"),
            );
            vec![
                unknown.advise("masters write how it is every five minutes, which needs no open API: none of them has"),
            ]
        }
        ApiState::Silent(_) => reports.iter().filter_map(|report| lost(&report.status)).collect(),
    };
    let newest = reports.iter().filter(|report| report.status.leader.is_some()).max_by_key(|report| report.written);
    if let Some(StatusReport { status, .. }) = newest {
        checks.extend(strangers(evidence, status));
        checks.extend(absent(evidence, status));
        checks.extend(learners(evidence, status));
        checks.extend(status.alarms.iter().map(|alarm| alarmed(alarm)));
    }
    checks.extend(reports.iter().filter_map(|report| full(&report.status)));
    checks.extend(silent(evidence));
    if checks.is_empty() {
        checks.push(HealthFinding::new(
            CheckArea::Etcd,
            CheckStatus::Healthy,
            healthy(evidence, newest.map(|report| &report.status)),
        ));
    }
    checks
}

/// Returns the recent reports of masters.
fn fresh(evidence: &HealthEvidence) -> Vec<&StatusReport<EtcdStatus>> {
    let reports = masters(evidence).filter_map(|(_, machine)| evidence.etcd.get(&machine.id));
    reports.filter(|report| evidence.at.duration_since(report.written) < STALE).collect()
}

fn masters(evidence: &HealthEvidence) -> impl Iterator<Item = (&ObservedGroup, &ObservedMachine)> {
    all_machines(evidence).filter(|(group, _)| group.masters)
}

/// Returns the member of a group of masters: that of `masters-a` is `etcd-a`.
fn member_of(group: &ObservedGroup) -> String {
    format!("etcd-{}", group.name.trim_start_matches("masters-"))
}

/// Returns the members that the cluster should have.
fn wanted(evidence: &HealthEvidence) -> BTreeSet<String> {
    evidence.groups.iter().filter(|group| group.masters).map(member_of).collect()
}

fn healthy(evidence: &HealthEvidence, newest: Option<&EtcdStatus>) -> String {
    let members = count(wanted(evidence).len(), "member");
    match newest.and_then(|status| status.leader.as_ref()) {
        Some(leader) => format!("{members} serve, {leader} leads"),
        None => format!("{members} serve"),
    }
}

/// Compares the number of ready etcd pods with the number of members.
fn pods(evidence: &HealthEvidence, census: &ControlPlaneState) -> Vec<HealthFinding> {
    let members = wanted(evidence).len();
    let serving = census.pods.iter().filter(|pod| pod.component == "etcd" && pod.trouble.is_none()).count();
    let quorum = members / 2 + 1;
    let finding = format!("{serving} of {} serve", count(members, "member"));
    if serving >= members {
        return Vec::new();
    }
    let check = if serving < quorum {
        HealthFinding::new(CheckArea::Etcd, CheckStatus::Wrong, format!("{finding}: no quorum, nothing can be changed"))
            .advise("the masters' groups replace machines automatically; docs/machines.md explains what to do when volumes are lost")
    } else {
        let spare = serving - quorum;
        let finding = format!("{finding}: {spare} more may fail before the cluster stops");
        HealthFinding::new(CheckArea::Etcd, CheckStatus::Waiting, finding)
            .advise("do not remove another master until all are healthy")
    };
    vec![check]
}

/// Checks a member while the API is silent: an API that answers proves that etcd has a leader, whatever a report contains.
fn lost(status: &EtcdStatus) -> Option<HealthFinding> {
    let (member, at) = (&status.member, status.at.strftime("%H:%M UTC"));
    let finding = match (status.answers, &status.leader) {
        (true, Some(_)) => return None,
        (true, None) => format!("{member} knew no leader at {at}: fewer than half of the members were up, or reach it"),
        (false, _) => format!("{member} did not answer at {at}"),
    };
    Some(HealthFinding::new(CheckArea::Etcd, CheckStatus::Wrong, finding).advise(
        "on its master: `crictl ps --all --name etcd`, `crictl logs`; docs/machines.md explains what to do when etcd is lost",
    ))
}

/// Returns a problem for each member without a master in the file: it counts towards the quorum.
fn strangers<'a>(evidence: &HealthEvidence, status: &'a EtcdStatus) -> impl Iterator<Item = HealthFinding> + use<'a> {
    let wanted = wanted(evidence);
    let strange = status.members.iter().filter(move |member| !wanted.contains(&member.name));
    strange.map(|member| {
        HealthFinding::new(CheckArea::Etcd, CheckStatus::Wrong, format!("{} is a member and belongs to no master", member.name)).advise(
            "it counts when etcd asks for more than half: if it was not added on purpose, `etcdctl member remove` on a master",
        )
    })
}

/// Returns a check for each master that is not a member.
fn absent(evidence: &HealthEvidence, status: &EtcdStatus) -> Vec<HealthFinding> {
    let there: BTreeSet<&str> = status.members.iter().map(|member| member.name.as_str()).collect();
    let absent = wanted(evidence).into_iter().filter(|name| !there.contains(name.as_str()));
    absent
        .map(|name| {
            HealthFinding::new(CheckArea::Etcd, CheckStatus::Waiting, format!("{name} is not a member yet"))
                .advise("its master adds it automatically, one member at a time: see its status")
        })
        .collect()
}

/// Returns a check for each member without a vote. A master promotes its own member as soon as it can, so a master that
/// has finished, or failed, has been without a vote for too long.
fn learners(evidence: &HealthEvidence, status: &EtcdStatus) -> Vec<HealthFinding> {
    let at_work = |name: &str| {
        let machine = masters(evidence).find(|(group, _)| member_of(group) == name).map(|(_, machine)| machine);
        let report = machine.and_then(|machine| evidence.statuses.get(&machine.id));
        report.is_some_and(|report| report.status.state == JoinProgress::Working)
    };
    let learners = status.members.iter().filter(|member| member.learner);
    learners
        .map(|member| {
            let verdict = if at_work(&member.name) { CheckStatus::Waiting } else { CheckStatus::Wrong };
            HealthFinding::new(CheckArea::Etcd, verdict, format!("{} has no vote: it learns what the others have", member.name))
                .advise("its master gives it a vote once it has everything: `journalctl -u quorate-node` there shows what is missing")
        })
        .collect()
}

fn alarmed(alarm: &str) -> HealthFinding {
    let loss = if alarm.starts_with("NOSPACE") { "nothing can be written" } else { "its data is damaged" };
    HealthFinding::new(CheckArea::Etcd, CheckStatus::Wrong, format!("alarm {alarm}: {loss}"))
        .advise("docs/machines.md, \"When etcd raises an alarm\"")
}

/// Checks a member that is about to raise an alarm about its size.
fn full(status: &EtcdStatus) -> Option<HealthFinding> {
    let mib = |bytes: u64| bytes / (1024 * 1024);
    (status.bytes.saturating_mul(10) >= status.quota.saturating_mul(FULL)).then(|| {
        let (member, bytes, quota) = (&status.member, mib(status.bytes), mib(status.quota));
        HealthFinding::new(CheckArea::Etcd, CheckStatus::Wrong, format!("{member} holds {bytes} MiB of {quota}: then it takes no more"))
            .advise("find what creates many or large objects; docs/machines.md, \"When etcd raises an alarm\", explains how to make room")
    })
}

/// Returns a check for each ready master without a recent etcd report, if it has had the time for one.
fn silent(evidence: &HealthEvidence) -> Vec<HealthFinding> {
    let old = |written| evidence.at.duration_since(written) >= STALE;
    let up = masters(evidence).filter(|(_, machine)| {
        let report = evidence.statuses.get(&machine.id);
        report.is_some_and(|report| report.status.state == JoinProgress::Ready && old(report.written))
    });
    up.filter_map(|(group, machine)| {
        let finding = match evidence.etcd.get(&machine.id) {
            Some(report) if !old(report.written) => return None,
            Some(report) => format!("the last report of {} is {} old", title(group, machine), age(evidence, report)),
            None => format!("{} has not reported yet", title(group, machine)),
        };
        Some(HealthFinding::new(CheckArea::Etcd, CheckStatus::Waiting, finding).advise(
            "it reports every five minutes: `journalctl -u quorate-etcd` on the machine shows what prevents it",
        ))
    })
    .collect()
}

fn age(evidence: &HealthEvidence, report: &StatusReport<EtcdStatus>) -> String {
    let minutes = evidence.at.duration_since(report.written).as_mins();
    if minutes < 120 { format!("{minutes} minutes") } else { format!("{} hours", minutes / 60) }
}
