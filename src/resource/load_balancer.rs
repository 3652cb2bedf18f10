//! Load balancers: one address in front of many machines.

use serde::{Deserialize, Serialize};

use super::{Attribute, Kind, KindCalls, NewAttributes, OutputSpec, Resource, Tags, TextInput};
use crate::limits::{AllowedValue, AttributeLimit, aws};

/// A network load balancer. Its name is a hash of its address and of its immutable attributes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LoadBalancer {
    /// Its name, unique in the region, at most 32 characters.
    pub name: String,
    /// `internet-facing` or `internal`.
    pub scheme: String,
    /// A subnet in each zone that it has an address in.
    pub subnets: Vec<TextInput>,
    /// Its security groups.
    pub security_groups: Vec<TextInput>,
    /// `true` if each of its addresses forwards to the machines of all zones.
    pub cross_zone: bool,
    /// Tags.
    pub tags: Tags,
}

impl Resource for LoadBalancer {
    const KIND: Kind = Kind {
        name: "load-balancer",
        title: "network load balancer",
        attributes: &[
            Attribute::replace("name"),
            Attribute::replace("scheme"),
            Attribute::update("subnets").set(),
            Attribute::update("security_groups").set(),
            Attribute::update("cross_zone"),
            Attribute::update("tags").tags(),
        ],
        outputs: &[
            OutputSpec::pattern("arn", "arn:aws:elasticloadbalancing:{region}:{account}:loadbalancer/net/{name}/{hex}"),
            OutputSpec::pattern("dns_name", "{name}-{hex}.elb.{region}.amazonaws.com"),
            OutputSpec::pattern("zone_id", "Z26RNL4JYFTOTI"),
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
    ];

    fn summary(new: &NewAttributes<'_>) -> String {
        new.join(&["scheme"])
    }
}
