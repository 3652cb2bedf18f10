//! The machines of a cluster, found by the names that `quorate show` prints.

use crate::engine::Live;
use crate::resource::{AutoScalingGroup, GROUP_TAG, Resource, master_of_group, tags_of};
use crate::words;

use super::ClusterContext;
use super::error::CliError;
use super::run::wait::patiently;

/// Number of machines that an error lists.
const LISTED: usize = 12;

/// The name of the masters as a group.
const MASTERS: &str = "masters";

/// A machine of the cluster.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ClusterMachine {
    /// Its name: `master a`, or its node group.
    pub(super) name: String,
    /// The id of its instance.
    pub(super) instance: String,
    /// The name of its Auto Scaling group's object: `masters-a`, `nodes-workers`.
    group: String,
    zone: String,
}

impl ClusterMachine {
    /// Returns the machine for a message: `i-0a11111111111111a (master a)`.
    pub(super) fn title(&self) -> String {
        format!("{} ({})", self.instance, self.name)
    }

    /// Returns the name of its group: `masters`, or a node group.
    pub(super) fn group(&self) -> &str {
        if master_of_group(&self.group).is_some() { MASTERS } else { &self.name }
    }

    /// Returns `true` if the machine is in this group: `masters`, a node group, or an Auto Scaling group.
    pub(super) fn is_in(&self, group: &str) -> bool {
        self.group() == group || self.group == group
    }

    fn is_called(&self, wanted: &str) -> bool {
        [&self.instance, &self.name, &self.group].iter().any(|name| *name == wanted)
            || self.name.replace(' ', "-") == wanted
    }
}

/// Finds a machine by its instance id, or by its name if no other machine has the name.
pub(super) async fn find_machine(context: &ClusterContext<'_>, wanted: &str) -> Result<ClusterMachine, CliError> {
    let observed = context.interrupt.or(patiently(context, || context.cloud.observe())).await?;
    let machines = machines(&observed.map_err(CliError::cloud("observing AWS"))?.live);
    if machines.is_empty() {
        return Err(CliError::not_applied(format!("{} has no machines yet", context.name())));
    }
    choose(&machines, wanted)
}

/// Returns the machines of all groups, sorted by name.
pub(super) fn machines(live: &[Live]) -> Vec<ClusterMachine> {
    let groups = live.iter().filter(|live| live.address.kind() == AutoScalingGroup::KIND.name);
    let mut machines: Vec<ClusterMachine> = groups.flat_map(of_group).collect();
    machines.sort();
    machines
}

fn of_group(group: &Live) -> impl Iterator<Item = ClusterMachine> {
    let object = group.address.name();
    let name = match master_of_group(object) {
        Some(letter) => format!("master {letter}"),
        None => tags_of(&group.attributes).remove(GROUP_TAG).unwrap_or_else(|| object.to_owned()),
    };
    group.members.iter().map(move |member| ClusterMachine {
        name: name.clone(),
        instance: member.id.clone(),
        group: object.to_owned(),
        zone: member.zone.clone(),
    })
}

/// Returns the machine with this instance id or name.
///
/// # Errors
/// Returns an error if there is none, or several.
pub(super) fn choose(machines: &[ClusterMachine], wanted: &str) -> Result<ClusterMachine, CliError> {
    let called: Vec<&ClusterMachine> = machines.iter().filter(|machine| machine.is_called(wanted)).collect();
    match called.as_slice() {
        [only] => Ok((*only).clone()),
        [] => Err(CliError::Usage {
            message: format!("the cluster has no machine `{}`", words::plain(wanted)),
            hint: format!("its machines are: {}", listed(machines.iter())),
        }),
        several => Err(CliError::Usage {
            message: format!("`{}` is the name of {}", words::plain(wanted), words::count(several.len(), "machine")),
            hint: format!("name one by its instance: {}", listed(several.iter().copied())),
        }),
    }
}

fn listed<'a>(machines: impl Iterator<Item = &'a ClusterMachine>) -> String {
    let titles: Vec<String> =
        machines.map(|machine| format!("{} ({}, {})", machine.instance, machine.name, machine.zone)).collect();
    words::first(&titles, LISTED)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn machine(name: &str, group: &str, instance: &str) -> ClusterMachine {
        ClusterMachine {
            name: name.to_owned(),
            instance: instance.to_owned(),
            group: group.to_owned(),
            zone: "us-east-1a".to_owned(),
        }
    }

    fn all() -> Vec<ClusterMachine> {
        vec![
            machine("master a", "masters-a", "i-0a"),
            machine("spare", "nodes-spare", "i-0s"),
            machine("workers", "nodes-workers", "i-0w"),
            machine("workers", "nodes-workers", "i-0x"),
        ]
    }

    #[test]
    fn a_machine_has_an_id_and_the_names_that_show_and_validate_print() {
        for (wanted, instance) in [
            ("i-0x", "i-0x"),
            ("master a", "i-0a"),
            ("master-a", "i-0a"),
            ("masters-a", "i-0a"),
            ("spare", "i-0s"),
            ("nodes-spare", "i-0s"),
        ] {
            assert_eq!(choose(&all(), wanted).unwrap().instance, instance, "{wanted}");
        }
    }

    #[test]
    fn an_unknown_machine_is_refused_with_the_list() {
        let error = choose(&all(), "master-b").unwrap_err();
        assert_eq!(error.exit(), crate::cli::Exit::Usage);
        let report = error.report();
        assert_eq!(report.message, "the cluster has no machine `master-b`");
        let hint = "its machines are: i-0a (master a, us-east-1a), i-0s (spare, us-east-1a), i-0w (workers, us-east-1a), \
                    i-0x (workers, us-east-1a)";
        assert_eq!(report.hints, [hint]);
    }

    #[test]
    fn a_name_of_several_machines_is_refused_with_those() {
        let report = choose(&all(), "workers").unwrap_err().report();
        assert_eq!(report.message, "`workers` is the name of 2 machines");
        assert!(report.hints[0].contains("i-0w") && !report.hints[0].contains("i-0a"), "{:?}", report.hints);
    }
}
