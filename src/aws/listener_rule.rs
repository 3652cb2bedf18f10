//! The rules of listeners of application load balancers.

use std::collections::BTreeSet;
use std::time::Duration;

use aws_sdk_elasticloadbalancingv2::types::{
    Action, ActionTypeEnum, HostHeaderConditionConfig, PathPatternConditionConfig, Rule, RuleCondition,
    RulePriorityPair,
};

use super::AwsProvider;
use super::elb_snapshot::{ELB, RuleOfListener, balancing, retag, text, to_elb};
use super::failure::{ErrorCodes, if_there};
use super::kind::{AwsKind, CreateContext, decode, live, updated};
use super::listener::targets;
use super::observe_cache::ObserveCache;
use super::poll::BACKOFF;
use super::target_group::health;
use crate::engine::{Failure, FailureClass, Live, PollLoop, ProgressNote};
use crate::resource::{ListenerRule, Resource, Tags};

/// The condition on the host that a request names.
const HOST: &str = "host-header";
/// Maximum time to wait for a healthy machine: two health checks, and the time until the load balancer knows the rule.
const LIMIT: Duration = Duration::from_mins(1);
/// The state of a machine that gets requests.
const HEALTHY: &str = "healthy";
/// The condition on the path of a request.
const PATH: &str = "path-pattern";

impl AwsKind for ListenerRule {
    const CODES: ErrorCodes = &[
        (FailureClass::Gone, &["RuleNotFound"]),
        // A rule that leaves has it for a moment longer.
        (FailureClass::Held, &["PriorityInUse"]),
        (FailureClass::Quota, &["TooManyRules"]),
    ];

    async fn observe(cache: &ObserveCache<'_>) -> Result<Vec<Live>, Failure> {
        let snapshot = balancing(cache).await?;
        let described = snapshot.rules.iter();
        let ours = described.filter_map(|described| {
            Some((described.address(cache, described.object.rule.rule_arn(), Self::KIND.name)?, described))
        });
        ours.map(|(address, described)| {
            let arn = text(described.object.rule.rule_arn());
            let observed = translate(&described.object, &described.tags);
            live(address.name(), &arn, &observed, &[("arn", &arn)])
        })
        .collect()
    }

    async fn create(&self, aws: &AwsProvider, creation: &CreateContext<'_>) -> Result<Live, Failure> {
        let request = aws
            .elb
            .create_rule()
            .set_listener_arn(self.listener.known().map(str::to_owned))
            .priority(self.priority.try_into().unwrap_or(i32::MAX))
            .set_conditions(Some(self.conditions()))
            .actions(self.action())
            .set_tags(Some(to_elb(&self.tags)));
        let answer = aws.send(ELB, "CreateRule", request.send()).await?;
        let arn = text(answer.rules().first().and_then(Rule::rule_arn));
        live(creation.object.address.name(), &arn, self, &[("arn", &arn)])
    }

    async fn update(&self, aws: &AwsProvider, live: &Live, changed: &BTreeSet<String>) -> Result<Live, Failure> {
        if changed.iter().any(|name| name != "tags" && name != "priority") {
            let request = aws.elb.modify_rule().rule_arn(&live.id);
            let request = request.set_conditions(Some(self.conditions())).actions(self.action());
            aws.send(ELB, "ModifyRule", request.send()).await?;
        }
        if changed.contains("priority") {
            let priority = self.priority.try_into().unwrap_or(i32::MAX);
            let pair = RulePriorityPair::builder().rule_arn(&live.id).priority(priority).build();
            let request = aws.elb.set_rule_priorities().rule_priorities(pair);
            aws.send(ELB, "SetRulePriorities", request.send()).await?;
        }
        retag(aws, live, &self.tags, changed.contains("tags")).await?;
        updated(live, self)
    }

    /// Waits for a short while until the load balancer forwards requests: names that led elsewhere change over after that. A
    /// service that is not healthy keeps nobody waiting.
    async fn ready(aws: &AwsProvider, live: &Live, note: ProgressNote<'_>) -> Result<Live, Failure> {
        let observed: Self = decode(live)?;
        let target = observed.target_group.known().unwrap_or_default();
        let mut poll = PollLoop::new(BACKOFF).lasting(LIMIT);
        loop {
            let targets = if_there(health(aws, target).await)?.unwrap_or_default();
            if targets.is_empty() || targets.iter().any(|target| target.state == HEALTHY) || !poll.again().await {
                return Ok(live.clone());
            }
            note(format!("waiting until a machine answers for {}", live.address.name()));
        }
    }

    async fn delete(aws: &AwsProvider, live: &Live, _note: ProgressNote<'_>) -> Result<(), Failure> {
        aws.send(ELB, "DeleteRule", aws.elb.delete_rule().rule_arn(&live.id).send()).await.map(drop)
    }
}

impl ListenerRule {
    fn conditions(&self) -> Vec<RuleCondition> {
        let host = HostHeaderConditionConfig::builder().values(&self.host).build();
        let mut conditions = vec![RuleCondition::builder().field(HOST).host_header_config(host).build()];
        if !self.paths.is_empty() {
            let paths = PathPatternConditionConfig::builder().set_values(Some(self.paths.clone())).build();
            conditions.push(RuleCondition::builder().field(PATH).path_pattern_config(paths).build());
        }
        conditions
    }

    fn action(&self) -> Action {
        let target = self.target_group.known().map(str::to_owned);
        Action::builder().r#type(ActionTypeEnum::Forward).set_target_group_arn(target).build()
    }
}

fn translate(described: &RuleOfListener, tags: &Tags) -> ListenerRule {
    let rule = &described.rule;
    let mut hosts: Vec<String> = Vec::new();
    let mut paths: Vec<String> = Vec::new();
    for condition in rule.conditions() {
        match condition.field() {
            Some(HOST) => hosts.extend(values(
                condition.host_header_config().map(HostHeaderConditionConfig::values),
                condition.values(),
            )),
            Some(PATH) => paths.extend(values(
                condition.path_pattern_config().map(PathPatternConditionConfig::values),
                condition.values(),
            )),
            // Another condition lets fewer requests through: a difference.
            other => hosts.push(format!("only by {}", other.unwrap_or("an unknown condition"))),
        }
    }
    ListenerRule {
        listener: described.listener.as_str().into(),
        priority: rule.priority().and_then(|priority| priority.parse().ok()).unwrap_or_default(),
        host: hosts.join(", "),
        paths,
        target_group: targets(rule.actions()).into(),
        tags: tags.clone(),
    }
}

/// Returns the values of a condition, which are in one of two places.
fn values(config: Option<&[String]>, values: &[String]) -> Vec<String> {
    config.filter(|config| !config.is_empty()).unwrap_or(values).to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(paths: &[&str]) -> ListenerRule {
        ListenerRule {
            listener: "arn:l".into(),
            priority: 7,
            host: "chat.example.com".to_owned(),
            paths: paths.iter().map(|path| (*path).to_owned()).collect(),
            target_group: "arn:t".into(),
            tags: [].into(),
        }
    }

    fn read(rule: &ListenerRule, more: Option<RuleCondition>) -> ListenerRule {
        let conditions = rule.conditions().into_iter().chain(more).collect();
        let described = Rule::builder().priority("7").set_conditions(Some(conditions)).actions(rule.action()).build();
        translate(&RuleOfListener { listener: "arn:l".to_owned(), rule: described }, &[].into())
    }

    #[test]
    fn a_rule_is_read_as_it_was_written() {
        for rule in [rule(&[]), rule(&["/api", "/api/*"])] {
            assert_eq!(read(&rule, None), rule);
        }
    }

    #[test]
    fn a_condition_that_is_not_ours_is_a_difference() {
        let more = RuleCondition::builder().field("source-ip").build();
        assert_eq!(read(&rule(&[]), Some(more)).host, "chat.example.com, only by source-ip");
    }
}
