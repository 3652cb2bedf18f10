//! Machines whose replacement a command requests: all of the cluster, those of a group, or one.

use std::collections::{BTreeMap, BTreeSet};

use crate::cli::error::CliError;
use crate::cli::machines::{choose, machines};
use crate::engine::{Live, Object, Value};
use crate::resource::{AutoScalingGroup, Resource};
use crate::words;

/// The machines that a command replaces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MachineSelection {
    /// All machines.
    All,
    /// The machines of a group: the masters, or those of a node group.
    Group(String),
    /// A machine, by its instance id, or by its name if no other one has it.
    Machine(String),
}

impl MachineSelection {
    /// Returns the ids of the selected machines.
    ///
    /// # Errors
    /// Returns an error if there is no such group, or no such machine.
    pub(super) fn ids(&self, live: &[Live]) -> Result<BTreeSet<String>, CliError> {
        let machines = machines(live);
        if machines.is_empty() {
            return Err(CliError::not_applied("the cluster has no machines yet"));
        }
        let selected: BTreeSet<String> = match self {
            Self::All => machines.into_iter().map(|machine| machine.instance).collect(),
            Self::Machine(wanted) => BTreeSet::from([choose(&machines, wanted)?.instance]),
            Self::Group(group) => {
                let of_group = machines.iter().filter(|machine| machine.is_in(group));
                let selected: BTreeSet<String> = of_group.map(|machine| machine.instance.clone()).collect();
                if selected.is_empty() {
                    let groups: BTreeSet<String> = machines.iter().map(|machine| machine.group().to_owned()).collect();
                    return Err(CliError::Usage {
                        message: format!("the cluster has no group `{}` with machines", words::plain(group)),
                        hint: format!("its groups are {}", words::list(&groups.into_iter().collect::<Vec<_>>())),
                    });
                }
                selected
            }
        };
        Ok(selected)
    }
}

/// Removes the machines that are gone from a list of requested replacements.
pub(super) fn retain_existing(requested: &mut BTreeSet<String>, live: &[Live]) {
    let existing: BTreeSet<String> = machines(live).into_iter().map(|machine| machine.instance).collect();
    requested.retain(|id| existing.contains(id));
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
