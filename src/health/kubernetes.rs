//! The health of Kubernetes, from its API: the control plane, the nodes, and the pods that every cluster needs.

use std::collections::{BTreeMap, BTreeSet};

use super::checks::{CheckArea, CheckStatus, HealthFinding, all_machines, healthy_unless, title};
use super::evidence::{ApiState, ControlPlaneState, HealthEvidence, NodeState};
use crate::words::count;

/// The components that run on every master.
const COMPONENTS: [&str; 4] = ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"];
/// Other components that every cluster needs, by the label of their pods, and the consequence if one is missing.
const SYSTEM: [(&str, &str); 3] = [
    ("aws-cloud-controller-manager", "new nodes accept no pods and have no routes"),
    ("kube-dns", "DNS does not work in pods"),
    ("kube-proxy", "services are not reached"),
];
/// Components that should run on more than one machine, and the consequence of their loss.
const SPREAD: [(&str, &str); 2] = [
    ("kube-dns", "DNS does not work in pods while it is gone"),
    ("ebs-csi-controller", "no volume is made or attached while it is gone"),
];
/// The component that runs on masters only: nodes do not count as other machines that could run it.
const OF_MASTERS: &str = "ebs-csi-controller";

pub(super) fn kubernetes(evidence: &HealthEvidence) -> Vec<HealthFinding> {
    let areas = [CheckArea::ControlPlane, CheckArea::Nodes, CheckArea::System];
    match &evidence.kubernetes {
        ApiState::Simulated => {
            vec![HealthFinding::new(CheckArea::Nodes, CheckStatus::Simulated, "no Kubernetes runs in the sandbox")]
        }
        ApiState::Silent(why) => areas
            .into_iter()
            .map(|area| {
                HealthFinding::new(area, CheckStatus::Unknown, format!("the API server did not respond: {why}"))
            })
            .enumerate()
            .map(|(place, check)| if place == 0 { check.advise(CLOSED) } else { check })
            .collect(),
        ApiState::Answered(census) => {
            [control_plane(evidence, census), nodes(evidence, census), system(evidence, census)].concat()
        }
    }
}

/// The usual reason why the API does not answer.
const CLOSED: &str = "the API is open to the ranges of `api.allow` in the file, and to those of `quorate access open` \
                      for a limited time. After the first apply it takes some minutes to become reachable";

fn control_plane(evidence: &HealthEvidence, census: &ControlPlaneState) -> Vec<HealthFinding> {
    let area = CheckArea::ControlPlane;
    let nodes: BTreeMap<&str, &str> =
        census.nodes.iter().map(|node| (node.instance.as_str(), node.name.as_str())).collect();
    let mut checks = Vec::new();
    for (group, machine) in all_machines(evidence).filter(|(group, _)| group.masters) {
        let Some(node) = nodes.get(machine.id.as_str()) else { continue };
        for (trouble, components) in troubles(census, node) {
            let finding = format!("{}: {}: {trouble}", title(group, machine), components.join(", "));
            checks.push(
                HealthFinding::new(area, CheckStatus::Waiting, finding)
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
        checks.push(
            HealthFinding::new(area, CheckStatus::Waiting, finding).advise("the others are not Nodes yet: see below"),
        );
    }
    healthy_unless(&mut checks, area, || format!("runs on {}", count(masters, "master")));
    checks
}

/// Returns the problems of a master's pods, each with the components that have it.
fn troubles<'a>(census: &'a ControlPlaneState, node: &str) -> BTreeMap<&'a str, Vec<&'static str>> {
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

fn nodes(evidence: &HealthEvidence, census: &ControlPlaneState) -> Vec<HealthFinding> {
    let area = CheckArea::Nodes;
    let known: BTreeMap<&str, &NodeState> = census.nodes.iter().map(|node| (node.instance.as_str(), node)).collect();
    let mut checks = Vec::new();
    // Includes machines that start or terminate: they still are machines.
    let machines: BTreeSet<&str> =
        evidence.groups.iter().flat_map(|group| &group.machines).map(|machine| machine.id.as_str()).collect();
    for (group, machine) in all_machines(evidence) {
        let finding = match known.get(machine.id.as_str()) {
            None => format!("{} is not a Node", title(group, machine)),
            Some(NodeState { name, trouble: Some(trouble), .. }) => {
                format!("{} ({name}): {trouble}", title(group, machine))
            }
            Some(_) => continue,
        };
        checks.push(
            HealthFinding::new(area, CheckStatus::Waiting, finding)
                .advise("`journalctl -u kubelet` on the machine shows what it waits for"),
        );
    }
    checks.extend(census.nodes.iter().filter(|node| !node.initialized).map(|node| {
        HealthFinding::new(
            area,
            CheckStatus::Waiting,
            format!("{} takes no pods: it is not initialized yet", node.name),
        )
        .advise("the cloud controller manager does this: `kubectl -n kube-system logs ds/aws-cloud-controller-manager`")
    }));
    for node in census.nodes.iter().filter(|node| !machines.contains(node.instance.as_str())) {
        let finding = format!("{} is a Node without a machine ({})", node.name, node.instance);
        checks.push(
            HealthFinding::new(area, CheckStatus::Waiting, finding)
                .advise("the cloud controller manager removes it within minutes; `kubectl delete node` does it now"),
        );
    }
    healthy_unless(&mut checks, area, || format!("{} ready", count(census.nodes.len(), "node")));
    checks
}

fn system(evidence: &HealthEvidence, census: &ControlPlaneState) -> Vec<HealthFinding> {
    let area = CheckArea::System;
    let there: BTreeSet<&str> = census.system.iter().map(|pod| pod.component.as_str()).collect();
    let missing = SYSTEM.iter().filter(|(component, _)| !there.contains(component));
    let mut checks: Vec<HealthFinding> = missing
        .map(|(component, loss)| {
            HealthFinding::new(area, CheckStatus::Waiting, format!("{component} has no pod: {loss}"))
                .advise("masters and `quorate apply` create these; `kubectl -n kube-system get all` shows the progress")
        })
        .collect();
    // A DaemonSet that cannot start would be reported once for each node.
    let mut troubles: BTreeMap<(&str, &str), Vec<&str>> = BTreeMap::new();
    for pod in &census.system {
        let Some(trouble) = &pod.trouble else { continue };
        troubles.entry((&pod.component, trouble)).or_default().push(&pod.node);
    }
    checks.extend(troubles.into_iter().map(|((component, trouble), nodes)| {
        let place = if let [node] = nodes[..] { node.to_owned() } else { count(nodes.len(), "node") };
        let on = if place.is_empty() { String::new() } else { format!(" on {place}") };
        HealthFinding::new(area, CheckStatus::Waiting, format!("{component}{on}: {trouble}"))
            .advise("`kubectl -n kube-system describe pods` and `kubectl -n kube-system logs` say more")
    }));
    checks.extend(SPREAD.iter().filter_map(|(component, loss)| hanging(evidence, census, component, loss)));
    healthy_unless(&mut checks, area, || format!("{} ready", count(census.system.len(), "pod")));
    checks
}

/// Checks that a component does not run on one machine only, if others could run it too.
fn hanging(
    evidence: &HealthEvidence,
    census: &ControlPlaneState,
    component: &str,
    loss: &str,
) -> Option<HealthFinding> {
    let machines = all_machines(evidence).filter(|(group, _)| group.masters || component != OF_MASTERS).count();
    let working = census.system.iter().filter(|pod| pod.component == component && pod.trouble.is_none());
    let nodes: BTreeSet<&str> = working.map(|pod| pod.node.as_str()).collect();
    let node = nodes.first().filter(|_| nodes.len() == 1 && machines > 1)?;
    let finding = format!("{component} works on {node} alone: {loss}");
    Some(HealthFinding::new(CheckArea::System, CheckStatus::Waiting, finding).advise(format!(
        "a second pod starts on another machine as soon as one takes it; where there is no second one, \
         `kubectl -n kube-system scale deployment {} --replicas 2`",
        if component == "kube-dns" { "coredns" } else { component }
    )))
}
