//! The quotas of the account in the region, and what is used of them.

use std::collections::BTreeSet;

use aws_sdk_ec2::types::{Instance, InstanceLifecycleType, InternetGateway, Reservation, Vpc};
use aws_sdk_elasticloadbalancingv2::types::{LoadBalancer, LoadBalancerTypeEnum};

use super::AwsProvider;
use super::ec2::{EC2, filter, from_ec2};
use super::elb_snapshot::ELB;
use crate::engine::{Failure, FailureClass};
use crate::resource::{AccountQuota, CLUSTER_TAG, QuotaUsage, Tags};

/// The service's name, for failures and limits.
const QUOTAS: &str = "servicequotas";

/// The objects of a region that quotas limit: numbers of those that do not belong to the cluster.
struct RegionUsage {
    vcpus: u64,
    vpcs: u64,
    gateways: u64,
    balancers: u64,
}

/// Returns every quota with its use, in one round of calls.
pub(super) async fn quotas(aws: &AwsProvider) -> Result<Vec<QuotaUsage>, Failure> {
    let limits = futures_util::future::try_join_all(AccountQuota::ALL.map(|quota| limit(aws, quota)));
    let (limits, usage) = tokio::try_join!(limits, usage(aws))?;
    let used = |quota| match quota {
        AccountQuota::StandardVcpus => usage.vcpus,
        AccountQuota::Vpcs => usage.vpcs,
        AccountQuota::InternetGateways => usage.gateways,
        AccountQuota::NetworkLoadBalancers => usage.balancers,
    };
    let usages = AccountQuota::ALL.into_iter().zip(limits);
    Ok(usages.map(|(quota, limit)| QuotaUsage { quota, limit, used_by_others: used(quota) }).collect())
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

async fn usage(aws: &AwsProvider) -> Result<RegionUsage, Failure> {
    let running = filter("instance-state-name", "running");
    let instances = || {
        let request = aws.ec2.describe_instances().filters(running.clone());
        request.into_paginator().items().send().try_collect()
    };
    let vpcs = || aws.ec2.describe_vpcs().into_paginator().items().send().try_collect();
    let gateways = || aws.ec2.describe_internet_gateways().into_paginator().items().send().try_collect();
    let balancers = || aws.elb.describe_load_balancers().into_paginator().items().send().try_collect();
    let (reservations, vpcs, gateways, balancers) = tokio::try_join!(
        aws.read(EC2, "DescribeInstances", instances),
        aws.read(EC2, "DescribeVpcs", vpcs),
        aws.read(EC2, "DescribeInternetGateways", gateways),
        aws.read(ELB, "DescribeLoadBalancers", balancers),
    )?;
    let (reservations, vpcs, gateways, balancers): (
        Vec<Reservation>,
        Vec<Vpc>,
        Vec<InternetGateway>,
        Vec<LoadBalancer>,
    ) = (reservations, vpcs, gateways, balancers);
    let is_own = |tags: &Tags| tags.get(CLUSTER_TAG) == Some(&aws.scope.cluster);
    let own_vpcs: BTreeSet<&str> =
        vpcs.iter().filter(|vpc| is_own(&from_ec2(vpc.tags()))).filter_map(|vpc| vpc.vpc_id()).collect();
    let instances = reservations.iter().flat_map(Reservation::instances);
    let others = instances.filter(|instance| !is_own(&from_ec2(instance.tags())));
    let network = balancers.iter().filter(|balancer| balancer.r#type() == Some(&LoadBalancerTypeEnum::Network));
    let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
    Ok(RegionUsage {
        vcpus: others.map(vcpus).sum(),
        vpcs: count(vpcs.len() - own_vpcs.len()),
        gateways: count(gateways.iter().filter(|gateway| !is_own(&from_ec2(gateway.tags()))).count()),
        balancers: count(network.filter(|it| !it.vpc_id().is_some_and(|vpc| own_vpcs.contains(vpc))).count()),
    })
}

/// Returns the virtual CPUs of an instance, if they count: not those of a spot instance, or of another family.
fn vcpus(instance: &Instance) -> u64 {
    let is_spot = instance.instance_lifecycle() == Some(&InstanceLifecycleType::Spot);
    let is_standard = instance.instance_type().is_some_and(|of| AccountQuota::is_standard(of.as_str()));
    let cpu = instance.cpu_options().filter(|_| is_standard && !is_spot);
    let number = |value: Option<i32>| value.and_then(|value| u64::try_from(value).ok()).unwrap_or(1);
    cpu.map_or(0, |cpu| number(cpu.core_count()) * number(cpu.threads_per_core()))
}
