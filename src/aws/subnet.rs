//! Subnets.

use std::collections::BTreeSet;

use aws_sdk_ec2::types::ResourceType;

use super::AwsProvider;
use super::ec2::{EC2, from_ec2, retag, sought, specification};
use super::failure::ErrorCodes;
use super::kind::{AwsKind, CreateContext, live};
use super::observe_cache::ObserveCache;
use crate::engine::{Failure, FailureClass, Live, ProgressNote};
use crate::resource::{Resource, Subnet};

impl AwsKind for Subnet {
    const CODES: ErrorCodes = &[
        (FailureClass::Gone, &["SubnetNotFound"]),
        (FailureClass::AlreadyExists, &["InvalidSubnet.Conflict"]),
        (FailureClass::Quota, &["SubnetLimitExceeded"]),
    ];

    async fn observe(cache: &ObserveCache<'_>) -> Result<Vec<Live>, Failure> {
        if cache.aws.has_no_vpc() {
            return Ok(Vec::new());
        }
        let (aws, ours) = (cache.aws, sought(cache, "subnet-id", Self::KIND.name));
        let pages = || aws.ec2.describe_subnets().filters(ours.clone()).into_paginator().items().send().try_collect();
        let mut found = Vec::new();
        for subnet in aws.read(EC2, "DescribeSubnets", pages).await? {
            let tags = from_ec2(subnet.tags());
            let Some(id) = subnet.subnet_id() else { continue };
            let Some(address) = cache.whose.address(&tags, id, Self::KIND.name) else { continue };
            let observed = Self {
                vpc: subnet.vpc_id().unwrap_or_default().into(),
                zone: subnet.availability_zone().unwrap_or_default().to_owned(),
                cidr: subnet.cidr_block().unwrap_or_default().to_owned(),
                tags,
            };
            found.push(live(address.name(), id, &observed, &[("id", id)])?);
        }
        Ok(found)
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
