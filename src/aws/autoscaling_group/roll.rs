//! Replacing a group's machines one after the other.

use std::collections::BTreeSet;

use aws_sdk_autoscaling::types::AutoScalingGroup as Answer;
use tokio::time::Instant;

use super::answering::{TargetStates, binding};
use super::members::{EqualVersions, is_ending, machines, members, running, serves, stays};
use super::reports::{LOG_HINT, MachineReports};
use super::wait::{StallMonitor, arrived, find};
use super::{AUTOSCALING, groups, surge};
use crate::aws::AwsProvider;
use crate::engine::{Failure, FailureClass, GroupMember, Live, ProgressNote};
use crate::resource::AutoScalingGroup;

/// The next step of a roll.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum RollStep {
    /// Every machine runs the wanted version and is ready.
    Done,
    /// A change is in progress; the text describes it.
    Wait(String),
    /// This new machine runs, and must report that it is ready.
    Hear(String),
    /// This machine is replaced.
    Replace(String),
    /// A new machine does not start up; the text is the reason.
    GiveUp(String),
}

/// The inputs of the decision: the group as observed, and the known state of its machines.
pub(super) struct RollState<'a> {
    /// The versions that machines should run.
    pub(super) wanted: EqualVersions<'a>,
    /// Machines that were terminated, which Auto Scaling may not show yet.
    pub(super) replaced: &'a BTreeSet<String>,
    /// The machines that are healthy in every target group that counts; `None` without such a group.
    pub(super) healthy: Option<&'a BTreeSet<String>>,
    /// The reports of the machines.
    pub(super) reports: &'a MachineReports,
}

/// Replaces the machines that do not run the wanted version, and older machines that do not start up. A machine drains
/// itself when it is terminated.
pub(super) async fn roll(
    wanted: &AutoScalingGroup,
    aws: &AwsProvider,
    live: &Live,
    note: ProgressNote<'_>,
) -> Result<Live, Failure> {
    let alike = same_version(wanted);
    let (mut replaced, mut reports, mut target_groups) = (BTreeSet::new(), MachineReports::default(), None);
    let (mut stall, mut beside) = (StallMonitor::new(&live.id), false);
    let mut watch = aws.polls.groups.watch();
    loop {
        let found = watch.poll(|| groups(aws)).await?;
        let Some(group) = find(&found, &live.id) else {
            stall.see(aws, note, "the group is not in the response").await?;
            continue;
        };
        let target_groups = match &target_groups {
            Some(known) => known,
            None => target_groups.insert(start_roll(wanted, aws, group, &mut reports).await?),
        };
        reports.ask(aws, &running(group, |machine| alike.contains(machine))).await?;
        let answering = TargetStates::ask(aws, target_groups).await?;
        let healthy = answering.healthy.as_ref();
        let step = next(group, &RollState { wanted: alike, replaced: &replaced, healthy, reports: &reports });
        match fully_reported(step, live, &reports) {
            RollStep::Done => {
                surge::end(wanted, aws, group).await?;
                return arrived(aws, live, group, alike);
            }
            RollStep::Wait(what) => stall.see(aws, note, &what).await?,
            RollStep::Hear(machine) => {
                stall.see(aws, note, &format!("{machine} {}", reports.last_report(&machine))).await?;
            }
            RollStep::GiveUp(why) => return Err(unready(group, alike, &why)),
            RollStep::Replace(machine) if wanted.is_masters() && answering.missing_beside(&machine).is_some() => {
                let unhealthy = answering.missing_beside(&machine).map(String::as_str).unwrap_or_default();
                let what = format!("{machine} is not replaced while {unhealthy} does not answer");
                stall.see(aws, note, &what).await?;
            }
            RollStep::Replace(machine) if surge::works_alone(wanted, group, &machine, alike, &reports) => {
                note(format!("starting another machine beside {machine}, the only one of the group"));
                surge::begin(aws, group).await?;
                (stall, beside) = (StallMonitor::new(&live.id), true);
                watch.poll_now();
            }
            RollStep::Replace(machine) => {
                let shrinks = surge::is_on(wanted, group, beside) && is_old(group, &machine, alike);
                note(if shrinks { format!("ending {machine}") } else { format!("replacing {machine}") });
                terminate(aws, &machine, shrinks).await?;
                replaced.insert(machine);
                stall = StallMonitor::new(&live.id);
                watch.poll_now();
            }
        }
    }
}

/// Returns the versions that differ from the wanted one only in tags.
fn same_version(wanted: &AutoScalingGroup) -> EqualVersions<'_> {
    EqualVersions {
        first: wanted.machines.known().unwrap_or_default(),
        last: wanted.version.known().unwrap_or_default(),
    }
}

/// Reads the old machines' reports once: those not ready are replaced first. Returns the target groups that count.
async fn start_roll(
    wanted: &AutoScalingGroup,
    aws: &AwsProvider,
    group: &Answer,
    reports: &mut MachineReports,
) -> Result<Vec<String>, Failure> {
    let alike = same_version(wanted);
    let old = running(group, |machine| !alike.contains(machine));
    reports.ask(aws, &old).await?;
    if wanted.is_masters() { Ok(group.target_group_arns().to_vec()) } else { binding(aws, group, &old).await }
}

/// Decides the next step.
pub(super) fn next(group: &Answer, signs: &RollState<'_>) -> RollStep {
    let stays = |member: &GroupMember| stays(&member.state) && !signs.replaced.contains(&member.id);
    let staying: Vec<_> = members(group).into_iter().filter(stays).collect();
    let answers = |member: &GroupMember| signs.healthy.is_none_or(|healthy| healthy.contains(&member.id));
    let size = group.desired_capacity().and_then(|size| usize::try_from(size).ok()).unwrap_or_default();
    let (new, old): (Vec<_>, Vec<_>) = staying.iter().partition(|member| signs.wanted.contains(&member.version));
    if staying.len() < size {
        return RollStep::Wait(format!("{} of {} there", staying.len(), machines(size)));
    }
    let left = || format!("{} to replace", machines(old.len()));
    if let Some(late) = new.iter().find(|member| !serves(&member.state)) {
        return RollStep::Wait(format!("{}: {}; {}", late.id, late.state, left()));
    }
    if let Some(late) = new.iter().find(|member| !signs.reports.is_ready(&member.id)) {
        return RollStep::Hear(late.id.clone());
    }
    if let Some(late) = new.iter().find(|member| !answers(member)) {
        return RollStep::Wait(format!("{}: not healthy in its target group yet; {}", late.id, left()));
    }
    let works = |member: &GroupMember| serves(&member.state) && answers(member) && !signs.reports.is_ill(&member.id);
    if let Some(leaving) = members(group).iter().find(|member| is_ending(&member.state)) {
        // It drains itself while it shuts down: the next one goes when that is over.
        return RollStep::Wait(format!("{}: {}; {}", leaving.id, leaving.state, left()));
    }
    // A machine that does no work is replaced first.
    match old.iter().min_by_key(|member| (works(member), &member.id)) {
        Some(machine) => RollStep::Replace(machine.id.clone()),
        None => RollStep::Done,
    }
}

/// Limits the wait for a machine's report. A late machine that is older than the roll is replaced; one that the roll itself
/// has started ends the roll, or machine after machine would fail in the same way.
fn fully_reported(step: RollStep, live: &Live, reports: &MachineReports) -> RollStep {
    let RollStep::Hear(machine) = step else { return step };
    match reports.overdue(&machine, Instant::now()) {
        None => RollStep::Hear(machine),
        Some(_) if live.members.iter().any(|member| member.id == machine) => RollStep::Replace(machine),
        Some(why) => RollStep::GiveUp(why),
    }
}

/// Returns the failure of a roll whose new machine does not start up.
fn unready(group: &Answer, alike: EqualVersions<'_>, why: &str) -> Failure {
    let old = running(group, |machine| !alike.contains(machine)).len();
    let name = group.auto_scaling_group_name().unwrap_or_default();
    let spared = if old == 0 { String::new() } else { format!(", so the {} before it in {name} stay", machines(old)) };
    let message = format!("{why}{spared}. {LOG_HINT}");
    Failure::own(FailureClass::Fatal, "roll", message)
}

fn is_old(group: &Answer, machine: &str, alike: EqualVersions<'_>) -> bool {
    members(group).iter().any(|member| member.id == machine && !alike.contains(&member.version))
}

/// Ends a machine; its group starts another one in its place, or has one less from then on.
async fn terminate(aws: &AwsProvider, machine: &str, shrinks: bool) -> Result<(), Failure> {
    let request = aws
        .autoscaling
        .terminate_instance_in_auto_scaling_group()
        .instance_id(machine)
        .should_decrement_desired_capacity(shrinks);
    aws.send(AUTOSCALING, "TerminateInstanceInAutoScalingGroup", request.send()).await.map(drop)
}
