//! The least policy for the runs of a cluster.

use std::collections::BTreeMap;

use super::needed::NeededActions;
use super::scope::PermissionScope;
use crate::limits::policy_length;
use crate::resource::{AwsPartition, PolicyStatement, kubernetes_tag, policy_document};

/// Maximum number of characters of a customer managed policy, without white space ("IAM and AWS STS quotas").
const MANAGED_POLICY: usize = 6_144;

/// The cluster that a policy is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyTarget {
    /// The cluster's name.
    pub cluster: String,
    /// The region.
    pub region: String,
    /// The account: 12 digits, or `*`.
    pub account: String,
    /// The bucket that machines read their files from.
    pub bucket: String,
    /// The beginning of the cluster's keys in it, without a final slash.
    pub root: String,
}

/// The least policy for the runs of a cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeastPolicy {
    statements: Vec<(PermissionScope, PolicyStatement)>,
}

impl PolicyTarget {
    pub(super) fn partition(&self) -> AwsPartition {
        AwsPartition::of(&self.region)
    }

    pub(super) fn arn(&self, service: &str, region: &str, account: &str, resource: &str) -> String {
        format!("arn:{}:{service}:{region}:{account}:{resource}", self.partition().id())
    }

    /// Returns the condition key of the tag that all objects of the cluster have, and those that its controllers create.
    pub(super) fn tag_condition(&self) -> String {
        format!("aws:ResourceTag/{}", kubernetes_tag(&self.cluster))
    }

    /// Returns the condition key of the same tag in a request that sets it.
    pub(super) fn request_tag_condition(&self) -> String {
        format!("aws:RequestTag/{}", kubernetes_tag(&self.cluster))
    }
}

impl LeastPolicy {
    /// Returns the policy that allows these actions, and nothing more than AWS can limit them to.
    pub fn new(needed: &NeededActions, target: &PolicyTarget) -> Self {
        let mut scopes: BTreeMap<PermissionScope, Vec<&'static str>> = BTreeMap::new();
        for action in needed.actions() {
            for scope in PermissionScope::of(action) {
                scopes.entry(*scope).or_default().push(action);
            }
        }
        let created = scopes.get(&PermissionScope::New).cloned().unwrap_or_default();
        if created.is_empty() {
            scopes.remove(&PermissionScope::NewTags);
            scopes.remove(&PermissionScope::NewBalancerTags);
        }
        if !needed.has_private_network() {
            scopes.remove(&PermissionScope::PublicRoutes);
        }
        let statements = scopes.iter().map(|(scope, actions)| (*scope, scope.statement(actions, &created, target)));
        Self { statements: statements.collect() }
    }

    /// Returns its statements, each with the reason for it.
    pub fn statements(&self) -> impl Iterator<Item = (&PolicyStatement, &'static str)> {
        self.statements.iter().map(|(scope, statement)| (statement, scope.reason()))
    }

    /// Returns it as JSON, in as few documents as IAM's size limit for a managed policy allows.
    pub fn documents(&self) -> Vec<String> {
        let mut parts: Vec<Vec<PolicyStatement>> = Vec::new();
        for (_, statement) in &self.statements {
            let fits = |part: &Vec<PolicyStatement>| {
                let with: Vec<PolicyStatement> = part.iter().chain([statement]).cloned().collect();
                policy_length(&policy_document(&with)) <= MANAGED_POLICY
            };
            match parts.last_mut().filter(|part| fits(part)) {
                Some(part) => part.push(statement.clone()),
                None => parts.push(vec![statement.clone()]),
            }
        }
        parts.iter().map(|part| policy_document(part)).collect()
    }
}
