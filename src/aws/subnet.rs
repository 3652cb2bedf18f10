//! Subnets.

use std::collections::BTreeSet;
use std::sync::Arc;

use aws_sdk_ec2::types::ResourceType;

use super::AwsProvider;
use super::ec2::{EC2, from_ec2, retag, sought, specification};
use super::failure::ErrorCodes;
use super::kind::{AwsKind, CreateContext, live};
use super::observe_cache::ObserveCache;
use super::tags::ObservationScope;
use crate::engine::{Failure, FailureClass, Live, ProgressNote};
use crate::resource::{Resource, Subnet, is_private_subnet};

impl AwsKind for Subnet {
    const CODES: ErrorCodes = &[
        (FailureClass::Gone, &["SubnetNotFound"]),
        (FailureClass::AlreadyExists, &["InvalidSubnet.Conflict"]),
        (FailureClass::Quota, &["SubnetLimitExceeded"]),
    ];

    async fn observe(cache: &ObserveCache<'_>) -> Result<Vec<Live>, Failure> {
        of_cluster(cache).await.map(|found| found.as_ref().clone())
    }

    async fn create(&self, aws: &AwsProvider, creation: &CreateContext<'_>) -> Result<Live, Failure> {
        let request = aws
            .ec2
            .create_subnet()
            .set_vpc_id(self.vpc.known().map(str::to_owned))
            .availability_zone(&self.zone)
            .cidr_block(&self.cidr)
            .tag_specifications(specification(ResourceType::Subnet, &self.tags));
        let made = aws.send(EC2, "CreateSubnet", request.send()).await?;
        let id = made.subnet().and_then(|subnet| subnet.subnet_id()).unwrap_or_default();
        live(creation.object.address.name(), id, self, &[("id", id)])
    }

    async fn update(&self, aws: &AwsProvider, live: &Live, changed: &BTreeSet<String>) -> Result<Live, Failure> {
        retag(aws, live, &self.tags, changed.contains("tags")).await?;
        super::kind::live(live.address.name(), &live.id, self, &[("id", &live.id)])
    }

    async fn delete(aws: &AwsProvider, live: &Live, _note: ProgressNote<'_>) -> Result<(), Failure> {
        aws.send(EC2, "DeleteSubnet", aws.ec2.delete_subnet().subnet_id(&live.id).send()).await.map(drop)
    }
}

/// Returns `true` if the cluster has private subnets. They are created before all that only a private network has, and
/// deleted after it: without them, nothing of it needs to be looked for.
pub(super) async fn has_private_subnets(cache: &ObserveCache<'_>) -> Result<bool, Failure> {
    match cache.whose {
        ObservationScope::Tagged(_) => {
            Ok(of_cluster(cache).await?.iter().any(|live| is_private_subnet(live.address.name())))
        }
        ObservationScope::Recorded(..) => Ok(true),
    }
}

/// Returns the subnets of an observation, by one call for all who ask.
async fn of_cluster(cache: &ObserveCache<'_>) -> Result<Arc<Vec<Live>>, Failure> {
    cache.once(|| read(cache)).await
}

async fn read(cache: &ObserveCache<'_>) -> Result<Vec<Live>, Failure> {
    if cache.aws.has_no_vpc() {
        return Ok(Vec::new());
    }
    let (aws, ours) = (cache.aws, sought(cache, "subnet-id", Subnet::KIND.name));
    let pages = || aws.ec2.describe_subnets().filters(ours.clone()).into_paginator().items().send().try_collect();
    let mut found = Vec::new();
    for subnet in aws.read(EC2, "DescribeSubnets", pages).await? {
        let tags = from_ec2(subnet.tags());
        let Some(id) = subnet.subnet_id() else { continue };
        let Some(address) = cache.whose.address(&tags, id, Subnet::KIND.name) else { continue };
        let observed = Subnet {
            vpc: subnet.vpc_id().unwrap_or_default().into(),
            zone: subnet.availability_zone().unwrap_or_default().to_owned(),
            cidr: subnet.cidr_block().unwrap_or_default().to_owned(),
            tags,
        };
        found.push(live(address.name(), id, &observed, &[("id", id)])?);
    }
    Ok(found)
}
