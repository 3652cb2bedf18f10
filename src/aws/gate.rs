//! The gate of the Kubernetes API: rules of its load balancer's security group that carry their own end.

use jiff::{SignedDuration, Timestamp};

use super::Aws;
use super::ec2::{EC2, filter, of_cluster};
use super::security_group_rules::{
    Standing, Way, authorize, describe, of_permissions, revoke, same_but_description, standing,
};
use crate::engine::{BoxFuture, Class, Failure};
use crate::resource::{API, Admission, Gate, Grant, OBJECT_TAG, Resource, SecurityGroup};

/// A grant with less than this left is made anew under another id: a master that has just read the old one and takes it
/// away, by its id, then takes nothing from anybody.
const NEARLY_OVER: SignedDuration = SignedDuration::from_mins(2);
/// How often it is looked again when a rule went, or came, between a look and a change.
const LOOKS: u32 = 3;

impl Gate for Aws {
    fn admission(&self) -> BoxFuture<'_, Result<Option<Admission>, Failure>> {
        Box::pin(async move {
            let group = group(self).await?;
            Ok(group.map(|group| Admission::of(&of_permissions(group.ip_permissions()))))
        })
    }

    fn grant<'a>(&'a self, grant: &'a Grant) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(async move {
            let id = group_id(self).await?;
            let mut outcome = put(self, &id, grant).await;
            for _ in 1..LOOKS {
                match &outcome {
                    // Somebody else made the rule after our look, or took it away.
                    Err(failure) if matches!(failure.class, Class::AlreadyExists | Class::Gone) => {
                        outcome = put(self, &id, grant).await;
                    }
                    _ => break,
                }
            }
            outcome
        })
    }

    fn revoke<'a>(&'a self, grants: &'a [Grant]) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(async move {
            let Some(group) = group(self).await? else { return Ok(()) };
            let id = group.group_id().unwrap_or_default();
            let mut outcome = take(self, id, grants).await;
            for _ in 1..LOOKS {
                match &outcome {
                    Err(failure) if failure.class == Class::Gone => outcome = take(self, id, grants).await,
                    _ => break,
                }
            }
            outcome
        })
    }
}

/// The security group that says who reaches the API's load balancer. Of two, left behind by a crash, always the same one.
async fn group(aws: &Aws) -> Result<Option<aws_sdk_ec2::types::SecurityGroup>, Failure> {
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

async fn group_id(aws: &Aws) -> Result<String, Failure> {
    let id = group(aws).await?.and_then(|group| group.group_id);
    id.ok_or_else(|| Failure::own(Class::Gone, "open the API", "the cluster has no security group for its API yet"))
}

/// Brings one rule about.
async fn put(aws: &Aws, group: &str, grant: &Grant) -> Result<(), Failure> {
    let rule = grant.rule();
    let there = incoming(aws, group).await?.into_iter().find(|there| same_but_description(&there.rule, &rule));
    let Some(there) = there else { return authorize(aws, group, Way::In, &[&rule]).await };
    let soon = Timestamp::now() + NEARLY_OVER;
    match Grant::of(&there.rule) {
        // It is let in for good.
        None => Ok(()),
        Some(before) if before == *grant => Ok(()),
        Some(before) if before.until > soon => describe(aws, group, Way::In, &[&rule]).await,
        Some(_) => {
            revoke(aws, group, Way::In, vec![there.id]).await?;
            authorize(aws, group, Way::In, &[&rule]).await
        }
    }
}

/// Removes the rules of grants: those that are still what they were.
async fn take(aws: &Aws, group: &str, grants: &[Grant]) -> Result<(), Failure> {
    let there = incoming(aws, group).await?;
    let meant = |there: &Standing| Grant::of(&there.rule).is_some_and(|grant| grants.contains(&grant));
    let ids = there.into_iter().filter(meant).map(|there| there.id).collect();
    revoke(aws, group, Way::In, ids).await
}

async fn incoming(aws: &Aws, group: &str) -> Result<Vec<Standing>, Failure> {
    let mut rules = standing(aws, group).await?;
    rules.retain(|rule| rule.way == Way::In);
    Ok(rules)
}
