//! The quotas of the account in the region, and what is used of them.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_ec2::types::{Address, Instance, InstanceLifecycleType, InternetGateway, Reservation, Vpc};

use futures_util::future::try_join_all;

use super::AwsProvider;
use super::ec2::{EC2, filter, from_ec2};
use super::elb_snapshot;
use crate::cloud::QuotaService;
use crate::engine::{BoxFuture, Failure, FailureClass};
use crate::resource::{AccountQuota, CLUSTER_TAG, Tags};

/// The service's name, for failures and limits.
const QUOTAS: &str = "servicequotas";

impl QuotaService for AwsProvider {
    fn used_by_others<'a>(
        &'a self,
        quotas: &'a BTreeSet<AccountQuota>,
    ) -> BoxFuture<'a, Result<BTreeMap<AccountQuota, u64>, Failure>> {
        Box::pin(usage(self, quotas))
    }

    fn limits<'a>(
        &'a self,
        quotas: &'a BTreeSet<AccountQuota>,
    ) -> BoxFuture<'a, Result<BTreeMap<AccountQuota, u64>, Failure>> {
        Box::pin(async move {
            let limits = try_join_all(quotas.iter().map(|quota| limit(self, *quota))).await?;
            Ok(quotas.iter().zip(limits).filter_map(|(quota, limit)| Some((*quota, limit?))).collect())
        })
    }
}

/// Returns the value of a quota; `None` if Service Quotas does not know it.
async fn limit(aws: &AwsProvider, quota: AccountQuota) -> Result<Option<u64>, Failure> {
    let (service, code) = quota.code();
    let request = || aws.quotas.get_service_quota().service_code(service).quota_code(code).send();
    match aws.read(QUOTAS, "GetServiceQuota", request).await {
        Ok(answer) => {
            let value = answer.quota.and_then(|quota| quota.value).filter(|value| value.is_finite() && *value >= 0.0);
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count that is not negative")]
            Ok(value.map(|value| value as u64))
        }
        Err(failure) if failure.class == FailureClass::Gone => Ok(None),
        Err(failure) => Err(failure),
    }
}

/// Returns the parts of quotas that objects use which do not belong to the cluster.
async fn usage(aws: &AwsProvider, quotas: &BTreeSet<AccountQuota>) -> Result<BTreeMap<AccountQuota, u64>, Failure> {
    let (vcpus, vpcs, gateways, addresses, ()) = tokio::try_join!(
        when(quotas.contains(&AccountQuota::StandardVcpus), instances(aws)),
        when(quotas.contains(&AccountQuota::Vpcs), vpcs(aws)),
        when(quotas.contains(&AccountQuota::InternetGateways), gateways(aws)),
        when(quotas.contains(&AccountQuota::ElasticIps), addresses(aws)),
        balancers(
            aws,
            quotas.contains(&AccountQuota::NetworkLoadBalancers)
                || quotas.contains(&AccountQuota::ApplicationLoadBalancers),
        ),
    )?;
    let is_own = |tags: &Tags| tags.get(CLUSTER_TAG) == Some(&aws.scope.cluster);
    let own_vpcs: BTreeSet<&str> =
        vpcs.iter().filter(|vpc| is_own(&from_ec2(vpc.tags()))).filter_map(|vpc| vpc.vpc_id()).collect();
    let instances = vcpus.iter().flat_map(Reservation::instances);
    let others = instances.filter(|instance| !is_own(&from_ec2(instance.tags())));
    let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
    let balancers = aws.other_balancers.get().copied().unwrap_or_default();
    let all = [
        (AccountQuota::StandardVcpus, others.map(vcpus_of).sum()),
        (AccountQuota::Vpcs, count(vpcs.len() - own_vpcs.len())),
        (
            AccountQuota::InternetGateways,
            count(gateways.iter().filter(|gateway| !is_own(&from_ec2(gateway.tags()))).count()),
        ),
        (
            AccountQuota::ElasticIps,
            count(addresses.iter().filter(|address| !is_own(&from_ec2(address.tags()))).count()),
        ),
        (AccountQuota::NetworkLoadBalancers, count(balancers.network)),
        (AccountQuota::ApplicationLoadBalancers, count(balancers.application)),
    ];
    Ok(all.into_iter().filter(|(quota, _)| quotas.contains(quota)).collect())
}

/// Returns the answer to a call that is made only if it is needed.
async fn when<T>(is_needed: bool, call: impl Future<Output = Result<Vec<T>, Failure>>) -> Result<Vec<T>, Failure> {
    if is_needed { Box::pin(call).await } else { Ok(Vec::new()) }
}

async fn instances(aws: &AwsProvider) -> Result<Vec<Reservation>, Failure> {
    let running = filter("instance-state-name", "running");
    let pages = || aws.ec2.describe_instances().filters(running.clone()).into_paginator().items().send().try_collect();
    aws.read(EC2, "DescribeInstances", pages).await
}

async fn vpcs(aws: &AwsProvider) -> Result<Vec<Vpc>, Failure> {
    let pages = || aws.ec2.describe_vpcs().into_paginator().items().send().try_collect();
    aws.read(EC2, "DescribeVpcs", pages).await
}

async fn gateways(aws: &AwsProvider) -> Result<Vec<InternetGateway>, Failure> {
    let pages = || aws.ec2.describe_internet_gateways().into_paginator().items().send().try_collect();
    aws.read(EC2, "DescribeInternetGateways", pages).await
}

async fn addresses(aws: &AwsProvider) -> Result<Vec<Address>, Failure> {
    let answer = aws.read(EC2, "DescribeAddresses", || aws.ec2.describe_addresses().send()).await?;
    Ok(answer.addresses.unwrap_or_default())
}

/// Counts the load balancers, unless a plan has: an observation lists them all.
async fn balancers(aws: &AwsProvider, is_needed: bool) -> Result<(), Failure> {
    if is_needed && aws.other_balancers.get().is_none() {
        elb_snapshot::load_balancers(aws).await?;
    }
    Ok(())
}

/// Returns the virtual CPUs of an instance, if they count: not those of a spot instance, or of another family.
fn vcpus_of(instance: &Instance) -> u64 {
    let is_spot = instance.instance_lifecycle() == Some(&InstanceLifecycleType::Spot);
    let is_standard = instance.instance_type().is_some_and(|of| AccountQuota::is_standard(of.as_str()));
    let cpu = instance.cpu_options().filter(|_| is_standard && !is_spot);
    let number = |value: Option<i32>| value.and_then(|value| u64::try_from(value).ok()).unwrap_or(1);
    cpu.map_or(0, |cpu| number(cpu.core_count()) * number(cpu.threads_per_core()))
}
