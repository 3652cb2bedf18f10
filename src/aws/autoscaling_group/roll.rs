//! Replacing a group's machines, a few at a time.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_autoscaling::types::AutoScalingGroup as Answer;
use tokio::time::Instant;

use super::answering::{TargetStates, binding};
use super::draining::{DrainStep, MachineDrains};
use super::members::{EqualVersions, is_ending, machines, members, running, serves, stays};
use super::reports::{LOG_HINT, MachineReports};
use super::wait::{StallMonitor, arrived, find};
use super::{AUTOSCALING, from_autoscaling, groups, surge};
use crate::aws::AwsProvider;
use crate::engine::{Failure, FailureClass, GroupMember, Live, ProgressNote};
use crate::resource::{AutoScalingGroup, RollLimits};

/// The next step of a roll.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum RollStep {
    /// Every machine runs the wanted version and is ready.
    Done,
    /// A change is in progress; the text describes it.
    Wait(String),
    /// This new machine runs, and must report that it is ready.
    Hear(String),
    /// The group starts machines beside its own, until it has this number.
    Surge(usize),
    /// This machine is replaced; with `shrinks`, another one has taken its place already.
    Replace { machine: String, shrinks: bool },
    /// A new machine does not start up; the text is the reason.
    GiveUp(String),
}

/// The machines that a roll replaces: those of another version, and those whose replacement was requested.
#[derive(Clone, Copy)]
pub(super) struct Outdated<'a> {
    /// The versions that machines should run.
    pub(super) wanted: EqualVersions<'a>,
    /// The ids of machines that are replaced whatever their version.
    pub(super) requested: &'a [String],
}

/// The inputs of the decision: the group as observed, and the known state of its machines.
pub(super) struct RollState<'a> {
    /// The machines that are replaced.
    pub(super) outdated: Outdated<'a>,
    /// The number of machines of the group, without those beside them.
    pub(super) size: usize,
    /// The limits of the roll.
    pub(super) limits: RollLimits,
    /// Machines that were terminated, which Auto Scaling may not show yet.
    pub(super) replaced: &'a BTreeSet<String>,
    /// The machines that could not be drained: others are replaced first, and the longest postponed of them next.
    pub(super) postponed: &'a BTreeMap<String, usize>,
    /// The machines that are healthy in every target group that counts; `None` without such a group.
    pub(super) healthy: Option<&'a BTreeSet<String>>,
    /// The reports of the machines.
    pub(super) reports: &'a MachineReports,
}

impl<'a> Outdated<'a> {
    fn of(wanted: &'a AutoScalingGroup) -> Self {
        let wanted_versions = EqualVersions {
            first: wanted.machines.known().unwrap_or_default(),
            last: wanted.version.known().unwrap_or_default(),
        };
        Self { wanted: wanted_versions, requested: &wanted.replace }
    }

    fn contains(&self, member: &GroupMember) -> bool {
        !self.wanted.contains(&member.version) || self.requested.contains(&member.id)
    }

    /// Returns the machines in service that are replaced, or those that are not.
    fn running(&self, group: &Answer, outdated: bool) -> BTreeSet<String> {
        running(group, |member| self.contains(member) == outdated)
    }
}

/// Replaces the machines that do not run the wanted version, and older machines that do not start up. A machine drains
/// itself when it is terminated.
pub(super) async fn roll(
    wanted: &AutoScalingGroup,
    aws: &AwsProvider,
    live: &Live,
    note: ProgressNote<'_>,
) -> Result<Live, Failure> {
    let outdated = Outdated::of(wanted);
    let (mut replaced, mut reports, mut target_groups) = (BTreeSet::new(), MachineReports::default(), None);
    let (mut stall, mut begun, mut drains) = (StallMonitor::new(&live.id), 0, MachineDrains::default());
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
        reports.ask(aws, &outdated.running(group, false)).await?;
        let answering = TargetStates::ask(aws, target_groups).await?;
        let size = surge::own_size(wanted, group, begun);
        let state = RollState {
            outdated,
            size,
            limits: wanted.roll_limits(size),
            replaced: &replaced,
            postponed: &drains.postponed,
            healthy: answering.healthy.as_ref(),
            reports: &reports,
        };
        let others_work = state.limits.surge > 0 || size > 1;
        let step = next(group, &state);
        let step = if wanted.is_masters() { keep_quorum(step, &answering, master_groups(&found)) } else { step };
        match fully_reported(step, live, &reports) {
            RollStep::Done => {
                surge::end(wanted, aws, group).await?;
                return arrived(aws, live, group, outdated.wanted);
            }
            RollStep::Wait(what) => stall.see(aws, note, &what).await?,
            RollStep::Hear(machine) => {
                stall.see(aws, note, &format!("{machine} {}", reports.last_report(&machine))).await?;
            }
            RollStep::GiveUp(why) => return Err(unready(group, outdated, &why)),
            RollStep::Surge(desired) => {
                let beside = desired.saturating_sub(surge::desired(group));
                note(format!("starting {} beside those of the group", machines(beside)));
                surge::begin(aws, group, desired).await?;
                begun += beside;
                stall = StallMonitor::new(&live.id);
                watch.poll_now();
            }
            RollStep::Replace { machine, shrinks } => {
                let is_drained = !wanted.is_masters() && others_work && is_serving(group, &machine);
                if let Some(drain) = aws.drain.get().filter(|_| is_drained) {
                    match drains.step(drain.as_ref(), &machine).await? {
                        DrainStep::End => {}
                        DrainStep::Wait(what) => {
                            stall.see(aws, note, &what).await?;
                            continue;
                        }
                        DrainStep::Postpone(what) => {
                            note(what);
                            continue;
                        }
                    }
                }
                note(if shrinks { format!("ending {machine}") } else { format!("replacing {machine}") });
                terminate(aws, &machine, shrinks).await?;
                begun -= usize::from(shrinks && begun > 0);
                replaced.insert(machine);
                stall = StallMonitor::new(&live.id);
                watch.poll_now();
            }
        }
    }
}

/// Reads the old machines' reports once: those not ready are replaced first. Returns the target groups that count.
async fn start_roll(
    wanted: &AutoScalingGroup,
    aws: &AwsProvider,
    group: &Answer,
    reports: &mut MachineReports,
) -> Result<Vec<String>, Failure> {
    let old = Outdated::of(wanted).running(group, true);
    reports.ask(aws, &old).await?;
    if wanted.is_masters() { Ok(group.target_group_arns().to_vec()) } else { binding(aws, group, &old).await }
}

/// Decides the next step.
pub(super) fn next(group: &Answer, state: &RollState<'_>) -> RollStep {
    let members = members(group);
    let stays = |member: &&GroupMember| stays(&member.state) && !state.replaced.contains(&member.id);
    let (old, new): (Vec<_>, Vec<_>) = members.iter().filter(stays).partition(|member| state.outdated.contains(member));
    let answers = |member: &GroupMember| state.healthy.is_none_or(|healthy| healthy.contains(&member.id));
    let works = |member: &GroupMember| serves(&member.state) && answers(member) && !state.reports.is_ill(&member.id);
    let is_up = |member: &GroupMember| works(member) && state.reports.is_ready(&member.id);
    let (desired, staying) = (surge::desired(group), old.len() + new.len());
    let missing = desired.saturating_sub(staying);
    let up = new.iter().filter(|member| is_up(member)).count();
    let working = old.iter().filter(|member| works(member)).count();
    let leaving: Vec<_> = members.iter().filter(|member| is_ending(&member.state)).collect();
    let left = || format!("{} to replace", machines(old.len()));
    let starting = new.len() - up + missing;
    let width = state.limits.width();
    // A machine that does no work is replaced first.
    let rank = |member: &GroupMember| (works(member), state.postponed.get(&member.id).copied());
    if let Some(machine) = old.iter().min_by_key(|member| (rank(member), &member.id)) {
        let beside = state.size + state.limits.surge.min(working);
        if beside > desired && starting == 0 {
            return RollStep::Surge(beside);
        }
        let is_spared = if works(machine) {
            // The others are enough without it.
            up + working > state.size.saturating_sub(state.limits.unavailable)
        } else {
            starting < width
        };
        if is_spared && leaving.len() < width && starting < width {
            let shrinks = desired > state.size && new.len() + missing >= state.size;
            return RollStep::Replace { machine: machine.id.clone(), shrinks };
        }
    }
    if missing > 0 {
        return RollStep::Wait(format!("{staying} of {} there", machines(desired)));
    }
    if let Some(late) = new.iter().find(|member| !serves(&member.state)) {
        return RollStep::Wait(format!("{}: {}; {}", late.id, late.state, left()));
    }
    if let Some(late) = new.iter().find(|member| !state.reports.is_ready(&member.id)) {
        return RollStep::Hear(late.id.clone());
    }
    if let Some(late) = new.iter().find(|member| !answers(member)) {
        return RollStep::Wait(format!("{}: not healthy in its target group yet; {}", late.id, left()));
    }
    match leaving.first() {
        // It drains itself while it shuts down: the next one goes when that is over.
        Some(leaving) => RollStep::Wait(format!("{}: {}; {}", leaving.id, leaving.state, left())),
        // An old machine failed meanwhile, and Auto Scaling has started another one in its place.
        None if old.is_empty() && desired > state.size => match new.last() {
            Some(surplus) => RollStep::Replace { machine: surplus.id.clone(), shrinks: true },
            None => RollStep::Done,
        },
        None if old.is_empty() => RollStep::Done,
        None => RollStep::Wait(format!("{} of {} of the group work; {}", up + working, machines(state.size), left())),
    }
}

/// Keeps a master that answers while another one of `masters` does not: without both, etcd may lose its quorum. A master
/// that is gone is in no target group.
pub(super) fn keep_quorum(step: RollStep, answering: &TargetStates, masters: usize) -> RollStep {
    let RollStep::Replace { machine, .. } = &step else { return step };
    if let Some(unhealthy) = answering.missing_beside(machine) {
        return RollStep::Wait(format!("{machine} is not replaced while {unhealthy} does not answer"));
    }
    match &answering.healthy {
        Some(healthy) if healthy.contains(machine) && healthy.len() < masters => {
            let answer = healthy.len();
            RollStep::Wait(format!("{machine} is not replaced while {answer} of {masters} masters answer"))
        }
        _ => step,
    }
}

/// Returns the number of masters that the cluster should have.
fn master_groups(groups: &[Answer]) -> usize {
    let is_masters = |group: &&Answer| AutoScalingGroup::has_masters(&from_autoscaling(group.tags()));
    groups.iter().filter(|group| group.status().is_none()).filter(is_masters).map(surge::desired).sum()
}

/// Limits the wait for a machine's report. A late machine that is older than the roll is replaced; one that the roll itself
/// has started ends the roll, or machine after machine would fail in the same way.
fn fully_reported(step: RollStep, live: &Live, reports: &MachineReports) -> RollStep {
    let RollStep::Hear(machine) = step else { return step };
    match reports.overdue(&machine, Instant::now()) {
        None => RollStep::Hear(machine),
        Some(_) if live.members.iter().any(|member| member.id == machine) => {
            RollStep::Replace { machine, shrinks: false }
        }
        Some(why) => RollStep::GiveUp(why),
    }
}

/// Returns the failure of a roll whose new machine does not start up.
fn unready(group: &Answer, outdated: Outdated<'_>, why: &str) -> Failure {
    let old = outdated.running(group, true).len();
    let name = group.auto_scaling_group_name().unwrap_or_default();
    let spared = if old == 0 { String::new() } else { format!(", so the {} before it in {name} stay", machines(old)) };
    let message = format!("{why}{spared}. {LOG_HINT}");
    Failure::own(FailureClass::Fatal, "roll", message)
}

fn is_serving(group: &Answer, machine: &str) -> bool {
    members(group).iter().any(|member| member.id == machine && serves(&member.state))
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
