//! Load balancers, target groups and listeners, read together: ELB cannot filter by tag.
//!
//! Three rounds of calls: everything whose name begins as the cluster's names do, then its listeners and attributes, then
//! the tags of all of it, which prove to which cluster it belongs. Listeners of HTTPS take a round more: their rules and
//! further certificates.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_elasticloadbalancingv2::types::{
    Certificate, Listener as ElbListener, LoadBalancer as ElbLoadBalancer, LoadBalancerTypeEnum, ProtocolEnum, Rule,
    Tag, TargetGroup as ElbTargetGroup,
};
use futures_util::future::try_join_all;

use super::balancer_listing::Balancers;
use super::client::OtherBalancers;
use super::observe_cache::ObserveCache;
use super::{AwsProvider, tags};
use crate::engine::{Address, Failure, FailureClass, Live, PollLoop, TextInput};
use crate::resource::{Tags, balancer_stem};

/// The service's name, for failures and limits.
pub(super) const ELB: &str = "elasticloadbalancing";

/// Maximum number of ARNs in one call for tags.
const TAGS_A_CALL: usize = 20;
/// Maximum number of times that a read starts again because an object was removed meanwhile.
const ATTEMPTS: u32 = 4;
/// Pause before a read starts again.
const PAUSE: Duration = Duration::from_millis(500);

/// The attributes of an object that ELB returns as a list of keys and values.
pub(super) type ElbAttributes = BTreeMap<String, String>;

/// An object as ELB returns it, with its attributes and tags, which ELB returns separately.
#[derive(Debug)]
pub(super) struct DescribedObject<T> {
    /// The object.
    pub(super) object: T,
    /// Its attributes; a listener's are not read.
    pub(super) attributes: ElbAttributes,
    /// Its tags.
    pub(super) tags: Tags,
}

/// The objects in the region under the cluster's names.
#[derive(Debug)]
pub(super) struct ElbSnapshot {
    pub(super) load_balancers: Vec<DescribedObject<ElbLoadBalancer>>,
    pub(super) target_groups: Vec<DescribedObject<ElbTargetGroup>>,
    pub(super) listeners: Vec<DescribedObject<ElbListener>>,
    /// The rules of listeners of HTTPS, without the default ones.
    pub(super) rules: Vec<DescribedObject<RuleOfListener>>,
    /// The ARNs of the certificates of listeners of HTTPS beside the default one, by the listener's ARN.
    pub(super) certificates: BTreeMap<String, Vec<String>>,
}

/// A rule, whose description does not name its listener.
#[derive(Debug)]
pub(super) struct RuleOfListener {
    /// The listener's ARN.
    pub(super) listener: String,
    /// The rule.
    pub(super) rule: Rule,
}

impl<T> DescribedObject<T> {
    /// Returns the address of the object, if it is one of the observed objects.
    pub(super) fn address(&self, cache: &ObserveCache<'_>, arn: Option<&str>, kind: &str) -> Option<Address> {
        cache.whose.address(&self.tags, arn?, kind)
    }
}

/// Returns all load balancers of the newer API and all target groups.
pub(super) async fn list(aws: &AwsProvider) -> Result<Balancers, Failure> {
    tokio::try_join!(load_balancers(aws), target_groups(aws))
}

/// Returns the objects of all three kinds, read once per observation.
pub(super) async fn balancing(cache: &ObserveCache<'_>) -> Result<Arc<ElbSnapshot>, Failure> {
    cache.once(|| until_whole(|| once(cache.aws))).await
}

/// Converts tags to ELB's form.
pub(super) fn to_elb(tags: &Tags) -> Vec<Tag> {
    tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect()
}

/// Returns the texts of values, all of which are known when an object is created or changed.
pub(super) fn known(inputs: &[TextInput]) -> Vec<String> {
    inputs.iter().filter_map(TextInput::known).map(str::to_owned).collect()
}

/// Sets the wanted tags on an object.
pub(super) async fn retag(aws: &AwsProvider, live: &Live, wanted: &Tags, changed: bool) -> Result<(), Failure> {
    if !changed {
        return Ok(());
    }
    let set = tags::difference(live, wanted);
    if !set.is_empty() {
        let request = aws.elb.add_tags().resource_arns(&live.id).set_tags(Some(to_elb(&set)));
        aws.send(ELB, "AddTags", request.send()).await?;
    }
    let removed = tags::removed(live, wanted);
    if !removed.is_empty() {
        let request = aws.elb.remove_tags().resource_arns(&live.id).set_tag_keys(Some(removed));
        aws.send(ELB, "RemoveTags", request.send()).await?;
    }
    Ok(())
}

/// Reads again if an object was removed between two calls: ELB fails a whole call if one of its ARNs does not exist.
pub(super) async fn until_whole<T, F>(once: impl Fn() -> F) -> Result<T, Failure>
where
    F: Future<Output = Result<T, Failure>>,
{
    let mut poll = PollLoop::every(PAUSE).at_most(ATTEMPTS);
    loop {
        match once().await {
            Err(failure) if failure.class == FailureClass::Gone && poll.again().await => {}
            outcome => return outcome,
        }
    }
}

async fn once(aws: &AwsProvider) -> Result<ElbSnapshot, Failure> {
    let stem = balancer_stem(&aws.scope.cluster);
    let (mut load_balancers, mut target_groups) = list(aws).await?;
    aws.balancers.leave((load_balancers.clone(), target_groups.clone()));
    load_balancers.retain(|balancer| balancer.load_balancer_name().is_some_and(|name| name.starts_with(&stem)));
    target_groups.retain(|group| group.target_group_name().is_some_and(|name| name.starts_with(&stem)));
    let balancer_arns: Vec<_> = load_balancers.iter().map(|balancer| text(balancer.load_balancer_arn())).collect();
    let group_arns: Vec<_> = target_groups.iter().map(|group| text(group.target_group_arn())).collect();
    let (balancer_attributes, group_attributes, listeners) = tokio::try_join!(
        attributes(aws, &balancer_arns, load_balancer_attributes),
        attributes(aws, &group_arns, target_group_attributes),
        try_join_all(balancer_arns.iter().map(|arn| listeners(aws, arn))),
    )?;
    let listeners: Vec<_> = listeners.into_iter().flatten().collect();
    let listener_arns: Vec<_> = listeners.iter().map(|listener| text(listener.listener_arn())).collect();
    let https: Vec<String> = listeners
        .iter()
        .filter(|listener| listener.protocol() == Some(&ProtocolEnum::Https))
        .map(|listener| text(listener.listener_arn()))
        .collect();
    let (rules, certificates) = tokio::try_join!(
        try_join_all(https.iter().map(|arn| rules(aws, arn))),
        try_join_all(https.iter().map(|arn| more_certificates(aws, arn))),
    )?;
    let rules: Vec<RuleOfListener> = rules.into_iter().flatten().collect();
    let rule_arns: Vec<_> = rules.iter().map(|found| text(found.rule.rule_arn())).collect();
    let all = [&balancer_arns, &group_arns, &listener_arns, &rule_arns];
    let mut tags = all_tags(aws, all.into_iter().flatten()).await?;
    let no_attributes = listeners.iter().map(|_| ElbAttributes::new()).collect();
    let rules_without = rules.iter().map(|_| ElbAttributes::new()).collect();
    Ok(ElbSnapshot {
        load_balancers: described(load_balancers, &balancer_arns, balancer_attributes, &mut tags),
        target_groups: described(target_groups, &group_arns, group_attributes, &mut tags),
        listeners: described(listeners, &listener_arns, no_attributes, &mut tags),
        rules: described(rules, &rule_arns, rules_without, &mut tags),
        certificates: https.into_iter().zip(certificates).collect(),
    })
}

fn described<T>(
    objects: Vec<T>,
    arns: &[String],
    attributes: Vec<ElbAttributes>,
    tags: &mut BTreeMap<String, Tags>,
) -> Vec<DescribedObject<T>> {
    let parts = objects.into_iter().zip(arns).zip(attributes);
    parts
        .map(|((object, arn), attributes)| DescribedObject {
            object,
            attributes,
            tags: tags.remove(arn).unwrap_or_default(),
        })
        .collect()
}

/// Returns the load balancers of the newer API, and counts those that are not the cluster's.
pub(super) async fn load_balancers(aws: &AwsProvider) -> Result<Vec<ElbLoadBalancer>, Failure> {
    let pages = || aws.elb.describe_load_balancers().into_paginator().items().send().try_collect();
    let all: Vec<ElbLoadBalancer> = aws.read(ELB, "DescribeLoadBalancers", pages).await?;
    let stem = balancer_stem(&aws.scope.cluster);
    let is_other =
        |balancer: &&ElbLoadBalancer| !balancer.load_balancer_name().is_some_and(|name| name.starts_with(&stem));
    let others =
        |of: &LoadBalancerTypeEnum| all.iter().filter(is_other).filter(|other| other.r#type() == Some(of)).count();
    // The first list of a run stays.
    let _ = aws.other_balancers.set(OtherBalancers {
        network: others(&LoadBalancerTypeEnum::Network),
        application: others(&LoadBalancerTypeEnum::Application),
    });
    Ok(all)
}

async fn target_groups(aws: &AwsProvider) -> Result<Vec<ElbTargetGroup>, Failure> {
    let pages = || aws.elb.describe_target_groups().into_paginator().items().send().try_collect();
    aws.read(ELB, "DescribeTargetGroups", pages).await
}

async fn listeners(aws: &AwsProvider, load_balancer: &str) -> Result<Vec<ElbListener>, Failure> {
    let pages =
        || aws.elb.describe_listeners().load_balancer_arn(load_balancer).into_paginator().items().send().try_collect();
    aws.read(ELB, "DescribeListeners", pages).await
}

/// Returns the rules of a listener, without its default one.
async fn rules(aws: &AwsProvider, listener: &str) -> Result<Vec<RuleOfListener>, Failure> {
    let pages = || aws.elb.describe_rules().listener_arn(listener).into_paginator().items().send().try_collect();
    let found: Vec<Rule> = aws.read(ELB, "DescribeRules", pages).await?;
    let own = found.into_iter().filter(|rule| rule.is_default() != Some(true));
    Ok(own.map(|rule| RuleOfListener { listener: listener.to_owned(), rule }).collect())
}

/// Returns the ARNs of the certificates of a listener beside the default one.
async fn more_certificates(aws: &AwsProvider, listener: &str) -> Result<Vec<String>, Failure> {
    if aws.is_shallow() {
        return Ok(Vec::new());
    }
    let pages = || {
        aws.elb.describe_listener_certificates().listener_arn(listener).into_paginator().items().send().try_collect()
    };
    let found: Vec<Certificate> = aws.read(ELB, "DescribeListenerCertificates", pages).await?;
    let more = found.iter().filter(|certificate| certificate.is_default() != Some(true));
    Ok(more.filter_map(|certificate| certificate.certificate_arn().map(str::to_owned)).collect())
}

/// Returns the attributes of each object, which take one call for each.
async fn attributes<'a, F>(
    aws: &'a AwsProvider,
    arns: &'a [String],
    read: impl Fn(&'a AwsProvider, &'a str) -> F,
) -> Result<Vec<ElbAttributes>, Failure>
where
    F: Future<Output = Result<ElbAttributes, Failure>>,
{
    if aws.is_shallow() {
        return Ok(arns.iter().map(|_| ElbAttributes::new()).collect());
    }
    try_join_all(arns.iter().map(|arn| read(aws, arn))).await
}

async fn load_balancer_attributes(aws: &AwsProvider, arn: &str) -> Result<ElbAttributes, Failure> {
    let request = || aws.elb.describe_load_balancer_attributes().load_balancer_arn(arn).send();
    let answer = aws.read(ELB, "DescribeLoadBalancerAttributes", request).await?;
    let pairs = answer.attributes().iter().map(|attribute| (text(attribute.key()), text(attribute.value())));
    Ok(pairs.collect())
}

async fn target_group_attributes(aws: &AwsProvider, arn: &str) -> Result<ElbAttributes, Failure> {
    let request = || aws.elb.describe_target_group_attributes().target_group_arn(arn).send();
    let answer = aws.read(ELB, "DescribeTargetGroupAttributes", request).await?;
    let pairs = answer.attributes().iter().map(|attribute| (text(attribute.key()), text(attribute.value())));
    Ok(pairs.collect())
}

/// Returns the tags of objects of all kinds by ARN, with as many ARNs in each call as ELB takes.
pub(super) async fn all_tags(
    aws: &AwsProvider,
    arns: impl Iterator<Item = &String>,
) -> Result<BTreeMap<String, Tags>, Failure> {
    let arns: Vec<&String> = arns.collect();
    let calls = arns.chunks(TAGS_A_CALL).map(|some| async move {
        let request = || {
            let some = some.iter().map(|arn| (*arn).clone()).collect();
            aws.elb.describe_tags().set_resource_arns(Some(some)).send()
        };
        aws.read(ELB, "DescribeTags", request).await
    });
    let answers = try_join_all(calls).await?;
    let descriptions = answers
        .iter()
        .flat_map(aws_sdk_elasticloadbalancingv2::operation::describe_tags::DescribeTagsOutput::tag_descriptions);
    Ok(descriptions.map(|description| (text(description.resource_arn()), from_elb(description.tags()))).collect())
}

/// Converts tags from ELB's form.
pub(super) fn from_elb(tags: &[Tag]) -> Tags {
    tags.iter().filter_map(|tag| Some((tag.key()?.to_owned(), text(tag.value())))).collect()
}

/// Returns the text; an empty one if it is missing.
pub(super) fn text(value: Option<&str>) -> String {
    value.unwrap_or_default().to_owned()
}
