//! The rules of security groups: one object per group, compared as a set for each direction.

mod controllers;
mod permission;

use std::collections::BTreeSet;

use aws_sdk_ec2::types::IpPermission;

use super::AwsProvider;
use super::ec2::{EC2, filter};
use super::failure::ErrorCodes;
use super::kind::{AwsKind, CreateContext, decode, live};
use super::observe_cache::ObserveCache;
use super::security_group::groups;
use crate::engine::{Failure, FailureClass, Live, ProgressNote};
use crate::resource::{API, AccessGrant, GroupRule, SecurityGroupRules};
use controllers::ControllerRules;
use permission::{allow_all, of_rule, permission};
pub(super) use permission::{of_permissions, same_but_description};

/// The direction of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RuleDirection {
    In,
    Out,
}

/// An existing rule, with the id by which it can be revoked.
#[derive(Debug)]
pub(super) struct ExistingRule {
    pub(super) id: String,
    pub(super) direction: RuleDirection,
    pub(super) rule: GroupRule,
}

impl AwsKind for SecurityGroupRules {
    const CODES: ErrorCodes = &[
        (FailureClass::AlreadyExists, &["InvalidPermission.Duplicate"]),
        (FailureClass::Quota, &["RulesPerSecurityGroupLimitExceeded"]),
    ];

    async fn observe(cache: &ObserveCache<'_>) -> Result<Vec<Live>, Failure> {
        let groups = groups(cache).await?;
        let known: Vec<&str> = groups.iter().filter_map(|(_, group)| group.group_id()).collect();
        let mut found = Vec::new();
        for (name, group) in &groups {
            let Some(id) = group.group_id() else { continue };
            let mut ingress = of_permissions(group.ip_permissions());
            let controllers = ControllerRules::of(cache.aws, name, &ingress.iter().collect::<Vec<_>>(), &known).await?;
            ingress.retain(|rule| !lets_in_for_a_while(name, rule) && !controllers.own(rule));
            let observed = Self { group: id.into(), ingress, egress: of_permissions(group.ip_permissions_egress()) };
            found.push(live(name, id, &observed, &[("group", id)])?);
        }
        Ok(found)
    }

    /// A new group allows all egress: that rule is kept or revoked without reading it.
    async fn create(&self, aws: &AwsProvider, creation: &CreateContext<'_>) -> Result<Live, Failure> {
        let group = self.group.known().unwrap_or_default();
        let (open, egress): (Vec<&GroupRule>, Vec<&GroupRule>) =
            self.egress.iter().partition(|rule| **rule == allow_all());
        authorize(aws, group, RuleDirection::In, &self.ingress.iter().collect::<Vec<_>>()).await?;
        authorize(aws, group, RuleDirection::Out, &egress).await?;
        if open.is_empty() {
            revoke_allow_all(aws, group).await?;
        }
        live(creation.object.address.name(), group, self, &[("group", group)])
    }

    async fn update(&self, aws: &AwsProvider, live: &Live, _changed: &BTreeSet<String>) -> Result<Live, Failure> {
        let group = &live.id;
        let standing = standing(aws, group).await?;
        let controllers = self.controllers(aws, live, &standing).await?;
        for (direction, wanted) in [(RuleDirection::In, &self.ingress), (RuleDirection::Out, &self.egress)] {
            let have: Vec<_> = standing.iter().filter(|standing| standing.direction == direction).collect();
            let mut difference = difference(wanted, &have);
            let stays = |rule: &GroupRule| lets_in_for_a_while(live.address.name(), rule) || controllers.own(rule);
            let kept = |id: &String| {
                direction == RuleDirection::In && have.iter().any(|one| one.id == *id && stays(&one.rule))
            };
            difference.surplus.retain(|id| !kept(id));
            describe(aws, group, direction, &difference.described).await?;
            // What is new comes first: nothing that may talk before and after is cut off in between.
            let authorized = authorize(aws, group, direction, &difference.missing).await;
            authorized.map_err(not_yet_visible)?;
            revoke(aws, group, direction, difference.surplus).await?;
        }
        super::kind::live(live.address.name(), group, self, &[("group", group)])
    }

    /// When the cluster is deleted, revokes only the rules that name other groups, which could not be deleted before this one.
    /// All others end with the group, whose deletion follows.
    async fn delete(aws: &AwsProvider, live: &Live, _note: ProgressNote<'_>) -> Result<(), Failure> {
        let observed: Self = decode(live)?;
        let names_other =
            |rule: &GroupRule| rule.peer.known().is_some_and(|peer| peer.starts_with("sg-") && peer != live.id);
        let is_needed = |rule: &GroupRule| !aws.is_shallow() || names_other(rule);
        let mut rules = observed.ingress.iter().chain(&observed.egress);
        if !rules.any(is_needed) && aws.is_shallow() && live.address.name() != Self::OPENED_BY_CONTROLLERS {
            return Ok(());
        }
        let standing = standing(aws, &live.id).await?;
        for direction in [RuleDirection::In, RuleDirection::Out] {
            let needed = standing.iter().filter(|one| one.direction == direction && is_needed(&one.rule));
            match revoke(aws, &live.id, direction, needed.map(|standing| standing.id.clone()).collect()).await {
                Err(failure) if failure.class == FailureClass::Gone => {}
                outcome => outcome?,
            }
        }
        Ok(())
    }
}

impl SecurityGroupRules {
    /// Finds the rules of a group that belong to the cloud controller. A wanted peer is never one of its groups.
    async fn controllers(
        &self,
        aws: &AwsProvider,
        live: &Live,
        standing: &[ExistingRule],
    ) -> Result<ControllerRules, Failure> {
        let come_in: Vec<&GroupRule> =
            standing.iter().filter(|one| one.direction == RuleDirection::In).map(|one| &one.rule).collect();
        let known: Vec<&str> = self.ingress.iter().filter_map(|rule| rule.peer.known()).collect();
        ControllerRules::of(aws, live.address.name(), &come_in, &known).await
    }
}

/// The changes that make the rules as wanted.
struct RuleDiff<'a> {
    /// Rules to add.
    missing: Vec<&'a GroupRule>,
    /// Rules that only get another description: two rules that differ in nothing else cannot coexist.
    described: Vec<&'a GroupRule>,
    /// Ids of rules to remove.
    surplus: Vec<String>,
}

fn difference<'a>(wanted: &'a [GroupRule], have: &[&ExistingRule]) -> RuleDiff<'a> {
    let absent = wanted.iter().filter(|rule| have.iter().all(|standing| standing.rule != **rule));
    let (described, missing): (Vec<_>, Vec<_>) =
        absent.partition(|rule| have.iter().any(|standing| same_but_description(&standing.rule, rule)));
    let unwanted = |standing: &&&ExistingRule| !wanted.iter().any(|rule| same_but_description(&standing.rule, rule));
    let surplus = have.iter().filter(unwanted).map(|standing| standing.id.clone()).collect();
    RuleDiff { missing, described, surplus }
}

/// Returns `true` if a plan ignores the rule: it grants temporary access to the API, and carries its expiry. After that
/// time it is an unwanted rule like any other.
fn lets_in_for_a_while(group: &str, rule: &GroupRule) -> bool {
    group == API && AccessGrant::of(rule).is_some_and(|grant| grant.runs(jiff::Timestamp::now()))
}

/// Returns the rules of a group, by id.
pub(super) async fn standing(aws: &AwsProvider, group: &str) -> Result<Vec<ExistingRule>, Failure> {
    let pages = || {
        let request = aws.ec2.describe_security_group_rules().filters(filter("group-id", group));
        request.into_paginator().items().send().try_collect()
    };
    let found = aws.read(EC2, "DescribeSecurityGroupRules", pages).await?;
    let standing = |described: &aws_sdk_ec2::types::SecurityGroupRule| {
        let direction = if described.is_egress().unwrap_or_default() { RuleDirection::Out } else { RuleDirection::In };
        Some(ExistingRule { id: described.security_group_rule_id()?.to_owned(), direction, rule: of_rule(described) })
    };
    Ok(found.iter().filter_map(standing).collect())
}

fn permissions(rules: &[&GroupRule]) -> Vec<IpPermission> {
    rules.iter().map(|rule| permission(rule)).collect()
}

pub(super) async fn authorize(
    aws: &AwsProvider,
    group: &str,
    direction: RuleDirection,
    rules: &[&GroupRule],
) -> Result<(), Failure> {
    if rules.is_empty() {
        return Ok(());
    }
    let permissions = Some(permissions(rules));
    match direction {
        RuleDirection::In => {
            let request = aws.ec2.authorize_security_group_ingress().group_id(group).set_ip_permissions(permissions);
            aws.send(EC2, "AuthorizeSecurityGroupIngress", request.send()).await.map(drop)
        }
        RuleDirection::Out => {
            let request = aws.ec2.authorize_security_group_egress().group_id(group).set_ip_permissions(permissions);
            aws.send(EC2, "AuthorizeSecurityGroupEgress", request.send()).await.map(drop)
        }
    }
}

pub(super) async fn describe(
    aws: &AwsProvider,
    group: &str,
    direction: RuleDirection,
    rules: &[&GroupRule],
) -> Result<(), Failure> {
    if rules.is_empty() {
        return Ok(());
    }
    let permissions = Some(permissions(rules));
    match direction {
        RuleDirection::In => {
            let request = aws.ec2.update_security_group_rule_descriptions_ingress().group_id(group);
            let request = request.set_ip_permissions(permissions);
            aws.send(EC2, "UpdateSecurityGroupRuleDescriptionsIngress", request.send()).await.map(drop)
        }
        RuleDirection::Out => {
            let request = aws.ec2.update_security_group_rule_descriptions_egress().group_id(group);
            let request = request.set_ip_permissions(permissions);
            aws.send(EC2, "UpdateSecurityGroupRuleDescriptionsEgress", request.send()).await.map(drop)
        }
    }
}

pub(super) async fn revoke(
    aws: &AwsProvider,
    group: &str,
    direction: RuleDirection,
    ids: Vec<String>,
) -> Result<(), Failure> {
    if ids.is_empty() {
        return Ok(());
    }
    match direction {
        RuleDirection::In => {
            let request =
                aws.ec2.revoke_security_group_ingress().group_id(group).set_security_group_rule_ids(Some(ids));
            aws.send(EC2, "RevokeSecurityGroupIngress", request.send()).await.map(drop)
        }
        RuleDirection::Out => {
            let request = aws.ec2.revoke_security_group_egress().group_id(group).set_security_group_rule_ids(Some(ids));
            aws.send(EC2, "RevokeSecurityGroupEgress", request.send()).await.map(drop)
        }
    }
}

/// Revokes the rule that every new group has. It has no description, so it can be identified by its content.
async fn revoke_allow_all(aws: &AwsProvider, group: &str) -> Result<(), Failure> {
    let request = aws.ec2.revoke_security_group_egress().group_id(group).ip_permissions(permission(&allow_all()));
    match aws.send(EC2, "RevokeSecurityGroupEgress", request.send()).await {
        Err(failure) if failure.code.as_deref() == Some("InvalidPermission.NotFound") => Ok(()),
        outcome => outcome.map(drop),
    }
}

/// Returns the failure for a rule that exists although it was not there a moment ago: the next read shows it.
fn not_yet_visible(failure: Failure) -> Failure {
    match failure.class {
        FailureClass::AlreadyExists => Failure { class: FailureClass::NotYetConsistent, ..failure },
        _ => failure,
    }
}

#[cfg(test)]
mod tests;
