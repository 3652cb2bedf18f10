//! Machines that have not started up, as a plan sees them and a roll replaces them; without a server.

use jiff::{SignedDuration, Timestamp};

use super::waiting::{cluster, group, status, terminated, terminates, wanted};
use super::*;
use crate::resource::AutoScalingGroup;

const UP: &str = "InService";

/// Returns S3's list: a status of each of these machines, written at a second.
fn list(written: &[(&str, u8)]) -> String {
    let object = |(machine, second): &(&str, u8)| {
        let key = format!("nodes/{machine}/status.json");
        format!("<Contents><Key>{key}</Key><LastModified>2026-01-01T00:00:{second:02}.000Z</LastModified></Contents>")
    };
    let objects: String = written.iter().map(object).collect();
    format!("<ListBucketResult><IsTruncated>false</IsTruncated>{objects}</ListBucketResult>")
}

/// Returns EC2's answer: machines that were launched so many minutes ago.
fn launched(machines: &[(&str, i64)]) -> String {
    let machine = |(id, minutes): &(&str, i64)| {
        let at = Timestamp::now() - SignedDuration::from_mins(*minutes);
        format!("<item><instanceId>{id}</instanceId><launchTime>{}</launchTime></item>", at.strftime("%FT%T.000Z"))
    };
    let machines: String = machines.iter().map(machine).collect();
    let set = format!("<item><instancesSet>{machines}</instancesSet></item>");
    format!("<DescribeInstancesResponse><reservationSet>{set}</reservationSet></DescribeInstancesResponse>")
}

/// Returns a cluster with two workers of which these have reported, the first of them long ago.
async fn with(written: &[(&'static str, u8)]) -> MotoCluster {
    let cluster = cluster().await;
    cluster.calls.answer("DescribeAutoScalingGroups", [group("", &[("i-1", "2", UP), ("i-2", "2", UP)])]);
    cluster.calls.answer("/unused/", [list(written)]);
    let versions = "<DescribeLaunchTemplateVersionsResponse/>".to_owned();
    cluster.calls.answer("DescribeLaunchTemplateVersions", [versions]);
    cluster
}

async fn machines(cluster: &MotoCluster) -> String {
    let observed = cluster.see::<AutoScalingGroup>("workers").await;
    observed.attributes["machines"].as_text().unwrap().to_owned()
}

#[tokio::test(start_paused = true)]
async fn a_group_whose_newest_machine_has_failed_is_not_as_it_should_be() {
    let cluster = with(&[("i-1", 1), ("i-2", 2)]).await;
    cluster.calls.answer("DescribeInstances", [launched(&[("i-1", 900), ("i-2", 1)])]);
    cluster.calls.answer("/nodes/i-2/status.json", [status("failed", 2), status("ready", 3)]);
    assert_eq!(machines(&cluster).await, "2, but i-2 failed in the step `join`");
    let calls = cluster.calls.take();
    let statuses = calls.iter().filter(|call| call.contains("status.json")).count();
    assert_eq!((statuses, calls.len()), (1, 5), "one status a group, whatever its size: {calls:?}");
    assert_eq!(machines(&cluster).await, "2", "it tries again, and came up");
}

#[tokio::test(start_paused = true)]
async fn a_machine_has_its_time_to_come_up() {
    for (minutes, shown) in [(14, "2"), (16, "2, but i-2 is at the step `join`")] {
        let cluster = with(&[("i-1", 1), ("i-2", 2)]).await;
        cluster.calls.answer("/nodes/i-2/status.json", [status("working", 2)]);
        cluster.calls.answer("DescribeInstances", [launched(&[("i-1", 900), ("i-2", minutes)])]);
        assert_eq!(machines(&cluster).await, shown);
    }
    for (minutes, shown) in [(14, "2"), (16, "2, but i-2 has not reported yet")] {
        let cluster = with(&[("i-1", 1)]).await;
        cluster.calls.answer("/nodes/i-1/status.json", [status("ready", 1)]);
        cluster.calls.answer("DescribeInstances", [launched(&[("i-1", 900), ("i-2", minutes)])]);
        assert_eq!(machines(&cluster).await, shown);
    }
}

/// The machine is older than the roll, and keeps failing while its reports are read.
#[tokio::test(start_paused = true)]
async fn a_roll_puts_another_machine_in_the_place_of_one_that_did_not_come_up() {
    let cluster = with(&[("i-1", 1), ("i-2", 2)]).await;
    cluster.calls.answer("DescribeInstances", [launched(&[("i-1", 900), ("i-2", 1)])]);
    cluster.calls.answer("/nodes/i-1/status.json", [status("ready", 1)]);
    cluster.calls.answer("/nodes/i-2/status.json", (2..9).map(|second| status("failed", second)));
    let live = cluster.see::<AutoScalingGroup>("workers").await;
    cluster.calls.answer(
        "DescribeAutoScalingGroups",
        [
            group("", &[("i-1", "2", UP), ("i-2", "2", UP)]),
            group("", &[("i-1", "2", UP), ("i-2", "2", UP)]),
            group("", &[("i-1", "2", UP), ("i-3", "2", UP)]),
        ],
    );
    cluster.calls.answer("/nodes/i-3/status.json", [status("ready", 9)]);
    terminates(&cluster);
    let object = wanted().object("workers").unwrap();
    let live = cluster.aws.roll(&live, &object, &|_| {}).await.unwrap();
    assert_eq!(live.attributes["machines"].as_text(), Some("2"));
    assert_eq!(terminated(&cluster), 1);
}
