//! Gateway endpoints of the VPC.

use std::collections::BTreeSet;
use std::time::Duration;

use aws_sdk_ec2::types::{ResourceType, State, UnsuccessfulItem, VpcEndpoint as Answer, VpcEndpointType};

use super::AwsProvider;
use super::ec2::{EC2, created, filter, from_ec2, retag, sought, specification};
use super::failure::{ErrorCodes, internal};
use super::kind::{AwsKind, CreateContext, live};
use super::observe_cache::ObserveCache;
use super::poll::BACKOFF;
use super::subnet::has_private_subnets;
use super::tags::ObservationScope;
use crate::engine::{Failure, FailureClass, Live, PollLoop, ProgressNote, TextInput};
use crate::resource::{Resource, VpcEndpoint};

/// Maximum time for an endpoint to be deleted: seconds are usual.
const PATIENCE: Duration = Duration::from_mins(5);

impl AwsKind for VpcEndpoint {
    const CODES: ErrorCodes = &[
        (FailureClass::Gone, &["InvalidVpcEndpointId.NotFound"]),
        (FailureClass::Quota, &["VpcEndpointLimitExceeded"]),
    ];

    async fn observe(cache: &ObserveCache<'_>) -> Result<Vec<Live>, Failure> {
        if cache.aws.has_no_vpc() || !has_private_subnets(cache).await? {
            return Ok(Vec::new());
        }
        let (aws, ours) = (cache.aws, sought(cache, "vpc-endpoint-id", Self::KIND.name));
        let pages =
            || aws.ec2.describe_vpc_endpoints().filters(ours.clone()).into_paginator().items().send().try_collect();
        let found: Vec<Answer> = aws.read(EC2, "DescribeVpcEndpoints", pages).await?;
        found.iter().filter_map(|endpoint| live_of(cache.whose, endpoint)).collect()
    }

    async fn create(&self, aws: &AwsProvider, creation: &CreateContext<'_>) -> Result<Live, Failure> {
        let request = aws
            .ec2
            .create_vpc_endpoint()
            .vpc_endpoint_type(VpcEndpointType::Gateway)
            .set_vpc_id(self.vpc.known().map(str::to_owned))
            .service_name(&self.service)
            .set_route_table_ids(Some(known(&self.tables)))
            .client_token(&creation.token.0)
            .tag_specifications(specification(ResourceType::VpcEndpoint, &self.tags));
        let made = aws.send(EC2, "CreateVpcEndpoint", request.send()).await?;
        let id = made.vpc_endpoint().and_then(Answer::vpc_endpoint_id).unwrap_or_default();
        live(creation.object.address.name(), id, self, &[("id", id)])
    }

    async fn update(&self, aws: &AwsProvider, live: &Live, changed: &BTreeSet<String>) -> Result<Live, Failure> {
        if changed.contains("tables") {
            let wanted: BTreeSet<String> = known(&self.tables).into_iter().collect();
            let there = by_id(aws, &live.id).await?;
            let have: BTreeSet<String> =
                there.iter().flat_map(Answer::route_table_ids).map(ToOwned::to_owned).collect();
            let between = |a: &BTreeSet<String>, b: &BTreeSet<String>| a.difference(b).cloned().collect::<Vec<_>>();
            let (added, removed) = (between(&wanted, &have), between(&have, &wanted));
            if !(added.is_empty() && removed.is_empty()) {
                let request = aws
                    .ec2
                    .modify_vpc_endpoint()
                    .vpc_endpoint_id(&live.id)
                    .set_add_route_table_ids(Some(added).filter(|ids| !ids.is_empty()))
                    .set_remove_route_table_ids(Some(removed).filter(|ids| !ids.is_empty()));
                aws.send(EC2, "ModifyVpcEndpoint", request.send()).await?;
            }
        }
        retag(aws, live, &self.tags, changed.contains("tags")).await?;
        super::kind::live(live.address.name(), &live.id, self, &[("id", &live.id)])
    }

    async fn delete(aws: &AwsProvider, live: &Live, note: ProgressNote<'_>) -> Result<(), Failure> {
        let request = aws.ec2.delete_vpc_endpoints().vpc_endpoint_ids(&live.id);
        let answer = aws.send(EC2, "DeleteVpcEndpoints", request.send()).await?;
        if let Some(failure) = answer.unsuccessful().iter().find_map(refused) {
            return Err(failure);
        }
        let mut poll = PollLoop::new(BACKOFF).lasting(PATIENCE);
        note("waiting for the VPC endpoint to be gone".to_owned());
        while by_id(aws, &live.id).await?.is_some() {
            if !poll.again().await {
                let minutes = PATIENCE.as_secs() / 60;
                let message = format!("EC2 has not deleted the VPC endpoint {} in {minutes} minutes", live.id);
                return Err(internal("DescribeVpcEndpoints", message));
            }
        }
        Ok(())
    }
}

fn known(tables: &[TextInput]) -> Vec<String> {
    tables.iter().filter_map(TextInput::known).map(str::to_owned).collect()
}

/// Returns the failure of one endpoint in an answer about several; `None` for one that is gone already.
fn refused(item: &UnsuccessfulItem) -> Option<Failure> {
    let error = item.error()?;
    let code = error.code().unwrap_or_default();
    if super::kind::class_of(code) == Some(FailureClass::Gone) {
        return None;
    }
    let message = error.message().unwrap_or("no reason given");
    let failure = internal("DeleteVpcEndpoints", message.to_owned());
    Some(Failure { code: Some(code.to_owned()), service: EC2.to_owned(), ..failure })
}

/// Returns one endpoint, whatever its tags are now, unless it is gone.
async fn by_id(aws: &AwsProvider, id: &str) -> Result<Option<Answer>, Failure> {
    let request = || aws.ec2.describe_vpc_endpoints().filters(filter("vpc-endpoint-id", id)).send();
    let answer = aws.read(EC2, "DescribeVpcEndpoints", request).await?;
    let found = answer.vpc_endpoints.unwrap_or_default().into_iter().next();
    Ok(found.filter(|endpoint| !is(endpoint, &State::Deleted)))
}

/// Returns `true` if an endpoint is in this state. EC2 writes states in lower case, and its model does not.
fn is(endpoint: &Answer, state: &State) -> bool {
    endpoint.state().is_some_and(|found| found.as_str().eq_ignore_ascii_case(state.as_str()))
}

/// Converts EC2's answer to a live object. An endpoint that is being deleted belongs to no object.
fn live_of(whose: ObservationScope<'_>, endpoint: &Answer) -> Option<Result<Live, Failure>> {
    let tags = from_ec2(endpoint.tags());
    let id = endpoint.vpc_endpoint_id()?;
    let address = whose.address(&tags, id, VpcEndpoint::KIND.name)?;
    if is(endpoint, &State::Deleting) || is(endpoint, &State::Deleted) {
        return None;
    }
    let observed = VpcEndpoint {
        vpc: endpoint.vpc_id().unwrap_or_default().into(),
        service: endpoint.service_name().unwrap_or_default().to_owned(),
        tables: endpoint.route_table_ids().iter().map(|id| id.as_str().into()).collect(),
        tags,
    };
    let live = live(address.name(), id, &observed, &[("id", id)]);
    Some(live.map(|live| Live { created: created(endpoint.creation_timestamp()), ..live }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_that_is_deleted_is_gone_however_its_state_is_written() {
        let gone = |state: &str| is(&Answer::builder().state(State::from(state)).build(), &State::Deleted);
        assert!(gone("deleted") && gone("Deleted"));
        assert!(!gone("available") && !gone("deleting"));
    }
}
