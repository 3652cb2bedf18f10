//! Checks before an upgrade of Kubernetes: what the new version removes, and what blocks the replacement of machines.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::NodeState;
use crate::words;

/// The metric in which an API server lists deprecated APIs that clients have requested since its start.
const DEPRECATED: &str = "apiserver_requested_deprecated_apis{";
/// The metric of the number of stored objects of each type.
const STORED: &str = "apiserver_resource_objects{";
/// Maximum number of objects that a message names.
const NAMED: usize = 5;

/// The evidence before an upgrade.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct UpgradeEvidence {
    /// The metrics of an API server, in the text format of Prometheus.
    pub metrics: String,
    /// The nodes.
    pub nodes: Vec<NodeState>,
    /// The disruption budgets.
    pub budgets: Vec<DisruptionBudget>,
    /// The API versions that the new version of Kubernetes removes and the server has.
    pub removed: Vec<RemovedVersion>,
}

/// An API version of a type that the new version of Kubernetes removes, and its objects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemovedVersion {
    /// The group, version and resource, for example `networking.k8s.io/v1beta1 servicecidrs`.
    pub api: String,
    /// The version of Kubernetes that removes it.
    pub removed_in: String,
    /// The group of the type.
    pub group: String,
    /// The resource of the type, for example `servicecidrs`.
    pub resource: String,
    /// The objects that were last written in it: name, or namespace and name. `None` if they cannot be listed because the
    /// server has the type in no other version: then all of its objects are stored in it.
    pub objects: Option<Vec<String>>,
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
    /// Objects were last written in an API version that the new version does not have.
    StoredObjects {
        /// The group, version and resource, for example `networking.k8s.io/v1beta1 servicecidrs`.
        api: String,
        /// The version of Kubernetes that removes it.
        removed_in: String,
        /// The number of objects.
        count: usize,
        /// The objects, sorted: name, or namespace and name. Empty if only their number is known.
        objects: Vec<String>,
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
            Self::StoredObjects { api, removed_in, count, objects } => {
                let (verb, them) = if *count == 1 { ("was", "it") } else { ("were", "them") };
                let count = words::count(*count, "object");
                write!(f, "{count} {verb} written as {api}, which Kubernetes {removed_in} removes")?;
                if objects.is_empty() {
                    return write!(f, ": delete {them}, or write {them} in another API version, before the upgrade");
                }
                let names = words::first(objects, NAMED);
                write!(f, " ({names}): write {them} in another API version before the upgrade")
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
    findings.extend(evidence.removed.iter().filter_map(|removed| stored_objects(removed, &evidence.metrics)));
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
    let sample = MetricSample::read(line, DEPRECATED).filter(|sample| sample.value > 0.0)?;
    let removed_in = *sample.labels.get("removed_release")?;
    let (major, minor) = removed_in.split_once('.')?;
    if (major.parse::<u32>().ok()?, minor.parse::<u32>().ok()?) > version {
        return None;
    }
    let group = if sample.label("group").is_empty() { String::new() } else { format!("{}/", sample.label("group")) };
    let api = format!("{group}{} {}", sample.label("version"), sample.label("resource"));
    Some(UpgradeFinding::RemovedApi { api, removed_in: removed_in.to_owned() })
}

/// Returns the finding about the objects of a removed API version, if there are any.
fn stored_objects(removed: &RemovedVersion, metrics: &str) -> Option<UpgradeFinding> {
    let objects = removed.objects.clone().unwrap_or_default();
    let count = match &removed.objects {
        Some(objects) => objects.len(),
        None => stored_count(removed, metrics),
    };
    let (api, removed_in) = (removed.api.clone(), removed.removed_in.clone());
    (count > 0).then_some(UpgradeFinding::StoredObjects { api, removed_in, count, objects })
}

/// Returns the number of stored objects of a type: `apiserver_resource_objects{group="a",resource="b"} 2`. It is negative if the
/// server could not count them.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a number of objects")]
fn stored_count(removed: &RemovedVersion, metrics: &str) -> usize {
    let samples = metrics.lines().filter_map(|line| MetricSample::read(line, STORED));
    let mut of_type =
        samples.filter(|sample| sample.label("group") == removed.group && sample.label("resource") == removed.resource);
    of_type.next().map_or(0, |sample| sample.value.max(0.0) as usize)
}

/// One line of the metrics.
struct MetricSample<'a> {
    labels: BTreeMap<&'a str, &'a str>,
    value: f64,
}

impl<'a> MetricSample<'a> {
    /// Reads a line of a metric, whose name ends with the bracket of its labels.
    fn read(line: &'a str, metric: &str) -> Option<Self> {
        let (labels, value) = line.strip_prefix(metric)?.rsplit_once('}')?;
        let value = value.split_whitespace().next()?.parse().ok()?;
        let labels = labels.split("\",").filter_map(|label| label.split_once("=\""));
        Some(Self { labels: labels.map(|(name, value)| (name, value.trim_end_matches('"'))).collect(), value })
    }

    /// Returns the value of a label; empty if the sample does not have it.
    fn label(&self, name: &str) -> &'a str {
        self.labels.get(name).copied().unwrap_or_default()
    }
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
apiserver_resource_objects{group="storagemigration.k8s.io",resource="storageversionmigrations"} 2
apiserver_resource_objects{group="scheduling.k8s.io",resource="workloads"} -1
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
            removed: Vec::new(),
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
    fn objects_of_a_removed_api_version_are_named_or_counted() {
        let removed = |group: &str, resource: &str, objects: Option<&[&str]>| RemovedVersion {
            api: format!("{group}/v1alpha1 {resource}"),
            removed_in: "1.37".to_owned(),
            group: group.to_owned(),
            resource: resource.to_owned(),
            objects: objects.map(|objects| objects.iter().map(|&name| name.to_owned()).collect()),
        };
        let evidence = UpgradeEvidence {
            metrics: METRICS.to_owned(),
            removed: vec![
                removed("networking.k8s.io", "servicecidrs", Some(&["extra"])),
                removed("scheduling.k8s.io", "podgroups", Some(&["a/1", "a/2", "a/3", "a/4", "a/5", "b/1"])),
                removed("storage.k8s.io", "volumeattributesclasses", Some(&[])),
                removed("storagemigration.k8s.io", "storageversionmigrations", None),
                removed("scheduling.k8s.io", "workloads", None),
                removed("certificates.k8s.io", "clustertrustbundles", None),
            ],
            ..UpgradeEvidence::default()
        };
        let findings = examine_upgrade(&evidence, (1, 34)).into_iter();
        let lines: Vec<String> =
            findings.map(|finding| finding.to_string()).filter(|line| line.contains("written")).collect();
        assert_eq!(
            lines,
            [
                "1 object was written as networking.k8s.io/v1alpha1 servicecidrs, which Kubernetes 1.37 removes (extra): write \
                 it in another API version before the upgrade",
                "6 objects were written as scheduling.k8s.io/v1alpha1 podgroups, which Kubernetes 1.37 removes (a/1, a/2, a/3, \
                 a/4, a/5 and more): write them in another API version before the upgrade",
                "2 objects were written as storagemigration.k8s.io/v1alpha1 storageversionmigrations, which Kubernetes 1.37 \
                 removes: delete them, or write them in another API version, before the upgrade",
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
