//! Auto Scaling groups and their machines.

use super::launch_template::template;
use super::*;
use crate::engine::GroupMember;
use crate::resource::{AutoScalingGroup, LaunchTemplate, PurchaseOption};

/// A template whose machines have the tags of their group.
fn of_workers(moto: &MotoCluster) -> LaunchTemplate {
    LaunchTemplate { instance_tags: moto.tags::<AutoScalingGroup>("workers"), ..template(moto, "workers") }
}

async fn group(moto: &MotoCluster, size: u32) -> AutoScalingGroup {
    let vpc = moto.vpc().await;
    let a = moto.subnet(&vpc, "us-east-1a", "172.20.32.0/19").await;
    let b = moto.subnet(&vpc, "us-east-1b", "172.20.64.0/19").await;
    // moto starts no machine with a profile that it does not know.
    let template = moto.make("workers", &of_workers(moto)).await;
    let version = TextInput::from(template.outputs["version"].as_str());
    AutoScalingGroup {
        name: format!("workers.{}", moto.aws.scope.cluster),
        launch_template: id(&template),
        version: version.clone(),
        machines: version,
        sizes: Vec::new(),
        purchase: PurchaseOption::OnDemand,
        subnets: vec![id(&a), id(&b)],
        min: size,
        max: size,
        desired: Some(size),
        target_groups: Vec::new(),
        max_surge: None,
        max_unavailable: None,
        replace: Vec::new(),
        tags: moto.tags::<AutoScalingGroup>("workers"),
    }
}

/// Returns the calls by which a plan observes groups with machines, repeated: the tags of the machines are read too.
fn sights(count: usize) -> Vec<&'static str> {
    let calls = [
        "DescribeAutoScalingGroups",
        "DescribeInstances",
        "DescribeLaunchTemplateVersions",
        "DescribeVolumes",
        "GET /unused/?list-type=2&prefix=&start-after=backups0",
    ];
    calls.into_iter().flat_map(|call| vec![call; count]).collect()
}

async fn target_group(moto: &MotoCluster, vpc: &str, name: &str) -> String {
    let name = format!("{name}-{:08x}", fastrand::u32(..));
    let request = moto.aws.elb.create_target_group().name(name).port(6443).vpc_id(vpc);
    let request = request.protocol(aws_sdk_elasticloadbalancingv2::types::ProtocolEnum::Tcp);
    request.send().await.unwrap().target_groups()[0].target_group_arn().unwrap().to_owned()
}

#[tokio::test]
async fn a_group_is_created_changed_corrected_and_deleted() {
    let Some(moto) = moto("group").await else { return };
    let wanted = group(&moto, 2).await;
    moto.calls.take();
    let made = moto.make("workers", &wanted).await;
    let waits = ["CreateAutoScalingGroup", "DescribeAutoScalingGroups"];
    assert_eq!(moto.calls.take(), [&waits[..], &sights(2)].concat());
    assert_eq!(made.members.len(), 2);
    assert!(made.outputs["arn"].ends_with(&wanted.name), "{:?}", made.outputs);

    let larger = AutoScalingGroup { min: 3, max: 3, desired: Some(3), ..wanted.clone() };
    assert_eq!(moto.correct("workers", &larger).await, ["desired", "max", "min"]);
    assert_eq!(moto.see::<AutoScalingGroup>("workers").await.members.len(), 3);

    // Its size and a tag are changed outside.
    let request = moto.aws.autoscaling.update_auto_scaling_group().auto_scaling_group_name(&wanted.name);
    request.desired_capacity(1).min_size(1).send().await.unwrap();
    let tag = aws_sdk_autoscaling::types::Tag::builder().resource_id(&wanted.name).resource_type("auto-scaling-group");
    let tag = tag.key("Name").value("mine").propagate_at_launch(true).build();
    moto.aws.autoscaling.create_or_update_tags().tags(tag).send().await.unwrap();
    assert_eq!(moto.correct("workers", &larger).await, ["desired", "min", "tags"]);

    // An autoscaler decides on the size: ours is never sent.
    let free = AutoScalingGroup { min: 1, max: 9, desired: None, ..larger };
    assert_eq!(moto.correct("workers", &free).await, ["max", "min"]);
    assert_eq!(moto.see::<AutoScalingGroup>("workers").await.members.len(), 3);

    moto.unmake::<AutoScalingGroup>("workers").await;
    let filter = crate::aws::ec2::filter("tag:aws:autoscaling:groupName", &wanted.name);
    let left = moto.aws.ec2.describe_instances().filters(filter).send().await.unwrap();
    let states = left
        .reservations()
        .iter()
        .flat_map(aws_sdk_ec2::types::Reservation::instances)
        .map(|i| i.state().unwrap().name().unwrap().as_str());
    assert!(states.into_iter().all(|state| state == "terminated"));
    moto.unmake::<LaunchTemplate>("workers").await;
}

#[tokio::test]
async fn a_group_that_is_going_or_gone_is_waited_for() {
    let Some(moto) = moto("going").await else { return };
    let wanted = group(&moto, 1).await;
    let made = moto.make("workers", &wanted).await;
    // A machine that is not being terminated is not waited for.
    moto.calls.refuse("DeleteAutoScalingGroup", "ValidationError");
    let failure = moto.aws.delete(&made, &|_| {}).await.unwrap_err();
    assert_eq!(failure.action, "DeleteAutoScalingGroup");
    moto.unmake::<AutoScalingGroup>("workers").await;
}

#[tokio::test]
async fn a_group_changes_between_one_size_several_and_spot() {
    let Some(moto) = moto("mixed").await else { return };
    let plain = group(&moto, 2).await;
    let sizes = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
    let several = AutoScalingGroup { sizes: sizes(&["t3.medium", "m5.large"]), ..plain.clone() };
    let spot = AutoScalingGroup { purchase: PurchaseOption::new("lowest-price", 1, 25), ..plain.clone() };
    let both = AutoScalingGroup { purchase: PurchaseOption::new("capacity-optimized", 0, 0), ..several.clone() };
    moto.make("workers", &several).await;
    assert_eq!(moto.correct("workers", &several).await, [""; 0], "nothing to correct");
    assert_eq!(moto.correct("workers", &both).await, ["purchase"]);
    assert_eq!(moto.correct("workers", &spot).await, ["purchase", "sizes"]);
    // A change of something else keeps the policy.
    let larger = AutoScalingGroup { max: 4, ..spot.clone() };
    assert_eq!(moto.correct("workers", &larger).await, ["max"]);
    assert_eq!(moto.correct("workers", &plain).await, ["max", "purchase"]);
    assert_eq!(moto.correct("workers", &several).await, ["sizes"]);
    moto.unmake::<AutoScalingGroup>("workers").await;
    moto.make("workers", &both).await;
    assert_eq!(moto.see::<AutoScalingGroup>("workers").await.members.len(), 2);
    moto.unmake::<AutoScalingGroup>("workers").await;
}

#[tokio::test]
async fn target_groups_come_and_go() {
    let Some(moto) = moto("targets").await else { return };
    let group = group(&moto, 1).await;
    let vpc = moto.see::<Vpc>("main").await.id;
    let (one, other) = (target_group(&moto, &vpc, "one").await, target_group(&moto, &vpc, "other").await);
    let with = |arn: &str| AutoScalingGroup { target_groups: vec![arn.into()], ..group.clone() };
    moto.make("workers", &with(&one)).await;
    moto.calls.take();
    assert_eq!(moto.correct("workers", &with(&other)).await, ["target_groups"]);
    let mut calls = sights(2);
    calls.extend(["AttachLoadBalancerTargetGroups", "DetachLoadBalancerTargetGroups"]);
    calls.sort_unstable();
    assert_eq!(moto.calls.take(), calls);
    moto.unmake::<AutoScalingGroup>("workers").await;
}

#[tokio::test]
async fn a_new_version_reaches_the_group_and_its_machines() {
    let Some(moto) = moto("roll").await else { return };
    let group = group(&moto, 1).await;
    let vpc = moto.see::<Vpc>("main").await.id;
    let wanted = AutoScalingGroup { target_groups: vec![target_group(&moto, &vpc, "api").await.into()], ..group };
    moto.make("workers", &wanted).await;
    let larger = LaunchTemplate { instance_size: "t3.large".to_owned(), ..of_workers(&moto) };
    moto.correct("workers", &larger).await;
    let version = TextInput::from("2");
    let newer = AutoScalingGroup { version: version.clone(), machines: version, ..wanted };
    let object = newer.object("workers").unwrap();
    let live = moto.see::<AutoScalingGroup>("workers").await;
    let live = moto.aws.update(&live, &object, &["version".to_owned()].into()).await.unwrap();
    moto.calls.answer("/status.json", [waiting::status("ready", 1)]);
    let live = moto.aws.roll(&live, &object, &|_| {}).await.unwrap();
    assert_alike(&object.attributes, &live.attributes);
    moto.check(&object).await;
    moto.unmake::<AutoScalingGroup>("workers").await;
}

/// Returns the tag of each instance of a group and of its root volume.
async fn carried(moto: &MotoCluster, group: &AutoScalingGroup, key: &str) -> Vec<Option<String>> {
    let filter = crate::aws::ec2::filter("tag:aws:autoscaling:groupName", &group.name);
    let answer = moto.aws.ec2.describe_instances().filters(filter).send().await.unwrap();
    let instances: Vec<_> = answer.reservations().iter().flat_map(aws_sdk_ec2::types::Reservation::instances).collect();
    let tag = |tags: &[aws_sdk_ec2::types::Tag]| crate::aws::ec2::from_ec2(tags).get(key).cloned();
    let mut found: Vec<_> = instances.iter().map(|instance| tag(instance.tags())).collect();
    let roots = instances.iter().filter_map(|instance| {
        let root = instance.root_device_name();
        instance.block_device_mappings().iter().find(|device| device.device_name() == root)
    });
    for device in roots {
        let id = device.ebs().unwrap().volume_id().unwrap();
        let volumes = moto.aws.ec2.describe_volumes().volume_ids(id).send().await.unwrap();
        found.push(tag(volumes.volumes()[0].tags()));
    }
    assert_eq!(found.len(), 2 * instances.len());
    found
}

#[tokio::test]
async fn a_changed_tag_reaches_machines_and_their_volumes_and_a_lost_tag_is_detected() {
    let Some(moto) = moto("tags").await else { return };
    let wanted = group(&moto, 2).await;
    let machines = moto.make("workers", &wanted).await.members;
    let mut tagged = wanted.clone();
    tagged.tags.insert("team".to_owned(), "data".to_owned());
    assert_eq!(moto.correct("workers", &tagged).await, ["tags"]);
    assert_eq!(carried(&moto, &wanted, "team").await, vec![Some("data".to_owned()); 4]);
    let members = moto.see::<AutoScalingGroup>("workers").await.members;
    let ids = |members: &[GroupMember]| members.iter().map(|member| member.id.clone()).collect::<Vec<_>>();
    assert_eq!(ids(&members), ids(&machines));
    assert!(members.iter().all(|member| member.launched.is_some() && member.size.is_some()), "{members:?}");

    // It is removed from a machine outside.
    let key = aws_sdk_ec2::types::Tag::builder().key("team").build();
    moto.aws.ec2.delete_tags().resources(&machines[0].id).tags(key).send().await.unwrap();
    let live = moto.see::<AutoScalingGroup>("workers").await;
    let reported = crate::resource::tags_of(&live.attributes)["team"].clone();
    assert_eq!(reported, format!("data (not on {})", machines[0].id));
    assert_eq!(moto.correct("workers", &tagged).await, ["tags"]);

    // The file no longer has it.
    let live = moto.see::<AutoScalingGroup>("workers").await;
    moto.aws.update(&live, &wanted.object("workers").unwrap(), &["tags".to_owned()].into()).await.unwrap();
    assert_eq!(carried(&moto, &wanted, "team").await, vec![None; 4]);
    moto.check(&wanted.object("workers").unwrap()).await;
    moto.unmake::<AutoScalingGroup>("workers").await;
}
