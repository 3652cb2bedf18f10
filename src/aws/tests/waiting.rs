//! Waiting for groups, on a paused clock and without a server.

use std::sync::Mutex;
use std::time::Duration;

use tokio::time::Instant;

use super::*;
use crate::resource::{AutoScalingGroup, PurchaseOption};

/// Returns a cluster for which only the test gives answers.
pub(super) async fn cluster() -> MotoCluster {
    MotoCluster::connect("c".to_owned(), "http://127.0.0.1:9", RequestRecorder::alone()).await
}

/// Returns a group of two, with machines as `(id, version, state)`.
pub(super) fn group(status: &str, machines: &[(&str, &str, &str)]) -> String {
    described(2, status, machines)
}

/// Returns a group of this size.
fn sized(size: u32, machines: &[(&str, &str, &str)]) -> String {
    described(size, "", machines)
}

fn described(size: u32, status: &str, machines: &[(&str, &str, &str)]) -> String {
    let machine = |(id, version, state): &(&str, &str, &str)| {
        let template = format!("<LaunchTemplateId>lt-1</LaunchTemplateId><Version>{version}</Version>");
        format!(
            "<member><InstanceId>{id}</InstanceId><LifecycleState>{state}</LifecycleState>\
             <LaunchTemplate>{template}</LaunchTemplate></member>"
        )
    };
    let machines: String = machines.iter().map(machine).collect();
    let tag = |key: &str, value: &str| {
        format!("<member><Key>{key}</Key><Value>{value}</Value><PropagateAtLaunch>true</PropagateAtLaunch></member>")
    };
    let tags = tag(CLUSTER_TAG, "c") + &tag(OBJECT_TAG, "autoscaling-group/workers");
    groups(&format!(
        "<member><AutoScalingGroupName>workers</AutoScalingGroupName><AutoScalingGroupARN>arn:workers</AutoScalingGroupARN>\
         <LaunchTemplate><LaunchTemplateId>lt-1</LaunchTemplateId><Version>2</Version></LaunchTemplate>\
         <MinSize>2</MinSize><MaxSize>{size}</MaxSize><DesiredCapacity>{size}</DesiredCapacity>{status}\
         <Instances>{machines}</Instances><Tags>{tags}</Tags></member>"
    ))
}

fn groups(groups: &str) -> String {
    let result = format!("<AutoScalingGroups>{groups}</AutoScalingGroups>");
    format!(
        "<DescribeAutoScalingGroupsResponse><DescribeAutoScalingGroupsResult>{result}</DescribeAutoScalingGroupsResult>\
         </DescribeAutoScalingGroupsResponse>"
    )
}

/// Returns the status that a machine writes at a second.
pub(super) fn status(state: &str, second: u8) -> String {
    format!(r#"{{"step":"join","state":"{state}","at":"2026-01-01T00:00:{second:02}Z"}}"#)
}

pub(super) fn wanted() -> AutoScalingGroup {
    let tags = [(CLUSTER_TAG, "c"), (OBJECT_TAG, "autoscaling-group/workers")];
    AutoScalingGroup {
        name: "workers".to_owned(),
        launch_template: "lt-1".into(),
        version: "2".into(),
        machines: "2".into(),
        sizes: Vec::new(),
        purchase: PurchaseOption::OnDemand,
        subnets: Vec::new(),
        min: 2,
        max: 2,
        desired: Some(2),
        target_groups: Vec::new(),
        max_surge: Some(0),
        max_unavailable: Some(1),
        replace: Vec::new(),
        tags: tags.map(|(key, value)| (key.to_owned(), value.to_owned())).into(),
    }
}

fn made() -> Live {
    let live = crate::aws::kind::live("workers", "workers", &wanted(), &[("name", "workers")]).unwrap();
    Live { phase: ObjectPhase::Pending, ..live }
}

#[tokio::test(start_paused = true)]
async fn a_group_is_ready_when_its_machines_are_in_service() {
    let cluster = cluster().await;
    let answers = [
        groups(""),
        group("", &[("i-1", "2", "Pending")]),
        group("", &[("i-1", "2", "InService"), ("i-2", "2", "Pending")]),
        group("", &[("i-1", "2", "InService"), ("i-2", "2", "InService")]),
    ];
    cluster.calls.answer("DescribeAutoScalingGroups", answers);
    let notes = Mutex::new(Vec::new());
    let live = cluster.aws.ready(&made(), &|note| notes.lock().unwrap().push(note)).await.unwrap();
    assert_eq!(*notes.lock().unwrap(), ["0 of 2 machines in service", "1 of 2 machines in service"]);
    assert_eq!((live.phase, live.outputs["arn"].as_str(), live.members.len()), (ObjectPhase::Ready, "arn:workers", 2));
}

#[tokio::test(start_paused = true)]
async fn a_group_that_gets_no_machine_fails_with_the_reason() {
    let cluster = cluster().await;
    cluster.calls.answer("DescribeAutoScalingGroups", [group("", &[])]);
    let activity = "<Activities><member><StatusMessage>We have no t3.medium.</StatusMessage></member></Activities>";
    let result = format!("<DescribeScalingActivitiesResult>{activity}</DescribeScalingActivitiesResult>");
    let answer = format!("<DescribeScalingActivitiesResponse>{result}</DescribeScalingActivitiesResponse>");
    cluster.calls.answer("DescribeScalingActivities", [answer]);
    let (start, notes) = (Instant::now(), Mutex::new(Vec::new()));
    let failure = cluster.aws.ready(&made(), &|note| notes.lock().unwrap().push(note)).await.unwrap_err();
    assert!((900..910).contains(&start.elapsed().as_secs()), "{:?}", start.elapsed());
    assert_eq!(
        failure.message,
        "nothing has moved in workers for 15 minutes: 0 of 2 machines in service; \
         the last scaling activity: We have no t3.medium."
    );
    let messages = ["0 of 2 machines in service", "0 of 2 machines in service: We have no t3.medium."];
    assert_eq!(*notes.lock().unwrap(), messages);
    let calls = cluster.calls.take();
    let asked = calls.iter().filter(|action| *action == "DescribeScalingActivities").count();
    assert!((12..=15).contains(&asked), "once a minute, not {asked} times");
}

pub(super) fn terminates(cluster: &MotoCluster) {
    let activity = "<TerminateInstanceInAutoScalingGroupResult/>";
    let activity = format!(
        "<TerminateInstanceInAutoScalingGroupResponse>{activity}</TerminateInstanceInAutoScalingGroupResponse>"
    );
    cluster.calls.answer("TerminateInstanceInAutoScalingGroup", [activity]);
}

pub(super) fn terminated(cluster: &MotoCluster) -> usize {
    let calls = cluster.calls.take();
    calls.iter().filter(|action| *action == "TerminateInstanceInAutoScalingGroup").count()
}

#[tokio::test(start_paused = true)]
async fn machines_are_replaced_one_after_the_other() {
    let cluster = cluster().await;
    let (up, down) = ("InService", "Terminating");
    let answers = [
        group("", &[("i-1", "1", up), ("i-2", "1", up)]),
        group("", &[("i-1", "1", down), ("i-2", "1", up)]),
        group("", &[("i-2", "1", up), ("i-3", "2", "Pending")]),
        group("", &[("i-2", "1", up), ("i-3", "2", up)]),
        group("", &[("i-2", "1", up), ("i-3", "2", up)]),
        group("", &[("i-2", "1", up), ("i-3", "2", up)]),
        group("", &[("i-2", "1", up), ("i-3", "2", up)]),
        group("", &[("i-3", "2", up), ("i-4", "2", "Pending")]),
        group("", &[("i-3", "2", up), ("i-4", "2", up)]),
    ];
    cluster.calls.answer("DescribeAutoScalingGroups", answers);
    terminates(&cluster);
    for (machine, messages) in [("/nodes/i-1/status.json", "ready"), ("/nodes/i-2/status.json", "ready")] {
        cluster.calls.answer(machine, [status(messages, 0)]);
    }
    cluster.calls.answer("/nodes/i-3/status.json", [status("working", 1), status("failed", 2), status("ready", 3)]);
    cluster.calls.answer("/nodes/i-4/status.json", [status("ready", 4)]);
    let notes = Mutex::new(Vec::new());
    let object = wanted().object("workers").unwrap();
    let live = cluster.aws.roll(&made(), &object, &|note| notes.lock().unwrap().push(note)).await.unwrap();
    assert_eq!(live.attributes["machines"].as_text(), Some("2"));
    let messages = [
        "replacing i-1",
        "1 of 2 machines there",
        "i-3: Pending; 1 machine to replace",
        "i-3 is at the step `join`",
        "i-3 failed in the step `join`",
        "replacing i-2",
        "1 of 2 machines there",
        "i-4: Pending; 0 machines to replace",
    ];
    assert_eq!(*notes.lock().unwrap(), messages);
    assert_eq!(terminated(&cluster), 2);
}

/// By default another machine is there before the first one goes, and the last one has no successor.
#[tokio::test(start_paused = true)]
async fn machines_are_started_beside_those_of_the_group() {
    let cluster = cluster().await;
    let up = "InService";
    let answers = [
        sized(2, &[("i-1", "1", up), ("i-2", "1", up)]),
        sized(3, &[("i-1", "1", up), ("i-2", "1", up)]),
        sized(3, &[("i-1", "1", up), ("i-2", "1", up), ("i-3", "2", "Pending")]),
        sized(3, &[("i-1", "1", up), ("i-2", "1", up), ("i-3", "2", up)]),
        sized(3, &[("i-2", "1", up), ("i-3", "2", up), ("i-4", "2", "Pending")]),
        sized(3, &[("i-2", "1", up), ("i-3", "2", up), ("i-4", "2", up)]),
        sized(2, &[("i-2", "1", "Terminating"), ("i-3", "2", up), ("i-4", "2", up)]),
        sized(2, &[("i-3", "2", up), ("i-4", "2", up)]),
    ];
    cluster.calls.answer("DescribeAutoScalingGroups", answers);
    terminates(&cluster);
    let updated = "<UpdateAutoScalingGroupResponse/>".to_owned();
    cluster.calls.answer("UpdateAutoScalingGroup", [updated]);
    for report in
        ["/nodes/i-1/status.json", "/nodes/i-2/status.json", "/nodes/i-3/status.json", "/nodes/i-4/status.json"]
    {
        cluster.calls.answer(report, [status("ready", 1)]);
    }
    let notes = Mutex::new(Vec::new());
    let object = AutoScalingGroup { max_surge: None, max_unavailable: None, ..wanted() }.object("workers").unwrap();
    cluster.aws.roll(&made(), &object, &|note| notes.lock().unwrap().push(note)).await.unwrap();
    let messages = [
        "starting 1 machine beside those of the group",
        "2 of 3 machines there",
        "i-3: Pending; 2 machines to replace",
        "replacing i-1",
        "i-4: Pending; 1 machine to replace",
        "ending i-2",
        "i-2: Terminating; 0 machines to replace",
    ];
    assert_eq!(*notes.lock().unwrap(), messages);
    assert_eq!(terminated(&cluster), 2);
}

/// One machine fails, and one sends no report: the other machines stay, and the message names the log to read.
#[tokio::test(start_paused = true)]
async fn a_new_machine_that_does_not_come_up_stops_the_roll_after_one() {
    let failing = (1..9).map(|second| status("failed", second)).collect::<Vec<_>>();
    for (messages, why, seconds) in [
        (failing, "i-3 has failed 3 times, last in the step `join`", 0..120),
        (vec!["no status".to_owned()], "i-3 runs for 15 minutes, is not ready, and has not reported yet", 900..1000),
    ] {
        let cluster = cluster().await;
        let up = "InService";
        let answers =
            [group("", &[("i-1", "1", up), ("i-2", "1", up)]), group("", &[("i-2", "1", up), ("i-3", "2", up)])];
        cluster.calls.answer("DescribeAutoScalingGroups", answers);
        let nothing = "<DescribeScalingActivitiesResult/>";
        let nothing = format!("<DescribeScalingActivitiesResponse>{nothing}</DescribeScalingActivitiesResponse>");
        cluster.calls.answer("DescribeScalingActivities", [nothing]);
        terminates(&cluster);
        cluster.calls.answer("/nodes/i-1/status.json", [status("ready", 0)]);
        cluster.calls.answer("/nodes/i-2/status.json", [status("ready", 0)]);
        cluster.calls.answer("/nodes/i-3/status.json", messages);
        let object = wanted().object("workers").unwrap();
        let start = Instant::now();
        let failure = cluster.aws.roll(&made(), &object, &|_| {}).await.unwrap_err();
        assert!(seconds.contains(&start.elapsed().as_secs()), "{:?}", start.elapsed());
        assert!(failure.message.starts_with(why), "{failure}");
        assert!(failure.message.contains("so the 1 machine before it in workers"), "{failure}");
        assert!(failure.message.contains("journalctl -u quorate-node"), "{failure}");
        assert!(!failure.class.is_transient(), "trying again at once would replace nothing but time");
        assert_eq!(terminated(&cluster), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_group_on_its_way_out_is_waited_for_and_its_machines_too() {
    let cluster = cluster().await;
    cluster.calls.refuse("DeleteAutoScalingGroup", "ValidationError");
    let going = group("<Status>Delete in progress</Status>", &[("i-1", "2", "Terminating")]);
    cluster.calls.answer("DescribeAutoScalingGroups", [going.clone(), going, groups("")]);
    let machine = |tags: &str| {
        let instance = format!("<item><instanceId>i-1</instanceId><tagSet>{tags}</tagSet></item>");
        let set = format!("<item><instancesSet>{instance}</instancesSet></item>");
        format!("<DescribeInstancesResponse><reservationSet>{set}</reservationSet></DescribeInstancesResponse>")
    };
    let of = |group: &str| machine(&format!("<item><key>aws:autoscaling:groupName</key><value>{group}</value></item>"));
    cluster.calls.answer("DescribeInstances", [of("workers"), of("others")]);
    let start = Instant::now();
    cluster.aws.delete(&made(), &|_| {}).await.unwrap();
    assert!(start.elapsed() < Duration::from_secs(10));
    assert_eq!(cluster.calls.take().iter().filter(|action| *action == "DescribeInstances").count(), 2);
}
