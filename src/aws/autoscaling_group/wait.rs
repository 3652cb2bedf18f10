//! Waiting for a group's machines, and for their end.

use std::time::Duration;

use aws_sdk_autoscaling::types::AutoScalingGroup as Answer;
use aws_sdk_ec2::types::{Filter, Instance};
use tokio::time::Instant;

use super::members::{Alike, machines, serving};
use super::{AUTOSCALING, groups, seen};
use crate::aws::Aws;
use crate::aws::ec2::{EC2, of_cluster};
use crate::aws::tags::Whose;
use crate::engine::{Class, Failure, Live, Note, Phase, Value};

/// How long one machine may take.
pub(super) const PATIENCE: Duration = Duration::from_mins(15);
/// How long nothing happens before we ask why, and again each time.
const STALL: Duration = Duration::from_mins(1);
/// The tag that Auto Scaling gives its machines.
const GROUP_TAG: &str = "aws:autoscaling:groupName";
/// States of an instance in which it still uses what others may want to remove.
const ALIVE: [&str; 5] = ["pending", "running", "shutting-down", "stopping", "stopped"];

/// Waits until a group has as many machines in service as it should have: those that we decide, or the fewest.
pub(super) async fn until_in_service(aws: &Aws, live: &Live, note: Note<'_>) -> Result<Live, Failure> {
    let needed = needed(live);
    let mut stall = Stall::new(&live.id);
    let mut watch = aws.polls.groups.watch();
    loop {
        let found = watch.look(|| groups(aws)).await?;
        let group = find(&found, &live.id);
        let up = group.map(serving).unwrap_or_default();
        if let Some(group) = group
            && up >= needed
        {
            let text = |name: &str| live.attributes.get(name).and_then(Value::as_text).unwrap_or_default();
            return arrived(aws, live, group, Alike { first: text("machines"), last: text("version") });
        }
        stall.see(aws, note, &format!("{up} of {} in service", machines(needed))).await?;
    }
}

/// Waits until a group is gone, and its machines with it: until then they hold volumes, addresses and groups.
pub(super) async fn until_gone(aws: &Aws, name: &str, note: Note<'_>) -> Result<(), Failure> {
    let mut stall = Stall::new(name);
    let mut watch = aws.polls.groups.watch();
    loop {
        let found = watch.look(|| groups(aws)).await?;
        let Some(group) = find(&found, name) else { break };
        stall.see(aws, note, &format!("{} left", machines(group.instances().len()))).await?;
    }
    let mut watch = aws.polls.instances.watch();
    loop {
        let found = watch.look(|| instances(aws)).await?;
        let left = found.iter().filter(|instance| group_of(instance) == Some(name)).count();
        if left == 0 {
            return Ok(());
        }
        stall.see(aws, note, &format!("{} left", machines(left))).await?;
    }
}

/// How many machines a group should have: read from what was wanted, or seen.
fn needed(live: &Live) -> usize {
    let size = |name: &str| match live.attributes.get(name) {
        Some(Value::Integer(size)) => usize::try_from(*size).ok(),
        _ => None,
    };
    size("desired").or_else(|| size("min")).unwrap_or_default()
}

/// The group of this name.
pub(super) fn find<'g>(groups: &'g [Answer], name: &str) -> Option<&'g Answer> {
    groups.iter().find(|group| group.auto_scaling_group_name() == Some(name))
}

/// The group with what only Auto Scaling knows of it: its ARN and its machines.
pub(super) fn arrived(aws: &Aws, live: &Live, group: &Answer, alike: Alike<'_>) -> Result<Live, Failure> {
    let Some(seen) = seen(Whose::Tagged(&aws.scope.cluster), group, alike).transpose()? else {
        return Ok(live.clone());
    };
    let mut attributes = live.attributes.clone();
    attributes.extend(seen.attributes.get("machines").map(|machines| ("machines".to_owned(), machines.clone())));
    Ok(Live {
        attributes,
        outputs: seen.outputs,
        phase: Phase::Ready,
        created: seen.created,
        members: seen.members,
        ..live.clone()
    })
}

/// All instances of the cluster that are not gone.
pub(super) async fn instances(aws: &Aws) -> Result<Vec<Instance>, Failure> {
    let pages = || {
        let request = aws.ec2.describe_instances().filters(of_cluster(aws)).filters(alive());
        request.into_paginator().items().send().try_collect()
    };
    let reservations: Vec<aws_sdk_ec2::types::Reservation> = aws.read(EC2, "DescribeInstances", pages).await?;
    Ok(reservations.into_iter().flat_map(|reservation| reservation.instances.unwrap_or_default()).collect())
}

/// Keeps instances that are not gone.
pub(super) fn alive() -> Filter {
    Filter::builder().name("instance-state-name").set_values(Some(ALIVE.map(str::to_owned).into())).build()
}

fn group_of(instance: &Instance) -> Option<&str> {
    instance.tags().iter().find(|tag| tag.key() == Some(GROUP_TAG)).and_then(|tag| tag.value())
}

/// Watches whether anything moves, says what is waited for, and asks Auto Scaling what holds it up.
pub(super) struct Stall<'a> {
    group: &'a str,
    last: String,
    moved: Instant,
    asked: Instant,
    why: Option<String>,
}

impl<'a> Stall<'a> {
    pub(super) fn new(group: &'a str) -> Self {
        let now = Instant::now();
        Self { group, last: String::new(), moved: now, asked: now, why: None }
    }

    /// Notes what is waited for, if that is news.
    ///
    /// Fails when nothing has moved for longer than a machine may take.
    pub(super) async fn see(&mut self, aws: &Aws, note: Note<'_>, waiting: &str) -> Result<(), Failure> {
        let now = Instant::now();
        if waiting != self.last {
            waiting.clone_into(&mut self.last);
            (self.moved, self.asked, self.why) = (now, now, None);
            note(waiting.to_owned());
        } else if now - self.moved >= PATIENCE {
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
        let why = self.why.as_ref().map(|why| format!("; the last scaling activity says: {why}")).unwrap_or_default();
        Failure {
            class: Class::Fatal,
            service: AUTOSCALING.to_owned(),
            action: "DescribeAutoScalingGroups".to_owned(),
            code: None,
            message: format!("nothing has moved in {} for {minutes} minutes: {}{why}", self.group, self.last),
            request_id: None,
        }
    }
}

/// What the last scaling activity of a group says, if it has anything to say.
async fn last_trouble(aws: &Aws, group: &str) -> Result<Option<String>, Failure> {
    let request = || aws.autoscaling.describe_scaling_activities().auto_scaling_group_name(group).max_records(1).send();
    match aws.read(AUTOSCALING, "DescribeScalingActivities", request).await {
        Ok(answer) => {
            let said = answer.activities().first().and_then(|activity| activity.status_message());
            Ok(said.filter(|said| !said.is_empty()).map(str::to_owned))
        }
        // It would only have told why; the group itself is asked again in any case.
        Err(failure) if failure.class == Class::MaybeNotYetConsistent => Ok(None),
        Err(failure) => Err(failure),
    }
}
