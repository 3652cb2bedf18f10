//! The tags of a group's machines and of their root volumes. Auto Scaling and EC2 set them at launch only, so a change is
//! applied here to the machines that run.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_autoscaling::types::AutoScalingGroup as Answer;
use aws_sdk_ec2::types::{Instance, Reservation, Tag as Ec2Tag, Volume};
use futures_util::future::try_join_all;

use super::members::running;
use super::named;
use crate::aws::AwsProvider;
use crate::aws::ec2::{EC2, from_ec2, to_ec2};
use crate::aws::failure::if_there;
use crate::aws::observe_cache::ObserveCache;
use crate::aws::volume;
use crate::engine::{Failure, FailureClass};
use crate::resource::Tags;

/// Maximum number of values of a filter.
const FILTERED: usize = 200;
/// Number of objects that one call tags; the limit of AWS is 1,000.
const TAGGED: usize = 500;

/// An object that carries a machine's tags: the instance, or its root volume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TaggedResource {
    pub(super) id: String,
    pub(super) tags: Tags,
}

/// The objects that carry tags, by machine.
pub(super) type TaggedResources = BTreeMap<String, Vec<TaggedResource>>;

/// Returns the tags of the machines of some groups and of their root volumes. `tagged` are the instances with the cluster's
/// tag; others are read by their ids.
pub(super) async fn carriers(
    cache: &ObserveCache<'_>,
    groups: &[Answer],
    tagged: &[Instance],
) -> Result<TaggedResources, Failure> {
    let (aws, serving) = (cache.aws, groups.iter().flat_map(|group| running(group, |_| true)));
    let known: BTreeSet<&str> = tagged.iter().filter_map(Instance::instance_id).collect();
    let (there, others): (BTreeSet<String>, BTreeSet<String>) = serving.partition(|id| known.contains(id.as_str()));
    let mut instances: Vec<Instance> = by_ids(aws, &others.into_iter().collect::<Vec<_>>()).await?;
    instances.extend(tagged.iter().filter(|found| found.instance_id().is_some_and(|id| there.contains(id))).cloned());
    let roots: Vec<String> = instances.iter().filter_map(root_volume).map(str::to_owned).collect();
    let volumes = volume::with_ids(cache, &roots).await?;
    Ok(instances.iter().filter_map(|instance| carried(instance, &volumes)).collect())
}

fn carried(instance: &Instance, volumes: &[Volume]) -> Option<(String, Vec<TaggedResource>)> {
    let id = instance.instance_id()?.to_owned();
    let root =
        volumes.iter().find(|volume| volume.volume_id().is_some() && volume.volume_id() == root_volume(instance));
    let root = root.map(|volume| TaggedResource {
        id: volume.volume_id().unwrap_or_default().to_owned(),
        tags: from_ec2(volume.tags()),
    });
    let own = TaggedResource { id: id.clone(), tags: from_ec2(instance.tags()) };
    Some((id, std::iter::once(own).chain(root).collect()))
}

fn root_volume(instance: &Instance) -> Option<&str> {
    let root = instance.root_device_name()?;
    let device = instance.block_device_mappings().iter().find(|device| device.device_name() == Some(root))?;
    device.ebs()?.volume_id()
}

/// Returns the group's tags (`shown`: as the plan shows them), with a note if a machine or its root volume has another value
/// or a tag that the group does not have.
pub(super) fn with_carriers(mut shown: Tags, group: &Answer, own: &Tags, carriers: &TaggedResources) -> Tags {
    let machines = running(group, |_| true);
    for carrier in machines.iter().filter_map(|machine| carriers.get(machine)).flatten() {
        for (key, value) in own.iter().filter(|(key, value)| carrier.tags.get(*key) != Some(value)) {
            let noted = shown.get(key).is_some_and(|shown| shown != value);
            if !noted {
                let there = carrier.tags.get(key).map_or_else(|| "not on".to_owned(), |other| format!("{other} on"));
                shown.insert(key.clone(), format!("{value} ({there} {})", carrier.id));
            }
        }
        for (key, value) in carrier.tags.iter().filter(|(key, _)| !own.contains_key(*key) && !key.starts_with("aws:")) {
            shown.entry(key.clone()).or_insert_with(|| format!("{value} (on {})", carrier.id));
        }
    }
    shown
}

/// Sets a group's tags on its machines and their root volumes, and removes those that are no longer wanted.
pub(super) async fn retag(aws: &AwsProvider, group: &str, wanted: &Tags, removed: &[String]) -> Result<(), Failure> {
    let groups = named(aws, &[group.to_owned()]).await?;
    let ids: Vec<String> = groups
        .iter()
        .flat_map(Answer::instances)
        .filter_map(|machine| machine.instance_id().map(str::to_owned))
        .collect();
    let instances = by_ids(aws, &ids).await?;
    let roots = instances.iter().filter_map(root_volume);
    let all: Vec<String> = instances.iter().filter_map(Instance::instance_id).chain(roots).map(str::to_owned).collect();
    for some in all.chunks(TAGGED) {
        if !removed.is_empty() {
            of_each(some, |ids| take(aws, ids, removed)).await?;
        }
        of_each(some, |ids| give(aws, ids, wanted)).await?;
    }
    Ok(())
}

/// Changes all objects in one call; if one of them does not exist any more, changes each of the others in its own call.
async fn of_each<'a, F>(all: &'a [String], change: impl Fn(&'a [String]) -> F) -> Result<(), Failure>
where
    F: Future<Output = Result<(), Failure>>,
{
    match change(all).await {
        Err(failure) if matches!(failure.class, FailureClass::Gone | FailureClass::MaybeNotYetConsistent) => {
            let each = all.chunks(1).map(|one| {
                let changed = change(one);
                async { if_there(changed.await).map(drop) }
            });
            try_join_all(each).await.map(drop)
        }
        outcome => outcome,
    }
}

async fn give(aws: &AwsProvider, ids: &[String], tags: &Tags) -> Result<(), Failure> {
    let request = aws.ec2.create_tags().set_resources(Some(ids.to_vec())).set_tags(Some(to_ec2(tags)));
    aws.send(EC2, "CreateTags", request.send()).await.map(drop)
}

async fn take(aws: &AwsProvider, ids: &[String], keys: &[String]) -> Result<(), Failure> {
    let keys = keys.iter().map(|key| Ec2Tag::builder().key(key).build()).collect();
    let request = aws.ec2.delete_tags().set_resources(Some(ids.to_vec())).set_tags(Some(keys));
    aws.send(EC2, "DeleteTags", request.send()).await.map(drop)
}

/// Returns the instances with these ids that are not terminated, whatever their tags are.
async fn by_ids(aws: &AwsProvider, ids: &[String]) -> Result<Vec<Instance>, Failure> {
    let found = ids.chunks(FILTERED).map(|some| async move {
        let ours = aws_sdk_ec2::types::Filter::builder().name("instance-id").set_values(Some(some.to_vec())).build();
        let pages = || {
            let request = aws.ec2.describe_instances().filters(ours.clone()).filters(super::wait::alive());
            request.into_paginator().items().send().try_collect()
        };
        let found: Vec<Reservation> = aws.read(EC2, "DescribeInstances", pages).await?;
        Ok::<_, Failure>(found)
    });
    let found = try_join_all(found).await?.into_iter().flatten();
    Ok(found.flat_map(|reservation| reservation.instances.unwrap_or_default()).collect())
}

#[cfg(test)]
mod tests {
    use aws_sdk_autoscaling::types::{Instance as Member, LifecycleState};

    use super::*;

    fn tags(pairs: &[(&str, &str)]) -> Tags {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    fn shown(machine: &[(&str, &str)], volume: &[(&str, &str)]) -> Tags {
        let member = Member::builder().instance_id("i-1").lifecycle_state(LifecycleState::InService).build();
        let group = Answer::builder().instances(member).build();
        let own = tags(&[("team", "data"), ("Name", "w")]);
        let carriers = vec![
            TaggedResource { id: "i-1".into(), tags: tags(machine) },
            TaggedResource { id: "vol-1".into(), tags: tags(volume) },
        ];
        with_carriers(own.clone(), &group, &own, &[("i-1".to_owned(), carriers)].into())
    }

    #[test]
    fn a_machine_that_lacks_a_tag_of_its_group_differs() {
        let all = [("team", "data"), ("Name", "w")];
        assert_eq!(shown(&all, &all), tags(&all));
        assert_eq!(shown(&[("Name", "w")], &all)["team"], "data (not on i-1)");
        assert_eq!(shown(&all, &[("Name", "w")])["team"], "data (not on vol-1)");
        assert_eq!(shown(&[("team", "web"), ("Name", "w")], &all)["team"], "data (web on i-1)");
        assert_eq!(shown(&[], &[])["team"], "data (not on i-1)", "one is enough to detect it");
    }

    #[test]
    fn a_tag_that_is_left_on_a_machine_is_shown_and_those_of_aws_are_not() {
        let more = [("team", "data"), ("Name", "w"), ("old", "x"), ("aws:autoscaling:groupName", "w")];
        let observed = shown(&more, &[("team", "data"), ("Name", "w")]);
        assert_eq!(observed["old"], "x (on i-1)");
        assert!(!observed.contains_key("aws:autoscaling:groupName"));
    }
}
