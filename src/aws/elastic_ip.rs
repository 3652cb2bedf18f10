//! Elastic IP addresses.

use std::collections::BTreeSet;

use aws_sdk_ec2::types::{Address as Answer, DomainType, ResourceType};

use super::AwsProvider;
use super::ec2::{EC2, from_ec2, retag, sought, specification};
use super::failure::ErrorCodes;
use super::kind::{AwsKind, CreateContext, live};
use super::observe_cache::ObserveCache;
use super::subnet::has_private_subnets;
use super::tags::ObservationScope;
use crate::engine::{Failure, FailureClass, Live, ProgressNote};
use crate::resource::{ElasticIp, Resource};

impl AwsKind for ElasticIp {
    const CODES: ErrorCodes =
        &[(FailureClass::Gone, &["InvalidAllocationID.NotFound"]), (FailureClass::Held, &["InvalidIPAddress.InUse"])];

    async fn observe(cache: &ObserveCache<'_>) -> Result<Vec<Live>, Failure> {
        if !has_private_subnets(cache).await? {
            return Ok(Vec::new());
        }
        let (aws, ours) = (cache.aws, sought(cache, "allocation-id", Self::KIND.name));
        let request = || aws.ec2.describe_addresses().filters(ours.clone()).send();
        let found = aws.read(EC2, "DescribeAddresses", request).await?;
        found.addresses().iter().filter_map(|address| live_of(cache.whose, address)).collect()
    }

    async fn create(&self, aws: &AwsProvider, creation: &CreateContext<'_>) -> Result<Live, Failure> {
        let request = aws
            .ec2
            .allocate_address()
            .domain(DomainType::Vpc)
            .tag_specifications(specification(ResourceType::ElasticIp, &self.tags));
        let made = aws.send(EC2, "AllocateAddress", request.send()).await?;
        let id = made.allocation_id().unwrap_or_default();
        live(creation.object.address.name(), id, self, &[("id", id)])
    }

    async fn update(&self, aws: &AwsProvider, live: &Live, changed: &BTreeSet<String>) -> Result<Live, Failure> {
        retag(aws, live, &self.tags, changed.contains("tags")).await?;
        super::kind::live(live.address.name(), &live.id, self, &[("id", &live.id)])
    }

    async fn delete(aws: &AwsProvider, live: &Live, _note: ProgressNote<'_>) -> Result<(), Failure> {
        let request = aws.ec2.release_address().allocation_id(&live.id);
        aws.send(EC2, "ReleaseAddress", request.send()).await.map(drop)
    }
}

/// Converts EC2's answer to a live object.
fn live_of(whose: ObservationScope<'_>, found: &Answer) -> Option<Result<Live, Failure>> {
    let tags = from_ec2(found.tags());
    let id = found.allocation_id()?;
    let address = whose.address(&tags, id, ElasticIp::KIND.name)?;
    Some(live(address.name(), id, &ElasticIp { tags }, &[("id", id)]))
}
