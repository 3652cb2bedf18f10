//! What was found out about a cluster.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Everything that was found out at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Evidence {
    /// When.
    pub at: Timestamp,
    /// The groups of machines.
    pub groups: Vec<Group>,
    /// The target groups that load balancers send to.
    pub target_groups: Vec<String>,
    /// What load balancers think of the machines behind them.
    pub targets: Vec<Target>,
    /// What machines wrote of themselves, by instance.
    pub statuses: BTreeMap<String, Report>,
    /// What masters wrote of etcd, by instance.
    pub etcd: BTreeMap<String, Report<EtcdStatus>>,
    /// What the API server says.
    pub kubernetes: Api,
    /// Names that should lead somewhere.
    pub names: Vec<Name>,
    /// Certificates that should last.
    pub certificates: Vec<Certificate>,
}

/// A group of machines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Its object's name, for example `masters-a`.
    pub name: String,
    /// Whether its machines are masters.
    pub masters: bool,
    /// How many machines it should have: exactly, or at least.
    pub wanted: usize,
    /// The machines that it has.
    pub machines: Vec<Machine>,
}

/// A machine of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Machine {
    /// Its instance's id.
    pub id: String,
    /// Its zone.
    pub zone: String,
    /// What Auto Scaling says of it: `InService` is well.
    pub state: String,
}

/// A machine behind a load balancer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The target group's object's name.
    pub group: String,
    /// Whether it is a master, behind the Kubernetes API.
    pub masters: bool,
    /// The instance.
    pub instance: String,
    /// Its state: `healthy` is well.
    pub state: String,
    /// What the load balancer says about it.
    pub reason: String,
}

/// What a machine wrote of itself: the object `nodes/<instance>/status.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// The step that it is in, or was in last.
    pub step: String,
    /// How far it is.
    pub state: Progress,
    /// When it wrote that, by its own clock.
    pub at: Timestamp,
    /// When the first of its certificates ends, if it has any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificates_end: Option<Timestamp>,
}

/// How far a machine is on its way into the cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Progress {
    /// It works on a step.
    Working,
    /// A step failed; it tries again.
    Failed,
    /// It is through.
    Ready,
}

/// What a master wrote of etcd: the object `nodes/<instance>/etcd.json`, every few minutes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EtcdStatus {
    /// When it wrote that, by its own clock.
    pub at: Timestamp,
    /// Its own member: `etcd-a`.
    pub member: String,
    /// Whether that member answers.
    pub answers: bool,
    /// The member that leads; nothing if its own member knows none.
    pub leader: Option<String>,
    /// All members that its own member knows.
    pub members: Vec<EtcdMember>,
    /// What keeps etcd from working, and whose: `NOSPACE of etcd-b`.
    pub alarms: Vec<String>,
    /// How large its member's data is.
    pub bytes: u64,
    /// How large it may become.
    pub quota: u64,
}

/// A member of etcd.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EtcdMember {
    /// Its name: `etcd-a`.
    pub name: String,
    /// Whether it only learns, and has no vote.
    pub learner: bool,
}

/// What a machine wrote, and when it was written by the store's clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report<T = Status> {
    /// What the machine wrote.
    pub status: T,
    /// When the store took it.
    pub written: Timestamp,
}

/// What the API server says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Api {
    /// There is none: the cloud is simulated.
    Simulated,
    /// It does not answer, or not to us.
    Silent(String),
    /// It told.
    Told(Census),
}

/// The nodes and the control plane of a cluster.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Census {
    /// Its nodes.
    pub nodes: Vec<Node>,
    /// The pods of its control plane.
    pub pods: Vec<Pod>,
    /// The other pods that every cluster needs: network, names, the cloud's controllers.
    pub system: Vec<Pod>,
}

/// A Node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Its name.
    pub name: String,
    /// The instance that it is, as its provider id ends.
    pub instance: String,
    /// Why it is not ready; nothing if it is.
    pub trouble: Option<String>,
    /// Whether the cloud controller manager has looked at it. Until then it takes no ordinary pods.
    pub initialized: bool,
}

/// A pod of the cluster's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pod {
    /// What it runs: `etcd`, `kube-apiserver`, `kube-proxy`, …
    pub component: String,
    /// The node that it is on.
    pub node: String,
    /// Why it is not ready; nothing if it is.
    pub trouble: Option<String>,
}

/// A name that should lead somewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    /// The name.
    pub name: String,
    /// Why it leads nowhere; nothing if it leads somewhere.
    pub trouble: Option<String>,
}

/// A certificate that should last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// Which one.
    pub name: String,
    /// When it ends, or why nobody can tell.
    pub end: Result<Timestamp, String>,
}
