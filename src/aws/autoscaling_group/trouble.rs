//! Machines that have not come up, as a plan finds them.

use std::collections::BTreeMap;

use aws_sdk_autoscaling::types::AutoScalingGroup as Answer;
use aws_sdk_ec2::types::Instance;
use futures_util::future::try_join_all;
use jiff::Timestamp;

use super::members::running;
use super::reports::{status, word};
use super::wait::PATIENCE;
use crate::aws::Aws;
use crate::aws::ec2::created;
use crate::aws::kind::Look;
use crate::aws::s3::kept;
use crate::engine::Failure;
use crate::health::{Progress, Status};

/// When each machine wrote last, by its id.
pub(super) type Written = BTreeMap<String, Timestamp>;

/// A machine that may not have come up.
struct Suspect<'a> {
    group: &'a str,
    machine: String,
    said: Option<Status>,
}

/// When each machine wrote of itself last.
pub(super) async fn written(look: &Look<'_>) -> Result<Written, Failure> {
    let folder = format!("{}nodes/", look.aws.scope.prefix);
    let written = kept(look).await?.iter().filter_map(|object| {
        let machine = object.key()?.strip_prefix(&folder)?.strip_suffix("/status.json")?;
        Some((machine.to_owned(), created(object.last_modified())?))
    });
    Ok(written.collect())
}

/// What is wrong in a group, by the group's name, told of one of its machines.
///
/// Machines that fail try again and write each time: of those in a group that wrote, only the last is read. With the list
/// of the bucket, and one look at instances, that is as many calls for 300 machines as
/// for 3.
pub(super) async fn troubles(
    aws: &Aws,
    groups: &[Answer],
    written: &Written,
    instances: &[Instance],
) -> Result<BTreeMap<String, String>, Failure> {
    let suspects = try_join_all(groups.iter().map(|group| suspects(aws, group, written))).await?;
    let suspects: Vec<Suspect<'_>> = suspects.into_iter().flatten().collect();
    let launched = launched(instances);
    let mut troubles = BTreeMap::new();
    for suspect in suspects.iter().filter(|suspect| suspect.has_failed() || suspect.is_late(&launched)) {
        let trouble = || format!("{} {}", suspect.machine, word(suspect.said.as_ref()));
        troubles.entry(suspect.group.to_owned()).or_insert_with(trouble);
    }
    Ok(troubles)
}

/// The machines of a group that may not have come up: the one that wrote last, if it is not ready, and those that never
/// wrote.
async fn suspects<'a>(aws: &Aws, group: &'a Answer, written: &Written) -> Result<Vec<Suspect<'a>>, Failure> {
    let name = group.auto_scaling_group_name().unwrap_or_default();
    let (told, silent): (Vec<String>, Vec<String>) =
        running(group, |_| true).into_iter().partition(|machine| written.contains_key(machine));
    let mut suspects = Vec::new();
    if let Some(machine) = told.into_iter().max_by_key(|machine| written.get(machine).copied()) {
        let said = status(aws, &machine).await?.filter(|said| said.state != Progress::Ready);
        suspects.extend(said.map(|said| Suspect { group: name, machine, said: Some(said) }));
    }
    suspects.extend(silent.into_iter().map(|machine| Suspect { group: name, machine, said: None }));
    Ok(suspects)
}

impl Suspect<'_> {
    fn has_failed(&self) -> bool {
        self.said.as_ref().is_some_and(|said| said.state == Progress::Failed)
    }

    /// Whether it has had its time. One that nobody knows the age of has it still.
    fn is_late(&self, launched: &BTreeMap<String, Timestamp>) -> bool {
        let age = |launched: &Timestamp| Timestamp::now().as_second() - launched.as_second();
        let age = launched.get(&self.machine).and_then(|launched| u64::try_from(age(launched)).ok());
        age.is_some_and(|age| age >= PATIENCE.as_secs())
    }
}

/// When each machine of the cluster was launched.
fn launched(instances: &[Instance]) -> BTreeMap<String, Timestamp> {
    let launched = |found: &Instance| Some((found.instance_id()?.to_owned(), created(found.launch_time())?));
    instances.iter().filter_map(launched).collect()
}
