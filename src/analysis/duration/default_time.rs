//! The time of changes that no run has measured yet.

use crate::engine::Action;
use crate::engine::KindRegistry;
use crate::resource::{
    ApplicationLoadBalancer, AutoScalingGroup, LoadBalancer, MANIFEST, NAMESPACE, Resource, ResourceKinds, runs_service,
};

/// Time in seconds in which a machine is replaced by a new one that is ready, with the drain of the old one.
const NODE_ROLL: u64 = 180;
/// The same for a master: the old one stops, the new one attaches its volume and joins.
const MASTER_ROLL: u64 = 210;
/// Time in seconds until Auto Scaling has terminated the machines of a group.
const GROUP_DELETION: u64 = 120;
/// Time in seconds until the pods of a workload are gone.
const POD_DELETION: u64 = 30;
/// Time in seconds of a change that waits for nothing.
const CALL: u64 = 2;

/// Returns the time in seconds of one change to an object of a kind, from AWS's documentation and from measured runs. For
/// machines that are replaced: of one round of replacements.
pub(super) fn seconds(kind: &str, action: Action, is_masters: bool) -> u64 {
    let creation = ResourceKinds.kind(kind).map_or(CALL, |kind| u64::from(kind.seconds));
    match action {
        Action::Adopt | Action::Refuse => 0,
        Action::Create | Action::Replace | Action::Wait => creation,
        Action::Roll if is_masters => MASTER_ROLL,
        Action::Roll => NODE_ROLL,
        Action::Delete if kind == AutoScalingGroup::KIND.name => GROUP_DELETION,
        Action::Delete if runs_service(kind) || [MANIFEST, NAMESPACE].contains(&kind) => POD_DELETION,
        // New pods start.
        Action::Update if runs_service(kind) || kind == MANIFEST => creation,
        Action::Delete | Action::Update
            if [LoadBalancer::KIND.name, ApplicationLoadBalancer::KIND.name].contains(&kind) =>
        {
            2 * CALL
        }
        Action::Delete | Action::Update => creation.min(CALL),
    }
}
