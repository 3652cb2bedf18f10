//! Application load balancers.

use std::collections::BTreeSet;

use aws_sdk_elasticloadbalancingv2::types::{
    AvailabilityZone, LoadBalancer as ElbLoadBalancer, LoadBalancerAttribute, LoadBalancerSchemeEnum,
    LoadBalancerTypeEnum,
};

use super::AwsProvider;
use super::elb_snapshot::{DescribedObject, ELB, balancing, known, retag, text, to_elb};
use super::failure::{internal, just_made};
use super::kind::{AwsKind, CreateContext, updated};
use super::load_balancer::{deleted, found, until_active};
use super::observe_cache::ObserveCache;
use crate::engine::{Failure, Live, ProgressNote};
use crate::resource::{ApplicationLoadBalancer, Resource};

/// The attribute of the time without traffic after which a connection is closed.
const IDLE: &str = "idle_timeout.timeout_seconds";
/// Its value in a new load balancer.
const DEFAULT_IDLE: u32 = 60;

impl AwsKind for ApplicationLoadBalancer {
    async fn observe(cache: &ObserveCache<'_>) -> Result<Vec<Live>, Failure> {
        let snapshot = balancing(cache).await?;
        let described = snapshot.load_balancers.iter();
        let ours = described.filter_map(|described| {
            Some((described.address(cache, described.object.load_balancer_arn(), Self::KIND.name)?, described))
        });
        ours.map(|(address, described)| found(address.name(), &described.object, &translate(described))).collect()
    }

    async fn create(&self, aws: &AwsProvider, creation: &CreateContext<'_>) -> Result<Live, Failure> {
        let request = aws
            .elb
            .create_load_balancer()
            .r#type(LoadBalancerTypeEnum::Application)
            .name(&self.name)
            .scheme(LoadBalancerSchemeEnum::from(self.scheme.as_str()))
            .set_subnets(Some(known(&self.subnets)))
            .set_security_groups(Some(known(&self.security_groups)))
            .set_tags(Some(to_elb(&self.tags)));
        let answer = aws.send(ELB, "CreateLoadBalancer", request.send()).await?;
        let made = answer.load_balancers().first();
        let made = made.ok_or_else(|| internal("CreateLoadBalancer", "the answer names nothing".to_owned()))?;
        if self.idle_seconds != DEFAULT_IDLE {
            self.set_idle(aws, &text(made.load_balancer_arn())).await.map_err(just_made)?;
        }
        found(creation.object.address.name(), made, self)
    }

    async fn update(&self, aws: &AwsProvider, live: &Live, changed: &BTreeSet<String>) -> Result<Live, Failure> {
        if changed.contains("subnets") {
            let request = aws.elb.set_subnets().load_balancer_arn(&live.id).set_subnets(Some(known(&self.subnets)));
            aws.send(ELB, "SetSubnets", request.send()).await?;
        }
        if changed.contains("security_groups") {
            let groups = Some(known(&self.security_groups));
            let request = aws.elb.set_security_groups().load_balancer_arn(&live.id).set_security_groups(groups);
            aws.send(ELB, "SetSecurityGroups", request.send()).await?;
        }
        if changed.contains("idle_seconds") {
            self.set_idle(aws, &live.id).await?;
        }
        retag(aws, live, &self.tags, changed.contains("tags")).await?;
        updated(live, self)
    }

    async fn delete(aws: &AwsProvider, live: &Live, note: ProgressNote<'_>) -> Result<(), Failure> {
        deleted(aws, &live.id, note).await
    }

    async fn ready(aws: &AwsProvider, live: &Live, note: ProgressNote<'_>) -> Result<Live, Failure> {
        until_active(aws, live, note).await
    }
}

impl ApplicationLoadBalancer {
    async fn set_idle(&self, aws: &AwsProvider, arn: &str) -> Result<(), Failure> {
        let attribute = LoadBalancerAttribute::builder().key(IDLE).value(self.idle_seconds.to_string()).build();
        let request = aws.elb.modify_load_balancer_attributes().load_balancer_arn(arn).attributes(attribute);
        aws.send(ELB, "ModifyLoadBalancerAttributes", request.send()).await.map(drop)
    }
}

fn translate(described: &DescribedObject<ElbLoadBalancer>) -> ApplicationLoadBalancer {
    let balancer = &described.object;
    let subnets = balancer.availability_zones().iter().filter_map(AvailabilityZone::subnet_id);
    let idle = described.attributes.get(IDLE).and_then(|seconds| seconds.parse().ok());
    ApplicationLoadBalancer {
        name: text(balancer.load_balancer_name()),
        scheme: text(balancer.scheme().map(LoadBalancerSchemeEnum::as_str)),
        subnets: subnets.map(Into::into).collect(),
        security_groups: balancer.security_groups().iter().map(|id| id.as_str().into()).collect(),
        idle_seconds: idle.unwrap_or(DEFAULT_IDLE),
        tags: described.tags.clone(),
    }
}
