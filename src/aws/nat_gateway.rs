//! NAT gateways.

use std::collections::BTreeSet;
use std::time::Duration;

use aws_sdk_ec2::types::{AvailabilityMode, ConnectivityType, NatGateway as Answer, NatGatewayState, ResourceType};

use super::AwsProvider;
use super::ec2::{EC2, created, filter, from_ec2, retag, sought, specification};
use super::failure::{ErrorCodes, internal};
use super::kind::{AwsKind, CreateContext, live};
use super::observe_cache::ObserveCache;
use super::poll::BACKOFF;
use super::subnet::has_private_subnets;
use super::tags::ObservationScope;
use crate::engine::{Failure, FailureClass, Live, ObjectPhase, PollLoop, ProgressNote};
use crate::resource::{NatGateway, Resource};

/// Maximum time for a gateway to be created or deleted: two minutes are usual.
const PATIENCE: Duration = Duration::from_mins(15);

impl AwsKind for NatGateway {
    const CODES: ErrorCodes =
        &[(FailureClass::Gone, &["NatGatewayNotFound"]), (FailureClass::Quota, &["NatGatewayLimitExceeded"])];

    async fn observe(cache: &ObserveCache<'_>) -> Result<Vec<Live>, Failure> {
        if !has_private_subnets(cache).await? {
            return Ok(Vec::new());
        }
        let (aws, ours) = (cache.aws, sought(cache, "nat-gateway-id", Self::KIND.name));
        let pages =
            || aws.ec2.describe_nat_gateways().filter(ours.clone()).into_paginator().items().send().try_collect();
        let found: Vec<Answer> = aws.read(EC2, "DescribeNatGateways", pages).await?;
        found.iter().filter_map(|gateway| live_of(cache.whose, gateway)).collect()
    }

    async fn create(&self, aws: &AwsProvider, creation: &CreateContext<'_>) -> Result<Live, Failure> {
        let is_regional = self.mode == Self::REGIONAL;
        let vpc = self.vpc.known().filter(|_| is_regional);
        let zonal = |id: Option<&str>| id.filter(|_| !is_regional).map(str::to_owned);
        let request = aws
            .ec2
            .create_nat_gateway()
            .availability_mode(AvailabilityMode::from(self.mode.as_str()))
            .connectivity_type(ConnectivityType::Public)
            .set_vpc_id(vpc.map(str::to_owned))
            .set_subnet_id(zonal(self.subnet.known()))
            .set_allocation_id(zonal(self.address.known()))
            .client_token(&creation.token.0)
            .tag_specifications(specification(ResourceType::Natgateway, &self.tags));
        let made = aws.send(EC2, "CreateNatGateway", request.send()).await?;
        let gateway = made.nat_gateway();
        let id = gateway.and_then(Answer::nat_gateway_id).unwrap_or_default();
        let live = live(creation.object.address.name(), id, self, &[("id", id)])?;
        Ok(Live { phase: gateway.map_or(ObjectPhase::Pending, phase), ..live })
    }

    async fn update(&self, aws: &AwsProvider, live: &Live, changed: &BTreeSet<String>) -> Result<Live, Failure> {
        retag(aws, live, &self.tags, changed.contains("tags")).await?;
        let now = super::kind::live(live.address.name(), &live.id, self, &[("id", &live.id)])?;
        Ok(Live { phase: live.phase, created: live.created, ..now })
    }

    /// Waits until the gateway is gone: until then its address cannot be released, nor its subnet deleted.
    async fn delete(aws: &AwsProvider, live: &Live, note: ProgressNote<'_>) -> Result<(), Failure> {
        let request = aws.ec2.delete_nat_gateway().nat_gateway_id(&live.id);
        aws.send(EC2, "DeleteNatGateway", request.send()).await?;
        let mut poll = PollLoop::new(BACKOFF).lasting(PATIENCE);
        note("waiting for the NAT gateway to be gone".to_owned());
        while by_id(aws, &live.id).await?.is_some_and(|gateway| gateway.state() != Some(&NatGatewayState::Deleted)) {
            if !poll.again().await {
                return Err(late(&live.id));
            }
        }
        Ok(())
    }

    async fn ready(aws: &AwsProvider, live: &Live, note: ProgressNote<'_>) -> Result<Live, Failure> {
        if live.phase == ObjectPhase::Ready {
            return Ok(live.clone());
        }
        let mut poll = PollLoop::new(BACKOFF).lasting(PATIENCE);
        note("waiting for the NAT gateway to be available".to_owned());
        loop {
            let gateway = by_id(aws, &live.id).await?;
            match gateway.as_ref().map(phase) {
                Some(ObjectPhase::Ready) => return Ok(Live { phase: ObjectPhase::Ready, ..live.clone() }),
                Some(ObjectPhase::Failed) => {
                    let reason = gateway.as_ref().and_then(Answer::failure_message).unwrap_or("no reason given");
                    return Err(internal(
                        "DescribeNatGateways",
                        format!("the NAT gateway {} failed: {reason}", live.id),
                    ));
                }
                // One that was made a moment ago may not be there to see.
                Some(ObjectPhase::Pending | ObjectPhase::Deleting) | None if poll.again().await => {}
                Some(ObjectPhase::Pending | ObjectPhase::Deleting) | None => return Err(late(&live.id)),
            }
        }
    }
}

/// Returns the failure for a gateway that takes too long.
fn late(id: &str) -> Failure {
    let minutes = PATIENCE.as_secs() / 60;
    internal("DescribeNatGateways", format!("EC2 has not done with the NAT gateway {id} in {minutes} minutes"))
}

/// Returns one gateway, whatever its tags are now. An id that does not exist is not an error for a filter.
async fn by_id(aws: &AwsProvider, id: &str) -> Result<Option<Answer>, Failure> {
    let request = || aws.ec2.describe_nat_gateways().filter(filter("nat-gateway-id", id)).send();
    let answer = aws.read(EC2, "DescribeNatGateways", request).await?;
    Ok(answer.nat_gateways.unwrap_or_default().into_iter().next())
}

/// Converts EC2's answer to a live object. A gateway that is being deleted, or was (EC2 shows it for an hour), belongs to no
/// object.
fn live_of(whose: ObservationScope<'_>, gateway: &Answer) -> Option<Result<Live, Failure>> {
    let tags = from_ec2(gateway.tags());
    let id = gateway.nat_gateway_id()?;
    let address = whose.address(&tags, id, NatGateway::KIND.name)?;
    let phase = phase(gateway);
    if phase == ObjectPhase::Deleting {
        return None;
    }
    let is_regional = gateway.availability_mode() == Some(&AvailabilityMode::Regional);
    let allocation = gateway.nat_gateway_addresses().iter().find_map(|address| address.allocation_id());
    let zonal = |id: Option<&str>| id.filter(|_| !is_regional).unwrap_or_default().into();
    let observed = NatGateway {
        vpc: gateway.vpc_id().unwrap_or_default().into(),
        mode: if is_regional { NatGateway::REGIONAL } else { NatGateway::ZONAL }.to_owned(),
        subnet: zonal(gateway.subnet_id()),
        address: zonal(allocation),
        tags,
    };
    let live = live(address.name(), id, &observed, &[("id", id)]);
    Some(live.map(|live| Live { phase, created: created(gateway.create_time()), ..live }))
}

fn phase(gateway: &Answer) -> ObjectPhase {
    match gateway.state() {
        Some(NatGatewayState::Available) => ObjectPhase::Ready,
        Some(NatGatewayState::Deleting | NatGatewayState::Deleted) => ObjectPhase::Deleting,
        Some(NatGatewayState::Failed) => ObjectPhase::Failed,
        _ => ObjectPhase::Pending,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use aws_sdk_ec2::types::NatGatewayAddress;

    use super::super::ec2::to_ec2;
    use super::*;
    use crate::resource::{CLUSTER_TAG, OBJECT_TAG, Tags};

    fn answer(mode: AvailabilityMode, state: NatGatewayState) -> Answer {
        let tags: Tags =
            [(CLUSTER_TAG, "c"), (OBJECT_TAG, "nat-gateway/main")].map(|(k, v)| (k.to_owned(), v.to_owned())).into();
        Answer::builder()
            .nat_gateway_id("nat-1")
            .vpc_id("vpc-1")
            .subnet_id("subnet-1")
            .availability_mode(mode)
            .state(state)
            .nat_gateway_addresses(NatGatewayAddress::builder().allocation_id("eipalloc-1").build())
            .set_tags(Some(to_ec2(&tags)))
            .build()
    }

    fn read(mode: AvailabilityMode) -> NatGateway {
        let live = live_of(ObservationScope::Tagged("c"), &answer(mode, NatGatewayState::Available)).unwrap().unwrap();
        NatGateway::from_attributes(&live.attributes).unwrap()
    }

    #[test]
    fn the_addresses_of_a_regional_gateway_are_the_business_of_aws() {
        let regional = read(AvailabilityMode::Regional);
        assert_eq!((regional.mode.as_str(), regional.address.known()), ("regional", Some("")));
        let zonal = read(AvailabilityMode::Zonal);
        assert_eq!((zonal.subnet.known(), zonal.address.known()), (Some("subnet-1"), Some("eipalloc-1")));
    }

    #[test]
    fn a_gateway_that_was_deleted_is_not_there_for_a_plan_and_one_that_failed_is() {
        let seen = |state| live_of(ObservationScope::Tagged("c"), &answer(AvailabilityMode::Zonal, state));
        for state in [NatGatewayState::Deleting, NatGatewayState::Deleted] {
            assert!(seen(state).is_none());
        }
        assert_eq!(seen(NatGatewayState::Failed).unwrap().unwrap().phase, ObjectPhase::Failed);
    }
}
