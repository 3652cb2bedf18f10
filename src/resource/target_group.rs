//! Where a load balancer sends connections, and how it knows that somebody is there.

use serde::{Deserialize, Serialize};

use super::{Attribute, Input, Kind, Output, Resource, Tags};

/// A target group of instances.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TargetGroup {
    /// Its name, unique in the region, at most 32 characters.
    pub name: String,
    /// The VPC.
    pub vpc: Input,
    /// `TCP`, `UDP`, or `TCP_UDP` for both.
    pub protocol: String,
    /// The port of the machines.
    pub port: u16,
    /// How health is checked.
    pub health_check: HealthCheck,
    /// How long a machine that leaves keeps its connections, in seconds.
    pub deregistration_seconds: u32,
    /// Whether machines see the clients' addresses; of UDP they always do. Otherwise they see the load balancer's.
    pub preserve_client_ip: bool,
    /// Whether connections from one address go to one machine, as long as it is healthy.
    pub sticky: bool,
    /// Tags.
    pub tags: Tags,
}

/// How a load balancer finds out whether a machine answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HealthCheck {
    /// `TCP`, `HTTP` or `HTTPS`.
    pub protocol: String,
    /// The port that is asked; without one, the port that takes the connections.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// What is asked for by `HTTP` and `HTTPS`; the answer must be 200.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Seconds between two checks.
    pub interval: u32,
    /// Checks in a row that make a machine healthy.
    pub healthy: u32,
    /// Checks in a row that make a machine unhealthy.
    pub unhealthy: u32,
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
        outputs: &[Output::pattern("arn", "arn:aws:elasticloadbalancing:{region}:{account}:targetgroup/{name}/{hex}")],
        data: false,
        shared: false,
        seconds: 2,
    };
}
