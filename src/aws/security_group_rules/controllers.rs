//! Rules that the cluster's cloud controller adds for services of `type: LoadBalancer`: they belong to it, as its routes do.
//! They are not drift, no update removes them, and they are deleted with the group.

use std::collections::BTreeSet;

use crate::aws::AwsProvider;
use crate::aws::ec2::{EC2, filter, from_ec2};
use crate::engine::Failure;
use crate::resource::{CLUSTER_TAG, GroupRule, OBJECT_TAG, SecurityGroupRules};

/// The prefix of its descriptions of rules for a network load balancer: clients, health checks, path MTU discovery.
const DESCRIPTION: &str = "kubernetes.io/rule/";

/// The rules of the controller in a group, as distinct from others.
#[derive(Debug, Default)]
pub(super) struct ControllerRules {
    opened: bool,
    made: BTreeSet<String>,
}

impl ControllerRules {
    /// Finds the peers that are groups of the controller: a rule that lets a classic load balancer in has no description.
    /// `known` are groups of Quorate. If all peers are known, AWS is not called.
    pub(super) async fn of(
        aws: &AwsProvider,
        name: &str,
        rules: &[&GroupRule],
        known: &[&str],
    ) -> Result<Self, Failure> {
        if name != SecurityGroupRules::OPENED_BY_CONTROLLERS {
            return Ok(Self::default());
        }
        let peers = rules.iter().filter_map(|rule| rule.peer.known());
        let strangers: BTreeSet<&str> = peers.filter(|peer| peer.starts_with("sg-") && !known.contains(peer)).collect();
        let made = if strangers.is_empty() { BTreeSet::new() } else { made(aws, &strangers).await? };
        Ok(Self { opened: true, made })
    }

    /// Returns `true` if an ingress rule belongs to the controller.
    pub(super) fn own(&self, rule: &GroupRule) -> bool {
        let named = rule.peer.known().is_some_and(|peer| self.made.contains(peer));
        self.opened && (named || rule.description.starts_with(DESCRIPTION))
    }
}

/// Returns the groups that carry the cluster's Kubernetes tag, and no mark of Quorate.
async fn made(aws: &AwsProvider, groups: &BTreeSet<&str>) -> Result<BTreeSet<String>, Failure> {
    let ids = groups.iter().map(|group| (*group).to_owned()).collect();
    let ids = aws_sdk_ec2::types::Filter::builder().name("group-id").set_values(Some(ids)).build();
    let tag = filter(&format!("tag:kubernetes.io/cluster/{}", aws.scope.cluster), "owned");
    let pages = || {
        let request = aws.ec2.describe_security_groups().filters(ids.clone()).filters(tag.clone());
        request.into_paginator().items().send().try_collect()
    };
    let found: Vec<aws_sdk_ec2::types::SecurityGroup> = aws.read(EC2, "DescribeSecurityGroups", pages).await?;
    let ours = |group: &&aws_sdk_ec2::types::SecurityGroup| {
        let tags = from_ec2(group.tags());
        tags.contains_key(OBJECT_TAG) || tags.contains_key(CLUSTER_TAG)
    };
    let theirs = found.iter().filter(|group| !ours(group));
    Ok(theirs.filter_map(|group| Some(group.group_id()?.to_owned())).collect())
}
