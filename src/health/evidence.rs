//! The evidence about a cluster's health.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The evidence about a cluster at one time.
#[derive(Debug, Clone, PartialEq)]
pub struct HealthEvidence {
    /// The time.
    pub at: Timestamp,
    /// The groups of machines.
    pub groups: Vec<ObservedGroup>,
    /// The target groups that load balancers send to.
    pub target_groups: Vec<String>,
    /// The targets, with the health that load balancers report.
    pub targets: Vec<BalancerTarget>,
    /// The reports of machines, by instance.
    pub statuses: BTreeMap<String, StatusReport>,
    /// The etcd reports of masters, by instance.
    pub etcd: BTreeMap<String, StatusReport<EtcdStatus>>,
    /// The state of the API server.
    pub kubernetes: ApiState,
    /// DNS names that should resolve.
    pub names: Vec<DnsName>,
    /// Certificates that should not expire soon.
    pub certificates: Vec<CertificateState>,
}

/// A group of machines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObservedGroup {
    /// The name of its object, for example `masters-a`.
    pub name: String,
    /// `true` if its machines are masters.
    pub masters: bool,
    /// Number of machines that it should have: exactly, or at least.
    pub wanted: usize,
    /// The existing machines.
    pub machines: Vec<ObservedMachine>,
    /// What is wrong with its machines, as the cloud reports the group.
    pub problem: Option<String>,
}

/// A machine of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObservedMachine {
    /// Its instance's id.
    pub id: String,
    /// Its zone.
    pub zone: String,
    /// Its state in Auto Scaling: `InService` is healthy.
    pub state: String,
}

/// A machine behind a load balancer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BalancerTarget {
    /// The name of the target group's object.
    pub group: String,
    /// `true` if it is a master, behind the Kubernetes API.
    pub masters: bool,
    /// The instance.
    pub instance: String,
    /// Its state: `healthy` if it is healthy.
    pub state: String,
    /// The reason that the load balancer gives for the state.
    pub reason: String,
}

/// The report of a machine: the object `nodes/<instance>/status.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MachineStatus {
    /// The current or last step.
    pub step: String,
    /// The progress.
    pub state: JoinProgress,
    /// The time of the report, by the machine's own clock.
    pub at: Timestamp,
    /// The time at which the first of its certificates expires, if it has any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificates_end: Option<Timestamp>,
}

/// The progress of a machine that joins the cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum JoinProgress {
    /// A step is running.
    Working,
    /// A step failed; the machine retries it.
    Failed,
    /// All steps are finished.
    Ready,
}

/// The etcd report of a master: the object `nodes/<instance>/etcd.json`, every few minutes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EtcdStatus {
    /// The time of the report, by the master's own clock.
    pub at: Timestamp,
    /// The name of its own member: `etcd-a`.
    pub member: String,
    /// `true` if that member answers.
    pub answers: bool,
    /// The leader; `None` if its own member knows none.
    pub leader: Option<String>,
    /// All members that its own member knows.
    pub members: Vec<EtcdMember>,
    /// The active alarms of etcd, each with its member: `NOSPACE of etcd-b`.
    pub alarms: Vec<String>,
    /// Size of its member's data, in bytes.
    pub bytes: u64,
    /// Maximum size of its member's data, in bytes.
    pub quota: u64,
}

/// A member of etcd.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EtcdMember {
    /// Its name: `etcd-a`.
    pub name: String,
    /// `true` if it is a learner, which has no vote.
    pub learner: bool,
}

/// A report of a machine, with the time at which it was written by the store's clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusReport<T = MachineStatus> {
    /// The contents of the report.
    pub status: T,
    /// The time at which the store received it.
    pub written: Timestamp,
}

/// The state of the API server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ApiState {
    /// No API server: the cloud is simulated.
    Simulated,
    /// It does not answer, or denies the request.
    Silent(String),
    /// It answered.
    Answered(ControlPlaneState),
}

/// The nodes and the control plane of a cluster.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ControlPlaneState {
    /// The nodes.
    pub nodes: Vec<NodeState>,
    /// The pods of its control plane.
    pub pods: Vec<PodState>,
    /// The other pods that every cluster needs: network, DNS, the cloud's controllers.
    pub system: Vec<PodState>,
}

/// A Node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeState {
    /// Its name.
    pub name: String,
    /// The instance of the node, from the end of its provider id.
    pub instance: String,
    /// The reason why it is not ready; `None` if it is.
    pub trouble: Option<String>,
    /// `true` once the cloud controller manager has initialized it. Until then it takes no ordinary pods.
    pub initialized: bool,
}

/// A pod of the cluster's own components.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PodState {
    /// The component: `etcd`, `kube-apiserver`, `kube-proxy`, …
    pub component: String,
    /// The name of its node.
    pub node: String,
    /// The reason why it is not ready; `None` if it is.
    pub trouble: Option<String>,
}

/// A DNS name that should resolve.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DnsName {
    /// The name.
    pub name: String,
    /// The reason why it does not resolve; `None` if it does.
    pub trouble: Option<String>,
}

/// A certificate that should not expire soon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateState {
    /// The certificate's name.
    pub name: String,
    /// The time at which it expires, or the reason why that is unknown.
    pub end: Result<Timestamp, String>,
}
