//! The health of etcd, from the reports of its masters and from its pods.

use std::collections::BTreeSet;

use jiff::SignedDuration;

use super::checks::{Area, Check, Verdict, all_machines, title};
use super::evidence::{Api, Census, EtcdStatus, Evidence, Group, Machine, Progress, Report};
use crate::words::count;

/// How old a master's word may be: it has one every five minutes.
const STALE: SignedDuration = SignedDuration::from_mins(15);

/// How much of what it may hold etcd may hold before somebody should know: in tenths.
const FULL: u64 = 8;

pub(super) fn etcd(evidence: &Evidence) -> Vec<Check> {
    let told = fresh(evidence);
    let mut checks = match &evidence.kubernetes {
        Api::Simulated => return Vec::new(),
        Api::Told(census) => pods(evidence, census),
        Api::Silent(why) if told.is_empty() => {
            let unknown = Check::new(Area::Etcd, Verdict::Unknown, format!("the API server did not tell: {why}"));
            vec![
                unknown.advise("masters write how it is every five minutes, which needs no open API: none of them has"),
            ]
        }
        Api::Silent(_) => told.iter().filter_map(|report| lost(&report.status)).collect(),
    };
    let newest = told.iter().filter(|report| report.status.leader.is_some()).max_by_key(|report| report.written);
    if let Some(Report { status, .. }) = newest {
        checks.extend(strangers(evidence, status));
        checks.extend(absent(evidence, status));
        checks.extend(learners(evidence, status));
        checks.extend(status.alarms.iter().map(|alarm| alarmed(alarm)));
    }
    checks.extend(told.iter().filter_map(|report| full(&report.status)));
    checks.extend(silent(evidence));
    if checks.is_empty() {
        checks.push(Check::new(Area::Etcd, Verdict::Healthy, well(evidence, newest.map(|report| &report.status))));
    }
    checks
}

/// What masters wrote lately.
fn fresh(evidence: &Evidence) -> Vec<&Report<EtcdStatus>> {
    let reports = masters(evidence).filter_map(|(_, machine)| evidence.etcd.get(&machine.id));
    reports.filter(|report| evidence.at.duration_since(report.written) < STALE).collect()
}

fn masters(evidence: &Evidence) -> impl Iterator<Item = (&Group, &Machine)> {
    all_machines(evidence).filter(|(group, _)| group.masters)
}

/// The member of a group of masters: that of `masters-a` is `etcd-a`.
fn member_of(group: &Group) -> String {
    format!("etcd-{}", group.name.trim_start_matches("masters-"))
}

/// The members that there should be.
fn wanted(evidence: &Evidence) -> BTreeSet<String> {
    evidence.groups.iter().filter(|group| group.masters).map(member_of).collect()
}

fn well(evidence: &Evidence, newest: Option<&EtcdStatus>) -> String {
    let members = count(wanted(evidence).len(), "member");
    match newest.and_then(|status| status.leader.as_ref()) {
        Some(leader) => format!("{members} serve, {leader} leads"),
        None => format!("{members} serve"),
    }
}

/// How many members serve, as their pods say.
fn pods(evidence: &Evidence, census: &Census) -> Vec<Check> {
    let members = wanted(evidence).len();
    let serving = census.pods.iter().filter(|pod| pod.component == "etcd" && pod.trouble.is_none()).count();
    let quorum = members / 2 + 1;
    let finding = format!("{serving} of {} serve", count(members, "member"));
    if serving >= members {
        return Vec::new();
    }
    let check = if serving < quorum {
        Check::new(Area::Etcd, Verdict::Wrong, format!("{finding}: no quorum, nothing can be changed"))
            .advise("the masters' groups replace machines by themselves; docs/machines.md says what to do when volumes are lost")
    } else {
        let spare = serving - quorum;
        let finding = format!("{finding}: {spare} more may fail before the cluster stops");
        Check::new(Area::Etcd, Verdict::Waiting, finding)
            .advise("do not take another master away before all serve again")
    };
    vec![check]
}

/// A member that is out, where no API says so: one that answers has a leader itself, whatever was minutes ago.
fn lost(status: &EtcdStatus) -> Option<Check> {
    let (member, at) = (&status.member, status.at.strftime("%H:%M UTC"));
    let finding = match (status.answers, &status.leader) {
        (true, Some(_)) => return None,
        (true, None) => format!("{member} knew no leader at {at}: fewer than half of the members were up, or reach it"),
        (false, _) => format!("{member} did not answer at {at}"),
    };
    Some(Check::new(Area::Etcd, Verdict::Wrong, finding).advise(
        "on its master: `crictl ps --all --name etcd`, `crictl logs`; docs/machines.md says what to do when etcd is lost",
    ))
}

/// Members that no master of the file has: each counts when etcd asks for more than half.
fn strangers<'a>(evidence: &Evidence, status: &'a EtcdStatus) -> impl Iterator<Item = Check> + use<'a> {
    let wanted = wanted(evidence);
    let strange = status.members.iter().filter(move |member| !wanted.contains(&member.name));
    strange.map(|member| {
        Check::new(Area::Etcd, Verdict::Wrong, format!("{} is a member and belongs to no master", member.name)).advise(
            "it counts when etcd asks for more than half: if nobody of you has added it on purpose, `etcdctl member remove` on a master",
        )
    })
}

/// Masters that are no members.
fn absent(evidence: &Evidence, status: &EtcdStatus) -> Vec<Check> {
    let there: BTreeSet<&str> = status.members.iter().map(|member| member.name.as_str()).collect();
    let absent = wanted(evidence).into_iter().filter(|name| !there.contains(name.as_str()));
    absent
        .map(|name| {
            Check::new(Area::Etcd, Verdict::Waiting, format!("{name} is no member yet"))
                .advise("its master adds it by itself, one at a time: see how far that is")
        })
        .collect()
}

/// Members without a vote. A master gives its own one as soon as it can, so one that says that it is through, or that it
/// failed, has none for too long.
fn learners(evidence: &Evidence, status: &EtcdStatus) -> Vec<Check> {
    let at_work = |name: &str| {
        let machine = masters(evidence).find(|(group, _)| member_of(group) == name).map(|(_, machine)| machine);
        let report = machine.and_then(|machine| evidence.statuses.get(&machine.id));
        report.is_some_and(|report| report.status.state == Progress::Working)
    };
    let learners = status.members.iter().filter(|member| member.learner);
    learners
        .map(|member| {
            let verdict = if at_work(&member.name) { Verdict::Waiting } else { Verdict::Wrong };
            Check::new(Area::Etcd, verdict, format!("{} has no vote: it learns what the others have", member.name))
                .advise("its master gives it a vote once it has everything: `journalctl -u quorate-node` there says what it lacks")
        })
        .collect()
}

fn alarmed(alarm: &str) -> Check {
    let loss = if alarm.starts_with("NOSPACE") { "nothing can be written" } else { "its data is damaged" };
    Check::new(Area::Etcd, Verdict::Wrong, format!("alarm {alarm}: {loss}"))
        .advise("docs/machines.md, \"When etcd raises an alarm\"")
}

/// A member that is about to raise one.
fn full(status: &EtcdStatus) -> Option<Check> {
    let mib = |bytes: u64| bytes / (1024 * 1024);
    (status.bytes.saturating_mul(10) >= status.quota.saturating_mul(FULL)).then(|| {
        let (member, bytes, quota) = (&status.member, mib(status.bytes), mib(status.quota));
        Check::new(Area::Etcd, Verdict::Wrong, format!("{member} holds {bytes} MiB of {quota}: then it takes no more"))
            .advise("something makes many or large objects: find out what; docs/machines.md, \"When etcd raises an alarm\", says how to make room")
    })
}

/// Masters that are up and say nothing of etcd, though they have had the time.
fn silent(evidence: &Evidence) -> Vec<Check> {
    let old = |written| evidence.at.duration_since(written) >= STALE;
    let up = masters(evidence).filter(|(_, machine)| {
        let report = evidence.statuses.get(&machine.id);
        report.is_some_and(|report| report.status.state == Progress::Ready && old(report.written))
    });
    up.filter_map(|(group, machine)| {
        let finding = match evidence.etcd.get(&machine.id) {
            Some(report) if !old(report.written) => return None,
            Some(report) => format!("the last word of {} is {} old", title(group, machine), age(evidence, report)),
            None => format!("{} has not told how it is", title(group, machine)),
        };
        Some(
            Check::new(Area::Etcd, Verdict::Waiting, finding).advise(
                "it has one every five minutes: `journalctl -u quorate-etcd` on it says what keeps it from that",
            ),
        )
    })
    .collect()
}

fn age(evidence: &Evidence, report: &Report<EtcdStatus>) -> String {
    let minutes = evidence.at.duration_since(report.written).as_mins();
    if minutes < 120 { format!("{minutes} minutes") } else { format!("{} hours", minutes / 60) }
}
