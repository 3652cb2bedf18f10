//! Auto Scaling groups: their settings, and the machines that they keep running.

mod answering;
mod draining;
mod joining;
mod members;
mod mixed;
mod reports;
mod roll;
mod surge;
mod tagged;
mod trouble;
mod wait;

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_autoscaling::types::{
    AutoScalingGroup as Answer, Filter, LaunchTemplateSpecification as Template, Tag, TagDescription,
};

use aws_sdk_ec2::types::{Instance, LaunchTemplateVersion};

use self::members::EqualVersions;
use super::ec2::{created, whole};
use super::kind::{AwsKind, CreateContext};
use super::launch_template::{default_versions, generation};
use super::observe_cache::ObserveCache;
use super::tags::ObservationScope;
use super::{AwsProvider, tags};
use crate::engine::{Failure, Live, ObjectPhase, ProgressNote, TextInput, Value};
use crate::resource::{AutoScalingGroup, CLUSTER_TAG, Resource, Tags, tags_of};

/// The service's name, for failures and limits.
const AUTOSCALING: &str = "autoscaling";

/// Health check grace period of a machine that was just started, in seconds.
const GRACE: i32 = 300;

/// Maximum number of target groups in one call.
const TARGET_GROUPS: usize = 10;

impl AwsKind for AutoScalingGroup {
    async fn observe(cache: &ObserveCache<'_>) -> Result<Vec<Live>, Failure> {
        let (written, instances) = (trouble::written(cache), wait::instances(cache.aws));
        let (found, written, instances) = match cache.whose.ids(Self::KIND.name) {
            None => tokio::try_join!(groups(cache.aws), written, instances)?,
            Some(names) => tokio::try_join!(named(cache.aws, &names), written, instances)?,
        };
        if found.is_empty() {
            return Ok(Vec::new());
        }
        let (late, carriers, versions) = tokio::try_join!(
            trouble::troubles(cache.aws, &found, &written, &instances),
            tagged::carriers(cache, &found, &instances),
            default_versions(cache),
        )?;
        let generations: BTreeMap<&str, (String, String)> = versions.iter().filter_map(generations).collect();
        let see = |group: &Answer| {
            let alike = generations.get(members::template(group).id.as_str());
            let alike = alike.map_or_else(EqualVersions::default, |(first, last)| EqualVersions { first, last });
            let live = live_of(cache.whose, group, alike)?;
            let live = live.map(|live| with_machine_state(live, group, &late, &carriers));
            Some(live.map(|live| with_launch_times(live, &instances)))
        };
        found.iter().filter_map(see).collect()
    }

    async fn create(&self, aws: &AwsProvider, creation: &CreateContext<'_>) -> Result<Live, Failure> {
        let request = aws
            .autoscaling
            .create_auto_scaling_group()
            .auto_scaling_group_name(&self.name)
            .set_launch_template((!self.is_mixed()).then(|| self.template()))
            .set_mixed_instances_policy(self.is_mixed().then(|| self.mixed_policy()))
            .set_capacity_rebalance(self.purchase.spot().map(|_| true))
            .vpc_zone_identifier(self.subnet_list())
            .min_size(whole(self.min))
            .max_size(whole(self.max))
            .set_desired_capacity(self.desired.map(whole))
            .set_target_group_arns(Some(self.target_groups.iter().filter_map(known).collect()))
            .health_check_type("EC2")
            .health_check_grace_period(GRACE)
            .set_tags(Some(to_autoscaling(&self.name, &self.tags)));
        aws.send(AUTOSCALING, "CreateAutoScalingGroup", Box::pin(request.send())).await?;
        self.live(creation.object.address.name(), None)
    }

    async fn update(&self, aws: &AwsProvider, live: &Live, changed: &BTreeSet<String>) -> Result<Live, Failure> {
        let changed = &surge::without_size(self, live, changed);
        let moves = self.resize(aws, changed).await?;
        if changed.contains("target_groups") {
            self.retarget(aws, live).await?;
        }
        if changed.contains("tags") {
            self.retag(aws, live).await?;
        }
        let now = self.live(live.address.name(), Some(live))?;
        let phase = if moves { ObjectPhase::Pending } else { live.phase };
        // Machines stay as they are until they are rolled.
        let machines = live.attributes.get("machines").cloned();
        let attributes = now.attributes.into_iter().chain(machines.map(|machines| ("machines".to_owned(), machines)));
        Ok(Live { attributes: attributes.collect(), phase, ..now })
    }

    async fn delete(aws: &AwsProvider, live: &Live, note: ProgressNote<'_>) -> Result<(), Failure> {
        let name = &live.id;
        let request = aws.autoscaling.delete_auto_scaling_group().auto_scaling_group_name(name).force_delete(true);
        if let Err(failure) = aws.send(AUTOSCALING, "DeleteAutoScalingGroup", request.send()).await {
            // One code means that the group does not exist, that it is being deleted, or any other validation error.
            let there = named(aws, std::slice::from_ref(name)).await?.into_iter().next();
            if there.is_some_and(|group| group.status().is_none()) {
                return Err(failure);
            }
        }
        wait::until_gone(aws, name, note).await
    }

    async fn ready(aws: &AwsProvider, live: &Live, note: ProgressNote<'_>) -> Result<Live, Failure> {
        // A group that is new has no machine yet.
        let joins = live.members.is_empty() && joining::joins_living_cluster(aws, live).await?;
        let arrived = wait::until_in_service(aws, live, note).await?;
        // Nothing is replaced: all that is left of a roll is to wait until its last machine is ready.
        if joins { roll::roll(&super::kind::decode(live)?, aws, live, note).await } else { Ok(arrived) }
    }

    async fn roll(&self, aws: &AwsProvider, live: &Live, note: ProgressNote<'_>) -> Result<Live, Failure> {
        roll::roll(self, aws, live, note).await
    }
}

impl AutoScalingGroup {
    /// Returns the group as it is after a change. Auto Scaling does not return the group in its answer to a change.
    fn live(&self, name: &str, before: Option<&Live>) -> Result<Live, Failure> {
        let live = super::kind::live(name, &self.name, self, &[("name", &self.name)])?;
        Ok(match before {
            Some(before) => Live {
                outputs: before.outputs.clone(),
                created: before.created,
                members: before.members.clone(),
                ..live
            },
            None => Live { phase: ObjectPhase::Pending, ..live },
        })
    }

    fn template(&self) -> Template {
        let template = Template::builder().set_launch_template_id(known(&self.launch_template));
        template.set_version(known(&self.version)).build()
    }

    fn subnet_list(&self) -> String {
        self.subnets.iter().filter_map(TextInput::known).collect::<Vec<_>>().join(",")
    }

    /// Changes what one call takes. Returns `true` if there was anything to change: machines may then start or stop.
    async fn resize(&self, aws: &AwsProvider, changed: &BTreeSet<String>) -> Result<bool, Failure> {
        let any = |names: &[&str]| names.iter().any(|name| changed.contains(*name));
        if !any(&["launch_template", "version", "sizes", "purchase", "subnets", "min", "max", "desired"]) {
            return Ok(false);
        }
        // One call replaces the launch template by a policy, or a policy by another one or by the template.
        let starts = any(&["launch_template", "version", "sizes", "purchase"]);
        let request = aws
            .autoscaling
            .update_auto_scaling_group()
            .auto_scaling_group_name(&self.name)
            .set_launch_template((starts && !self.is_mixed()).then(|| self.template()))
            .set_mixed_instances_policy((starts && self.is_mixed()).then(|| self.mixed_policy()))
            .set_capacity_rebalance(any(&["purchase"]).then(|| self.purchase.spot().is_some()))
            .set_vpc_zone_identifier(any(&["subnets"]).then(|| self.subnet_list()))
            .set_min_size(any(&["min"]).then(|| whole(self.min)))
            .set_max_size(any(&["max"]).then(|| whole(self.max)))
            // A new minimum or maximum size may change the desired capacity, so it is sent again.
            .set_desired_capacity(self.desired.filter(|_| any(&["min", "max", "desired"])).map(whole));
        aws.send(AUTOSCALING, "UpdateAutoScalingGroup", request.send()).await.map(|_| true)
    }

    /// Attaches target groups that are missing, then detaches those that are not wanted.
    async fn retarget(&self, aws: &AwsProvider, live: &Live) -> Result<(), Failure> {
        let wanted: BTreeSet<String> = self.target_groups.iter().filter_map(known).collect();
        let have = target_groups_of(live);
        let missing: Vec<_> = wanted.difference(&have).cloned().collect();
        for arns in missing.chunks(TARGET_GROUPS) {
            let request = aws.autoscaling.attach_load_balancer_target_groups().auto_scaling_group_name(&self.name);
            let request = request.set_target_group_arns(Some(arns.to_vec()));
            aws.send(AUTOSCALING, "AttachLoadBalancerTargetGroups", request.send()).await?;
        }
        let surplus: Vec<_> = have.difference(&wanted).cloned().collect();
        for arns in surplus.chunks(TARGET_GROUPS) {
            let request = aws.autoscaling.detach_load_balancer_target_groups().auto_scaling_group_name(&self.name);
            let request = request.set_target_group_arns(Some(arns.to_vec()));
            aws.send(AUTOSCALING, "DetachLoadBalancerTargetGroups", request.send()).await?;
        }
        Ok(())
    }

    /// Tags the group first: a machine that it launches meanwhile has the new tags from its start.
    async fn retag(&self, aws: &AwsProvider, live: &Live) -> Result<(), Failure> {
        let set = tags::difference(live, &self.tags);
        if !set.is_empty() {
            let request = aws.autoscaling.create_or_update_tags().set_tags(Some(to_autoscaling(&self.name, &set)));
            aws.send(AUTOSCALING, "CreateOrUpdateTags", request.send()).await?;
        }
        let removed = tags::removed(live, &self.tags);
        if !removed.is_empty() {
            let tags = removed.iter().map(|key| tag(&self.name).key(key).build()).collect();
            let request = aws.autoscaling.delete_tags().set_tags(Some(tags));
            aws.send(AUTOSCALING, "DeleteTags", request.send()).await?;
        }
        tagged::retag(aws, &self.name, &self.tags, &removed).await
    }
}

fn known(input: &TextInput) -> Option<String> {
    input.known().map(str::to_owned)
}

/// Returns the ARNs of the target groups of an observed group.
fn target_groups_of(live: &Live) -> BTreeSet<String> {
    let mut arns = BTreeSet::new();
    if let Some(list) = live.attributes.get("target_groups") {
        list.visit(&mut |arn| arns.extend(arn.as_text().map(str::to_owned)));
    }
    arns
}

/// Returns all groups of the cluster.
async fn groups(aws: &AwsProvider) -> Result<Vec<Answer>, Failure> {
    let ours = Filter::builder().name(format!("tag:{CLUSTER_TAG}")).values(&aws.scope.cluster).build();
    let pages = || {
        let request = aws.autoscaling.describe_auto_scaling_groups().filters(ours.clone()).max_records(100);
        request.into_paginator().items().send().try_collect()
    };
    aws.read(AUTOSCALING, "DescribeAutoScalingGroups", pages).await
}

/// Returns the groups with these names that exist.
async fn named(aws: &AwsProvider, names: &[String]) -> Result<Vec<Answer>, Failure> {
    let pages = || {
        let request = aws.autoscaling.describe_auto_scaling_groups().set_auto_scaling_group_names(Some(names.to_vec()));
        request.into_paginator().items().send().try_collect()
    };
    aws.read(AUTOSCALING, "DescribeAutoScalingGroups", pages).await
}

/// Converts Auto Scaling's answer to a live object.
fn live_of(whose: ObservationScope<'_>, group: &Answer, alike: EqualVersions<'_>) -> Option<Result<Live, Failure>> {
    let name = group.auto_scaling_group_name()?;
    let address = whose.address(&from_autoscaling(group.tags()), name, AutoScalingGroup::KIND.name)?;
    let template = members::template(group);
    let size = |size: Option<i32>| size.and_then(|size| size.try_into().ok()).unwrap_or_default();
    let observed = AutoScalingGroup {
        name: name.to_owned(),
        launch_template: template.id.into(),
        version: template.version.into(),
        machines: members::oldest(group, alike).into(),
        sizes: mixed::sizes(group),
        purchase: mixed::purchase(group),
        subnets: group
            .vpc_zone_identifier()
            .unwrap_or_default()
            .split(',')
            .filter(|id| !id.is_empty())
            .map(TextInput::from)
            .collect(),
        min: size(group.min_size()),
        max: size(group.max_size()),
        desired: Some(size(group.desired_capacity())),
        target_groups: group.target_group_arns().iter().map(TextInput::from).collect(),
        max_surge: None,
        max_unavailable: None,
        replace: Vec::new(),
        tags: with_propagation(group.tags()),
    };
    let arn = group.auto_scaling_group_arn().unwrap_or_default();
    let live = super::kind::live(address.name(), name, &observed, &[("arn", arn), ("name", name)]);
    let (phase, members) = (phase(group), members::members(group));
    Some(live.map(|live| Live { phase, members, created: created(group.created_time()), ..live }))
}

/// Returns the first and the last of the template versions that differ only in tags, up to the default version.
fn generations(version: &LaunchTemplateVersion) -> Option<(&str, (String, String))> {
    let last = version.version_number()?.to_string();
    Some((version.launch_template_id()?, (generation(version).to_string(), last)))
}

/// Adds to the group what is known of its machines: whether they have started up, and their tags.
fn with_machine_state(
    live: Live,
    group: &Answer,
    late: &BTreeMap<String, String>,
    carriers: &tagged::TaggedResources,
) -> Live {
    let mut live = match late.get(&live.id) {
        Some(trouble) => troubled(live, trouble),
        None => live,
    };
    let own = from_autoscaling(group.tags());
    let tags = tagged::with_carriers(tags_of(&live.attributes), group, &own, carriers);
    let tags = tags.into_iter().map(|(key, value)| (key, Value::Text(value))).collect();
    live.attributes.insert("tags".to_owned(), Value::Map(tags));
    live
}

/// Adds the launch times of the machines, and the instance types that Auto Scaling does not return.
fn with_launch_times(mut live: Live, instances: &[Instance]) -> Live {
    for member in &mut live.members {
        let of_member = |instance: &&Instance| instance.instance_id() == Some(member.id.as_str());
        let Some(instance) = instances.iter().find(of_member) else { continue };
        member.launched = created(instance.launch_time());
        member.size = instance.instance_type().map(|size| size.as_str().to_owned()).or(member.size.take());
    }
    live
}

/// Notes at the version of the machines that one has not started up, so that it differs from the wanted version.
fn troubled(mut live: Live, trouble: &str) -> Live {
    if let Some(Value::Text(machines)) = live.attributes.get_mut("machines") {
        *machines = AutoScalingGroup::with_problem(machines, trouble);
    }
    live
}

/// Returns the phase of a group. It has a status only while it is being removed.
fn phase(group: &Answer) -> ObjectPhase {
    let wanted = group.desired_capacity().and_then(|count| usize::try_from(count).ok()).unwrap_or_default();
    match group.status() {
        Some(_) => ObjectPhase::Deleting,
        None if members::serving(group) < wanted => ObjectPhase::Pending,
        None => ObjectPhase::Ready,
    }
}

fn tag(group: &str) -> aws_sdk_autoscaling::types::builders::TagBuilder {
    Tag::builder().resource_id(group).resource_type("auto-scaling-group")
}

/// Converts tags to Auto Scaling's form; they are propagated to machines too.
fn to_autoscaling(group: &str, tags: &Tags) -> Vec<Tag> {
    tags.iter().map(|(key, value)| tag(group).key(key).value(value).propagate_at_launch(true).build()).collect()
}

/// Converts tags from Auto Scaling's form.
fn from_autoscaling(tags: &[TagDescription]) -> Tags {
    tags.iter().filter_map(|tag| Some((tag.key()?.to_owned(), tag.value().unwrap_or_default().to_owned()))).collect()
}

/// Converts tags likewise, where a tag that is not propagated to machines differs from one that is.
fn with_propagation(tags: &[TagDescription]) -> Tags {
    let mut read = from_autoscaling(tags);
    for tag in tags.iter().filter(|tag| tag.propagate_at_launch() != Some(true)) {
        if let Some(value) = tag.key().and_then(|key| read.get_mut(key)) {
            value.push_str(" (machines do not get it)");
        }
    }
    read
}

#[cfg(test)]
mod tests;
