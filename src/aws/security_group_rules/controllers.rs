//! Rules that the cluster's cloud controller adds for services of `type: LoadBalancer`: its own, as its routes are. They
//! are no drift, no update takes them away, and they go with the group.

use std::collections::BTreeSet;

use crate::aws::Aws;
use crate::aws::ec2::{EC2, filter, from_ec2};
use crate::engine::Failure;
use crate::resource::{CLUSTER_TAG, OBJECT_TAG, Rule, SecurityGroupRules};

/// How it begins the descriptions of rules for a network load balancer: clients, health checks, path MTU discovery.
const DESCRIPTION: &str = "kubernetes.io/rule/";

/// Tells the controller's rules of a group from others.
#[derive(Debug, Default)]
pub(super) struct Controllers {
    opened: bool,
    made: BTreeSet<String>,
}

impl Controllers {
    /// Looks up which of the peers are groups that the controller made: it says nothing about a rule that lets a
    /// classic load balancer in. `known` are groups of ours. Without strangers among the peers, AWS is not asked.
    pub(super) async fn of(aws: &Aws, name: &str, rules: &[&Rule], known: &[&str]) -> Result<Self, Failure> {
        if name != SecurityGroupRules::OPENED_BY_CONTROLLERS {
            return Ok(Self::default());
        }
        let peers = rules.iter().filter_map(|rule| rule.peer.known());
        let strangers: BTreeSet<&str> = peers.filter(|peer| peer.starts_with("sg-") && !known.contains(peer)).collect();
        let made = if strangers.is_empty() { BTreeSet::new() } else { made(aws, &strangers).await? };
        Ok(Self { opened: true, made })
    }

    /// Whether a rule that lets somebody in is the controller's.
    pub(super) fn own(&self, rule: &Rule) -> bool {
        let named = rule.peer.known().is_some_and(|peer| self.made.contains(peer));
        self.opened && (named || rule.description.starts_with(DESCRIPTION))
    }
}

/// Those of some groups that carry the cluster's Kubernetes tag, and no mark of ours.
async fn made(aws: &Aws, groups: &BTreeSet<&str>) -> Result<BTreeSet<String>, Failure> {
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
