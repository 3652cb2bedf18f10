//! A second machine beside the only one of a node group, for as long as that one is replaced: pods always have a node.

use std::collections::BTreeSet;

use aws_sdk_autoscaling::types::AutoScalingGroup as Answer;

use super::members::{EqualVersions, members, serves, stays};
use super::reports::MachineReports;
use super::{AUTOSCALING, whole};
use crate::aws::AwsProvider;
use crate::engine::{Failure, Live, Value};
use crate::resource::AutoScalingGroup;

/// Returns whether a machine that is to be replaced does the work of its node group alone. One that does no work is missed by
/// nobody.
pub(super) fn works_alone(
    wanted: &AutoScalingGroup,
    group: &Answer,
    machine: &str,
    alike: EqualVersions<'_>,
    reports: &MachineReports,
) -> bool {
    let members = members(group);
    let mut staying = members.iter().filter(|member| stays(&member.state));
    let (only, other) = (staying.next(), staying.next());
    !wanted.is_masters()
        && group.desired_capacity() == Some(1)
        && other.is_none()
        && only.is_some_and(|only| only.id == machine && serves(&only.state) && !alike.contains(&only.version))
        && !reports.is_ill(machine)
}

/// Has the group start a second machine.
pub(super) async fn begin(aws: &AwsProvider, group: &Answer) -> Result<(), Failure> {
    let name = group.auto_scaling_group_name().unwrap_or_default();
    let most = group.max_size().unwrap_or_default().max(2);
    let request = aws.autoscaling.update_auto_scaling_group().auto_scaling_group_name(name);
    let request = request.max_size(most).desired_capacity(2);
    aws.send(AUTOSCALING, "UpdateAutoScalingGroup", Box::pin(request.send())).await.map(drop)
}

/// Returns whether a group has a machine more than the file asks for: the end of the old one leaves it that small.
pub(super) fn is_on(wanted: &AutoScalingGroup, group: &Answer, begun: bool) -> bool {
    let desired = group.desired_capacity().and_then(|desired| u32::try_from(desired).ok());
    wanted.has_spare(desired) || (begun && desired == Some(2) && wanted.desired.is_none())
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
/// machine is gone. Auto Scaling would choose by itself which of the two it ends.
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
