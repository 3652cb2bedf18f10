//! The states that a cluster is in while a plan is applied.

use std::collections::{BTreeMap, BTreeSet};

use super::spread::MachineSpread;
use super::topology::{GroupSite, MasterSite, Topology};
use crate::engine::{Action, Address, ExecutablePlan};
use crate::resource::{AutoScalingGroup, EbsVolume, GROUP_TAG, MEMBER_TAG, Resource, tags_of};

/// Maximum number of masters whose changes are combined in every order. More are combined one after the other.
const COMBINED: usize = 6;

/// The changes of a plan to the machines of a cluster that exists.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct MachineChanges {
    /// The letters of masters whose machine or volume is replaced.
    pub(super) masters: BTreeSet<String>,
    /// The node groups whose machines are replaced, with the number of machines that end before new ones are ready.
    pub(super) rolled: BTreeMap<String, u64>,
    /// The node groups of which machines end: those that are replaced, and those that are more than wanted.
    pub(super) ending: BTreeSet<String>,
}

impl MachineChanges {
    pub(super) fn new(run: &ExecutablePlan, before: &Topology, after: &Topology) -> Self {
        let mut changes = Self::default();
        for change in run.plan.changes.iter().filter(|change| matches!(change.action, Action::Roll | Action::Replace)) {
            let object = run.desired.get(&change.address);
            let Some(object) = object.filter(|object| is_of_machines(&object.address)) else { continue };
            let mut tags = tags_of(&object.attributes);
            if let Some(member) = tags.remove(MEMBER_TAG) {
                changes.masters.insert(member);
            } else if let (Some(group), Ok(settings)) =
                (tags.remove(GROUP_TAG), AutoScalingGroup::from_attributes(&object.attributes))
            {
                let size = usize::try_from(settings.desired.unwrap_or(settings.max)).unwrap_or(usize::MAX);
                let ends_first = settings.roll_limits(size).unavailable;
                changes.rolled.insert(group, u64::try_from(ends_first).unwrap_or(u64::MAX));
            }
        }
        let count = |topology: &Topology, name: &str| {
            topology.groups.iter().filter(|group| group.name == name).map(|group| group.machines.count()).sum::<u64>()
        };
        let names = before.groups.iter().map(|group| &group.name);
        changes.ending = names.filter(|name| count(after, name) < count(before, name)).cloned().collect();
        changes.ending.extend(changes.rolled.keys().cloned());
        changes
    }
}

fn is_of_machines(address: &Address) -> bool {
    address.kind() == AutoScalingGroup::KIND.name || address.kind() == EbsVolume::KIND.name
}

/// Returns the masters at each moment of a plan: new ones join, those that leave go, and others are replaced, one at a time.
/// None is replaced before all new ones have joined.
pub(super) fn masters(before: &Topology, after: &Topology, changes: &MachineChanges) -> Vec<Vec<MasterSite>> {
    let by_member = |topology: &Topology| -> BTreeMap<String, MasterSite> {
        topology.masters.iter().map(|master| (master.member.clone(), master.clone())).collect()
    };
    let (old, new) = (by_member(before), by_member(after));
    let members: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let zone = |masters: &BTreeMap<String, MasterSite>, member: &str| masters.get(member).map(|it| it.zone.clone());
    let moving: Vec<&String> =
        members.iter().copied().filter(|member| zone(&old, member) != zone(&new, member)).collect();
    let joining: Vec<&String> = new.keys().filter(|member| !old.contains_key(*member)).collect();
    let mut moments = Vec::new();
    for moved in subsets(moving.len()) {
        let has_moved = |member: &&String| moving.iter().zip(&moved).any(|(moving, moved)| moving == member && *moved);
        let present = members.iter().filter_map(|member| {
            let from = if has_moved(member) || !moving.contains(member) { &new } else { &old };
            from.get(*member).cloned()
        });
        let present: Vec<MasterSite> = present.collect();
        // Masters are replaced after the new ones have joined.
        let all_joined = joining.iter().all(has_moved);
        let replaced =
            (0..present.len()).filter(|place| all_joined && changes.masters.contains(&present[*place].member));
        moments.extend(replaced.map(|place| {
            let mut masters = present.clone();
            masters[place].runs = false;
            masters
        }));
        moments.push(present);
    }
    moments
}

/// Returns the combinations of some of several things: all, or for many things those in order.
fn subsets(count: usize) -> Vec<Vec<bool>> {
    if count > COMBINED {
        return (0..=count).map(|first| (0..count).map(|place| place < first).collect()).collect();
    }
    (0..1_usize << count).map(|set| (0..count).map(|place| set >> place & 1 == 1).collect()).collect()
}

/// Returns the node groups while machines are replaced: for each zone, with the missing machines in it as far as possible.
pub(super) fn node_groups(after: &Topology, changes: &MachineChanges) -> Vec<Vec<GroupSite>> {
    let missing = |group: &GroupSite| changes.rolled.get(&group.name).copied().unwrap_or(0);
    if after.groups.iter().all(|group| missing(group) == 0) {
        return Vec::new();
    }
    let zones: BTreeSet<&str> = after.groups.iter().flat_map(|group| group.machines.zones()).collect();
    let without = |zone: &str| {
        let groups = after.groups.iter().map(|group| GroupSite {
            machines: MachineSpread::Placed(without(&group.machines, missing(group), zone)),
            ..group.clone()
        });
        groups.collect()
    };
    zones.into_iter().map(without).collect()
}

/// Returns the machines that are left if some are missing: first in this zone, then where most are.
fn without(machines: &MachineSpread, mut missing: u64, zone: &str) -> BTreeMap<String, u64> {
    let counts = machines.by_zone(|of_machines| u8::from(of_machines != zone));
    let mut zones: Vec<(&str, u64)> = counts.into_iter().collect();
    zones.sort_by_key(|(name, count)| (*name != zone, std::cmp::Reverse(*count)));
    let left = zones.into_iter().map(|(name, count)| {
        let gone = count.min(missing);
        missing -= gone;
        (name.to_owned(), count - gone)
    });
    left.collect()
}
