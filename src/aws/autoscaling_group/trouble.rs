//! Machines that have not started up, as a plan finds them.

use std::collections::BTreeMap;

use aws_sdk_autoscaling::types::AutoScalingGroup as Answer;
use aws_sdk_ec2::types::Instance;
use futures_util::future::try_join_all;
use jiff::Timestamp;

use super::members::running;
use super::reports::{describe_status, status};
use super::wait::PATIENCE;
use crate::aws::AwsProvider;
use crate::aws::ec2::created;
use crate::aws::observe_cache::ObserveCache;
use crate::aws::s3::kept;
use crate::engine::Failure;
use crate::health::{JoinProgress, MachineStatus};

/// Time of each machine's last report, by its id.
pub(super) type LastReportTimes = BTreeMap<String, Timestamp>;

/// A machine that may not have started up.
struct SuspectMachine<'a> {
    group: &'a str,
    machine: String,
    status: Option<MachineStatus>,
}

/// Returns the time of each machine's last report.
pub(super) async fn written(cache: &ObserveCache<'_>) -> Result<LastReportTimes, Failure> {
    let folder = format!("{}nodes/", cache.aws.scope.prefix);
    let kept = kept(cache).await?;
    let written = kept.iter().filter_map(|object| {
        let machine = object.key()?.strip_prefix(&folder)?.strip_suffix("/status.json")?;
        Some((machine.to_owned(), created(object.last_modified())?))
    });
    Ok(written.collect())
}

/// Returns the problem of each group that has one, by the group's name. One machine of the group is named.
///
/// A machine that fails retries and reports each time: of the machines of a group that have reported, only the last report
/// is read. With the list of the bucket, and one list of instances, the number of calls is the same for 300 machines as
/// for 3.
pub(super) async fn troubles(
    aws: &AwsProvider,
    groups: &[Answer],
    written: &LastReportTimes,
    instances: &[Instance],
) -> Result<BTreeMap<String, String>, Failure> {
    if aws.is_shallow() {
        return Ok(BTreeMap::new());
    }
    let suspects = try_join_all(groups.iter().map(|group| suspects(aws, group, written))).await?;
    let suspects: Vec<SuspectMachine<'_>> = suspects.into_iter().flatten().collect();
    let launched = launched(instances);
    let mut troubles = BTreeMap::new();
    for suspect in suspects.iter().filter(|suspect| suspect.has_failed() || suspect.is_late(&launched)) {
        let trouble = || format!("{} {}", suspect.machine, describe_status(suspect.status.as_ref()));
        troubles.entry(suspect.group.to_owned()).or_insert_with(trouble);
    }
    Ok(troubles)
}

/// Returns the machines of a group that may not have started up: the one with the last report, if it is not ready, and
/// those without a report.
async fn suspects<'a>(
    aws: &AwsProvider,
    group: &'a Answer,
    written: &LastReportTimes,
) -> Result<Vec<SuspectMachine<'a>>, Failure> {
    let name = group.auto_scaling_group_name().unwrap_or_default();
    let (reporting, silent): (Vec<String>, Vec<String>) =
        running(group, |_| true).into_iter().partition(|machine| written.contains_key(machine));
    let mut suspects = Vec::new();
    if let Some(machine) = reporting.into_iter().max_by_key(|machine| written.get(machine).copied()) {
        let status = status(aws, &machine).await?.filter(|status| status.state != JoinProgress::Ready);
        suspects.extend(status.map(|status| SuspectMachine { group: name, machine, status: Some(status) }));
    }
    suspects.extend(silent.into_iter().map(|machine| SuspectMachine { group: name, machine, status: None }));
    Ok(suspects)
}

impl SuspectMachine<'_> {
    fn has_failed(&self) -> bool {
        self.status.as_ref().is_some_and(|status| status.state == JoinProgress::Failed)
    }

    /// Returns `true` if its time to start up has passed. A machine of unknown age is not late.
    fn is_late(&self, launched: &BTreeMap<String, Timestamp>) -> bool {
        let age = |launched: &Timestamp| Timestamp::now().as_second() - launched.as_second();
        let age = launched.get(&self.machine).and_then(|launched| u64::try_from(age(launched)).ok());
        age.is_some_and(|age| age >= PATIENCE.as_secs())
    }
}

/// Returns the launch time of each machine of the cluster.
fn launched(instances: &[Instance]) -> BTreeMap<String, Timestamp> {
    let launched = |found: &Instance| Some((found.instance_id()?.to_owned(), created(found.launch_time())?));
    instances.iter().filter_map(launched).collect()
}
