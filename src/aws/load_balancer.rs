//! Network load balancers.

use std::collections::BTreeSet;
use std::time::Duration;

use aws_sdk_elasticloadbalancingv2::types::{
    AvailabilityZone, LoadBalancer as ElbLoadBalancer, LoadBalancerAttribute, LoadBalancerSchemeEnum,
    LoadBalancerState, LoadBalancerStateEnum, LoadBalancerTypeEnum,
};

use super::AwsProvider;
use super::elb_snapshot::{DescribedObject, ELB, balancing, known, retag, text, to_elb};
use super::failure::{ErrorCodes, if_there, internal, just_made};
use super::kind::{AwsKind, CreateContext, live, updated};
use super::observe_cache::ObserveCache;
use super::poll::BACKOFF;
use super::unmanaged::{delete_classic, is_classic};
use crate::engine::{Failure, FailureClass, Live, ObjectPhase, PollLoop, ProgressNote};
use crate::resource::{LoadBalancer, Resource};

/// The attribute of cross-zone load balancing. A new network load balancer has it off.
const CROSS_ZONE: &str = "load_balancing.cross_zone.enabled";
/// Maximum time for a load balancer to become usable, or to be removed.
const LIMIT: Duration = Duration::from_mins(10);

impl AwsKind for LoadBalancer {
    const CODES: ErrorCodes = &[
        (FailureClass::Gone, &["LoadBalancerNotFound"]),
        (FailureClass::AlreadyExists, &["DuplicateLoadBalancerName"]),
        (FailureClass::Quota, &["TooManyLoadBalancers"]),
    ];

    async fn observe(cache: &ObserveCache<'_>) -> Result<Vec<Live>, Failure> {
        let snapshot = balancing(cache).await?;
        let described = snapshot.load_balancers.iter();
        let ours = described.filter_map(|described| {
            Some((described.address(cache, described.object.load_balancer_arn(), Self::KIND.name)?, described))
        });
        ours.map(|(address, described)| found(address.name(), &described.object, &translate(described))).collect()
    }

    async fn create(&self, aws: &AwsProvider, creation: &CreateContext<'_>) -> Result<Live, Failure> {
        let groups = Some(known(&self.security_groups)).filter(|groups| !groups.is_empty());
        let request = aws
            .elb
            .create_load_balancer()
            .r#type(LoadBalancerTypeEnum::Network)
            .name(&self.name)
            .scheme(LoadBalancerSchemeEnum::from(self.scheme.as_str()))
            .set_subnets(Some(known(&self.subnets)))
            .set_security_groups(groups)
            .set_tags(Some(to_elb(&self.tags)));
        let answer = aws.send(ELB, "CreateLoadBalancer", request.send()).await?;
        let made = answer.load_balancers().first();
        let made = made.ok_or_else(|| internal("CreateLoadBalancer", "the answer names nothing".to_owned()))?;
        if self.cross_zone {
            self.set_cross_zone(aws, &text(made.load_balancer_arn())).await.map_err(just_made)?;
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
        if changed.contains("cross_zone") {
            self.set_cross_zone(aws, &live.id).await?;
        }
        retag(aws, live, &self.tags, changed.contains("tags")).await?;
        updated(live, self)
    }

    async fn delete(aws: &AwsProvider, live: &Live, note: ProgressNote<'_>) -> Result<(), Failure> {
        if is_classic(&live.id) {
            return delete_classic(aws, &live.id).await;
        }
        deleted(aws, &live.id, note).await
    }

    async fn ready(aws: &AwsProvider, live: &Live, note: ProgressNote<'_>) -> Result<Live, Failure> {
        until_active(aws, live, note).await
    }
}

/// Waits until a load balancer of any type can be used.
pub(super) async fn until_active(aws: &AwsProvider, live: &Live, note: ProgressNote<'_>) -> Result<Live, Failure> {
    let mut poll = PollLoop::new(BACKOFF).lasting(LIMIT);
    loop {
        let state = state(aws, &live.id).await.map_err(just_made)?;
        match phase(&state) {
            ObjectPhase::Ready => return Ok(Live { phase: ObjectPhase::Ready, ..live.clone() }),
            ObjectPhase::Failed => return Err(late(FailureClass::Fatal, "DescribeLoadBalancers", &words(&state))),
            _ => note(format!("the load balancer {}", words(&state))),
        }
        if !poll.again().await {
            let still = format!("{} after 10 minutes", words(&state));
            return Err(late(FailureClass::Fatal, "DescribeLoadBalancers", &still));
        }
    }
}

/// Deletes a load balancer of any type, and waits until it is gone.
pub(super) async fn deleted(aws: &AwsProvider, arn: &str, note: ProgressNote<'_>) -> Result<(), Failure> {
    let request = aws.elb.delete_load_balancer().load_balancer_arn(arn);
    aws.send(ELB, "DeleteLoadBalancer", request.send()).await?;
    let mut poll = PollLoop::new(BACKOFF).lasting(LIMIT);
    while if_there(state(aws, arn).await)?.is_some() {
        note("the load balancer is going away".to_owned());
        if !poll.again().await {
            return Err(late(FailureClass::Held, "DeleteLoadBalancer", "is still there after 10 minutes"));
        }
    }
    Ok(())
}

impl LoadBalancer {
    async fn set_cross_zone(&self, aws: &AwsProvider, arn: &str) -> Result<(), Failure> {
        let attribute = LoadBalancerAttribute::builder().key(CROSS_ZONE).value(self.cross_zone.to_string()).build();
        let request = aws.elb.modify_load_balancer_attributes().load_balancer_arn(arn).attributes(attribute);
        aws.send(ELB, "ModifyLoadBalancerAttributes", request.send()).await.map(drop)
    }
}

/// Returns a load balancer of any type as a live object.
pub(super) fn found<K: Resource>(name: &str, balancer: &ElbLoadBalancer, observed: &K) -> Result<Live, Failure> {
    let arn = text(balancer.load_balancer_arn());
    // Route 53 returns the names of alias targets in lower case.
    let dns_name = text(balancer.dns_name()).to_ascii_lowercase();
    let outputs = [
        ("arn", &*arn),
        ("dns_name", &*dns_name),
        ("zone_id", balancer.canonical_hosted_zone_id().unwrap_or_default()),
    ];
    let live = live(name, &arn, observed, &outputs)?;
    Ok(Live { phase: balancer.state().map_or(ObjectPhase::Pending, phase), ..live })
}

fn translate(described: &DescribedObject<ElbLoadBalancer>) -> LoadBalancer {
    let balancer = &described.object;
    let subnets = balancer.availability_zones().iter().filter_map(AvailabilityZone::subnet_id);
    LoadBalancer {
        name: text(balancer.load_balancer_name()),
        scheme: text(balancer.scheme().map(LoadBalancerSchemeEnum::as_str)),
        subnets: subnets.map(Into::into).collect(),
        security_groups: balancer.security_groups().iter().map(|id| id.as_str().into()).collect(),
        cross_zone: described.attributes.get(CROSS_ZONE).is_some_and(|on| on == "true"),
        tags: described.tags.clone(),
    }
}

async fn state(aws: &AwsProvider, arn: &str) -> Result<LoadBalancerState, Failure> {
    let request = || aws.elb.describe_load_balancers().load_balancer_arns(arn).send();
    let answer = aws.read(ELB, "DescribeLoadBalancers", request).await?;
    match answer.load_balancers().first() {
        Some(balancer) => Ok(balancer.state().cloned().unwrap_or_else(|| LoadBalancerState::builder().build())),
        None => Err(late(FailureClass::Gone, "DescribeLoadBalancers", "is not there")),
    }
}

fn phase(state: &LoadBalancerState) -> ObjectPhase {
    match state.code() {
        Some(LoadBalancerStateEnum::Active | LoadBalancerStateEnum::ActiveImpaired) => ObjectPhase::Ready,
        Some(LoadBalancerStateEnum::Failed) => ObjectPhase::Failed,
        _ => ObjectPhase::Pending,
    }
}

/// Returns `is provisioning`, with the reason if ELB gives one.
fn words(state: &LoadBalancerState) -> String {
    let code = state.code().map_or("in no state", LoadBalancerStateEnum::as_str);
    state.reason().map_or_else(|| format!("is {code}"), |reason| format!("is {code}: {reason}"))
}

fn late(class: FailureClass, action: &str, what: &str) -> Failure {
    let message = format!("the load balancer {what}");
    Failure { class, service: ELB.to_owned(), ..internal(action, message) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn in_state(code: &str) -> LoadBalancerState {
        LoadBalancerState::builder().code(code.into()).build()
    }

    #[test]
    fn a_load_balancer_is_usable_when_it_is_active() {
        assert_eq!(phase(&in_state("active")), ObjectPhase::Ready);
        assert_eq!(phase(&in_state("active_impaired")), ObjectPhase::Ready);
        assert_eq!(phase(&in_state("provisioning")), ObjectPhase::Pending);
        assert_eq!(phase(&in_state("failed")), ObjectPhase::Failed);
        assert_eq!(phase(&in_state("a state of the future")), ObjectPhase::Pending);
    }

    #[test]
    fn its_dns_name_is_read_as_route_53_repeats_it() {
        let described = ElbLoadBalancer::builder().load_balancer_arn("arn").dns_name("Api-1.ELB.amazonaws.com").build();
        let described = DescribedObject { object: described, attributes: [].into(), tags: [].into() };
        let live = found("api", &described.object, &translate(&described)).unwrap();
        assert_eq!(live.outputs["dns_name"], "api-1.elb.amazonaws.com");
        assert_eq!(live.phase, ObjectPhase::Pending, "nothing is known of its state");
    }

    #[test]
    fn cross_zone_is_off_unless_it_is_on() {
        let with = |attributes: &[(&str, &str)]| {
            let attributes = attributes.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
            translate(&DescribedObject { object: ElbLoadBalancer::builder().build(), attributes, tags: [].into() })
                .cross_zone
        };
        assert!(with(&[(CROSS_ZONE, "true")]));
        assert!(!with(&[(CROSS_ZONE, "false")]));
        assert!(!with(&[]));
    }
}
