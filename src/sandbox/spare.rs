//! A second machine beside the only one of a node group, for as long as that one is replaced.

use super::account::SimulatedAccount;
use crate::engine::{Attributes, Value};
use crate::resource::{AutoScalingGroup, GROUP_TAG, Resource, tags_of};

use super::scaling::BOOT;

const GROUP: &str = AutoScalingGroup::KIND.name;

impl SimulatedAccount {
    /// Lets a node group start a second machine beside its only one, and returns the time when it has booted.
    pub(super) fn add_spare(&mut self, name: &str, only: &str) -> Option<u64> {
        let group = self.get_mut(GROUP, name)?;
        let works = group.machines.iter().any(|machine| machine.id == only && !machine.fails);
        if !works || !tags_of(&group.attributes).contains_key(GROUP_TAG) {
            return None;
        }
        let most = group.number("max").unwrap_or_default().max(2);
        group.set_size("max", most);
        group.set_size("desired", 2);
        self.settle();
        Some(self.clock + BOOT)
    }

    /// Makes a group with a spare as small as it should be: the machine that ends next has no successor.
    pub(super) fn take_spare(&mut self, name: &str, wanted: &Attributes, begun: bool) {
        let Some(group) = self.get_mut(GROUP, name) else { return };
        let node_group = tags_of(&group.attributes).contains_key(GROUP_TAG);
        if node_group && group.machines.len() == 2 && (begun || has_spare(&group.attributes, wanted)) {
            // The machine that ends is removed in the same call, before the group checks its size.
            group.attributes.insert("desired".to_owned(), Value::Integer(1));
        }
    }

    /// Returns whether the sizes of a node group are not the wanted ones.
    pub(super) fn is_grown(&self, name: &str, wanted: &Attributes) -> bool {
        let Some(group) = self.get(GROUP, name) else { return false };
        let sizes = ["max", "desired"].iter().filter(|size| wanted.contains_key(**size));
        sizes.into_iter().any(|size| group.attributes.get(*size) != wanted.get(*size))
    }

    /// Gives a group the wanted sizes.
    pub(super) fn restore_size(&mut self, name: &str, wanted: &Attributes) {
        let Some(group) = self.get_mut(GROUP, name) else { return };
        for size in ["max", "desired"] {
            if let Some(value) = wanted.get(size) {
                group.attributes.insert(size.to_owned(), value.clone());
            }
        }
        group.keep_in_range();
    }
}

/// Returns whether a group has one machine more than the one that is wanted.
pub(super) fn has_spare(there: &Attributes, wanted: &Attributes) -> bool {
    let is = |attributes: &Attributes, size| attributes.get("desired") == Some(&Value::Integer(size));
    is(there, 2) && is(wanted, 1)
}
