//! A master that joins a living cluster: the next one comes, or goes, when it belongs to it.

use tokio::time::Instant;

use super::groups;
use super::members::running;
use super::reports::{LOOK, Reports};
use super::wait::{Stall, arrived, find};
use crate::aws::Aws;
use crate::aws::bucket_object::keys;
use crate::aws::kind::seen;
use crate::engine::{Class, Failure, Live, Note};
use crate::resource::AutoScalingGroup;

/// Whether the group's machines are masters that come to others.
///
/// A master says so in the bucket once its etcd is healthy. Before any has, all masters begin the cluster together, and
/// none of them is ready alone.
pub(super) async fn joins_living_cluster(aws: &Aws, live: &Live) -> Result<bool, Failure> {
    if !seen::<AutoScalingGroup>(live)?.is_masters() {
        return Ok(false);
    }
    let markers = format!("{}nodes/etcd-", aws.scope.prefix);
    Ok(!keys(aws, &aws.scope.bucket, &markers).await?.is_empty())
}

/// Waits until every machine of the group has said that it is ready.
pub(super) async fn until_ready(aws: &Aws, live: Live, note: Note<'_>) -> Result<Live, Failure> {
    let mut reports = Reports::default();
    let mut stall = Stall::new(&live.id);
    let mut watch = aws.polls.groups.watch();
    loop {
        let found = watch.look(|| groups(aws)).await?;
        let Some(group) = find(&found, &live.id) else {
            stall.see(aws, note, "the group is not to be seen").await?;
            continue;
        };
        let machines = running(group, |_| true);
        reports.ask(aws, &machines).await?;
        let late = machines.iter().find(|machine| !reports.is_ready(machine));
        let waiting = match late {
            None if !machines.is_empty() => return arrived(aws, &live, group),
            None => "no machine is in service".to_owned(),
            Some(late) => format!("{late} {}", reports.word(late)),
        };
        if let Some(why) = late.and_then(|late| reports.overdue(late, Instant::now())) {
            return Err(Failure::own(Class::Fatal, "join", format!("{why}. {LOOK}")));
        }
        stall.see(aws, note, &waiting).await?;
    }
}
