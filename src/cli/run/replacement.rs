//! Machines whose replacement a command requests: all of the cluster, those of a group, or one.

use std::collections::{BTreeMap, BTreeSet};

use crate::blueprint::nodes_group;
use crate::cli::error::CliError;
use crate::engine::{GroupMember, Live, Object, Value};
use crate::resource::{AutoScalingGroup, Resource, master_of_group};
use crate::words;

/// The machines that a command replaces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MachineSelection {
    /// All machines.
    All,
    /// The machines of a group: the masters, or those of a node group.
    Group(String),
    /// A machine, by its instance id.
    Machine(String),
}

/// The name of the masters as a group.
const MASTERS: &str = "masters";

impl MachineSelection {
    /// Returns the ids of the selected machines.
    ///
    /// # Errors
    /// Returns an error if there is no such group, or no such machine.
    pub(super) fn ids(&self, live: &[Live]) -> Result<BTreeSet<String>, CliError> {
        let selected: BTreeSet<String> = machines(live)
            .filter(|(group, machine)| match self {
                Self::All => true,
                Self::Group(name) if name == MASTERS => master_of_group(group).is_some(),
                Self::Group(name) => *group == name || *group == nodes_group(name),
                Self::Machine(id) => machine.id == *id,
            })
            .map(|(_, machine)| machine.id.clone())
            .collect();
        if selected.is_empty() { Err(self.missing(live)) } else { Ok(selected) }
    }

    fn missing(&self, live: &[Live]) -> CliError {
        let known: BTreeSet<String> = match self {
            Self::Machine(_) => machines(live).map(|(_, machine)| machine.id.clone()).collect(),
            _ => machines(live).map(|(group, _)| group_name(group).to_owned()).collect(),
        };
        let known = words::list(&known.into_iter().collect::<Vec<_>>());
        let (message, hint) = match self {
            _ if known.is_empty() => return CliError::not_applied("the cluster has no machines yet"),
            Self::All => ("the cluster has no machines".to_owned(), String::new()),
            Self::Group(name) => {
                (format!("the cluster has no group `{name}` with machines"), format!("its groups are {known}"))
            }
            Self::Machine(id) => (
                format!("the cluster has no machine {id}"),
                format!("its machines are {known}; `quorate show` describes them"),
            ),
        };
        CliError::Usage { message, hint }
    }
}

/// Returns the name of a group for people.
fn group_name(group: &str) -> &str {
    if master_of_group(group).is_some() { MASTERS } else { group.strip_prefix("nodes-").unwrap_or(group) }
}

/// Returns the machines of the cluster, each with the name of its group.
fn machines(live: &[Live]) -> impl Iterator<Item = (&str, &GroupMember)> {
    let groups = live.iter().filter(|live| live.address.kind() == AutoScalingGroup::KIND.name);
    groups.flat_map(|group| group.members.iter().map(|member| (group.address.name(), member)))
}

/// Removes the machines that are gone from a list of requested replacements.
pub(super) fn retain_existing(requested: &mut BTreeSet<String>, live: &[Live]) {
    let existing: BTreeSet<&str> = machines(live).map(|(_, machine)| machine.id.as_str()).collect();
    requested.retain(|id| existing.contains(id.as_str()));
}

/// Enters requested replacements in the observed and in the wanted groups: the versions of their machines differ then, and a
/// roll replaces these machines.
pub(super) fn request(requested: &BTreeSet<String>, live: &mut [Live], desired: &mut [Object]) {
    let mut by_group: BTreeMap<_, Vec<String>> = BTreeMap::new();
    for group in live.iter_mut().filter(|live| live.address.kind() == AutoScalingGroup::KIND.name) {
        let ids: Vec<String> =
            group.members.iter().map(|member| member.id.clone()).filter(|id| requested.contains(id)).collect();
        if let (Some(Value::Text(machines)), false) = (group.attributes.get_mut("machines"), ids.is_empty()) {
            *machines = AutoScalingGroup::with_problem(machines, &AutoScalingGroup::requested(&ids));
            by_group.insert(group.address.clone(), ids);
        }
    }
    for object in desired {
        if let Some(ids) = by_group.remove(&object.address) {
            let ids = ids.into_iter().map(Value::Text).collect();
            object.attributes.insert("replace".to_owned(), Value::List(ids));
        }
    }
}
