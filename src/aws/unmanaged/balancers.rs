//! Load balancers of the newer API (network and application), and their target groups.

use std::collections::BTreeMap;

use aws_sdk_elasticloadbalancingv2::types::{AvailabilityZone, LoadBalancer as Balancer, TargetGroup as Targets};

use super::{SERVICE_TAG, is_unmanaged, text, unmanaged_object};
use crate::aws::AwsProvider;
use crate::aws::elb_snapshot::{all_tags, list, until_whole};
use crate::engine::{Failure, Live, Value};
use crate::resource::{LoadBalancer, Tags, TargetGroup};

/// Returns those that controllers of the cluster created.
pub(super) async fn load_balancers_and_target_groups(aws: &AwsProvider) -> Result<Vec<Live>, Failure> {
    until_whole(|| once(aws)).await
}

async fn once(aws: &AwsProvider) -> Result<Vec<Live>, Failure> {
    // ELB cannot be asked by tag, and controllers choose names that say nothing.
    let (balancers, groups) = match aws.balancers.take() {
        Some(left) => left,
        None => list(aws).await?,
    };
    let arns = balancers.iter().filter_map(Balancer::load_balancer_arn);
    let arns: Vec<String> =
        arns.chain(groups.iter().filter_map(Targets::target_group_arn)).map(str::to_owned).collect();
    let tags = all_tags(aws, arns.iter()).await?;
    let tags_of = |arn: &str| tags.get(arn).filter(|tags| is_unmanaged(aws, tags));
    let balancers = balancers.iter().filter_map(|balancer| {
        let arn = balancer.load_balancer_arn()?;
        Some(load_balancer(balancer, arn, tags_of(arn)?, &groups))
    });
    let targets = groups.iter().filter_map(|group| {
        let arn = group.target_group_arn()?;
        tags_of(arn).map(|_| {
            unmanaged_object::<TargetGroup>(group.target_group_name().unwrap_or(arn), arn, "arn", BTreeMap::new())
        })
    });
    Ok(balancers.chain(targets).collect())
}

/// Returns a load balancer with what can only be removed after it: its subnets, security groups and target groups.
fn load_balancer(balancer: &Balancer, arn: &str, tags: &Tags, groups: &[Targets]) -> Live {
    let subnets = balancer.availability_zones().iter().filter_map(AvailabilityZone::subnet_id);
    let behind = groups.iter().filter(|group| group.load_balancer_arns().iter().any(|front| front == arn));
    let list = |items: Vec<&str>| Value::List(items.into_iter().map(text).collect());
    let attributes = [
        ("subnets".to_owned(), list(subnets.collect())),
        ("security_groups".to_owned(), list(balancer.security_groups().iter().map(String::as_str).collect())),
        ("target_groups".to_owned(), list(behind.filter_map(Targets::target_group_arn).collect())),
    ];
    let named = tags.get(SERVICE_TAG).map(String::as_str).or(balancer.load_balancer_name()).unwrap_or(arn);
    unmanaged_object::<LoadBalancer>(named, arn, "arn", attributes.into())
}
