//! The rules of security groups: one object a group, compared as a set each way.

mod controllers;
mod permission;

use std::collections::BTreeSet;

use aws_sdk_ec2::types::IpPermission;

use super::Aws;
use super::ec2::{EC2, filter};
use super::kind::{AwsKind, Creation, Look, live};
use super::security_group::groups;
use crate::engine::{Class, Failure, Live, Note};
use crate::resource::{API, Grant, Rule, SecurityGroupRules};
use controllers::Controllers;
use permission::{allow_all, of_rule, permission};
pub(super) use permission::{of_permissions, same_but_description};

/// Which way a rule looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    In,
    Out,
}

/// A rule as it is, with the id by which it can be revoked.
#[derive(Debug)]
pub(super) struct Standing {
    pub(super) id: String,
    pub(super) way: Way,
    pub(super) rule: Rule,
}

impl AwsKind for SecurityGroupRules {
    async fn observe(look: &Look<'_>) -> Result<Vec<Live>, Failure> {
        let groups = groups(look).await?;
        let known: Vec<&str> = groups.iter().filter_map(|(_, group)| group.group_id()).collect();
        let mut found = Vec::new();
        for (name, group) in &groups {
            let Some(id) = group.group_id() else { continue };
            let mut ingress = of_permissions(group.ip_permissions());
            let controllers = Controllers::of(look.aws, name, &ingress.iter().collect::<Vec<_>>(), &known).await?;
            ingress.retain(|rule| !lets_in_for_a_while(name, rule) && !controllers.own(rule));
            let seen = Self { group: id.into(), ingress, egress: of_permissions(group.ip_permissions_egress()) };
            found.push(live(name, id, &seen, &[("group", id)])?);
        }
        Ok(found)
    }

    /// A group that was just made allows everything out: that rule is kept or revoked, and needs no look.
    async fn create(&self, aws: &Aws, creation: &Creation<'_>) -> Result<Live, Failure> {
        let group = self.group.known().unwrap_or_default();
        let (open, egress): (Vec<&Rule>, Vec<&Rule>) = self.egress.iter().partition(|rule| **rule == allow_all());
        authorize(aws, group, Way::In, &self.ingress.iter().collect::<Vec<_>>()).await?;
        authorize(aws, group, Way::Out, &egress).await?;
        if open.is_empty() {
            revoke_allow_all(aws, group).await?;
        }
        live(creation.object.address.name(), group, self, &[("group", group)])
    }

    async fn update(&self, aws: &Aws, live: &Live, _changed: &BTreeSet<String>) -> Result<Live, Failure> {
        let group = &live.id;
        let standing = standing(aws, group).await?;
        let controllers = self.controllers(aws, live, &standing).await?;
        for (way, wanted) in [(Way::In, &self.ingress), (Way::Out, &self.egress)] {
            let have: Vec<_> = standing.iter().filter(|standing| standing.way == way).collect();
            let mut difference = difference(wanted, &have);
            let stays = |rule: &Rule| lets_in_for_a_while(live.address.name(), rule) || controllers.own(rule);
            let kept = |id: &String| way == Way::In && have.iter().any(|one| one.id == *id && stays(&one.rule));
            difference.surplus.retain(|id| !kept(id));
            describe(aws, group, way, &difference.described).await?;
            // What is new comes first: nothing that may talk before and after is cut off in between.
            let authorized = authorize(aws, group, way, &difference.missing).await;
            authorized.map_err(unseen)?;
            revoke(aws, group, way, difference.surplus).await?;
        }
        super::kind::live(live.address.name(), group, self, &[("group", group)])
    }

    async fn delete(aws: &Aws, live: &Live, _note: Note<'_>) -> Result<(), Failure> {
        let standing = standing(aws, &live.id).await?;
        for way in [Way::In, Way::Out] {
            let ids = standing.iter().filter(|standing| standing.way == way).map(|standing| standing.id.clone());
            match revoke(aws, &live.id, way, ids.collect()).await {
                Err(failure) if failure.class == Class::Gone => {}
                outcome => outcome?,
            }
        }
        Ok(())
    }
}

impl SecurityGroupRules {
    /// Which of a group's rules are the cloud controller's. A peer that we want is none of its groups.
    async fn controllers(&self, aws: &Aws, live: &Live, standing: &[Standing]) -> Result<Controllers, Failure> {
        let come_in: Vec<&Rule> = standing.iter().filter(|one| one.way == Way::In).map(|one| &one.rule).collect();
        let known: Vec<&str> = self.ingress.iter().filter_map(|rule| rule.peer.known()).collect();
        Controllers::of(aws, live.address.name(), &come_in, &known).await
    }
}

/// What to do so that rules are as they should be.
struct Difference<'a> {
    /// Rules to add.
    missing: Vec<&'a Rule>,
    /// Rules that only get another description: a rule cannot be added beside one that differs in nothing else.
    described: Vec<&'a Rule>,
    /// Ids of rules to remove.
    surplus: Vec<String>,
}

fn difference<'a>(wanted: &'a [Rule], have: &[&Standing]) -> Difference<'a> {
    let absent = wanted.iter().filter(|rule| have.iter().all(|standing| standing.rule != **rule));
    let (described, missing): (Vec<_>, Vec<_>) =
        absent.partition(|rule| have.iter().any(|standing| same_but_description(&standing.rule, rule)));
    let unwanted = |standing: &&&Standing| !wanted.iter().any(|rule| same_but_description(&standing.rule, rule));
    let surplus = have.iter().filter(unwanted).map(|standing| standing.id.clone()).collect();
    Difference { missing, described, surplus }
}

/// Whether a rule is none of a plan's business: it lets somebody in to the API, and says when it ends. Afterwards it is a
/// rule like any other that nobody wants.
fn lets_in_for_a_while(group: &str, rule: &Rule) -> bool {
    group == API && Grant::of(rule).is_some_and(|grant| grant.runs(jiff::Timestamp::now()))
}

/// The rules of a group, by id.
pub(super) async fn standing(aws: &Aws, group: &str) -> Result<Vec<Standing>, Failure> {
    let pages = || {
        let request = aws.ec2.describe_security_group_rules().filters(filter("group-id", group));
        request.into_paginator().items().send().try_collect()
    };
    let found = aws.read(EC2, "DescribeSecurityGroupRules", pages).await?;
    let standing = |seen: &aws_sdk_ec2::types::SecurityGroupRule| {
        let way = if seen.is_egress().unwrap_or_default() { Way::Out } else { Way::In };
        Some(Standing { id: seen.security_group_rule_id()?.to_owned(), way, rule: of_rule(seen) })
    };
    Ok(found.iter().filter_map(standing).collect())
}

fn permissions(rules: &[&Rule]) -> Vec<IpPermission> {
    rules.iter().map(|rule| permission(rule)).collect()
}

pub(super) async fn authorize(aws: &Aws, group: &str, way: Way, rules: &[&Rule]) -> Result<(), Failure> {
    if rules.is_empty() {
        return Ok(());
    }
    let permissions = Some(permissions(rules));
    match way {
        Way::In => {
            let request = aws.ec2.authorize_security_group_ingress().group_id(group).set_ip_permissions(permissions);
            aws.send(EC2, "AuthorizeSecurityGroupIngress", request.send()).await.map(drop)
        }
        Way::Out => {
            let request = aws.ec2.authorize_security_group_egress().group_id(group).set_ip_permissions(permissions);
            aws.send(EC2, "AuthorizeSecurityGroupEgress", request.send()).await.map(drop)
        }
    }
}

pub(super) async fn describe(aws: &Aws, group: &str, way: Way, rules: &[&Rule]) -> Result<(), Failure> {
    if rules.is_empty() {
        return Ok(());
    }
    let permissions = Some(permissions(rules));
    match way {
        Way::In => {
            let request = aws.ec2.update_security_group_rule_descriptions_ingress().group_id(group);
            let request = request.set_ip_permissions(permissions);
            aws.send(EC2, "UpdateSecurityGroupRuleDescriptionsIngress", request.send()).await.map(drop)
        }
        Way::Out => {
            let request = aws.ec2.update_security_group_rule_descriptions_egress().group_id(group);
            let request = request.set_ip_permissions(permissions);
            aws.send(EC2, "UpdateSecurityGroupRuleDescriptionsEgress", request.send()).await.map(drop)
        }
    }
}

pub(super) async fn revoke(aws: &Aws, group: &str, way: Way, ids: Vec<String>) -> Result<(), Failure> {
    if ids.is_empty() {
        return Ok(());
    }
    match way {
        Way::In => {
            let request =
                aws.ec2.revoke_security_group_ingress().group_id(group).set_security_group_rule_ids(Some(ids));
            aws.send(EC2, "RevokeSecurityGroupIngress", request.send()).await.map(drop)
        }
        Way::Out => {
            let request = aws.ec2.revoke_security_group_egress().group_id(group).set_security_group_rule_ids(Some(ids));
            aws.send(EC2, "RevokeSecurityGroupEgress", request.send()).await.map(drop)
        }
    }
}

/// Revokes the rule that every new group has. It has no description, so it can be named by what it says.
async fn revoke_allow_all(aws: &Aws, group: &str) -> Result<(), Failure> {
    let request = aws.ec2.revoke_security_group_egress().group_id(group).ip_permissions(permission(&allow_all()));
    match aws.send(EC2, "RevokeSecurityGroupEgress", request.send()).await {
        Err(failure) if failure.code.as_deref() == Some("InvalidPermission.NotFound") => Ok(()),
        outcome => outcome.map(drop),
    }
}

/// A rule that exists although it was not there a moment ago will be seen by the next look.
fn unseen(failure: Failure) -> Failure {
    match failure.class {
        Class::AlreadyExists => Failure { class: Class::NotYetConsistent, ..failure },
        _ => failure,
    }
}

#[cfg(test)]
mod tests;
