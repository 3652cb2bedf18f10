//! The IAM actions that a run needs.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::engine::{Address, Plan};
use crate::resource::{ElasticIp, KINDS, Kind, NatGateway, Resource, VpcEndpoint, calls, is_optional};

/// The purpose of the runs that a policy is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunPurpose {
    /// Only shows changes.
    Plan,
    /// Makes the cloud match the file.
    Apply,
    /// Removes everything.
    Destroy,
}

/// The actions of facts that every plan rests on: zones, sizes, images, public hosted zones.
const FACTS: &[&str] = &[
    "ec2:DescribeAvailabilityZones",
    "ec2:DescribeImages",
    "ec2:DescribeInstanceTypeOfferings",
    "ec2:DescribeInstanceTypes",
    "route53:ListHostedZones",
    "ssm:GetParameters",
];
/// The actions without which a run leaves something out: the quotas of the account, and prices that this release does not have.
const OPTIONAL: &[&str] = &["pricing:GetProducts", "servicequotas:GetServiceQuota"];
/// The actions that read the record and the lease.
const STATE_READ: &[&str] = &["s3:GetObject", "s3:ListBucket"];
/// The actions that write the record and the lease.
const STATE_WRITE: &[&str] = &["s3:DeleteObject", "s3:PutObject"];
/// The actions that open a closed API to the run, and close it again.
const API_ACCESS: &[&str] = &["ec2:AuthorizeSecurityGroupIngress", "ec2:RevokeSecurityGroupIngress"];
/// The actions that explain machines that do not become ready.
const EXPLANATIONS: &[&str] = &["autoscaling:DescribeScalingActivities", "ec2:GetConsoleOutput"];
/// The actions that remove what a destroy leaves in the bucket, and what the cluster's controllers created.
const REMAINS: &[&str] = &[
    "ec2:DeleteSecurityGroup",
    "ec2:DeleteVolume",
    "elasticloadbalancing:DeleteLoadBalancer",
    "elasticloadbalancing:DeleteTargetGroup",
    "s3:DeleteObjectVersion",
    "s3:ListBucketVersions",
];

/// The kinds that only clusters with private machines have. Machines cannot become private later, so other clusters never need
/// the calls of these kinds.
const PRIVATE_NETWORK: [&str; 3] = [ElasticIp::KIND.name, NatGateway::KIND.name, VpcEndpoint::KIND.name];

/// IAM actions, each with the objects whose changes need it; none if every run of the purpose does.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NeededActions(BTreeMap<&'static str, BTreeSet<Address>>);

impl NeededActions {
    /// Returns the actions of every run of these purposes. `has_kind` tells if the cluster has objects of a kind.
    pub fn of_purposes(purposes: &[RunPurpose], has_kind: &dyn Fn(&str) -> bool) -> Self {
        let mut needed = Self::default();
        for purpose in purposes {
            needed.0.extend(Self::of_purpose(*purpose, has_kind).0);
        }
        needed
    }

    fn of_purpose(purpose: RunPurpose, has_kind: &dyn Fn(&str) -> bool) -> Self {
        let is_private = PRIVATE_NETWORK.iter().any(|kind| has_kind(kind));
        // What the file had before is read before it is removed.
        let mut needed = Self::of_every(purpose, is_private, &|_| true);
        needed.add(OPTIONAL.iter().copied(), None);
        for kind in kinds(is_private) {
            let Some(calls) = calls(kind.name) else { continue };
            let changes: &[&[&'static str]] = match purpose {
                RunPurpose::Plan => &[],
                RunPurpose::Apply if has_kind(kind.name) => &[calls.create, calls.update, calls.delete],
                // What the file had before can be removed.
                RunPurpose::Apply | RunPurpose::Destroy => &[calls.delete],
            };
            needed.add(changes.concat(), None);
        }
        needed
    }

    /// Returns the actions of one plan.
    pub fn of_plan(purpose: RunPurpose, plan: &Plan) -> Self {
        let changes_kind = |kind: &str| plan.changes.iter().any(|change| change.address.kind() == kind);
        let is_private = PRIVATE_NETWORK.iter().any(|kind| changes_kind(kind));
        let mut needed = Self::of_every(purpose, is_private, &changes_kind);
        for change in &plan.changes {
            if let Some(calls) = calls(change.address.kind()) {
                needed.add(calls.of(change.action), Some(&change.address));
            }
        }
        needed
    }

    /// Returns the actions that all runs of a purpose need, whatever they change. Kinds that few clusters have are read only by
    /// those.
    fn of_every(purpose: RunPurpose, is_private: bool, has_kind: &dyn Fn(&str) -> bool) -> Self {
        let mut needed = Self::default();
        let read = kinds(is_private).filter(|kind| !is_optional(kind.name) || has_kind(kind.name));
        needed.add(read.filter_map(|kind| calls(kind.name)).flat_map(|calls| calls.read.iter().copied()), None);
        needed.add([FACTS, STATE_READ].concat(), None);
        let more: &[&[&'static str]] = match purpose {
            RunPurpose::Plan => &[],
            RunPurpose::Apply => &[STATE_WRITE, API_ACCESS, EXPLANATIONS],
            RunPurpose::Destroy => &[STATE_WRITE, API_ACCESS, REMAINS],
        };
        needed.add(more.concat(), None);
        needed
    }

    /// Returns `true` if they are those of a cluster with private machines.
    pub(super) fn has_private_network(&self) -> bool {
        let own = PRIVATE_NETWORK.iter().filter_map(|kind| calls(kind)).flat_map(|calls| calls.read);
        own.into_iter().any(|action| self.0.contains_key(action))
    }

    /// Returns the actions, sorted.
    pub fn actions(&self) -> impl Iterator<Item = &'static str> {
        self.0.keys().copied()
    }

    /// Returns the objects whose changes need an action; none if every run does.
    pub(super) fn objects(&self, action: &str) -> BTreeSet<Address> {
        self.0.get(action).cloned().unwrap_or_default()
    }

    fn add(&mut self, actions: impl IntoIterator<Item = &'static str>, object: Option<&Address>) {
        for action in actions {
            let objects = self.0.entry(action).or_default();
            objects.extend(object.cloned());
        }
    }
}

/// Returns the kinds of clusters whose machines are private, or public.
fn kinds(is_private: bool) -> impl Iterator<Item = &'static Kind> {
    KINDS.iter().filter(move |kind| is_private || !PRIVATE_NETWORK.contains(&kind.name))
}
