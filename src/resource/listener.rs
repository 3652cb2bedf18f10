//! A port of a load balancer.

use serde::{Deserialize, Serialize};

use super::{Attribute, Input, Kind, Output, Resource, Tags};

/// A listener that forwards to a target group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Listener {
    /// The load balancer's ARN.
    pub load_balancer: Input,
    /// `TCP`, `UDP` or `TLS`.
    pub protocol: String,
    /// The port that clients connect to.
    pub port: u16,
    /// The target group's ARN.
    pub target_group: Input,
    /// Tags.
    pub tags: Tags,
}

impl Resource for Listener {
    const KIND: Kind = Kind {
        name: "listener",
        title: "listener",
        attributes: &[
            Attribute::replace("load_balancer"),
            Attribute::update("protocol"),
            Attribute::update("port"),
            Attribute::update("target_group"),
            Attribute::update("tags").tags(),
        ],
        outputs: &[Output::pattern(
            "arn",
            "arn:aws:elasticloadbalancing:{region}:{account}:listener/net/{name}/{hex}/{hex}",
        )],
        data: false,
        shared: false,
        seconds: 2,
    };
}
