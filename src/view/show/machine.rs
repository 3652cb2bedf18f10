//! The machines of a cluster, and its node groups.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::engine::{Address, Attributes, GroupMember, Live, RecordedObject, Value};
use crate::resource::{
    AutoScalingGroup, EbsVolume, GROUP_TAG, KubernetesState, LaunchTemplate, Resource, master_of_group, tags_of,
};
use crate::view::line::{StyledLine, TextRole};
use crate::view::table::{Shorten, TableColumn, TextTable};
use crate::words;

use super::{UNKNOWN, or_unknown};

/// A machine, or a missing machine of a group.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct MachineRow {
    /// `master` or `node`.
    pub role: MachineRole,
    /// The node group of a node, or the letter of a master.
    pub group: String,
    /// The etcd member of a master.
    pub member: Option<String>,
    /// The id of the instance; `None` if the machine is missing.
    pub instance: Option<String>,
    /// The zone, if it is known.
    pub zone: Option<String>,
    /// The instance type, if it is known.
    pub size: Option<String>,
    /// The version of its kubelet, if its node is known.
    pub kubelet: Option<String>,
    /// The time of its launch, if it is known.
    pub launched: Option<Timestamp>,
    /// The state.
    pub state: MachineState,
}

/// The role of a machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MachineRole {
    /// A machine of the control plane.
    Master,
    /// A machine for pods.
    Node,
}

/// The state of a machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MachineState {
    /// Its node is ready.
    Ready,
    /// It is in service; the state of its node is unknown.
    Running,
    /// It is in service, and not a node yet.
    Joining,
    /// Its node is not ready.
    NotReady,
    /// Auto Scaling launches it.
    Starting,
    /// Auto Scaling keeps it out of service.
    Standby,
    /// Auto Scaling terminates it.
    Stopping,
    /// Its group has fewer machines than it should have.
    Missing,
}

impl MachineState {
    fn text(self) -> (TextRole, &'static str) {
        match self {
            Self::Ready => (TextRole::Added, "ready"),
            Self::Running => (TextRole::Plain, "running"),
            Self::Joining => (TextRole::Changed, "joining"),
            Self::NotReady => (TextRole::Danger, "not ready"),
            Self::Starting => (TextRole::Changed, "starting"),
            Self::Standby => (TextRole::Changed, "standby"),
            Self::Stopping => (TextRole::Changed, "stopping"),
            Self::Missing => (TextRole::Danger, "missing"),
        }
    }

    /// Determines the state from that of the group's machine, and from its node if nodes are known.
    fn of(member: &GroupMember, kubernetes: Option<&KubernetesState>) -> Self {
        match member.state.as_str() {
            "InService" => match kubernetes.map(|state| state.node(&member.id)) {
                None => Self::Running,
                Some(None) => Self::Joining,
                Some(Some(node)) if node.ready => Self::Ready,
                Some(Some(_)) => Self::NotReady,
            },
            state if state.starts_with("Terminat") || state.starts_with("Detach") => Self::Stopping,
            state if state.starts_with("Pending") => Self::Starting,
            _ => Self::Standby,
        }
    }
}

/// A node group, with the numbers of its machines.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct NodeGroupRow {
    /// Its name in the cluster file.
    pub name: String,
    /// Its instance type, if it is known.
    pub size: Option<String>,
    /// Number of machines that it should have now.
    pub wanted: usize,
    /// Minimum number of machines.
    pub min: usize,
    /// Maximum number of machines.
    pub max: usize,
    /// Number of machines in service.
    pub in_service: usize,
}

/// An Auto Scaling group: as it is observed, or as it was recorded if it does not exist any more.
struct MachineGroup<'a> {
    address: &'a Address,
    attributes: &'a Attributes,
    members: &'a [GroupMember],
}

/// The machines and node groups of a cluster.
pub(super) struct ClusterMachines<'a> {
    groups: Vec<MachineGroup<'a>>,
    live: &'a [Live],
    kubernetes: Option<&'a KubernetesState>,
}

impl<'a> ClusterMachines<'a> {
    pub(super) fn new(
        live: &'a [Live],
        recorded: &'a BTreeMap<Address, RecordedObject>,
        kubernetes: Option<&'a KubernetesState>,
    ) -> Self {
        let is_group = |address: &Address| address.kind() == AutoScalingGroup::KIND.name;
        let observed = live.iter().filter(|live| is_group(&live.address));
        let observed = observed.map(|live| MachineGroup {
            address: &live.address,
            attributes: &live.attributes,
            members: &live.members,
        });
        let exists = |address: &Address| live.iter().any(|live| live.address == *address);
        let lost = recorded.iter().filter(|(address, _)| is_group(address) && !exists(address));
        let lost =
            lost.map(|(address, recorded)| MachineGroup { address, attributes: &recorded.attributes, members: &[] });
        Self { groups: observed.chain(lost).collect(), live, kubernetes }
    }

    /// Returns the machines: masters by their letter, then the nodes of each group. Missing machines are the last of
    /// their group.
    pub(super) fn machines(&self) -> Vec<MachineRow> {
        let mut rows: Vec<MachineRow> = self.groups.iter().flat_map(|group| self.machines_of(group)).collect();
        rows.sort_by_cached_key(|row| (row.role, row.group.clone(), row.instance.is_none(), row.instance.clone()));
        rows
    }

    /// Returns the node groups, sorted by name.
    pub(super) fn node_groups(&self) -> Vec<NodeGroupRow> {
        let nodes = self.groups.iter().filter_map(|group| Some((group, group.node_group()?)));
        let mut rows: Vec<NodeGroupRow> = nodes
            .map(|(group, name)| NodeGroupRow {
                name,
                size: self.template_size(group.address.name()),
                wanted: group.wanted(),
                min: group.number("min").unwrap_or_default(),
                max: group.number("max").unwrap_or_default(),
                in_service: group.members.iter().filter(|member| member.state == "InService").count(),
            })
            .collect();
        rows.sort();
        rows
    }

    fn machines_of(&self, group: &MachineGroup<'_>) -> Vec<MachineRow> {
        let member = master_of_group(group.address.name());
        let (role, name) = match member {
            Some(letter) => (MachineRole::Master, letter.to_owned()),
            None => (MachineRole::Node, group.node_group().unwrap_or_else(|| group.address.name().to_owned())),
        };
        let size = self.template_size(group.address.name());
        let row = |state| MachineRow {
            role,
            group: name.clone(),
            member: member.map(|letter| format!("etcd-{letter}")),
            instance: None,
            zone: None,
            size: size.clone(),
            kubelet: None,
            launched: None,
            state,
        };
        let existing = group.members.iter().map(|machine| MachineRow {
            instance: Some(machine.id.clone()),
            zone: Some(machine.zone.clone()),
            size: machine.size.clone().or_else(|| size.clone()),
            kubelet: self.kubernetes.and_then(|state| state.node(&machine.id)?.kubelet.clone()),
            launched: machine.launched,
            ..row(MachineState::of(machine, self.kubernetes))
        });
        let mut rows: Vec<MachineRow> = existing.collect();
        let staying = rows.iter().filter(|row| row.state != MachineState::Stopping).count();
        let missing = group.wanted().saturating_sub(staying);
        // A master starts in the zone of its volume.
        let zone = member.and_then(|letter| self.text(&EbsVolume::address(&format!("etcd-{letter}")), "zone"));
        rows.extend(std::iter::repeat_n(MachineRow { zone, ..row(MachineState::Missing) }, missing));
        rows
    }

    /// Returns the instance type of new machines of a group: a group and its launch template have one name.
    fn template_size(&self, name: &str) -> Option<String> {
        self.text(&LaunchTemplate::address(name), "instance_size")
    }

    fn text(&self, address: &Address, attribute: &str) -> Option<String> {
        let live = self.live.iter().find(|live| live.address == *address)?;
        live.attributes.get(attribute)?.as_text().map(str::to_owned)
    }
}

impl MachineGroup<'_> {
    fn node_group(&self) -> Option<String> {
        tags_of(self.attributes).remove(GROUP_TAG)
    }

    /// Returns the number of machines that the group should have.
    fn wanted(&self) -> usize {
        self.number("desired").or_else(|| self.number("min")).unwrap_or_default()
    }

    fn number(&self, attribute: &str) -> Option<usize> {
        match self.attributes.get(attribute) {
            Some(Value::Integer(number)) => usize::try_from(*number).ok(),
            _ => None,
        }
    }
}

/// Returns the table of the machines.
pub(super) fn machine_lines(machines: &[MachineRow], now: Timestamp, width: usize) -> Vec<StyledLine> {
    let column = |title, shorten| TableColumn { title, shorten };
    let mut table = TextTable::new([
        column("MACHINE", Shorten::End),
        column("INSTANCE", Shorten::Never),
        column("ZONE", Shorten::Start),
        column("SIZE", Shorten::End),
        column("KUBELET", Shorten::End),
        column("AGE", Shorten::Never),
        column("STATE", Shorten::Never),
    ]);
    for machine in machines {
        let name = match machine.role {
            MachineRole::Master => format!("master {}", machine.group),
            MachineRole::Node => machine.group.clone(),
        };
        let plain = |text: Option<&str>| (TextRole::Plain, or_unknown(text));
        let age = machine.launched.map(|launched| words::age(now.duration_since(launched)));
        let (role, state) = machine.state.text();
        table.push([
            (TextRole::Strong, name),
            plain(machine.instance.as_deref()),
            plain(machine.zone.as_deref()),
            plain(machine.size.as_deref()),
            plain(machine.kubelet.as_deref()),
            plain(age.as_deref()),
            (role, state.to_owned()),
        ]);
    }
    table.lines(width)
}

/// Returns the table of the node groups.
pub(super) fn node_group_lines(groups: &[NodeGroupRow], width: usize) -> Vec<StyledLine> {
    let column = |title, shorten| TableColumn { title, shorten };
    let mut table = TextTable::new([
        column("NODE GROUP", Shorten::End),
        column("SIZE", Shorten::End),
        column("WANTED", Shorten::Never),
        column("IN SERVICE", Shorten::Never),
    ]);
    for group in groups {
        let range = if group.min == group.max { String::new() } else { format!(" ({} to {})", group.min, group.max) };
        let role = if group.in_service == group.wanted { TextRole::Plain } else { TextRole::Changed };
        table.push([
            (TextRole::Strong, group.name.clone()),
            (TextRole::Plain, group.size.clone().unwrap_or_else(|| UNKNOWN.to_owned())),
            (TextRole::Plain, format!("{}{range}", group.wanted)),
            (role, group.in_service.to_string()),
        ]);
    }
    table.lines(width)
}
