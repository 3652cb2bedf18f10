//! Internet gateways. A gateway is attached to its VPC in a separate call.

use std::collections::BTreeSet;

use aws_sdk_ec2::types::{InternetGateway as Answer, ResourceType};

use super::AwsProvider;
use super::ec2::{EC2, from_ec2, retag, sought, specification};
use super::failure::ErrorCodes;
use super::kind::{AwsKind, CreateContext, live};
use super::observe_cache::ObserveCache;
use super::poll::once_visible;
use super::tags::ObservationScope;
use crate::engine::{Failure, FailureClass, Live, ProgressNote, Value};
use crate::resource::{InternetGateway, Resource};

impl AwsKind for InternetGateway {
    const CODES: ErrorCodes =
        &[(FailureClass::Gone, &["Gateway.NotAttached"]), (FailureClass::Quota, &["InternetGatewayLimitExceeded"])];

    async fn observe(cache: &ObserveCache<'_>) -> Result<Vec<Live>, Failure> {
        let (aws, ours) = (cache.aws, sought(cache, "internet-gateway-id", Self::KIND.name));
        let pages =
            || aws.ec2.describe_internet_gateways().filters(ours.clone()).into_paginator().items().send().try_collect();
        let found = aws.read(EC2, "DescribeInternetGateways", pages).await?;
        found.iter().filter_map(|gateway| live_of(cache.whose, gateway)).collect()
    }

    async fn create(&self, aws: &AwsProvider, creation: &CreateContext<'_>) -> Result<Live, Failure> {
        let request = aws
            .ec2
            .create_internet_gateway()
            .tag_specifications(specification(ResourceType::InternetGateway, &self.tags));
        let made = aws.send(EC2, "CreateInternetGateway", request.send()).await?;
        let id = made.internet_gateway().and_then(|gateway| gateway.internet_gateway_id()).unwrap_or_default();
        once_visible(|| attach(aws, id, self)).await?;
        live(creation.object.address.name(), id, self, &[("id", id)])
    }

    async fn update(&self, aws: &AwsProvider, live: &Live, changed: &BTreeSet<String>) -> Result<Live, Failure> {
        if changed.contains("vpc") {
            detach(aws, live).await?;
            once_visible(|| attach(aws, &live.id, self)).await?;
        }
        retag(aws, live, &self.tags, changed.contains("tags")).await?;
        super::kind::live(live.address.name(), &live.id, self, &[("id", &live.id)])
    }

    async fn delete(aws: &AwsProvider, live: &Live, _note: ProgressNote<'_>) -> Result<(), Failure> {
        detach(aws, live).await?;
        let request = aws.ec2.delete_internet_gateway().internet_gateway_id(&live.id);
        aws.send(EC2, "DeleteInternetGateway", request.send()).await.map(drop)
    }
}

/// Converts EC2's answer to a live object; its VPC is empty while it has none.
fn live_of(whose: ObservationScope<'_>, gateway: &Answer) -> Option<Result<Live, Failure>> {
    let tags = from_ec2(gateway.tags());
    let id = gateway.internet_gateway_id()?;
    let address = whose.address(&tags, id, InternetGateway::KIND.name)?;
    let vpc = gateway.attachments().iter().find_map(|attachment| attachment.vpc_id()).unwrap_or_default();
    Some(live(address.name(), id, &InternetGateway { vpc: vpc.into(), tags }, &[("id", id)]))
}

async fn attach(aws: &AwsProvider, id: &str, wanted: &InternetGateway) -> Result<(), Failure> {
    let vpc = wanted.vpc.known().map(str::to_owned);
    let request = aws.ec2.attach_internet_gateway().internet_gateway_id(id).set_vpc_id(vpc.clone());
    match aws.send(EC2, "AttachInternetGateway", request.send()).await {
        // An earlier call, whose answer was lost, may have attached it where it belongs.
        Err(failure) if failure.class == FailureClass::AlreadyExists => {
            let request = || aws.ec2.describe_internet_gateways().internet_gateway_ids(id).send();
            let there = aws.read(EC2, "DescribeInternetGateways", request).await?;
            let mut attachments = there.internet_gateways().iter().flat_map(Answer::attachments);
            if attachments.any(|attachment| attachment.vpc_id() == vpc.as_deref()) { Ok(()) } else { Err(failure) }
        }
        outcome => outcome.map(drop),
    }
}

/// Detaches the gateway from the VPC that it was observed on, if there is one.
async fn detach(aws: &AwsProvider, live: &Live) -> Result<(), Failure> {
    let Some(vpc) = live.attributes.get("vpc").and_then(Value::as_text).filter(|vpc| !vpc.is_empty()) else {
        return Ok(());
    };
    let request = aws.ec2.detach_internet_gateway().internet_gateway_id(&live.id).vpc_id(vpc);
    match aws.send(EC2, "DetachInternetGateway", request.send()).await {
        Err(failure) if failure.class == FailureClass::Gone => Ok(()),
        outcome => outcome.map(drop),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use aws_sdk_ec2::types::InternetGatewayAttachment;

    use super::super::ec2::to_ec2;
    use super::*;
    use crate::resource::{CLUSTER_TAG, OBJECT_TAG, Tags};

    fn tags() -> Tags {
        [(CLUSTER_TAG, "c"), (OBJECT_TAG, "internet-gateway/main")].map(|(k, v)| (k.to_owned(), v.to_owned())).into()
    }

    #[test]
    fn a_gateway_on_no_vpc_differs_from_one_that_is() {
        let alone = Answer::builder().internet_gateway_id("igw-1").set_tags(Some(to_ec2(&tags()))).build();
        let attached = Answer::builder()
            .internet_gateway_id("igw-1")
            .attachments(InternetGatewayAttachment::builder().vpc_id("vpc-1").build())
            .set_tags(Some(to_ec2(&tags())))
            .build();
        let vpc = |gateway| live_of(ObservationScope::Tagged("c"), gateway).unwrap().unwrap().attributes["vpc"].clone();
        assert_eq!(vpc(&alone), Value::Text(String::new()));
        assert_eq!(vpc(&attached), Value::Text("vpc-1".to_owned()));
        assert!(live_of(ObservationScope::Tagged("another"), &attached).is_none());
    }
}
