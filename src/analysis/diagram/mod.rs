//! The parts of a cluster that a picture of it shows, where they are, and what a plan does to each.

mod balancers;
mod builder;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use crate::engine::{Action, ExecutablePlan};
use builder::DiagramBuilder;

/// The parts of a cluster: zones as columns, everything else as rows over them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClusterDiagram {
    /// The zones, sorted by name.
    pub zones: Vec<DiagramZone>,
    /// The load balancer of the Kubernetes API.
    pub api: Option<DiagramBalancer>,
    /// The masters, sorted by letter.
    pub masters: Vec<DiagramMaster>,
    /// The node groups, sorted by name.
    pub groups: Vec<DiagramGroup>,
    /// The services, sorted by name.
    pub services: Vec<DiagramService>,
}

/// The change that a plan makes to a part.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PartChange {
    /// Nothing.
    #[default]
    Unchanged,
    /// It is changed in place.
    Changed,
    /// It is replaced, or its machines are.
    Replaced,
    /// It is created.
    Created,
    /// It is deleted.
    Deleted,
    /// It would have to be changed, and cannot be.
    Refused,
}

/// A zone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DiagramZone {
    /// Its name.
    pub name: String,
    /// The address range of its subnet.
    pub cidr: Option<String>,
    /// The change of its subnet.
    pub change: PartChange,
}

/// A load balancer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DiagramBalancer {
    /// The DNS names that point to it, each with its change.
    pub names: Vec<(String, PartChange)>,
    /// The ports that clients connect to, for example `80` and `443 TLS`.
    pub ports: Vec<String>,
    /// `true` if it has public addresses.
    pub is_public: bool,
    /// The zones that it has an address in.
    pub zones: BTreeSet<String>,
    /// Its change, or that of its listeners and target groups.
    pub change: PartChange,
}

/// A master.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DiagramMaster {
    /// Its letter.
    pub member: String,
    /// Its zone.
    pub zone: String,
    /// Its instance size; both sizes if it changes.
    pub size: String,
    /// The change of its machine.
    pub change: PartChange,
    /// Its etcd volume.
    pub volume: Option<DiagramVolume>,
}

/// An etcd volume.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DiagramVolume {
    /// Its size and type; both if they change.
    pub text: String,
    /// Its change.
    pub change: PartChange,
}

/// A node group.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DiagramGroup {
    /// Its name.
    pub name: String,
    /// The instance size; both sizes if it changes.
    pub size: String,
    /// The least and the most machines that an autoscaler may set; `None` if it cannot change the number.
    pub range: Option<(u64, u64)>,
    /// The machines of each zone.
    pub machines: BTreeMap<String, PartCount>,
    /// The change of its machines.
    pub change: PartChange,
}

/// A service.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DiagramService {
    /// Its name.
    pub name: String,
    /// The image of its pods.
    pub image: String,
    /// The least and the most pods that an autoscaler may set; `None` if it cannot change the number.
    pub range: Option<(u64, u64)>,
    /// The pods of each zone, if they are spread evenly.
    pub pods: BTreeMap<String, PartCount>,
    /// The sizes of the volumes of its pods.
    pub volumes: Vec<String>,
    /// Its load balancer.
    pub balancer: Option<DiagramBalancer>,
    /// Its change.
    pub change: PartChange,
}

/// A number of equal parts before and after a plan.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PartCount {
    /// The number before the plan.
    pub before: u64,
    /// The number after the plan.
    pub after: u64,
}

impl ClusterDiagram {
    /// Returns the cluster as a plan leaves it.
    pub fn after(run: &ExecutablePlan) -> Self {
        DiagramBuilder::new(run, false).build()
    }

    /// Returns the cluster with the changes of a plan. What the plan deletes is in it too.
    pub fn with_changes(run: &ExecutablePlan) -> Self {
        DiagramBuilder::new(run, true).build()
    }

    /// Returns the changes that occur in it, each once.
    pub fn changes(&self) -> BTreeSet<PartChange> {
        let balancers = self.api.iter().chain(self.services.iter().filter_map(|service| service.balancer.as_ref()));
        let counts = self.groups.iter().flat_map(|group| group.machines.values());
        let counts = counts.chain(self.services.iter().flat_map(|service| service.pods.values()));
        let mut changes: BTreeSet<PartChange> = self.zones.iter().map(|zone| zone.change).collect();
        for balancer in balancers {
            changes.insert(balancer.change);
            changes.extend(balancer.names.iter().map(|(_, change)| *change));
        }
        changes.extend(self.masters.iter().map(|master| master.change));
        changes.extend(self.masters.iter().filter_map(|master| Some(master.volume.as_ref()?.change)));
        changes.extend(self.groups.iter().map(|group| group.change));
        changes.extend(self.services.iter().map(|service| service.change));
        for count in counts {
            changes.extend((count.after > count.before).then_some(PartChange::Created));
            changes.extend((count.before > count.after).then_some(PartChange::Deleted));
        }
        changes.remove(&PartChange::Unchanged);
        changes
    }
}

impl From<Action> for PartChange {
    fn from(action: Action) -> Self {
        match action {
            Action::Create => Self::Created,
            Action::Delete => Self::Deleted,
            Action::Replace | Action::Roll => Self::Replaced,
            Action::Update => Self::Changed,
            Action::Adopt | Action::Wait => Self::Unchanged,
            Action::Refuse => Self::Refused,
        }
    }
}

impl PartCount {
    /// Returns the larger number.
    pub fn most(self) -> u64 {
        self.before.max(self.after)
    }
}
