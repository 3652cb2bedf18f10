//! The way of requests from a listener to a service.

use serde::{Deserialize, Serialize};

use super::{Attribute, Kind, KindCalls, NewAttributes, OutputSpec, Resource, Tags, TextInput};
use crate::engine::Value;
use crate::limits::{AllowedValue, AttributeLimit, aws};

/// A rule of a listener of an application load balancer: requests for a host, and for a path of it, go to a target group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ListenerRule {
    /// The listener's ARN.
    pub listener: TextInput,
    /// Its place among the rules of the listener: the fitting rule with the smallest number is used.
    pub priority: u32,
    /// The host that requests name.
    pub host: String,
    /// Patterns of paths, one of which requests match; without any, all paths match.
    pub paths: Vec<String>,
    /// The target group's ARN.
    pub target_group: TextInput,
    /// Tags.
    pub tags: Tags,
}

impl Resource for ListenerRule {
    const KIND: Kind = Kind {
        name: "listener-rule",
        title: "listener rule",
        attributes: &[
            Attribute::replace("listener"),
            Attribute::update("priority"),
            Attribute::update("host"),
            Attribute::update("paths").set(),
            Attribute::update("target_group"),
            Attribute::update("tags").tags(),
        ],
        outputs: &[OutputSpec::pattern(
            "arn",
            "arn:aws:elasticloadbalancing:{region}:{account}:listener-rule/app/{hex}/{hex}/{hex}/{hex}",
        )],
        data: false,
        shared: false,
        seconds: 2,
    };

    const CALLS: KindCalls = KindCalls {
        read: &["elasticloadbalancing:DescribeRules", "elasticloadbalancing:DescribeTags"],
        create: &[
            "elasticloadbalancing:AddTags",
            "elasticloadbalancing:CreateRule",
            "elasticloadbalancing:DescribeTargetHealth",
        ],
        update: &[
            "elasticloadbalancing:AddTags",
            "elasticloadbalancing:ModifyRule",
            "elasticloadbalancing:RemoveTags",
            "elasticloadbalancing:SetRulePriorities",
        ],
        delete: &["elasticloadbalancing:DeleteRule"],
    };

    const LIMITS: &'static [AttributeLimit] = &[
        AttributeLimit::new(&["priority"], AllowedValue::Number(1, 50_000), aws::code::ELB),
        AttributeLimit::new(&["host"], AllowedValue::Text(aws::HOST_PATTERN), aws::code::ELB),
        AttributeLimit::new(&["paths", "*"], AllowedValue::Text(aws::PATH_PATTERN), aws::code::ELB),
    ];

    fn summary(new: &NewAttributes<'_>) -> String {
        let path = new.items("paths").first().and_then(Value::as_text).unwrap_or_default();
        new.join(&["host"]) + path
    }
}
