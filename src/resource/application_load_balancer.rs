//! Application load balancers: one address for the web, in front of several services.

use serde::{Deserialize, Serialize};

use super::{Attribute, Kind, KindCalls, NewAttributes, OutputSpec, Resource, Tags, TextInput};
use crate::limits::{AllowedValue, AttributeLimit, aws};

/// An application load balancer. Its name is a hash of its address and of its immutable attributes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ApplicationLoadBalancer {
    /// Its name, unique in the region among load balancers of all types, at most 32 characters.
    pub name: String,
    /// `internet-facing`.
    pub scheme: String,
    /// A subnet in each zone that it has an address in: at least two.
    pub subnets: Vec<TextInput>,
    /// Its security groups.
    pub security_groups: Vec<TextInput>,
    /// Time in seconds after which a connection without traffic is closed.
    pub idle_seconds: u32,
    /// Tags.
    pub tags: Tags,
}

impl Resource for ApplicationLoadBalancer {
    const KIND: Kind = Kind {
        name: "application-load-balancer",
        title: "application load balancer",
        attributes: &[
            Attribute::replace("name"),
            Attribute::replace("scheme"),
            Attribute::update("subnets").set(),
            Attribute::update("security_groups").set(),
            Attribute::update("idle_seconds"),
            Attribute::update("tags").tags(),
        ],
        outputs: &[
            OutputSpec::pattern("arn", "arn:aws:elasticloadbalancing:{region}:{account}:loadbalancer/app/{name}/{hex}"),
            OutputSpec::pattern("dns_name", "{name}-{hex}.{region}.elb.amazonaws.com"),
            OutputSpec::pattern("zone_id", "Z35SXDOTRQ7X7K"),
        ],
        data: false,
        shared: false,
        seconds: 150,
    };

    const CALLS: KindCalls = KindCalls {
        read: &[
            "elasticloadbalancing:DescribeLoadBalancers",
            "elasticloadbalancing:DescribeLoadBalancerAttributes",
            "elasticloadbalancing:DescribeTags",
        ],
        create: &[
            "elasticloadbalancing:AddTags",
            "elasticloadbalancing:CreateLoadBalancer",
            "elasticloadbalancing:ModifyLoadBalancerAttributes",
            "iam:CreateServiceLinkedRole",
        ],
        update: &[
            "elasticloadbalancing:AddTags",
            "elasticloadbalancing:ModifyLoadBalancerAttributes",
            "elasticloadbalancing:RemoveTags",
            "elasticloadbalancing:SetSecurityGroups",
            "elasticloadbalancing:SetSubnets",
        ],
        delete: &["elasticloadbalancing:DeleteLoadBalancer"],
    };

    const LIMITS: &'static [AttributeLimit] = &[
        AttributeLimit::new(&["name"], AllowedValue::Text(aws::name::LOAD_BALANCER), aws::code::ELB),
        AttributeLimit::new(&["scheme"], AllowedValue::OneOf(&["internet-facing", "internal"]), aws::code::ELB),
        AttributeLimit::new(&["idle_seconds"], AllowedValue::Number(1, 4000), aws::code::ELB),
    ];

    fn summary(new: &NewAttributes<'_>) -> String {
        new.join(&["scheme"])
    }
}
