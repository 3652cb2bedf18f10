//! The judgement: one check an area that is well, one a thing that is not.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::etcd;
use super::evidence::{Api, Census, Certificate, Evidence, Group, Machine, Node, Progress};

/// What every master runs.
const COMPONENTS: [&str; 4] = ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"];
/// What no cluster works without besides, by the name in its pods' labels, and what it is for.
const SYSTEM: [(&str, &str); 3] = [
    ("aws-cloud-controller-manager", "new nodes take no pods and have no routes"),
    ("kube-dns", "pods find nothing by name"),
    ("kube-proxy", "services are not reached"),
];
/// How long before its end a certificate is no longer well: masters renew theirs 90 days before.
const SOON: SignedDuration = SignedDuration::from_hours(30 * 24);
/// How much a machine's clock may be ahead of the store's, which tells whole seconds.
const AHEAD: SignedDuration = SignedDuration::from_secs(5);
/// How much it may seem to be behind: a machine looks at its clock, and then writes, several times if it must.
const BEHIND: SignedDuration = SignedDuration::from_mins(2);

/// What a check is about, in the order in which a cluster comes up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Area {
    /// Auto Scaling groups have their machines.
    Machines,
    /// Machines are through with their first script.
    Boot,
    /// Clocks agree.
    Clocks,
    /// etcd has its members.
    Etcd,
    /// Masters run the control plane.
    ControlPlane,
    /// Machines are Nodes, and ready.
    Nodes,
    /// The pods that make nodes a cluster: network, names, the cloud's controllers.
    System,
    /// Load balancers reach what is behind them.
    Targets,
    /// Names lead somewhere.
    Names,
    /// Certificates last.
    Certificates,
}

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// As it should be.
    Well,
    /// There is nothing to look at: the cloud is simulated.
    Simulated,
    /// It could not be looked at.
    Unknown,
    /// Not as it should be, and it may become so by itself.
    Waiting,
    /// Not as it should be.
    Wrong,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// What it is about.
    pub area: Area,
    /// How it is.
    pub verdict: Verdict,
    /// What was found.
    pub finding: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub advice: Option<String>,
}

impl Check {
    pub(super) fn new(area: Area, verdict: Verdict, finding: impl Into<String>) -> Self {
        Self { area, verdict, finding: finding.into(), advice: None }
    }

    pub(super) fn advise(self, advice: impl Into<String>) -> Self {
        Self { advice: Some(advice.into()), ..self }
    }

    /// Whether it says that the cluster is not as it should be, or that nobody can tell.
    pub fn is_trouble(&self) -> bool {
        !matches!(self.verdict, Verdict::Well | Verdict::Simulated)
    }
}

/// Judges what was found out: checks in the order of areas.
pub fn examine(evidence: &Evidence) -> Vec<Check> {
    [machines, boot, clocks, etcd::etcd, kubernetes, targets, names, certificates]
        .into_iter()
        .flat_map(|part| part(evidence))
        .collect()
}

fn machines(evidence: &Evidence) -> Vec<Check> {
    let area = Area::Machines;
    let short = evidence.groups.iter().filter(|group| in_service(group).count() < group.wanted);
    let mut checks: Vec<Check> = short
        .map(|group| {
            let finding = format!("{}: {} of {} in service", group.name, in_service(group).count(), group.wanted);
            Check::new(area, Verdict::Waiting, finding).advise(
                "the group starts machines by itself; its activity history in the EC2 console says what stops it",
            )
        })
        .collect();
    let all = evidence.groups.iter().map(|group| in_service(group).count()).sum::<usize>();
    let groups = evidence.groups.len();
    well_unless(&mut checks, area, || format!("{} in {}", count(all, "machine"), count(groups, "group")));
    checks
}

fn boot(evidence: &Evidence) -> Vec<Check> {
    let area = Area::Boot;
    if evidence.kubernetes == Api::Simulated {
        return vec![Check::new(area, Verdict::Simulated, "machines are simulated: they run nothing")];
    }
    let mut checks = Vec::new();
    for (group, machine) in all_machines(evidence) {
        let check = match evidence.statuses.get(&machine.id).map(|report| &report.status) {
            Some(status) if status.state == Progress::Ready => continue,
            Some(status) if status.state == Progress::Working => {
                Check::new(area, Verdict::Waiting, format!("{} is at the step {}", title(group, machine), status.step))
                    .advise(
                        "the console output of the instance says how far it is; docs/machines.md explains each step",
                    )
            }
            Some(status) => Check::new(
                area,
                Verdict::Wrong,
                format!("{} failed in the step {}", title(group, machine), status.step),
            )
            .advise("it tries again; `journalctl -u quorate-node` on it, or its console output, says why"),
            None => Check::new(area, Verdict::Waiting, format!("{} has not reported yet", title(group, machine)))
                .advise("a machine reports within two minutes; if it does not, its console output says why"),
        };
        checks.push(check);
    }
    well_unless(&mut checks, area, || "every machine is through with node.sh".to_owned());
    checks
}

fn clocks(evidence: &Evidence) -> Vec<Check> {
    let area = Area::Clocks;
    if evidence.statuses.is_empty() {
        return Vec::new();
    }
    let mut checks = Vec::new();
    for (group, machine) in all_machines(evidence) {
        let Some((at, written)) = last_word(evidence, machine) else { continue };
        let ahead = at.duration_since(written);
        if ahead > AHEAD || -ahead > BEHIND {
            let way = if ahead.is_positive() { "ahead" } else { "behind" };
            let finding = format!("the clock of {} is {} s {way}", title(group, machine), ahead.abs().as_secs());
            checks.push(
                Check::new(area, Verdict::Wrong, finding)
                    .advise("certificates and etcd need clocks that agree: look at `chronyc tracking` on it"),
            );
        }
    }
    well_unless(&mut checks, area, || "machines agreed with S3 when they last reported".to_owned());
    checks
}

/// When a machine wrote last, by its own clock and by the store's.
fn last_word(evidence: &Evidence, machine: &Machine) -> Option<(Timestamp, Timestamp)> {
    let status = evidence.statuses.get(&machine.id).map(|report| (report.status.at, report.written));
    let etcd = evidence.etcd.get(&machine.id).map(|report| (report.status.at, report.written));
    status.into_iter().chain(etcd).max_by_key(|(_, written)| *written)
}

fn kubernetes(evidence: &Evidence) -> Vec<Check> {
    let areas = [Area::ControlPlane, Area::Nodes, Area::System];
    match &evidence.kubernetes {
        Api::Simulated => vec![Check::new(Area::Nodes, Verdict::Simulated, "no Kubernetes runs in the sandbox")],
        Api::Silent(why) => areas
            .into_iter()
            .map(|area| Check::new(area, Verdict::Unknown, format!("the API server did not tell: {why}")))
            .enumerate()
            .map(|(place, check)| if place == 0 { check.advise(CLOSED) } else { check })
            .collect(),
        Api::Told(census) => [control_plane(evidence, census), nodes(evidence, census), system(census)].concat(),
    }
}

/// What keeps most people from the API.
const CLOSED: &str = "it answers to whom `api.allow` in the file lets in, or `quorate access open` for a while; and to \
                      nobody for some minutes after the first apply";

fn control_plane(evidence: &Evidence, census: &Census) -> Vec<Check> {
    let area = Area::ControlPlane;
    let nodes: BTreeMap<&str, &str> =
        census.nodes.iter().map(|node| (node.instance.as_str(), node.name.as_str())).collect();
    let mut checks = Vec::new();
    for (group, machine) in all_machines(evidence).filter(|(group, _)| group.masters) {
        let Some(node) = nodes.get(machine.id.as_str()) else { continue };
        for (trouble, components) in troubles(census, node) {
            let finding = format!("{}: {}: {trouble}", title(group, machine), components.join(", "));
            checks.push(
                Check::new(area, Verdict::Waiting, finding)
                    .advise("on the machine: `crictl ps --all`, `crictl logs`, `journalctl -u kubelet`"),
            );
        }
    }
    let masters: usize = evidence.groups.iter().filter(|group| group.masters).map(|group| group.wanted).sum();
    let joined = all_machines(evidence)
        .filter(|(group, machine)| group.masters && nodes.contains_key(machine.id.as_str()))
        .count();
    if joined < masters {
        let finding = format!("{joined} of {} run it", count(masters, "master"));
        checks.push(Check::new(area, Verdict::Waiting, finding).advise("the others are not Nodes yet: see below"));
    }
    well_unless(&mut checks, area, || format!("runs on {}", count(masters, "master")));
    checks
}

/// What is wrong with a master's pods: each trouble with those that have it.
fn troubles<'a>(census: &'a Census, node: &str) -> BTreeMap<&'a str, Vec<&'static str>> {
    let mut troubles: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for component in COMPONENTS {
        let pod = census.pods.iter().find(|pod| pod.component == component && pod.node == node);
        match pod.map(|pod| pod.trouble.as_deref()) {
            Some(None) => {}
            Some(Some(trouble)) => troubles.entry(trouble).or_default().push(component),
            None => troubles.entry("there is no such pod").or_default().push(component),
        }
    }
    troubles
}

fn nodes(evidence: &Evidence, census: &Census) -> Vec<Check> {
    let area = Area::Nodes;
    let known: BTreeMap<&str, &Node> = census.nodes.iter().map(|node| (node.instance.as_str(), node)).collect();
    let mut checks = Vec::new();
    // Also those that are on their way in or out: they are machines all the same.
    let machines: BTreeSet<&str> =
        evidence.groups.iter().flat_map(|group| &group.machines).map(|machine| machine.id.as_str()).collect();
    for (group, machine) in all_machines(evidence) {
        let finding = match known.get(machine.id.as_str()) {
            None => format!("{} is no Node", title(group, machine)),
            Some(Node { name, trouble: Some(trouble), .. }) => format!("{} ({name}): {trouble}", title(group, machine)),
            Some(_) => continue,
        };
        checks.push(
            Check::new(area, Verdict::Waiting, finding)
                .advise("`journalctl -u kubelet` on the machine says what it waits for"),
        );
    }
    checks.extend(census.nodes.iter().filter(|node| !node.initialized).map(|node| {
        Check::new(area, Verdict::Waiting, format!("{} takes no pods: it is not initialized yet", node.name)).advise(
            "the cloud controller manager does that: `kubectl -n kube-system logs ds/aws-cloud-controller-manager`",
        )
    }));
    for node in census.nodes.iter().filter(|node| !machines.contains(node.instance.as_str())) {
        let finding = format!("{} is a Node without a machine ({})", node.name, node.instance);
        checks.push(
            Check::new(area, Verdict::Waiting, finding)
                .advise("the cloud controller manager removes it within minutes; `kubectl delete node` does it now"),
        );
    }
    well_unless(&mut checks, area, || format!("{} ready", count(census.nodes.len(), "node")));
    checks
}

fn system(census: &Census) -> Vec<Check> {
    let area = Area::System;
    let there: BTreeSet<&str> = census.system.iter().map(|pod| pod.component.as_str()).collect();
    let missing = SYSTEM.iter().filter(|(component, _)| !there.contains(component));
    let mut checks: Vec<Check> = missing
        .map(|(component, loss)| {
            Check::new(area, Verdict::Waiting, format!("{component} has no pod: {loss}")).advise(
                "masters and `quorate apply` put these in place; `kubectl -n kube-system get all` shows how far",
            )
        })
        .collect();
    // A DaemonSet that cannot start would say the same thing once a node.
    let mut troubles: BTreeMap<(&str, &str), Vec<&str>> = BTreeMap::new();
    for pod in &census.system {
        let Some(trouble) = &pod.trouble else { continue };
        troubles.entry((&pod.component, trouble)).or_default().push(&pod.node);
    }
    checks.extend(troubles.into_iter().map(|((component, trouble), nodes)| {
        let place = if let [node] = nodes[..] { node.to_owned() } else { count(nodes.len(), "node") };
        let on = if place.is_empty() { String::new() } else { format!(" on {place}") };
        Check::new(area, Verdict::Waiting, format!("{component}{on}: {trouble}"))
            .advise("`kubectl -n kube-system describe pods` and `kubectl -n kube-system logs` say more")
    }));
    well_unless(&mut checks, area, || format!("{} ready", count(census.system.len(), "pod")));
    checks
}

fn targets(evidence: &Evidence) -> Vec<Check> {
    let area = Area::Targets;
    let ill = evidence.targets.iter().filter(|target| target.state != "healthy");
    let mut checks: Vec<Check> = ill
        .map(|target| {
            let reason = if target.reason.is_empty() { String::new() } else { format!(": {}", target.reason) };
            Check::new(
                area,
                Verdict::Waiting,
                format!("{} in {} is {}{reason}", target.instance, target.group, target.state),
            )
            .advise("a load balancer sends nothing there until the machine's port answers")
        })
        .collect();
    let empty = |group: &&String| evidence.targets.iter().all(|target| target.group != **group);
    checks.extend(evidence.target_groups.iter().filter(empty).map(|group| {
        Check::new(area, Verdict::Waiting, format!("nothing stands behind {group}"))
            .advise("its Auto Scaling groups put their machines there; `quorate plan` says whether they are attached")
    }));
    if evidence.target_groups.is_empty() {
        checks.push(Check::new(area, Verdict::Waiting, "there is no target group").advise("`quorate apply` makes it"));
    }
    let healthy = evidence.targets.len();
    well_unless(&mut checks, area, || format!("{} healthy", count(healthy, "target")));
    checks
}

fn names(evidence: &Evidence) -> Vec<Check> {
    let troubled = evidence.names.iter().filter_map(|name| Some((name, name.trouble.as_ref()?)));
    let mut checks: Vec<Check> = troubled
        .map(|(name, trouble)| {
            Check::new(Area::Names, Verdict::Wrong, format!("{} leads nowhere: {trouble}", name.name)).advise(
                "is the zone delegated? `quorate show` has its name servers; new names take a minute to be known",
            )
        })
        .collect();
    if evidence.names.is_empty() {
        return checks;
    }
    let named: Vec<&str> = evidence.names.iter().map(|name| name.name.as_str()).collect();
    well_unless(&mut checks, Area::Names, || named.join(", "));
    checks
}

fn certificates(evidence: &Evidence) -> Vec<Check> {
    let area = Area::Certificates;
    let mut checks: Vec<Check> = Vec::new();
    let mut ends: Vec<(String, Timestamp)> = Vec::new();
    for Certificate { name, end } in &evidence.certificates {
        match end {
            Ok(end) => ends.push((name.clone(), *end)),
            Err(why) => checks.push(
                Check::new(area, Verdict::Unknown, format!("{name}: {why}"))
                    .advise("`quorate plan` says whether something is missing in the bucket"),
            ),
        }
    }
    for (group, machine) in all_machines(evidence) {
        let report = evidence.statuses.get(&machine.id);
        ends.extend(report.and_then(|report| Some((title(group, machine), report.status.certificates_end?))));
    }
    for (name, end) in ends.iter().filter(|(_, end)| end.duration_since(evidence.at) < SOON) {
        checks
            .push(Check::new(area, Verdict::Wrong, format!("{name}: ends on {}", end.strftime("%Y-%m-%d"))).advise(
                "masters renew theirs 90 days before: `journalctl -u quorate-renew` says why this one was not",
            ));
    }
    let Some(first) = ends.iter().map(|(_, end)| *end).min() else { return checks };
    well_unless(&mut checks, area, || format!("the first of {} ends on {}", ends.len(), first.strftime("%Y-%m-%d")));
    checks
}

pub(super) fn well_unless(checks: &mut Vec<Check>, area: Area, finding: impl FnOnce() -> String) {
    if checks.is_empty() {
        checks.push(Check::new(area, Verdict::Well, finding()));
    }
}

fn in_service(group: &Group) -> impl Iterator<Item = &Machine> {
    group.machines.iter().filter(|machine| machine.state == "InService")
}

pub(super) fn all_machines(evidence: &Evidence) -> impl Iterator<Item = (&Group, &Machine)> {
    evidence.groups.iter().flat_map(|group| in_service(group).map(move |machine| (group, machine)))
}

pub(super) fn title(group: &Group, machine: &Machine) -> String {
    format!("{} ({}, {})", machine.id, group.name, machine.zone)
}

pub(super) fn count(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}
