//! Warnings about plans that leave a cluster without nodes, even for a moment.

use std::collections::BTreeMap;

use crate::engine::{Action, Address, ExecutablePlan, KindRegistry, Live, Value};
use crate::resource::ResourceKinds;
use crate::words;

/// The changes of a plan to one node group.
struct NodeGroupChange<'a> {
    name: &'a str,
    /// Number of machines now.
    before: u64,
    /// Minimum number of machines after the plan.
    after: u64,
    rolls: bool,
}

/// Returns a warning if a plan leaves the cluster without nodes, and for how long. `None` if the cluster has none anyway.
pub(super) fn without_nodes(prepared: &ExecutablePlan) -> Option<String> {
    let groups = groups(prepared);
    if groups.iter().all(|group| group.before == 0) || prepared.plan.refusals().next().is_some() {
        return None;
    }
    let kept: Vec<&NodeGroupChange<'_>> = groups.iter().filter(|group| group.after > 0).collect();
    if kept.is_empty() {
        let names: Vec<String> = groups.iter().map(|group| group.name.to_owned()).collect();
        return Some(format!(
            "this plan leaves the cluster without nodes: it takes {} away, and no pod of a service can run any more",
            words::list(&names)
        ));
    }
    // A machine is terminated before its replacement starts.
    let holds = |group: &&NodeGroupChange<'_>| group.before > 0 && !(group.rolls && group.before == 1);
    if kept.iter().any(holds) || kept.iter().any(|group| group.before == 0) {
        return None;
    }
    let names: Vec<String> = kept.iter().map(|group| group.name.to_owned()).collect();
    Some(format!(
        "this plan leaves the cluster without nodes for some minutes: the only machine of {} is replaced. With `count = 2` \
         applied first, one of them stays all the while",
        words::list(&names)
    ))
}

fn groups(prepared: &ExecutablePlan) -> Vec<NodeGroupChange<'_>> {
    let is_node_group = |address: &Address, attributes: &_| ResourceKinds.pool(address, attributes).is_some();
    let there: BTreeMap<&Address, &Live> =
        prepared.surplus.iter().chain(prepared.live.values()).map(|live| (&live.address, live)).collect();
    let rolls = |address: &Address| {
        let changes = &mut prepared.plan.changes.iter();
        changes.any(|change| change.address == *address && matches!(change.action, Action::Roll | Action::Replace))
    };
    let machines = |live: Option<&&Live>| live.map_or(0, |live| live.members.len() as u64);
    let wanted = prepared.desired.values().filter(|object| is_node_group(&object.address, &object.attributes));
    let mut groups: Vec<NodeGroupChange<'_>> = wanted
        .map(|object| NodeGroupChange {
            name: object.address.name(),
            before: machines(there.get(&object.address)),
            after: size(object.attributes.get("desired").or_else(|| object.attributes.get("max"))),
            rolls: rolls(&object.address),
        })
        .collect();
    let leaving = there.values().filter(|live| !prepared.desired.contains_key(&live.address));
    let leaving = leaving.filter(|live| is_node_group(&live.address, &live.attributes));
    groups.extend(leaving.map(|live| NodeGroupChange {
        name: live.address.name(),
        before: machines(Some(live)),
        after: 0,
        rolls: false,
    }));
    groups
}

fn size(value: Option<&Value>) -> u64 {
    match value {
        Some(Value::Integer(size)) => u64::try_from(*size).unwrap_or_default(),
        _ => 0,
    }
}
