//! Security groups, without their rules.

use std::collections::BTreeSet;
use std::sync::Arc;

use aws_sdk_ec2::types::{ResourceType, SecurityGroup as Answer};

use super::AwsProvider;
use super::ec2::{EC2, from_ec2, retag, sought, specification};
use super::failure::ErrorCodes;
use super::kind::{AwsKind, CreateContext, live};
use super::observe_cache::ObserveCache;
use super::tags::ObservationScope;
use crate::engine::{Failure, FailureClass, Live, ProgressNote};
use crate::resource::{Resource, SecurityGroup};

impl AwsKind for SecurityGroup {
    const CODES: ErrorCodes = &[
        (FailureClass::AlreadyExists, &["InvalidGroup.Duplicate"]),
        (FailureClass::Held, &["InvalidGroup.InUse"]),
        (FailureClass::Quota, &["SecurityGroupLimitExceeded"]),
    ];

    async fn observe(cache: &ObserveCache<'_>) -> Result<Vec<Live>, Failure> {
        groups(cache).await?.iter().filter_map(|(name, group)| live_of(name, group)).collect()
    }

    async fn create(&self, aws: &AwsProvider, creation: &CreateContext<'_>) -> Result<Live, Failure> {
        let request = aws
            .ec2
            .create_security_group()
            .group_name(&self.name)
            .description(&self.description)
            .set_vpc_id(self.vpc.known().map(str::to_owned))
            .tag_specifications(specification(ResourceType::SecurityGroup, &self.tags));
        let made = aws.send(EC2, "CreateSecurityGroup", request.send()).await?;
        let id = made.group_id().unwrap_or_default();
        live(creation.object.address.name(), id, self, &[("id", id)])
    }

    async fn update(&self, aws: &AwsProvider, live: &Live, changed: &BTreeSet<String>) -> Result<Live, Failure> {
        retag(aws, live, &self.tags, changed.contains("tags")).await?;
        super::kind::live(live.address.name(), &live.id, self, &[("id", &live.id)])
    }

    async fn delete(aws: &AwsProvider, live: &Live, _note: ProgressNote<'_>) -> Result<(), Failure> {
        let request = aws.ec2.delete_security_group().group_id(&live.id);
        aws.send(EC2, "DeleteSecurityGroup", request.send()).await.map(drop)
    }
}

/// Returns the cluster's groups by name, read once per observation.
pub(super) async fn groups(cache: &ObserveCache<'_>) -> Result<Vec<(String, Answer)>, Failure> {
    if cache.aws.has_no_vpc() {
        return Ok(Vec::new());
    }
    let (aws, ours) = (cache.aws, sought(cache, "group-id", SecurityGroup::KIND.name));
    let pages =
        || aws.ec2.describe_security_groups().filters(ours.clone()).into_paginator().items().send().try_collect();
    let found: Arc<Vec<Answer>> = cache.once(|| aws.read(EC2, "DescribeSecurityGroups", pages)).await?;
    Ok(found.iter().filter_map(|group| Some((name(cache.whose, group)?, group.clone()))).collect())
}

/// Returns the name of a group in the cluster.
fn name(whose: ObservationScope<'_>, group: &Answer) -> Option<String> {
    let address = whose.address(&from_ec2(group.tags()), group.group_id()?, SecurityGroup::KIND.name)?;
    Some(address.name().to_owned())
}

/// Converts EC2's answer to a live object.
fn live_of(name: &str, group: &Answer) -> Option<Result<Live, Failure>> {
    let id = group.group_id()?;
    let observed = SecurityGroup {
        name: group.group_name().unwrap_or_default().to_owned(),
        description: group.description().unwrap_or_default().to_owned(),
        vpc: group.vpc_id().unwrap_or_default().into(),
        tags: from_ec2(group.tags()),
    };
    Some(live(name, id, &observed, &[("id", id)]))
}
