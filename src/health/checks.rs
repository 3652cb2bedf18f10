//! The checks: one for each healthy area, one for each problem.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::etcd;
use super::evidence::{
    ApiState, BalancerTarget, CertificateState, HealthEvidence, JoinProgress, ObservedGroup, ObservedMachine,
    StatusReport,
};
use super::kubernetes::kubernetes;
use crate::words::{self, count};

/// Remaining lifetime below which a certificate counts as a problem: masters renew theirs 90 days before.
const SOON: SignedDuration = SignedDuration::from_hours(30 * 24);
/// Maximum time that a machine's clock may be ahead of the store's, which has whole seconds.
const AHEAD: SignedDuration = SignedDuration::from_secs(5);
/// Maximum time that a clock may seem to be behind: a machine reads its clock, and then writes, several times if needed.
const BEHIND: SignedDuration = SignedDuration::from_mins(2);

/// The subject of a check, in the order in which a cluster starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CheckArea {
    /// Auto Scaling groups have their machines.
    Machines,
    /// Machines have finished their first script.
    Boot,
    /// Clocks agree.
    Clocks,
    /// etcd has its members.
    Etcd,
    /// Masters run the control plane.
    ControlPlane,
    /// Machines are Nodes, and ready.
    Nodes,
    /// The pods that every cluster needs: network, DNS, the cloud's controllers.
    System,
    /// Load balancers reach their targets.
    Targets,
    /// DNS names resolve.
    Names,
    /// Certificates do not expire soon.
    Certificates,
}

/// The result of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CheckStatus {
    /// Healthy.
    Healthy,
    /// Not checked: the cloud is simulated.
    Simulated,
    /// The check could not be made.
    Unknown,
    /// Not healthy yet; it may become healthy without intervention.
    Waiting,
    /// Not healthy.
    Wrong,
}

/// The result of one check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HealthFinding {
    /// The subject.
    pub area: CheckArea,
    /// The result.
    pub verdict: CheckStatus,
    /// The finding.
    pub finding: String,
    /// The advice for a problem.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub advice: Option<String>,
    /// The instance of a machine that did not start up.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub machine: Option<String>,
    /// The last lines of the console output of that machine.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub log: Vec<String>,
}

impl HealthFinding {
    pub(super) fn new(area: CheckArea, verdict: CheckStatus, finding: impl Into<String>) -> Self {
        Self { area, verdict, finding: finding.into(), advice: None, machine: None, log: Vec::new() }
    }

    pub(super) fn advise(self, advice: impl Into<String>) -> Self {
        Self { advice: Some(advice.into()), ..self }
    }

    fn about(self, machine: &ObservedMachine) -> Self {
        Self { machine: Some(machine.id.clone()), ..self }
    }

    /// Returns `true` if the check found a problem or could not be made.
    pub fn is_trouble(&self) -> bool {
        !matches!(self.verdict, CheckStatus::Healthy | CheckStatus::Simulated)
    }
}

/// Judges the evidence. Returns checks in the order of areas.
pub fn examine(evidence: &HealthEvidence) -> Vec<HealthFinding> {
    [machines, boot, clocks, etcd::etcd, kubernetes, targets, names, certificates]
        .into_iter()
        .flat_map(|part| part(evidence))
        .collect()
}

fn machines(evidence: &HealthEvidence) -> Vec<HealthFinding> {
    let area = CheckArea::Machines;
    let short = evidence.groups.iter().filter(|group| in_service(group).count() < group.wanted);
    let mut checks: Vec<HealthFinding> = short
        .map(|group| {
            let finding = format!("{}: {} of {} in service", group.name, in_service(group).count(), group.wanted);
            HealthFinding::new(area, CheckStatus::Waiting, finding).advise(
                "the group starts machines by itself; its activity history in the EC2 console shows what prevents it",
            )
        })
        .collect();
    checks.splice(0..0, lost_quorum(evidence));
    let all = evidence.groups.iter().map(|group| in_service(group).count()).sum::<usize>();
    let groups = evidence.groups.len();
    healthy_unless(&mut checks, area, || format!("{} in {}", count(all, "machine"), count(groups, "group")));
    checks
}

/// Returns the finding that too few masters run for etcd's quorum, in the words of `quorate availability`.
fn lost_quorum(evidence: &HealthEvidence) -> Option<HealthFinding> {
    let masters = evidence.groups.iter().filter(|group| group.masters);
    let (wanted, running) =
        masters.fold((0, 0), |(wanted, running), group| (wanted + group.wanted, running + in_service(group).count()));
    (running <= wanted / 2 && wanted > 0).then(|| {
        HealthFinding::new(CheckArea::Machines, CheckStatus::Wrong, words::no_quorum(wanted - running, wanted)).advise(
            "the groups replace the machines, which attach their etcd volumes again; if volumes are lost, restore a snapshot \
             (docs/machines.md)",
        )
    })
}

fn boot(evidence: &HealthEvidence) -> Vec<HealthFinding> {
    let area = CheckArea::Boot;
    if evidence.kubernetes == ApiState::Simulated {
        let mut checks: Vec<HealthFinding> = evidence.groups.iter().filter_map(simulated_problem).collect();
        if checks.is_empty() {
            let finding = "machines are simulated: they run nothing";
            checks.push(HealthFinding::new(area, CheckStatus::Simulated, finding));
        }
        return checks;
    }
    let mut checks = examine_boot(&evidence.groups, &evidence.statuses);
    healthy_unless(&mut checks, area, || "every machine has completed node.sh".to_owned());
    checks
}

/// Returns the finding about a simulated machine that was made to fail. It reports nothing.
fn simulated_problem(group: &ObservedGroup) -> Option<HealthFinding> {
    let finding = format!("{}: {}", group.name, group.problem.as_ref()?);
    let advice = format!("`quorate sandbox restore-boot autoscaling-group/{}` lets its machines boot", group.name);
    Some(HealthFinding::new(CheckArea::Boot, CheckStatus::Wrong, finding).advise(advice))
}

/// Judges the boot of machines by their reports. Returns one finding for each machine in service that is not ready.
pub fn examine_boot(groups: &[ObservedGroup], statuses: &BTreeMap<String, StatusReport>) -> Vec<HealthFinding> {
    let area = CheckArea::Boot;
    let mut checks = Vec::new();
    for (group, machine) in groups.iter().flat_map(|group| in_service(group).map(move |machine| (group, machine))) {
        let check = match statuses.get(&machine.id).map(|report| &report.status) {
            Some(status) if status.state == JoinProgress::Ready => continue,
            Some(status) if status.state == JoinProgress::Working => HealthFinding::new(
                area,
                CheckStatus::Waiting,
                format!("{} is at the step {}", title(group, machine), status.step),
            )
            .advise("`quorate logs` shows its progress; docs/machines.md explains each step"),
            Some(status) => HealthFinding::new(
                area,
                CheckStatus::Wrong,
                format!("{} failed in the step {}", title(group, machine), status.step),
            )
            .about(machine)
            .advise("it retries; `quorate logs` shows the reason (`journalctl -u quorate-node` on the machine)"),
            None => HealthFinding::new(
                area,
                CheckStatus::Waiting,
                format!("{} has not reported yet", title(group, machine)),
            )
            .about(machine)
            .advise("a machine reports within two minutes; if it does not, `quorate logs` shows the reason"),
        };
        checks.push(check);
    }
    checks
}

fn clocks(evidence: &HealthEvidence) -> Vec<HealthFinding> {
    let area = CheckArea::Clocks;
    if evidence.statuses.is_empty() {
        return Vec::new();
    }
    let mut checks = Vec::new();
    for (group, machine) in all_machines(evidence) {
        let Some((at, written)) = last_message(evidence, machine) else { continue };
        let ahead = at.duration_since(written);
        if ahead > AHEAD || -ahead > BEHIND {
            let direction = if ahead.is_positive() { "ahead" } else { "behind" };
            let finding = format!("the clock of {} is {} s {direction}", title(group, machine), ahead.abs().as_secs());
            checks.push(
                HealthFinding::new(area, CheckStatus::Wrong, finding)
                    .advise("certificates and etcd need clocks that agree: run `chronyc tracking` on it"),
            );
        }
    }
    healthy_unless(&mut checks, area, || "machines agreed with S3 when they last reported".to_owned());
    checks
}

/// Returns the time of a machine's last report, by its own clock and by the store's.
fn last_message(evidence: &HealthEvidence, machine: &ObservedMachine) -> Option<(Timestamp, Timestamp)> {
    let status = evidence.statuses.get(&machine.id).map(|report| (report.status.at, report.written));
    let etcd = evidence.etcd.get(&machine.id).map(|report| (report.status.at, report.written));
    status.into_iter().chain(etcd).max_by_key(|(_, written)| *written)
}

fn targets(evidence: &HealthEvidence) -> Vec<HealthFinding> {
    let area = CheckArea::Targets;
    let ill = evidence.targets.iter().filter(|target| target.state != "healthy");
    let mut checks: Vec<HealthFinding> = ill
        .map(|target| {
            let reason = if target.reason.is_empty() { String::new() } else { format!(": {}", target.reason) };
            HealthFinding::new(
                area,
                CheckStatus::Waiting,
                format!("{} in {} is {}{reason}", target.instance, target.group, target.state),
            )
            .advise("a load balancer sends nothing there until the machine's port answers")
        })
        .collect();
    let empty = |group: &&String| evidence.targets.iter().all(|target| target.group != **group);
    checks.extend(evidence.target_groups.iter().filter(empty).map(|group| {
        HealthFinding::new(area, CheckStatus::Waiting, format!("{group} has no targets"))
            .advise("its Auto Scaling groups register their machines; `quorate plan` shows whether they are attached")
    }));
    checks.extend(masters_missing_behind_api(evidence));
    if evidence.target_groups.is_empty() {
        checks.push(
            HealthFinding::new(area, CheckStatus::Waiting, "there is no target group")
                .advise("`quorate apply` makes it"),
        );
    }
    let healthy = evidence.targets.len();
    healthy_unless(&mut checks, area, || format!("{} healthy", count(healthy, "target")));
    checks
}

/// Checks that all masters are behind the API's load balancer: a deleted machine is no target, not an unhealthy one.
fn masters_missing_behind_api(evidence: &HealthEvidence) -> Option<HealthFinding> {
    let wanted: usize = evidence.groups.iter().filter(|group| group.masters).map(|group| group.wanted).sum();
    let masters: Vec<&BalancerTarget> = evidence.targets.iter().filter(|target| target.masters).collect();
    let (there, group) = (masters.len(), &masters.first()?.group);
    (there < wanted).then(|| {
        let finding = format!("{there} of {} are registered in {group}", count(wanted, "master"));
        HealthFinding::new(CheckArea::Targets, CheckStatus::Waiting, finding)
            .advise("their Auto Scaling groups register the others when they are in service")
    })
}

fn names(evidence: &HealthEvidence) -> Vec<HealthFinding> {
    let troubled = evidence.names.iter().filter_map(|name| Some((name, name.trouble.as_ref()?)));
    let mut checks: Vec<HealthFinding> = troubled
        .map(|(name, trouble)| {
            HealthFinding::new(
                CheckArea::Names,
                CheckStatus::Wrong,
                format!("{} does not resolve: {trouble}", name.name),
            )
            .advise("is the zone delegated? `quorate show` has its name servers; new names take a minute to be known")
        })
        .collect();
    if evidence.names.is_empty() {
        return checks;
    }
    let named: Vec<&str> = evidence.names.iter().map(|name| name.name.as_str()).collect();
    healthy_unless(&mut checks, CheckArea::Names, || named.join(", "));
    checks
}

fn certificates(evidence: &HealthEvidence) -> Vec<HealthFinding> {
    let area = CheckArea::Certificates;
    let mut checks: Vec<HealthFinding> = Vec::new();
    let mut ends: Vec<(String, Timestamp)> = Vec::new();
    for CertificateState { name, end } in &evidence.certificates {
        match end {
            Ok(end) => ends.push((name.clone(), *end)),
            Err(why) => checks.push(
                HealthFinding::new(area, CheckStatus::Unknown, format!("{name}: {why}"))
                    .advise("`quorate plan` shows whether something is missing in the bucket"),
            ),
        }
    }
    for (group, machine) in all_machines(evidence) {
        let report = evidence.statuses.get(&machine.id);
        ends.extend(report.and_then(|report| Some((title(group, machine), report.status.certificates_end?))));
    }
    for (name, end) in ends.iter().filter(|(_, end)| end.duration_since(evidence.at) < SOON) {
        checks.push(
            HealthFinding::new(area, CheckStatus::Wrong, format!("{name}: ends on {}", end.strftime("%Y-%m-%d")))
                .advise("masters renew theirs 90 days before: `journalctl -u quorate-renew` shows why this one was not renewed"),
        );
    }
    let Some(first) = ends.iter().map(|(_, end)| *end).min() else { return checks };
    healthy_unless(&mut checks, area, || format!("the first of {} ends on {}", ends.len(), first.strftime("%Y-%m-%d")));
    checks
}

pub(super) fn healthy_unless(checks: &mut Vec<HealthFinding>, area: CheckArea, finding: impl FnOnce() -> String) {
    if checks.is_empty() {
        checks.push(HealthFinding::new(area, CheckStatus::Healthy, finding()));
    }
}

fn in_service(group: &ObservedGroup) -> impl Iterator<Item = &ObservedMachine> {
    group.machines.iter().filter(|machine| machine.state == "InService")
}

pub(super) fn all_machines(evidence: &HealthEvidence) -> impl Iterator<Item = (&ObservedGroup, &ObservedMachine)> {
    evidence.groups.iter().flat_map(|group| in_service(group).map(move |machine| (group, machine)))
}

pub(super) fn title(group: &ObservedGroup, machine: &ObservedMachine) -> String {
    format!("{} ({}, {})", machine.id, group.name, machine.zone)
}
