//! Waiting for a group's machines to start, and to be gone.

use std::time::Duration;

use aws_sdk_autoscaling::types::AutoScalingGroup as Answer;
use aws_sdk_ec2::types::{Filter, Instance};
use tokio::time::Instant;

use super::members::{EqualVersions, machines, serving};
use super::{AUTOSCALING, groups, live_of};
use crate::aws::AwsProvider;
use crate::aws::ec2::{EC2, of_cluster};
use crate::aws::tags::ObservationScope;
use crate::engine::{Failure, FailureClass, Live, ObjectPhase, PollLoop, ProgressNote, Value};

/// Maximum time to wait for one machine.
pub(super) const PATIENCE: Duration = Duration::from_mins(15);
/// Time without a change before the reason is read from Auto Scaling, and between two such reads.
const STALL: Duration = Duration::from_mins(1);
/// The tag that Auto Scaling sets on its machines.
const GROUP_TAG: &str = "aws:autoscaling:groupName";
/// States of an instance in which it still uses objects that a run may want to remove.
const ALIVE: [&str; 5] = ["pending", "running", "shutting-down", "stopping", "stopped"];

/// Waits until a group has enough machines in service: the size that Quorate sets, or the minimum size.
pub(super) async fn until_in_service(aws: &AwsProvider, live: &Live, note: ProgressNote<'_>) -> Result<Live, Failure> {
    let needed = needed(live);
    let mut stall = StallMonitor::new(&live.id);
    let mut watch = aws.polls.groups.watch();
    loop {
        let found = watch.poll(|| groups(aws)).await?;
        let group = find(&found, &live.id);
        let up = group.map(serving).unwrap_or_default();
        if let Some(group) = group
            && up >= needed
        {
            let text = |name: &str| live.attributes.get(name).and_then(Value::as_text).unwrap_or_default();
            return arrived(aws, live, group, EqualVersions { first: text("machines"), last: text("version") });
        }
        stall.see(aws, note, &format!("{up} of {} in service", machines(needed))).await?;
    }
}

/// Waits until a group and its machines are gone: until then they hold volumes, addresses and security groups.
pub(super) async fn until_gone(aws: &AwsProvider, name: &str, note: ProgressNote<'_>) -> Result<(), Failure> {
    let mut stall = StallMonitor::new(name);
    let mut watch = aws.polls.groups.watch();
    loop {
        let found = watch.poll(|| groups(aws)).await?;
        let Some(group) = find(&found, name) else { break };
        stall.see(aws, note, &format!("{} left", machines(group.instances().len()))).await?;
    }
    let mut watch = aws.polls.instances.watch();
    loop {
        let found = watch.poll(|| instances(aws)).await?;
        let left = found.iter().filter(|instance| group_of(instance) == Some(name)).count();
        if left == 0 {
            return Ok(());
        }
        stall.see(aws, note, &format!("{} left", machines(left))).await?;
    }
}

/// Returns the number of machines that a group must have: as wanted, or as observed.
fn needed(live: &Live) -> usize {
    let size = |name: &str| match live.attributes.get(name) {
        Some(Value::Integer(size)) => usize::try_from(*size).ok(),
        _ => None,
    };
    size("desired").or_else(|| size("min")).unwrap_or_default()
}

/// Returns the group of this name.
pub(super) fn find<'g>(groups: &'g [Answer], name: &str) -> Option<&'g Answer> {
    groups.iter().find(|group| group.auto_scaling_group_name() == Some(name))
}

/// Returns the group with what only Auto Scaling knows of it: its ARN and its machines.
pub(super) fn arrived(
    aws: &AwsProvider,
    live: &Live,
    group: &Answer,
    alike: EqualVersions<'_>,
) -> Result<Live, Failure> {
    let Some(observed) = live_of(ObservationScope::Tagged(&aws.scope.cluster), group, alike).transpose()? else {
        return Ok(live.clone());
    };
    let mut attributes = live.attributes.clone();
    attributes.extend(observed.attributes.get("machines").map(|machines| ("machines".to_owned(), machines.clone())));
    Ok(Live {
        attributes,
        outputs: observed.outputs,
        phase: ObjectPhase::Ready,
        created: observed.created,
        members: observed.members,
        ..live.clone()
    })
}

/// Returns all instances of the cluster that are not terminated.
pub(super) async fn instances(aws: &AwsProvider) -> Result<Vec<Instance>, Failure> {
    let pages = || {
        let request = aws.ec2.describe_instances().filters(of_cluster(aws)).filters(alive());
        request.into_paginator().items().send().try_collect()
    };
    let reservations: Vec<aws_sdk_ec2::types::Reservation> = aws.read(EC2, "DescribeInstances", pages).await?;
    Ok(reservations.into_iter().flat_map(|reservation| reservation.instances.unwrap_or_default()).collect())
}

/// Matches instances that are not terminated.
pub(super) fn alive() -> Filter {
    Filter::builder().name("instance-state-name").set_values(Some(ALIVE.map(str::to_owned).into())).build()
}

fn group_of(instance: &Instance) -> Option<&str> {
    instance.tags().iter().find(|tag| tag.key() == Some(GROUP_TAG)).and_then(|tag| tag.value())
}

/// Detects that nothing changes, reports what is waited for, and asks Auto Scaling for the reason.
pub(super) struct StallMonitor<'a> {
    group: &'a str,
    poll: PollLoop,
    asked: Instant,
    why: Option<String>,
}

impl<'a> StallMonitor<'a> {
    pub(super) fn new(group: &'a str) -> Self {
        Self { group, poll: PollLoop::every(STALL).lasting(PATIENCE), asked: Instant::now(), why: None }
    }

    /// Reports what is waited for, if that has changed.
    ///
    /// Returns an error if nothing has changed for longer than a machine may take.
    pub(super) async fn see(
        &mut self,
        aws: &AwsProvider,
        note: ProgressNote<'_>,
        waiting: &str,
    ) -> Result<(), Failure> {
        let now = Instant::now();
        if self.poll.note_change(waiting, note) {
            self.poll.reset_deadline();
            (self.asked, self.why) = (now, None);
        } else if self.poll.is_over() {
            return Err(self.give_up());
        } else if now - self.asked >= STALL {
            self.asked = now;
            let why = last_trouble(aws, self.group).await?;
            if let Some(why) = &why
                && self.why.as_ref() != Some(why)
            {
                note(format!("{waiting}: {why}"));
            }
            self.why = why;
        }
        Ok(())
    }

    fn give_up(&self) -> Failure {
        let minutes = PATIENCE.as_secs() / 60;
        let why = self.why.as_ref().map(|why| format!("; the last scaling activity: {why}")).unwrap_or_default();
        Failure {
            class: FailureClass::Fatal,
            service: AUTOSCALING.to_owned(),
            action: "DescribeAutoScalingGroups".to_owned(),
            code: None,
            message: format!(
                "nothing has moved in {} for {minutes} minutes: {}{why}",
                self.group,
                self.poll.last_note()
            ),
            request_id: None,
        }
    }
}

/// Returns the message of a group's last scaling activity, if it has one.
async fn last_trouble(aws: &AwsProvider, group: &str) -> Result<Option<String>, Failure> {
    let request = || aws.autoscaling.describe_scaling_activities().auto_scaling_group_name(group).max_records(1).send();
    match aws.read(AUTOSCALING, "DescribeScalingActivities", request).await {
        Ok(answer) => {
            let message = answer.activities().first().and_then(|activity| activity.status_message());
            Ok(message.filter(|message| !message.is_empty()).map(str::to_owned))
        }
        // The message is only the reason; the group itself is read again in any case.
        Err(failure) if failure.class == FailureClass::MaybeNotYetConsistent => Ok(None),
        Err(failure) => Err(failure),
    }
}
