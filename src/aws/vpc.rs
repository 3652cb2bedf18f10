//! VPCs. Their DNS settings are attributes that `DescribeVpcs` does not return: each needs one more call.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;

use aws_sdk_ec2::types::{AttributeBooleanValue, ResourceType, VpcAttributeName};

use super::AwsProvider;
use super::ec2::{EC2, from_ec2, retag, sought, specification};
use super::failure::{ErrorCodes, if_there};
use super::kind::{AwsKind, CreateContext, live};
use super::observe_cache::ObserveCache;
use super::poll::once_visible;
use crate::engine::{Failure, FailureClass, Live, ProgressNote};
use crate::resource::{Resource, Vpc};

impl AwsKind for Vpc {
    const CODES: ErrorCodes = &[(FailureClass::Quota, &["VpcLimitExceeded"])];

    async fn observe(cache: &ObserveCache<'_>) -> Result<Vec<Live>, Failure> {
        let (aws, ours) = (cache.aws, sought(cache, "vpc-id", Self::KIND.name));
        let pages = || aws.ec2.describe_vpcs().filters(ours.clone()).into_paginator().items().send().try_collect();
        let mut found = Vec::new();
        for vpc in aws.read(EC2, "DescribeVpcs", pages).await? {
            let tags = from_ec2(vpc.tags());
            let Some(id) = vpc.vpc_id() else { continue };
            let Some(address) = cache.whose.address(&tags, id, Self::KIND.name) else { continue };
            let (dns_support, dns_hostnames) = if aws.is_shallow() {
                (true, true)
            } else {
                tokio::try_join!(
                    switch(aws, id, VpcAttributeName::EnableDnsSupport),
                    switch(aws, id, VpcAttributeName::EnableDnsHostnames),
                )?
            };
            let cidr = vpc.cidr_block().unwrap_or_default().to_owned();
            let observed = Self { cidr, dns_support, dns_hostnames, tags };
            found.push(live(address.name(), id, &observed, &[("id", id)])?);
        }
        Ok(found)
    }

    async fn create(&self, aws: &AwsProvider, creation: &CreateContext<'_>) -> Result<Live, Failure> {
        let request = aws
            .ec2
            .create_vpc()
            .cidr_block(&self.cidr)
            .tag_specifications(specification(ResourceType::Vpc, &self.tags));
        let made = aws.send(EC2, "CreateVpc", request.send()).await?;
        let id = made.vpc().and_then(|vpc| vpc.vpc_id()).unwrap_or_default();
        // A new VPC has DNS support, and no DNS host names.
        if !self.dns_support {
            once_visible(|| set(aws, id, VpcAttributeName::EnableDnsSupport, false)).await?;
        }
        if self.dns_hostnames {
            once_visible(|| set(aws, id, VpcAttributeName::EnableDnsHostnames, true)).await?;
        }
        live(creation.object.address.name(), id, self, &[("id", id)])
    }

    async fn update(&self, aws: &AwsProvider, live: &Live, changed: &BTreeSet<String>) -> Result<Live, Failure> {
        if changed.contains("dns_support") {
            once_visible(|| set(aws, &live.id, VpcAttributeName::EnableDnsSupport, self.dns_support)).await?;
        }
        if changed.contains("dns_hostnames") {
            once_visible(|| set(aws, &live.id, VpcAttributeName::EnableDnsHostnames, self.dns_hostnames)).await?;
        }
        retag(aws, live, &self.tags, changed.contains("tags")).await?;
        super::kind::live(live.address.name(), &live.id, self, &[("id", &live.id)])
    }

    async fn delete(aws: &AwsProvider, live: &Live, _note: ProgressNote<'_>) -> Result<(), Failure> {
        aws.send(EC2, "DeleteVpc", aws.ec2.delete_vpc().vpc_id(&live.id).send()).await?;
        aws.vpc_deleted.store(aws.is_shallow(), Ordering::Relaxed);
        Ok(())
    }
}

/// Reads one of a VPC's settings.
async fn switch(aws: &AwsProvider, id: &str, name: VpcAttributeName) -> Result<bool, Failure> {
    let request = || aws.ec2.describe_vpc_attribute().vpc_id(id).attribute(name.clone()).send();
    // A VPC that was listed may not be found by the next call yet: it is there all the same.
    let answer = if_there(aws.read(EC2, "DescribeVpcAttribute", request).await)?;
    let value = answer.as_ref().and_then(|answer| match name {
        VpcAttributeName::EnableDnsSupport => answer.enable_dns_support(),
        _ => answer.enable_dns_hostnames(),
    });
    Ok(value.and_then(AttributeBooleanValue::value).unwrap_or_default())
}

/// Changes one of a VPC's settings: AWS takes one in each call.
async fn set(aws: &AwsProvider, id: &str, name: VpcAttributeName, on: bool) -> Result<(), Failure> {
    let value = AttributeBooleanValue::builder().value(on).build();
    let request = aws.ec2.modify_vpc_attribute().vpc_id(id);
    let request = match name {
        VpcAttributeName::EnableDnsSupport => request.enable_dns_support(value),
        _ => request.enable_dns_hostnames(value),
    };
    aws.send(EC2, "ModifyVpcAttribute", request.send()).await.map(drop)
}
