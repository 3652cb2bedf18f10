//! Replacing a group's machines one after the other.

use std::collections::BTreeSet;

use aws_sdk_autoscaling::types::AutoScalingGroup as Answer;
use tokio::time::Instant;

use super::answering::{Answering, binding};
use super::members::{Alike, is_ending, machines, members, running, serves, stays};
use super::reports::{LOOK, Reports};
use super::wait::{Stall, arrived, find};
use super::{AUTOSCALING, groups};
use crate::aws::Aws;
use crate::engine::{Class, Failure, Live, Member, Note};
use crate::resource::AutoScalingGroup;

/// What comes next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Every machine is as it should be.
    Done,
    /// Something is on its way.
    Wait(String),
    /// This new machine runs, and has to say that it is ready.
    Hear(String),
    /// This machine is replaced.
    Replace(String),
    /// A new machine does not come up, and why that is said.
    GiveUp(String),
}

/// What decides: the group as it is seen, and what is known of its machines.
pub(super) struct Signs<'a> {
    /// The versions that machines should run.
    pub(super) wanted: Alike<'a>,
    /// Machines that were told to go, which Auto Scaling may not show yet.
    pub(super) replaced: &'a BTreeSet<String>,
    /// Those that answer in every target group that counts, if any does.
    pub(super) healthy: Option<&'a BTreeSet<String>>,
    /// What machines say of themselves.
    pub(super) reports: &'a Reports,
}

/// Replaces the machines that do not run the wanted version, and those that were there before and do not come up. A
/// machine drains itself when it is told to go.
pub(super) async fn roll(wanted: &AutoScalingGroup, aws: &Aws, live: &Live, note: Note<'_>) -> Result<Live, Failure> {
    let alike = alike(wanted);
    let (mut replaced, mut reports, mut target_groups) = (BTreeSet::new(), Reports::default(), None);
    let mut stall = Stall::new(&live.id);
    let mut watch = aws.polls.groups.watch();
    loop {
        let found = watch.look(|| groups(aws)).await?;
        let Some(group) = find(&found, &live.id) else {
            stall.see(aws, note, "the group is not to be seen").await?;
            continue;
        };
        let target_groups = match &target_groups {
            Some(known) => known,
            None => target_groups.insert(begin(wanted, aws, group, &mut reports).await?),
        };
        reports.ask(aws, &running(group, |machine| alike.contains(machine))).await?;
        let answering = Answering::ask(aws, target_groups).await?;
        let healthy = answering.healthy.as_ref();
        let step = next(group, &Signs { wanted: alike, replaced: &replaced, healthy, reports: &reports });
        match heard_out(step, live, &reports) {
            Next::Done => return arrived(aws, live, group, alike),
            Next::Wait(what) => stall.see(aws, note, &what).await?,
            Next::Hear(machine) => stall.see(aws, note, &format!("{machine} {}", reports.word(&machine))).await?,
            Next::GiveUp(why) => return Err(unready(group, alike, &why)),
            Next::Replace(machine) if wanted.is_masters() && answering.missing_beside(&machine).is_some() => {
                let ill = answering.missing_beside(&machine).map(String::as_str).unwrap_or_default();
                let what = format!("{machine} is not replaced while {ill} does not answer");
                stall.see(aws, note, &what).await?;
            }
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

/// The versions that are as good as the wanted one.
fn alike(wanted: &AutoScalingGroup) -> Alike<'_> {
    Alike { first: wanted.machines.known().unwrap_or_default(), last: wanted.version.known().unwrap_or_default() }
}

/// Listens to the old machines once: those that say that they are ill go first. The target groups that count.
async fn begin(
    wanted: &AutoScalingGroup,
    aws: &Aws,
    group: &Answer,
    reports: &mut Reports,
) -> Result<Vec<String>, Failure> {
    let alike = alike(wanted);
    let old = running(group, |machine| !alike.contains(machine));
    reports.ask(aws, &old).await?;
    if wanted.is_masters() { Ok(group.target_group_arns().to_vec()) } else { binding(aws, group, &old).await }
}

/// Decides what comes next.
pub(super) fn next(group: &Answer, signs: &Signs<'_>) -> Next {
    let stays = |member: &Member| stays(&member.state) && !signs.replaced.contains(&member.id);
    let staying: Vec<_> = members(group).into_iter().filter(stays).collect();
    let answers = |member: &Member| signs.healthy.is_none_or(|healthy| healthy.contains(&member.id));
    let size = group.desired_capacity().and_then(|size| usize::try_from(size).ok()).unwrap_or_default();
    let (new, old): (Vec<_>, Vec<_>) = staying.iter().partition(|member| signs.wanted.contains(&member.version));
    if staying.len() < size {
        return Next::Wait(format!("{} of {} there", staying.len(), machines(size)));
    }
    let left = || format!("{} to replace", machines(old.len()));
    if let Some(late) = new.iter().find(|member| !serves(&member.state)) {
        return Next::Wait(format!("{}: {}; {}", late.id, late.state, left()));
    }
    if let Some(late) = new.iter().find(|member| !signs.reports.is_ready(&member.id)) {
        return Next::Hear(late.id.clone());
    }
    if let Some(late) = new.iter().find(|member| !answers(member)) {
        return Next::Wait(format!("{}: not healthy in its target group yet; {}", late.id, left()));
    }
    let works = |member: &Member| serves(&member.state) && answers(member) && !signs.reports.is_ill(&member.id);
    if let Some(leaving) = members(group).iter().find(|member| is_ending(&member.state)) {
        // It drains itself while it shuts down: the next one goes when that is over.
        return Next::Wait(format!("{}: {}; {}", leaving.id, leaving.state, left()));
    }
    // A machine that does no work goes first: nobody misses it.
    match old.iter().min_by_key(|member| (works(member), &member.id)) {
        Some(machine) => Next::Replace(machine.id.clone()),
        None => Next::Done,
    }
}

/// Listens to a machine no longer than it takes. One that was there before the roll has another one put in its place;
/// one that the roll itself has started ends it, or machine after machine would go the same way.
fn heard_out(step: Next, live: &Live, reports: &Reports) -> Next {
    let Next::Hear(machine) = step else { return step };
    match reports.overdue(&machine, Instant::now()) {
        None => Next::Hear(machine),
        Some(_) if live.members.iter().any(|member| member.id == machine) => Next::Replace(machine),
        Some(why) => Next::GiveUp(why),
    }
}

/// The end of a roll whose new machine does not come up.
fn unready(group: &Answer, alike: Alike<'_>, why: &str) -> Failure {
    let old = running(group, |machine| !alike.contains(machine)).len();
    let name = group.auto_scaling_group_name().unwrap_or_default();
    let spared = if old == 0 { String::new() } else { format!(", so the {} before it in {name} stay", machines(old)) };
    let message = format!("{why}{spared}. {LOOK}");
    Failure::own(Class::Fatal, "roll", message)
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
