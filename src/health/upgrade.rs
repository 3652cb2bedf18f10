//! Checks before an upgrade of Kubernetes: what the new version removes, and what blocks the replacement of machines.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::NodeState;

/// The metric in which an API server lists deprecated APIs that clients have requested since its start.
const DEPRECATED: &str = "apiserver_requested_deprecated_apis{";

/// The evidence before an upgrade.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct UpgradeEvidence {
    /// The metrics of an API server, in the text format of Prometheus.
    pub metrics: String,
    /// The nodes.
    pub nodes: Vec<NodeState>,
    /// The disruption budgets.
    pub budgets: Vec<DisruptionBudget>,
}

/// A disruption budget.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DisruptionBudget {
    /// The namespace and the name, for example `default/web`.
    pub name: String,
    /// Number of pods that it is about.
    pub pods: i32,
    /// Number of pods that may be evicted now.
    pub allowed: i32,
}

/// A reason not to upgrade yet.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "finding", rename_all = "snake_case")]
pub enum UpgradeFinding {
    /// Clients request an API that the new version does not have.
    RemovedApi {
        /// The group, version and resource, for example `networking.k8s.io/v1beta1 ipaddresses`.
        api: String,
        /// The version of Kubernetes that removed it.
        removed_in: String,
    },
    /// A node is not ready.
    NodeNotReady {
        /// The node.
        node: String,
        /// Description of its state.
        trouble: String,
    },
    /// A disruption budget allows no eviction, so the nodes of its pods are not drained.
    BlockingBudget {
        /// The namespace and the name.
        budget: String,
    },
}

impl fmt::Display for UpgradeFinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RemovedApi { api, removed_in } => {
                write!(f, "clients use {api}, which Kubernetes {removed_in} removes: change them before the upgrade")
            }
            Self::NodeNotReady { node, trouble } => {
                write!(f, "the node {node} is {trouble}: repair it before the upgrade")
            }
            Self::BlockingBudget { budget } => write!(
                f,
                "the disruption budget {budget} allows no eviction: machines with its pods wait for it when they are drained"
            ),
        }
    }
}

/// Returns the findings before an upgrade to a minor version, for example `(1, 37)`; sorted.
pub fn examine_upgrade(evidence: &UpgradeEvidence, version: (u32, u32)) -> Vec<UpgradeFinding> {
    let mut findings: BTreeSet<UpgradeFinding> = BTreeSet::new();
    findings.extend(evidence.metrics.lines().filter_map(|line| removed_api(line, version)));
    findings.extend(evidence.nodes.iter().filter_map(|node| {
        let trouble = node.trouble.clone()?;
        Some(UpgradeFinding::NodeNotReady { node: node.name.clone(), trouble })
    }));
    let blocking = evidence.budgets.iter().filter(|budget| budget.pods > 0 && budget.allowed < 1);
    findings.extend(blocking.map(|budget| UpgradeFinding::BlockingBudget { budget: budget.name.clone() }));
    findings.into_iter().collect()
}

/// Reads a line such as `apiserver_requested_deprecated_apis{group="a",removed_release="1.37",resource="b",version="v1"} 1`.
fn removed_api(line: &str, version: (u32, u32)) -> Option<UpgradeFinding> {
    let (labels, value) = line.strip_prefix(DEPRECATED)?.rsplit_once('}')?;
    if value.split_whitespace().next()?.parse::<f64>().ok()? <= 0.0 {
        return None;
    }
    let labels: BTreeMap<&str, &str> = labels
        .split("\",")
        .filter_map(|label| label.split_once("=\""))
        .map(|(name, value)| (name, value.trim_end_matches('"')))
        .collect();
    let removed_in = *labels.get("removed_release")?;
    let (major, minor) = removed_in.split_once('.')?;
    if (major.parse::<u32>().ok()?, minor.parse::<u32>().ok()?) > version {
        return None;
    }
    let label = |name: &str| labels.get(name).copied().unwrap_or_default();
    let group = if label("group").is_empty() { String::new() } else { format!("{}/", label("group")) };
    let api = format!("{group}{} {}", label("version"), label("resource"));
    Some(UpgradeFinding::RemovedApi { api, removed_in: removed_in.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    const METRICS: &str = r#"# HELP apiserver_requested_deprecated_apis Gauge of deprecated APIs that have been requested
# TYPE apiserver_requested_deprecated_apis gauge
apiserver_requested_deprecated_apis{group="networking.k8s.io",removed_release="1.37",resource="ipaddresses",subresource="",version="v1beta1"} 1
apiserver_requested_deprecated_apis{group="",removed_release="1.9",resource="componentstatuses",subresource="",version="v1"} 1
apiserver_requested_deprecated_apis{group="",removed_release="",resource="endpoints",subresource="",version="v1"} 1
apiserver_requested_deprecated_apis{group="later.example.com",removed_release="1.40",resource="things",subresource="",version="v1beta1"} 1
apiserver_requested_deprecated_apis{group="unused.example.com",removed_release="1.30",resource="things",subresource="",version="v1beta1"} 0
apiserver_request_total{code="200"} 7
"#;

    fn evidence() -> UpgradeEvidence {
        let node = |name: &str, trouble: Option<&str>| NodeState {
            name: name.to_owned(),
            instance: format!("i-{name}"),
            trouble: trouble.map(str::to_owned),
            initialized: true,
        };
        let budget = |name: &str, pods, allowed| DisruptionBudget { name: name.to_owned(), pods, allowed };
        UpgradeEvidence {
            metrics: METRICS.to_owned(),
            nodes: vec![node("a", None), node("b", Some("not ready: the kubelet stopped"))],
            budgets: vec![budget("default/web", 2, 0), budget("default/chat", 2, 1), budget("default/empty", 0, 0)],
        }
    }

    #[test]
    fn what_the_new_version_removes_and_what_blocks_a_roll_is_found() {
        let lines: Vec<String> = examine_upgrade(&evidence(), (1, 37)).iter().map(ToString::to_string).collect();
        assert_eq!(
            lines,
            [
                "clients use networking.k8s.io/v1beta1 ipaddresses, which Kubernetes 1.37 removes: change them before the upgrade",
                "clients use v1 componentstatuses, which Kubernetes 1.9 removes: change them before the upgrade",
                "the node b is not ready: the kubelet stopped: repair it before the upgrade",
                "the disruption budget default/web allows no eviction: machines with its pods wait for it when they are drained",
            ]
        );
    }

    #[test]
    fn an_api_that_a_later_version_removes_is_no_finding() {
        let findings = examine_upgrade(&evidence(), (1, 36));
        assert!(findings.iter().all(|finding| !finding.to_string().contains("ipaddresses")));
        assert_eq!(examine_upgrade(&UpgradeEvidence::default(), (1, 37)), []);
    }
}
