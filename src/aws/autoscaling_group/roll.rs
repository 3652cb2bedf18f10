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
        let answering = answering(aws, group).await?;
        match next(version, group, &replaced, answering.healthy.as_ref()) {
            Next::Done => return arrived(aws, live, group),
            Next::Wait(what) => stall.see(aws, note, &what).await?,
            Next::Replace(machine) if let Some(ill) = answering.missing_beside(&machine) => {
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

/// What load balancers say of the machines behind a group's target groups: its own, and those of its siblings.
#[derive(Debug, Default)]
struct Answering {
    /// Those that answer in every target group; `None` if the group has none.
    healthy: Option<BTreeSet<String>>,
    /// Those that should answer somewhere and do not.
    ill: BTreeSet<String>,
}

impl Answering {
    /// A machine that does not answer, while this one does: with both away, etcd may have lost its quorum.
    fn missing_beside(&self, machine: &str) -> Option<&String> {
        let answers = self.healthy.as_ref().is_some_and(|healthy| healthy.contains(machine));
        self.ill.iter().find(|ill| answers && *ill != machine)
    }
}

async fn answering(aws: &Aws, group: &Answer) -> Result<Answering, Failure> {
    let mut all = Answering::default();
    for arn in group.target_group_arns() {
        // Without a listener in front of it nobody checks a target group; what is draining is on its way out.
        let (well, ill): (Vec<_>, Vec<_>) = health(aws, arn)
            .await?
            .into_iter()
            .filter(|target| target.state != "draining")
            .partition(|target| matches!(target.state.as_str(), "healthy" | "unused"));
        let well: BTreeSet<String> = well.into_iter().map(|target| target.instance).collect();
        all.healthy = Some(all.healthy.map_or_else(|| well.clone(), |before| &before & &well));
        all.ill.extend(ill.into_iter().map(|target| target.instance));
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(ids: &[&str]) -> BTreeSet<String> {
        ids.iter().map(|id| (*id).to_owned()).collect()
    }

    #[test]
    fn a_master_that_answers_stays_while_another_one_does_not() {
        let answering = Answering { healthy: Some(names(&["i-a", "i-c"])), ill: names(&["i-b"]) };
        assert_eq!(answering.missing_beside("i-a").map(String::as_str), Some("i-b"));
        assert_eq!(answering.missing_beside("i-b"), None, "the one that is down may be replaced at any time");
        let well = Answering { healthy: Some(names(&["i-a", "i-b", "i-c"])), ill: BTreeSet::new() };
        assert_eq!(well.missing_beside("i-a"), None);
        assert_eq!(Answering::default().missing_beside("i-w"), None, "workers have no quorum");
    }
}
