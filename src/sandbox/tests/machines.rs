//! Auto Scaling.

use super::*;
use crate::engine::Value;

fn nodes(lives: &[Live]) -> &Live {
    lives.iter().find(|live| live.address == AutoScalingGroup::address("nodes")).unwrap()
}

fn zones(live: &Live) -> Vec<&str> {
    let mut zones: Vec<&str> = live.members.iter().map(|member| member.zone.as_str()).collect();
    zones.sort_unstable();
    zones
}

async fn resize(builder: &ObjectBuilder, group: AutoScalingGroup) -> Live {
    builder.update(&group.object("nodes").unwrap(), &["min", "max", "desired"]).await.unwrap();
    nodes(&builder.sandbox.observe().await.unwrap().live).clone()
}

#[tokio::test]
async fn machines_are_spread_over_the_zones_and_boot_in_time() {
    let sandbox = sandbox();
    let mut builder = ObjectBuilder::new(&sandbox);
    let objects = cluster();
    let (last, first) = objects.split_last().unwrap();
    for object in first {
        builder.make(object).await;
    }
    let made = sandbox.create(&builder.resolve(last), &IdempotencyToken("t".to_owned())).await.unwrap();
    assert_eq!(made.phase, ObjectPhase::Pending);
    let observed = sandbox.observe().await.unwrap().live;
    assert_eq!(zones(nodes(&observed)), ["us-east-1d", "us-east-1d", "us-east-1f"]);
    assert!(nodes(&observed).members.iter().all(|member| member.state == "Pending" && member.id.starts_with("i-")));
    let ready = sandbox.ready(&made, &quiet).await.unwrap();
    assert_eq!(ready.phase, ObjectPhase::Ready);
    assert!(ready.members.iter().all(|member| member.state == "InService"));
}

#[tokio::test]
async fn a_machine_that_ends_is_replaced_in_its_zone() {
    let sandbox = sandbox();
    ObjectBuilder::whole(&sandbox).await;
    let before = nodes(&sandbox.observe().await.unwrap().live).members.clone();
    sandbox.terminate(&before[0].id).unwrap();
    assert!(matches!(sandbox.terminate(&before[0].id), Err(InjectError::NoSuchInstance(_))));
    let after = sandbox.observe().await.unwrap().live;
    assert_eq!(zones(nodes(&after)), ["us-east-1d", "us-east-1d", "us-east-1f"]);
    assert!(!nodes(&after).members.iter().any(|member| member.id == before[0].id));
}

#[tokio::test]
async fn machines_of_a_failed_zone_move_to_the_others() {
    let sandbox = sandbox();
    ObjectBuilder::whole(&sandbox).await;
    assert_eq!(sandbox.fail_zone("us-east-1d").unwrap().len(), 2);
    assert_eq!(zones(nodes(&sandbox.observe().await.unwrap().live)), ["us-east-1f"; 3]);
    sandbox.restore_zone("us-east-1d").unwrap();
    assert_eq!(zones(nodes(&sandbox.observe().await.unwrap().live)), ["us-east-1f"; 3], "nothing moves back by itself");
    assert!(matches!(sandbox.fail_zone("eu-west-1a"), Err(InjectError::NoSuchZone { .. })));
}

#[tokio::test]
async fn a_group_follows_its_size() {
    let builder = ObjectBuilder::whole(&sandbox()).await;
    assert_eq!(zones(&resize(&builder, group(5)).await).len(), 5);
    assert_eq!(zones(&resize(&builder, group(2)).await), ["us-east-1d", "us-east-1f"]);
    assert_eq!(zones(&resize(&builder, group(0)).await).len(), 0);
}

#[tokio::test]
async fn machines_leave_a_subnet_that_their_group_leaves() {
    let builder = ObjectBuilder::whole(&sandbox()).await;
    let narrow = AutoScalingGroup { subnets: vec![of::<Subnet>("us-east-1f", "id")], ..group(3) };
    builder.update(&narrow.object("nodes").unwrap(), &["subnets"]).await.unwrap();
    assert_eq!(zones(nodes(&builder.sandbox.observe().await.unwrap().live)), ["us-east-1f"; 3]);
}

/// With an autoscaler, the group keeps its current size, as long as it is in range.
#[tokio::test]
async fn a_group_without_a_desired_size_keeps_what_it_has_within_its_range() {
    let builder = ObjectBuilder::whole(&sandbox()).await;
    let between = |min, max| AutoScalingGroup { min, max, desired: None, ..group(0) };
    let update = async |group: AutoScalingGroup| {
        builder.update(&group.object("nodes").unwrap(), &["min", "max"]).await.unwrap();
        nodes(&builder.sandbox.observe().await.unwrap().live).clone()
    };
    for (min, max, machines) in [(1, 9, 3), (5, 9, 5), (1, 2, 2)] {
        let live = update(between(min, max)).await;
        assert_eq!(live.members.len(), machines);
        assert_eq!(live.attributes["desired"], crate::engine::Value::Integer(i64::try_from(machines).unwrap()));
    }
}

/// Until a group is rolled, its machines keep the version that they were started from, and the group reports it.
#[tokio::test]
async fn a_roll_replaces_every_machine_one_by_one() {
    let sandbox = sandbox();
    let mut builder = ObjectBuilder::whole(&sandbox).await;
    let larger = LaunchTemplate { instance_size: "t3.large".to_owned(), ..template() }.object("nodes").unwrap();
    let live = builder.update(&larger, &["instance_size"]).await.unwrap();
    builder.made.insert(larger.address.clone(), live);
    let next = group(3).object("nodes").unwrap();
    let stale = builder.update(&next, &["version", "machines"]).await.unwrap();
    assert_eq!(stale.attributes["version"].as_text(), Some("2"));
    assert_eq!(stale.attributes["machines"].as_text(), Some("1"));

    let notes = Mutex::new(Vec::new());
    let before = sandbox.now().unwrap();
    let note = |text: String| lock(&notes).push(text);
    let rolled = sandbox.roll(&stale, &builder.resolve(&next), &note).await.unwrap();
    assert_eq!(rolled.attributes["machines"].as_text(), Some("2"));
    assert!(rolled.members.iter().all(|member| member.version == "2" && member.state == "InService"));
    let notes: Vec<String> =
        lock(&notes).iter().map(|note| note.split(" i-").next().unwrap_or(note).to_owned()).collect();
    assert_eq!(notes, ["starting 1 machine beside those of the group", "replacing", "replacing", "replacing"]);
    assert_eq!(rolled.attributes["desired"], Value::Integer(3), "the last machine had no successor");
    let took = sandbox.now().unwrap().duration_since(before).as_secs();
    assert!(took >= 3 * 40, "three machines do not boot in {took} s one after the other");
}

#[tokio::test]
async fn a_group_without_machines_runs_its_own_version() {
    let builder = ObjectBuilder::whole(&sandbox()).await;
    let live = resize(&builder, group(0)).await;
    assert_eq!(live.attributes["machines"], live.attributes["version"]);
}

/// Machines write into the private zone; these records are not objects of ours, and are deleted with the zone.
#[tokio::test]
async fn what_machines_write_into_a_zone_goes_with_it() {
    let sandbox = sandbox();
    let builder = ObjectBuilder::whole(&sandbox).await;
    let zones = sandbox.inventory().unwrap();
    let private = zones.iter().find(|zone| zone.address == Some(HostedZone::address("internal"))).unwrap();
    assert_eq!(private.contents.len(), 3, "{:?}", private.contents);
    assert!(private.contents.values().all(|ip| ip.starts_with("172.20.")));
    builder.delete("hosted-zone/internal").await.unwrap();
}
