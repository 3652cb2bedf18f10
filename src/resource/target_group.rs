//! Target groups: the destinations of a load balancer, and their health checks.

use serde::{Deserialize, Serialize};

use super::{Attribute, Kind, KindCalls, NewAttributes, OutputSpec, Resource, Tags, TextInput};
use crate::limits::{AllowedValue, AttributeLimit, aws};

/// A target group of instances.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TargetGroup {
    /// Its name, unique in the region, at most 32 characters.
    pub name: String,
    /// The VPC.
    pub vpc: TextInput,
    /// `TCP`, `UDP`, or `TCP_UDP` for both; `HTTP` behind an application load balancer.
    pub protocol: String,
    /// The port of the machines.
    pub port: u16,
    /// The health check.
    pub health_check: HealthCheck,
    /// Time that a deregistered machine keeps its connections, in seconds.
    pub deregistration_seconds: u32,
    /// `true` if machines see the clients' addresses, which is always so for UDP and never for HTTP. Otherwise they see the load
    /// balancer's.
    pub preserve_client_ip: bool,
    /// `true` if connections from one address go to one machine, as long as it is healthy.
    pub sticky: bool,
    /// Tags.
    pub tags: Tags,
}

/// The health check of the machines in a target group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HealthCheck {
    /// `TCP`, `HTTP` or `HTTPS`.
    pub protocol: String,
    /// The port of the health check; without one, the port that receives the connections.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// The path of the request with `HTTP` and `HTTPS`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The statuses of a response from a healthy machine, for example `200-399`; set for target groups of `HTTP` only. Others take
    /// the default of their load balancer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub codes: Option<String>,
    /// Seconds between two checks.
    pub interval: u32,
    /// Number of consecutive successful checks that make a machine healthy.
    pub healthy: u32,
    /// Number of consecutive failed checks that make a machine unhealthy.
    pub unhealthy: u32,
}

impl TargetGroup {
    /// The protocol of the target groups of application load balancers.
    pub const HTTP: &str = "HTTP";
}

impl Resource for TargetGroup {
    const KIND: Kind = Kind {
        name: "target-group",
        title: "target group",
        attributes: &[
            Attribute::replace("name"),
            Attribute::replace("vpc"),
            Attribute::replace("protocol"),
            Attribute::replace("port"),
            Attribute::update("health_check"),
            Attribute::update("deregistration_seconds"),
            Attribute::update("preserve_client_ip"),
            Attribute::update("sticky"),
            Attribute::update("tags").tags(),
        ],
        outputs: &[OutputSpec::pattern(
            "arn",
            "arn:aws:elasticloadbalancing:{region}:{account}:targetgroup/{name}/{hex}",
        )],
        data: false,
        shared: false,
        seconds: 2,
    };

    const CALLS: KindCalls = KindCalls {
        read: &[
            "elasticloadbalancing:DescribeTags",
            "elasticloadbalancing:DescribeTargetGroupAttributes",
            "elasticloadbalancing:DescribeTargetGroups",
            "elasticloadbalancing:DescribeTargetHealth",
        ],
        create: &[
            "elasticloadbalancing:AddTags",
            "elasticloadbalancing:CreateTargetGroup",
            "elasticloadbalancing:ModifyTargetGroupAttributes",
        ],
        update: &[
            "elasticloadbalancing:AddTags",
            "elasticloadbalancing:ModifyTargetGroup",
            "elasticloadbalancing:ModifyTargetGroupAttributes",
            "elasticloadbalancing:RemoveTags",
        ],
        delete: &["elasticloadbalancing:DeleteTargetGroup"],
    };

    const LIMITS: &'static [AttributeLimit] = &[
        AttributeLimit::new(&["name"], AllowedValue::Text(aws::name::TARGET_GROUP), aws::code::ELB),
        AttributeLimit::new(
            &["protocol"],
            AllowedValue::OneOf(&["TCP", "UDP", "TCP_UDP", "TLS", "HTTP", "HTTPS", "GENEVE"]),
            aws::code::ELB,
        ),
        AttributeLimit::new(&["port"], aws::PORT, aws::code::ELB),
        AttributeLimit::new(&["deregistration_seconds"], AllowedValue::Number(0, 3600), aws::code::ELB),
        AttributeLimit::new(&["health_check", "interval"], AllowedValue::Number(5, 300), aws::code::ELB),
        AttributeLimit::new(&["health_check", "healthy"], AllowedValue::Number(2, 10), aws::code::ELB),
        AttributeLimit::new(&["health_check", "unhealthy"], AllowedValue::Number(2, 10), aws::code::ELB),
        AttributeLimit::new(&["health_check", "path"], AllowedValue::Text(aws::URL_PATH), aws::code::ELB),
    ];

    fn summary(new: &NewAttributes<'_>) -> String {
        new.join(&["protocol", "port"])
    }
}
