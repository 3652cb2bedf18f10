//! Target groups of instances.

use std::collections::BTreeSet;

use aws_sdk_elasticloadbalancingv2::types::{
    Matcher, ProtocolEnum, TargetGroup as ElbTargetGroup, TargetGroupAttribute, TargetTypeEnum,
};

use super::AwsProvider;
use super::elb_snapshot::{DescribedObject, ELB, balancing, retag, text, to_elb};
use super::failure::{ErrorCodes, just_made};
use super::kind::{AwsKind, CreateContext, live, updated};
use super::observe_cache::ObserveCache;
use crate::engine::{Failure, FailureClass, Live, ProgressNote};
use crate::resource::{HealthCheck, Resource, TargetGroup, TargetHealth};

/// The attribute of the time that a deregistered machine keeps its connections.
const DEREGISTRATION: &str = "deregistration_delay.timeout_seconds";
/// Its value in a new target group.
const DEFAULT_DEREGISTRATION: u32 = 300;
/// The attribute that preserves client IP addresses. A new target group of instances has it on.
const PRESERVE: &str = "preserve_client_ip.enabled";
/// The attribute that makes connections sticky. A new target group has it off.
const STICKY: &str = "stickiness.enabled";
/// The attribute of the type of stickiness.
const STICKY_BY: &str = "stickiness.type";
/// ELB's value for a health check on the port that takes connections.
const TRAFFIC_PORT: &str = "traffic-port";
/// The ports that Kubernetes gives to services on every node.
const NODE_PORTS: std::ops::RangeInclusive<u16> = 30_000..=32_767;
/// Maximum number of target groups that one call describes.
const DESCRIBED: usize = 20;

impl AwsKind for TargetGroup {
    const CODES: ErrorCodes = &[
        (FailureClass::Gone, &["TargetGroupNotFound"]),
        (FailureClass::AlreadyExists, &["DuplicateTargetGroupName"]),
        (FailureClass::Quota, &["TooManyRegistrationsForTargetId", "TooManyTargetGroups", "TooManyTargets"]),
    ];

    async fn observe(cache: &ObserveCache<'_>) -> Result<Vec<Live>, Failure> {
        let snapshot = balancing(cache).await?;
        let described = snapshot.target_groups.iter();
        let ours = described.filter_map(|described| {
            Some((described.address(cache, described.object.target_group_arn(), Self::KIND.name)?, described))
        });
        ours.map(|(address, described)| {
            let arn = text(described.object.target_group_arn());
            live(address.name(), &arn, &translate(described), &[("arn", &arn)])
        })
        .collect()
    }

    async fn create(&self, aws: &AwsProvider, creation: &CreateContext<'_>) -> Result<Live, Failure> {
        let check = &self.health_check;
        let request = aws
            .elb
            .create_target_group()
            .name(&self.name)
            .target_type(TargetTypeEnum::Instance)
            .set_vpc_id(self.vpc.known().map(str::to_owned))
            .protocol(ProtocolEnum::from(self.protocol.as_str()))
            .port(self.port.into())
            .health_check_protocol(ProtocolEnum::from(check.protocol.as_str()))
            .health_check_port(check.asked())
            .set_health_check_path(check.path.clone())
            .set_matcher(check.matcher())
            .set_health_check_interval_seconds(signed(check.interval))
            .set_healthy_threshold_count(signed(check.healthy))
            .set_unhealthy_threshold_count(signed(check.unhealthy))
            .set_tags(Some(to_elb(&self.tags)));
        let answer = aws.send(ELB, "CreateTargetGroup", request.send()).await?;
        let arn = text(answer.target_groups().first().and_then(ElbTargetGroup::target_group_arn));
        set_attributes(aws, &arn, self.attributes(|name| self.is_unusual(name))).await.map_err(just_made)?;
        live(creation.object.address.name(), &arn, self, &[("arn", &arn)])
    }

    async fn update(&self, aws: &AwsProvider, live: &Live, changed: &BTreeSet<String>) -> Result<Live, Failure> {
        if changed.contains("health_check") {
            let check = &self.health_check;
            let request = aws
                .elb
                .modify_target_group()
                .target_group_arn(&live.id)
                .health_check_protocol(ProtocolEnum::from(check.protocol.as_str()))
                .health_check_port(check.asked())
                .set_health_check_path(check.path.clone())
                .set_matcher(check.matcher())
                .set_health_check_interval_seconds(signed(check.interval))
                .set_healthy_threshold_count(signed(check.healthy))
                .set_unhealthy_threshold_count(signed(check.unhealthy));
            aws.send(ELB, "ModifyTargetGroup", request.send()).await?;
        }
        set_attributes(aws, &live.id, self.attributes(|name| changed.contains(name))).await?;
        retag(aws, live, &self.tags, changed.contains("tags")).await?;
        updated(live, self)
    }

    async fn delete(aws: &AwsProvider, live: &Live, _note: ProgressNote<'_>) -> Result<(), Failure> {
        let request = aws.elb.delete_target_group().target_group_arn(&live.id);
        aws.send(ELB, "DeleteTargetGroup", request.send()).await.map(drop)
    }
}

impl TargetGroup {
    /// Returns the attributes that are set in a separate call, in ELB's form, if they are selected.
    fn attributes(&self, asked: impl Fn(&str) -> bool) -> Vec<TargetGroupAttribute> {
        let all = [
            ("deregistration_seconds", DEREGISTRATION, self.deregistration_seconds.to_string()),
            ("preserve_client_ip", PRESERVE, self.preserve_client_ip.to_string()),
            ("sticky", STICKY, self.sticky.to_string()),
            ("sticky", STICKY_BY, "source_ip".to_owned()),
        ];
        // Those of application load balancers have neither: their stickiness is by cookies.
        let exists = |name: &str| self.protocol != Self::HTTP || name == "deregistration_seconds";
        let asked = all.into_iter().filter(|(name, ..)| asked(name) && exists(name));
        asked.map(|(_, key, value)| TargetGroupAttribute::builder().key(key).value(value).build()).collect()
    }

    /// Returns `true` if an attribute differs from its value in a new target group.
    fn is_unusual(&self, name: &str) -> bool {
        match name {
            "deregistration_seconds" => self.deregistration_seconds != DEFAULT_DEREGISTRATION,
            "preserve_client_ip" => !self.preserve_client_ip,
            _ => self.sticky,
        }
    }
}

impl HealthCheck {
    /// Returns the statuses in ELB's form.
    fn matcher(&self) -> Option<Matcher> {
        self.codes.as_ref().map(|codes| Matcher::builder().http_code(codes).build())
    }

    /// Returns the port in ELB's form.
    fn asked(&self) -> String {
        self.port.map_or_else(|| TRAFFIC_PORT.to_owned(), |port| port.to_string())
    }
}

async fn set_attributes(aws: &AwsProvider, arn: &str, attributes: Vec<TargetGroupAttribute>) -> Result<(), Failure> {
    if attributes.is_empty() {
        return Ok(());
    }
    let request = aws.elb.modify_target_group_attributes().target_group_arn(arn).set_attributes(Some(attributes));
    aws.send(ELB, "ModifyTargetGroupAttributes", request.send()).await.map(drop)
}

fn translate(described: &DescribedObject<ElbTargetGroup>) -> TargetGroup {
    let group = &described.object;
    let attribute = |name: &str| described.attributes.get(name).map(String::as_str);
    let seconds = attribute(DEREGISTRATION).and_then(|seconds| seconds.parse().ok());
    let is_http = group.protocol() == Some(&ProtocolEnum::Http);
    TargetGroup {
        name: text(group.target_group_name()),
        vpc: group.vpc_id().unwrap_or_default().into(),
        protocol: text(group.protocol().map(ProtocolEnum::as_str)),
        port: group.port().and_then(|port| port.try_into().ok()).unwrap_or_default(),
        health_check: HealthCheck {
            protocol: text(group.health_check_protocol().map(ProtocolEnum::as_str)),
            port: group.health_check_port().and_then(|port| port.parse().ok()),
            path: group.health_check_path().map(str::to_owned),
            codes: group.matcher().and_then(Matcher::http_code).filter(|_| is_http).map(str::to_owned),
            interval: unsigned(group.health_check_interval_seconds()),
            healthy: unsigned(group.healthy_threshold_count()),
            unhealthy: unsigned(group.unhealthy_threshold_count()),
        },
        deregistration_seconds: seconds.unwrap_or(DEFAULT_DEREGISTRATION),
        preserve_client_ip: !is_http && attribute(PRESERVE) != Some("false"),
        sticky: attribute(STICKY) == Some("true"),
        tags: described.tags.clone(),
    }
}

/// Converts a count to a signed number, as AWS takes it. One that does not fit gets the default, and then shows as drift.
fn signed(count: u32) -> Option<i32> {
    count.try_into().ok()
}

fn unsigned(count: Option<i32>) -> u32 {
    count.and_then(|count| count.try_into().ok()).unwrap_or_default()
}

/// Returns the health of each machine in a group, according to its load balancer.
pub(super) async fn health(aws: &AwsProvider, arn: &str) -> Result<Vec<TargetHealth>, Failure> {
    let request = || aws.elb.describe_target_health().target_group_arn(arn).send();
    let answer = aws.read(ELB, "DescribeTargetHealth", request).await?;
    let targets = answer.target_health_descriptions().iter().filter_map(|described| {
        let health = described.target_health()?;
        Some(TargetHealth {
            instance: described.target()?.id()?.to_owned(),
            state: health.state()?.as_str().to_owned(),
            reason: health.description().unwrap_or_default().to_owned(),
        })
    });
    Ok(targets.collect())
}

/// Returns those target groups whose health checks ask the machines themselves, not whether a machine has pods of a service.
pub(super) async fn of_machines(aws: &AwsProvider, arns: &[String]) -> Result<Vec<String>, Failure> {
    let mut found = Vec::new();
    for arns in arns.chunks(DESCRIBED) {
        let request = || aws.elb.describe_target_groups().set_target_group_arns(Some(arns.to_vec())).send();
        let answer = aws.read(ELB, "DescribeTargetGroups", request).await?;
        let of_machines = answer.target_groups().iter().filter(|group| asks_machines(group.health_check_port()));
        found.extend(of_machines.filter_map(|group| group.target_group_arn().map(str::to_owned)));
    }
    Ok(found)
}

/// Returns `false` for a health check on a node port of its own: Kubernetes answers there whether the node has a pod of the
/// service.
fn asks_machines(port: Option<&str>) -> bool {
    let own = port.and_then(|port| port.parse::<u16>().ok());
    own.is_none_or(|port| !NODE_PORTS.contains(&port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_health_check_on_a_node_port_asks_for_pods() {
        assert!(asks_machines(Some(TRAFFIC_PORT)) && asks_machines(Some("10256")) && asks_machines(None));
        assert!(!asks_machines(Some("30000")) && !asks_machines(Some("32767")));
    }

    fn described(group: ElbTargetGroup, attributes: &[(&str, &str)]) -> DescribedObject<ElbTargetGroup> {
        let attributes = attributes.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        DescribedObject { object: group, attributes, tags: [].into() }
    }

    #[test]
    fn odd_values_are_translated_and_not_refused() {
        let observed = translate(&described(ElbTargetGroup::builder().port(-1).build(), &[(DEREGISTRATION, "soon")]));
        assert_eq!((observed.port, observed.deregistration_seconds), (0, DEFAULT_DEREGISTRATION));
    }

    #[test]
    fn client_addresses_are_preserved_unless_turned_off() {
        let observed = |attributes| {
            let observed = translate(&described(ElbTargetGroup::builder().build(), attributes));
            (observed.preserve_client_ip, observed.sticky)
        };
        assert_eq!(observed(&[]), (true, false));
        assert_eq!(observed(&[(PRESERVE, "false"), (STICKY, "true")]), (false, true));
    }

    #[test]
    fn a_health_check_asks_a_port_of_its_own_or_that_of_the_traffic() {
        let port = |text: &str| {
            translate(&described(ElbTargetGroup::builder().health_check_port(text).build(), &[])).health_check.port
        };
        assert_eq!((port(TRAFFIC_PORT), port("10256")), (None, Some(10256)));
    }

    #[test]
    fn the_delay_comes_from_the_attributes() {
        let observed = translate(&described(ElbTargetGroup::builder().build(), &[(DEREGISTRATION, "30")]));
        assert_eq!(observed.deregistration_seconds, 30);
    }
}
