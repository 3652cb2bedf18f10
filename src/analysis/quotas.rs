//! The quotas of an account that a plan needs more of.

use std::collections::BTreeSet;

use crate::engine::{Action, Change, Plan, PlanMode, Value};
use crate::resource::{
    AccountQuota, ApplicationLoadBalancer, AutoScalingGroup, ElasticIp, InternetGateway, LaunchTemplate, LoadBalancer,
    Resource, SecurityGroupRules, Vpc,
};

/// The attributes of a group that more machines follow from.
const NUMBERS: [&str; 3] = ["desired", "max", "min"];

/// Returns the quotas that a plan uses more of: those of new objects, and of more or other machines.
pub fn touched_quotas(plan: &Plan) -> BTreeSet<AccountQuota> {
    if plan.mode != PlanMode::Apply {
        return BTreeSet::new();
    }
    plan.changes.iter().flat_map(touched).collect()
}

fn touched(change: &Change) -> Vec<AccountQuota> {
    let kind = change.address.kind();
    // The former object of a replacement exists beside the new one for a while.
    let is_new = matches!(change.action, Action::Create | Action::Replace);
    if kind == AutoScalingGroup::KIND.name && (is_new || grows(change)) {
        return vec![AccountQuota::StandardVcpus, AccountQuota::Routes];
    }
    if kind == LaunchTemplate::KIND.name && changes(change, "instance_size") {
        return vec![AccountQuota::StandardVcpus];
    }
    if kind == SecurityGroupRules::KIND.name && (is_new || change.action == Action::Update) {
        return vec![AccountQuota::SecurityGroupRules];
    }
    let quotas = [
        (Vpc::KIND.name, AccountQuota::Vpcs),
        (InternetGateway::KIND.name, AccountQuota::InternetGateways),
        (LoadBalancer::KIND.name, AccountQuota::NetworkLoadBalancers),
        (ApplicationLoadBalancer::KIND.name, AccountQuota::ApplicationLoadBalancers),
        (ElasticIp::KIND.name, AccountQuota::ElasticIps),
    ];
    quotas.into_iter().filter(|(of, _)| is_new && *of == kind).map(|(_, quota)| quota).collect()
}

/// Returns `true` if a group gets more machines.
fn grows(change: &Change) -> bool {
    let number = |value: Option<&Value>| match value {
        Some(Value::Integer(number)) => *number,
        _ => 0,
    };
    let numbers = change.attributes.iter().filter(|attribute| NUMBERS.contains(&attribute.name.as_str()));
    numbers.into_iter().any(|attribute| number(attribute.after.as_ref()) > number(attribute.before.as_ref()))
}

fn changes(change: &Change, attribute: &str) -> bool {
    change.attributes.iter().any(|changed| changed.name == attribute && changed.before.is_some())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use serde_json::json;

    use super::*;
    use crate::engine::{AttributeChange, DifferenceOrigin, Reason};

    fn change(address: &str, action: Action, attributes: &[(&str, serde_json::Value, serde_json::Value)]) -> Change {
        let value = |value: &serde_json::Value| serde_json::from_value::<Option<Value>>(value.clone()).unwrap();
        let attributes = attributes.iter().map(|(name, before, after)| AttributeChange {
            name: (*name).to_owned(),
            before: value(before),
            after: value(after),
            origin: DifferenceOrigin::File,
            action,
        });
        Change {
            address: address.parse().unwrap(),
            action,
            reason: Reason::File,
            id: None,
            attributes: attributes.collect(),
            needs: BTreeSet::new(),
            lane: None,
            loses_data: false,
        }
    }

    fn touched_by(changes: Vec<Change>) -> Vec<AccountQuota> {
        let plan = Plan { mode: PlanMode::Apply, serial: 1, changes, unchanged: 0, held: BTreeSet::new() };
        touched_quotas(&plan).into_iter().collect()
    }

    #[test]
    fn new_objects_and_more_machines_touch_quotas() {
        let new = [
            "vpc/main",
            "internet-gateway/main",
            "load-balancer/api",
            "autoscaling-group/masters-a",
            "subnet/a",
            "elastic-ip/nat-a",
            "application-load-balancer/web",
            "security-group-rules/nodes",
        ];
        assert_eq!(touched_by(new.map(|address| change(address, Action::Create, &[])).into()), AccountQuota::ALL);
        let group = |before: i64, after: i64| {
            change("autoscaling-group/nodes-w", Action::Update, &[("desired", json!(before), json!(after))])
        };
        assert_eq!(touched_by(vec![group(2, 4)]), [AccountQuota::StandardVcpus, AccountQuota::Routes]);
        assert_eq!(touched_by(vec![group(4, 2)]), []);
        let size = [("instance_size", json!("t3.medium"), json!("t3.large"))];
        assert_eq!(touched_by(vec![change("launch-template/w", Action::Update, &size)]), [AccountQuota::StandardVcpus]);
        assert_eq!(touched_by(vec![change("load-balancer/api", Action::Update, &[])]), []);
        assert_eq!(
            touched_by(vec![change("load-balancer/api", Action::Replace, &[])]),
            [AccountQuota::NetworkLoadBalancers]
        );
    }

    #[test]
    fn a_plan_that_removes_touches_none() {
        let changes = vec![change("vpc/main", Action::Delete, &[])];
        let plan = Plan { mode: PlanMode::Destroy, serial: 1, changes, unchanged: 0, held: BTreeSet::new() };
        assert_eq!(touched_quotas(&plan), BTreeSet::new());
    }
}
