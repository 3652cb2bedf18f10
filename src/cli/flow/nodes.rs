//! Plans that leave a cluster without nodes, be it for a moment.

use std::collections::BTreeMap;

use crate::engine::{Action, Address, Live, Prepared, Value, Vocabulary};
use crate::resource::Kinds;
use crate::words;

/// What a plan does to one node group.
struct Group<'a> {
    name: &'a str,
    /// How many machines it has now.
    before: u64,
    /// How many it has at least when the plan is carried out.
    after: u64,
    rolls: bool,
}

/// Says when a plan leaves the cluster without nodes, and how long. Nothing of a cluster that has none anyway.
pub(super) fn without_nodes(prepared: &Prepared) -> Option<String> {
    let groups = groups(prepared);
    if groups.iter().all(|group| group.before == 0) || prepared.plan.refusals().next().is_some() {
        return None;
    }
    let kept: Vec<&Group<'_>> = groups.iter().filter(|group| group.after > 0).collect();
    if kept.is_empty() {
        let names: Vec<String> = groups.iter().map(|group| group.name.to_owned()).collect();
        return Some(format!(
            "this plan leaves the cluster without nodes: it takes {} away, and no pod of a service can run any more",
            words::list(&names)
        ));
    }
    // A machine is told to go before another one comes in its place.
    let holds = |group: &&Group<'_>| group.before > 0 && !(group.rolls && group.before == 1);
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

fn groups(prepared: &Prepared) -> Vec<Group<'_>> {
    let is_node_group = |address: &Address, attributes: &_| Kinds.pool(address, attributes).is_some();
    let there: BTreeMap<&Address, &Live> =
        prepared.surplus.iter().chain(prepared.live.values()).map(|live| (&live.address, live)).collect();
    let rolls = |address: &Address| {
        let changes = &mut prepared.plan.changes.iter();
        changes.any(|change| change.address == *address && matches!(change.action, Action::Roll | Action::Replace))
    };
    let machines = |live: Option<&&Live>| live.map_or(0, |live| live.members.len() as u64);
    let wanted = prepared.desired.values().filter(|object| is_node_group(&object.address, &object.attributes));
    let mut groups: Vec<Group<'_>> = wanted
        .map(|object| Group {
            name: object.address.name(),
            before: machines(there.get(&object.address)),
            after: size(object.attributes.get("desired").or_else(|| object.attributes.get("max"))),
            rolls: rolls(&object.address),
        })
        .collect();
    let leaving = there.values().filter(|live| !prepared.desired.contains_key(&live.address));
    let leaving = leaving.filter(|live| is_node_group(&live.address, &live.attributes));
    groups.extend(leaving.map(|live| Group {
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
