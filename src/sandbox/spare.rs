//! Machines beside those of a node group, for as long as these are replaced.

use super::account::SimulatedAccount;
use super::scaling::BOOT;
use crate::engine::{Attributes, Value};
use crate::resource::{AutoScalingGroup, Resource, RollLimits};

const GROUP: &str = AutoScalingGroup::KIND.name;

/// The state of a group that rolls.
pub(super) struct RollProgress {
    /// Number of machines that the group should have, with those beside its own.
    pub(super) desired: usize,
    /// Number of machines of the group, without those beside them.
    pub(super) size: usize,
    /// The limits of the roll.
    pub(super) limits: RollLimits,
    /// The ids of machines whose replacement was requested.
    pub(super) requested: Vec<String>,
}

impl RollProgress {
    /// Reads the state of a group. `begun` is the number of machines that this roll has started beside the others: for a
    /// group whose size an autoscaler sets.
    pub(super) fn of(account: &SimulatedAccount, name: &str, wanted: &Attributes, begun: usize) -> Option<Self> {
        let desired = account.get(GROUP, name)?.number("desired").unwrap_or_default();
        let group: AutoScalingGroup = from_attributes(wanted)?;
        let size = group.desired.and_then(|size| usize::try_from(size).ok()).unwrap_or(desired.saturating_sub(begun));
        Some(Self { desired, size, limits: group.roll_limits(size), requested: group.replace })
    }
}

impl SimulatedAccount {
    /// Lets a node group start machines until it has this number, and returns the time when they have booted.
    pub(super) fn add_spares(&mut self, name: &str, size: usize) -> u64 {
        self.edit(GROUP, name, |group| {
            let most = group.number("max").unwrap_or_default().max(size);
            group.set_size("max", most);
            group.set_size("desired", size);
        });
        self.settle();
        self.state.clock + BOOT
    }

    /// Makes a group smaller by one: the machine that ends in the same call has no successor.
    pub(super) fn take_spare(&mut self, name: &str) {
        self.edit(GROUP, name, |group| {
            let desired = group.number("desired").unwrap_or_default();
            group.set_size("desired", desired.saturating_sub(1));
        });
    }

    /// Returns whether the sizes of a node group are not the wanted ones.
    pub(super) fn is_grown(&self, name: &str, wanted: &Attributes) -> bool {
        let Some(group) = self.get(GROUP, name) else { return false };
        let sizes = ["max", "desired"].iter().filter(|size| wanted.contains_key(**size));
        sizes.into_iter().any(|size| group.attributes.get(*size) != wanted.get(*size))
    }

    /// Gives a group the wanted sizes.
    pub(super) fn restore_size(&mut self, name: &str, wanted: &Attributes) {
        self.edit(GROUP, name, |group| {
            for size in ["max", "desired"] {
                if let Some(value) = wanted.get(size) {
                    group.attributes.insert(size.to_owned(), value.clone());
                }
            }
            group.keep_in_range();
        });
    }
}

/// Returns whether a group has machines beside the wanted ones, as a roll makes it.
pub(super) fn has_spare(there: &Attributes, wanted: &Attributes) -> bool {
    let size = match there.get("desired") {
        Some(Value::Integer(size)) => u32::try_from(*size).ok(),
        _ => None,
    };
    from_attributes(wanted).is_some_and(|group| group.has_spare(size))
}

fn from_attributes(wanted: &Attributes) -> Option<AutoScalingGroup> {
    AutoScalingGroup::from_attributes(wanted).ok()
}
