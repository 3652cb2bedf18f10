//! Replacing a group's machines one after the other.

use std::collections::BTreeSet;

use aws_sdk_autoscaling::types::AutoScalingGroup as Answer;

use super::members::{machines, members, serves, stays};
use super::wait::{Stall, arrived, find};
use super::{AUTOSCALING, groups};
use crate::aws::Aws;
use crate::aws::target_group::health;
use crate::engine::{Failure, Live, Member, Note};
use crate::resource::AutoScalingGroup;

/// What comes next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Every machine is as it should be.
    Done,
    /// Something is on its way.
    Wait(String),
    /// This machine is replaced.
    Replace(String),
}

/// Replaces the machines that do not run the wanted version.
pub(super) async fn roll(wanted: &AutoScalingGroup, aws: &Aws, live: &Live, note: Note<'_>) -> Result<Live, Failure> {
    let version = wanted.machines.known().unwrap_or_default();
    let mut replaced = BTreeSet::new();
    let mut stall = Stall::new(&live.id);
    let mut watch = aws.polls.groups.watch();
    loop {
        let found = watch.look(|| groups(aws)).await?;
        let Some(group) = find(&found, &live.id) else {
            stall.see(aws, note, "the group is not to be seen").await?;
            continue;
        };
        let healthy = healthy(aws, group).await?;
        match next(version, group, &replaced, healthy.as_ref()) {
            Next::Done => return arrived(aws, live, group),
            Next::Wait(what) => stall.see(aws, note, &what).await?,
            Next::Replace(machine) => {
                note(format!("replacing {machine}"));
                terminate(aws, &machine).await?;
                replaced.insert(machine);
                stall = Stall::new(&live.id);
                watch.hurry();
            }
        }
    }
}

/// Decides what comes next.
///
/// `replaced` are machines that were told to go, which Auto Scaling may not show yet; `healthy` are those that answer
/// in every target group of the group, if it has any.
pub(super) fn next(
    version: &str,
    group: &Answer,
    replaced: &BTreeSet<String>,
    healthy: Option<&BTreeSet<String>>,
) -> Next {
    let stays = |member: &Member| stays(&member.state) && !replaced.contains(&member.id);
    let staying: Vec<_> = members(group).into_iter().filter(stays).collect();
    let works = |member: &Member| serves(&member.state) && healthy.is_none_or(|healthy| healthy.contains(&member.id));
    let size = group.desired_capacity().and_then(|size| usize::try_from(size).ok()).unwrap_or_default();
    let (new, old): (Vec<_>, Vec<_>) = staying.iter().partition(|member| member.version == version);
    if staying.len() < size {
        return Next::Wait(format!("{} of {} there", staying.len(), machines(size)));
    }
    if let Some(late) = new.iter().find(|member| !works(member)) {
        let state = if serves(&late.state) { "not healthy in its target group yet" } else { &late.state };
        return Next::Wait(format!("{}: {state}; {} to replace", late.id, machines(old.len())));
    }
    // A machine that does no work goes first: nobody misses it.
    match old.into_iter().min_by_key(|member| (works(member), &member.id)) {
        Some(machine) => Next::Replace(machine.id.clone()),
        None => Next::Done,
    }
}

/// Ends a machine; its group starts another one in its place.
async fn terminate(aws: &Aws, machine: &str) -> Result<(), Failure> {
    let request = aws
        .autoscaling
        .terminate_instance_in_auto_scaling_group()
        .instance_id(machine)
        .should_decrement_desired_capacity(false);
    aws.send(AUTOSCALING, "TerminateInstanceInAutoScalingGroup", request.send()).await.map(drop)
}

/// The machines that answer in every target group of the group; `None` if it has none.
async fn healthy(aws: &Aws, group: &Answer) -> Result<Option<BTreeSet<String>>, Failure> {
    let mut all: Option<BTreeSet<String>> = None;
    for arn in group.target_group_arns() {
        let told = health(aws, arn).await?;
        // Without a listener in front of it nobody checks a target group.
        let well = told.into_iter().filter(|target| matches!(target.state.as_str(), "healthy" | "unused"));
        let targets: BTreeSet<String> = well.map(|target| target.instance).collect();
        all = Some(all.map_or_else(|| targets.clone(), |before| &before & &targets));
    }
    Ok(all)
}
