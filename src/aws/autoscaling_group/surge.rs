//! Machines beside those of a node group while it rolls: the pods of an old machine find place on a new one.

use std::collections::BTreeSet;

use aws_sdk_autoscaling::types::AutoScalingGroup as Answer;

use super::{AUTOSCALING, whole};
use crate::aws::AwsProvider;
use crate::engine::{Failure, Live, Value};
use crate::resource::AutoScalingGroup;

/// Returns the number of machines that a group should have, as it is set in Auto Scaling.
pub(super) fn desired(group: &Answer) -> usize {
    number(group.desired_capacity())
}

/// Returns the number of machines of a group without those beside them. `begun` is the number of machines that this roll
/// has started beside them: for a group whose size an autoscaler sets.
pub(super) fn own_size(wanted: &AutoScalingGroup, group: &Answer, begun: usize) -> usize {
    let set = wanted.desired.and_then(|size| usize::try_from(size).ok());
    set.unwrap_or_else(|| desired(group).saturating_sub(begun))
}

/// Has the group start machines until it has this number.
pub(super) async fn begin(aws: &AwsProvider, group: &Answer, size: usize) -> Result<(), Failure> {
    let name = group.auto_scaling_group_name().unwrap_or_default();
    let most = number(group.max_size()).max(size);
    let request = aws.autoscaling.update_auto_scaling_group().auto_scaling_group_name(name);
    let request = request.max_size(to_whole(most)).desired_capacity(to_whole(size));
    aws.send(AUTOSCALING, "UpdateAutoScalingGroup", Box::pin(request.send())).await.map(drop)
}

/// Takes back what [`begin`] changed, if it did.
pub(super) async fn end(wanted: &AutoScalingGroup, aws: &AwsProvider, group: &Answer) -> Result<(), Failure> {
    let size = |size: Option<i32>| size.and_then(|size| u32::try_from(size).ok()).unwrap_or_default();
    let left = wanted.desired.is_some_and(|desired| desired != size(group.desired_capacity()));
    if wanted.is_masters() || (!left && wanted.max == size(group.max_size())) {
        return Ok(());
    }
    let request = aws.autoscaling.update_auto_scaling_group().auto_scaling_group_name(&wanted.name);
    let request = request.max_size(whole(wanted.max)).set_desired_capacity(wanted.desired.map(whole));
    aws.send(AUTOSCALING, "UpdateAutoScalingGroup", Box::pin(request.send())).await.map(drop)
}

/// Returns the attributes that an update changes: if an earlier run has begun this, the roll restores the size when the old
/// machines are gone. Auto Scaling would choose by itself which machines it ends.
pub(super) fn without_size(wanted: &AutoScalingGroup, live: &Live, changed: &BTreeSet<String>) -> BTreeSet<String> {
    let desired = match live.attributes.get("desired") {
        Some(Value::Integer(desired)) => u32::try_from(*desired).ok(),
        _ => None,
    };
    let machines = live.attributes.get("machines").and_then(Value::as_text);
    let mut changed = changed.clone();
    if machines != wanted.machines.known() && wanted.has_spare(desired) {
        changed.retain(|name| name != "desired" && name != "max");
    }
    changed
}

fn number(size: Option<i32>) -> usize {
    size.and_then(|size| usize::try_from(size).ok()).unwrap_or_default()
}

fn to_whole(size: usize) -> i32 {
    i32::try_from(size).unwrap_or(i32::MAX)
}
