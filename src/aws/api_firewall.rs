//! Temporary access to the Kubernetes API: rules in the security group of its load balancer that carry their own expiry.

use jiff::{SignedDuration, Timestamp};

use super::AwsProvider;
use super::ec2::{EC2, filter, of_cluster};
use super::security_group_rules::{
    ExistingRule, RuleDirection, authorize, describe, of_permissions, revoke, same_but_description, standing,
};
use crate::cloud::ApiFirewall;
use crate::engine::{BoxFuture, Failure, FailureClass};
use crate::resource::{API, AccessGrant, AllowList, OBJECT_TAG, Resource, SecurityGroup};

/// A grant with less than this time left is created again under another id: a master that has just read the old grant and
/// removes it, by its id, then removes no grant that is in use.
const NEARLY_OVER: SignedDuration = SignedDuration::from_mins(2);
/// Maximum number of reads when a rule was removed, or added, between a read and a change.
const ATTEMPTS: u32 = 3;

impl ApiFirewall for AwsProvider {
    fn admission(&self) -> BoxFuture<'_, Result<Option<AllowList>, Failure>> {
        Box::pin(async move {
            let group = group(self).await?;
            Ok(group.map(|group| AllowList::of(&of_permissions(group.ip_permissions()))))
        })
    }

    fn grant<'a>(&'a self, grant: &'a AccessGrant) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(async move {
            let id = group_id(self).await?;
            let mut outcome = put(self, &id, grant).await;
            for _ in 1..ATTEMPTS {
                match &outcome {
                    // Another client created the rule after our read, or deleted it.
                    Err(failure) if matches!(failure.class, FailureClass::AlreadyExists | FailureClass::Gone) => {
                        outcome = put(self, &id, grant).await;
                    }
                    _ => break,
                }
            }
            outcome
        })
    }

    fn revoke<'a>(&'a self, grants: &'a [AccessGrant]) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(async move {
            let Some(group) = group(self).await? else { return Ok(()) };
            let id = group.group_id().unwrap_or_default();
            let mut outcome = take(self, id, grants).await;
            for _ in 1..ATTEMPTS {
                match &outcome {
                    Err(failure) if failure.class == FailureClass::Gone => outcome = take(self, id, grants).await,
                    _ => break,
                }
            }
            outcome
        })
    }
}

/// Returns the security group of the API's load balancer. Of two, left behind by a crash, it is always the same one.
async fn group(aws: &AwsProvider) -> Result<Option<aws_sdk_ec2::types::SecurityGroup>, Failure> {
    let address = SecurityGroup::address(API).to_string();
    let ours = || [of_cluster(aws), filter(&format!("tag:{OBJECT_TAG}"), &address)];
    let pages = || {
        let request = aws.ec2.describe_security_groups().set_filters(Some(ours().into()));
        request.into_paginator().items().send().try_collect()
    };
    let mut found: Vec<_> = aws.read(EC2, "DescribeSecurityGroups", pages).await?;
    found.sort_by(|a, b| a.group_id().cmp(&b.group_id()));
    Ok(found.into_iter().next())
}

async fn group_id(aws: &AwsProvider) -> Result<String, Failure> {
    let id = group(aws).await?.and_then(|group| group.group_id);
    id.ok_or_else(|| {
        Failure::own(FailureClass::Gone, "open the API", "the cluster has no security group for its API yet")
    })
}

/// Adds the rule of one grant.
async fn put(aws: &AwsProvider, group: &str, grant: &AccessGrant) -> Result<(), Failure> {
    let rule = grant.rule();
    let there = incoming(aws, group).await?.into_iter().find(|there| same_but_description(&there.rule, &rule));
    let Some(there) = there else { return authorize(aws, group, RuleDirection::In, &[&rule]).await };
    let soon = Timestamp::now() + NEARLY_OVER;
    match AccessGrant::of(&there.rule) {
        // It is let in for good.
        None => Ok(()),
        Some(before) if before == *grant => Ok(()),
        Some(before) if before.until > soon => describe(aws, group, RuleDirection::In, &[&rule]).await,
        Some(_) => {
            revoke(aws, group, RuleDirection::In, vec![there.id]).await?;
            authorize(aws, group, RuleDirection::In, &[&rule]).await
        }
    }
}

/// Removes the rules of grants, if they are unchanged.
async fn take(aws: &AwsProvider, group: &str, grants: &[AccessGrant]) -> Result<(), Failure> {
    let there = incoming(aws, group).await?;
    let meant = |there: &ExistingRule| AccessGrant::of(&there.rule).is_some_and(|grant| grants.contains(&grant));
    let ids = there.into_iter().filter(meant).map(|there| there.id).collect();
    revoke(aws, group, RuleDirection::In, ids).await
}

async fn incoming(aws: &AwsProvider, group: &str) -> Result<Vec<ExistingRule>, Failure> {
    let mut rules = standing(aws, group).await?;
    rules.retain(|rule| rule.direction == RuleDirection::In);
    Ok(rules)
}
