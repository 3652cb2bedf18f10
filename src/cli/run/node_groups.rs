//! The effect of a plan on the nodes of a cluster: it leaves none, or a group is larger for a while.

use std::collections::BTreeMap;

use crate::engine::{Action, Address, ExecutablePlan, Live, Value};
use crate::resource::{AutoScalingGroup, Resource, is_node_group};
use crate::words;

/// The changes of a plan to one node group.
struct NodeGroupChange<'a> {
    name: &'a str,
    /// Number of machines now.
    before: u64,
    /// Minimum number of machines after the plan.
    after: u64,
    rolls: bool,
    /// `true` if a roll starts a machine beside the others.
    surges: bool,
}

/// Warns if a plan leaves the cluster without nodes; not if it has none already.
pub(in crate::cli) fn without_nodes(prepared: &ExecutablePlan) -> Option<String> {
    let groups = groups(prepared);
    if groups.iter().all(|group| group.before == 0) || prepared.plan.refusals().next().is_some() {
        return None;
    }
    if groups.iter().all(|group| group.after == 0) {
        let names: Vec<String> = groups.iter().map(|group| group.name.to_owned()).collect();
        return Some(format!(
            "this plan leaves the cluster without nodes: it takes {} away, and no pod of a service can run any more",
            words::list(&names)
        ));
    }
    None
}

/// Warns of groups whose only machine ends before another one is ready.
pub(in crate::cli) fn without_surge(prepared: &ExecutablePlan) -> Option<String> {
    let groups = groups(prepared);
    let alone = |group: &&NodeGroupChange<'_>| group.rolls && group.before > 0 && group.after == 1 && !group.surges;
    let names: Vec<String> = groups.iter().filter(alone).map(|group| group.name.to_owned()).collect();
    (!names.is_empty() && prepared.plan.refusals().next().is_none()).then(|| {
        format!(
            "the only machine of {} ends before another one is ready, because `max_surge` is 0: no pod runs there meanwhile",
            words::list(&names)
        )
    })
}

/// Notes which groups have a second machine for a while, as their only one is replaced.
pub(in crate::cli) fn spares(prepared: &ExecutablePlan) -> Option<String> {
    let alone = |group: &&NodeGroupChange<'_>| {
        group.rolls && group.surges && group.before > 0 && (group.before == 1 || group.after == 1)
    };
    let names: Vec<String> = groups(prepared).iter().filter(alone).map(|group| group.name.to_owned()).collect();
    if names.is_empty() || prepared.plan.refusals().next().is_some() {
        return None;
    }
    Some(format!(
        "the only machine of {} is replaced: a second one is started first, for which `max` is 2 meanwhile, and the old one \
         is drained and ended when the new one is ready",
        words::list(&names)
    ))
}

/// Notes which groups keep machines that would be replaced.
pub(in crate::cli) fn held(prepared: &ExecutablePlan) -> Option<String> {
    let names: Vec<String> = prepared.plan.held.iter().map(|address| address.name().to_owned()).collect();
    (!names.is_empty()).then(|| {
        format!(
            "the machines of {} stay as they are because of --no-roll: the next plan shows their replacement again",
            words::list(&names)
        )
    })
}

fn groups(prepared: &ExecutablePlan) -> Vec<NodeGroupChange<'_>> {
    let there: BTreeMap<&Address, &Live> =
        prepared.surplus.iter().chain(prepared.live.values()).map(|live| (&live.address, live)).collect();
    let rolls = |address: &Address| {
        let changes = &mut prepared.plan.changes.iter();
        changes.any(|change| change.address == *address && change.action == Action::Roll)
    };
    let machines = |live: Option<&&Live>| live.map_or(0, |live| live.members.len() as u64);
    let wanted = prepared.desired.values().filter(|object| is_node_group(&object.address, &object.attributes));
    let mut groups: Vec<NodeGroupChange<'_>> = wanted
        .map(|object| NodeGroupChange {
            name: object.address.name(),
            before: machines(there.get(&object.address)),
            after: size(object.attributes.get("desired").or_else(|| object.attributes.get("max"))),
            rolls: rolls(&object.address),
            surges: AutoScalingGroup::from_attributes(&object.attributes)
                .is_ok_and(|group| group.roll_limits(1).surge > 0),
        })
        .collect();
    let leaving = there.values().filter(|live| !prepared.desired.contains_key(&live.address));
    let leaving = leaving.filter(|live| is_node_group(&live.address, &live.attributes));
    groups.extend(leaving.map(|live| NodeGroupChange {
        name: live.address.name(),
        before: machines(Some(live)),
        after: 0,
        rolls: false,
        surges: false,
    }));
    groups
}

fn size(value: Option<&Value>) -> u64 {
    match value {
        Some(Value::Integer(size)) => u64::try_from(*size).unwrap_or_default(),
        _ => 0,
    }
}
