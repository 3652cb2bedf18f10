//! One address in front of many machines.

use serde::{Deserialize, Serialize};

use super::{Attribute, Input, Kind, Output, Resource, Tags};

/// A network load balancer. Its name is a hash of its address and of what cannot be changed about it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LoadBalancer {
    /// Its name, unique in the region, at most 32 characters.
    pub name: String,
    /// `internet-facing` or `internal`.
    pub scheme: String,
    /// A subnet in each zone that it answers from.
    pub subnets: Vec<Input>,
    /// Its security groups.
    pub security_groups: Vec<Input>,
    /// Whether each of its addresses answers for the machines of all zones.
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
            Output::pattern("arn", "arn:aws:elasticloadbalancing:{region}:{account}:loadbalancer/net/{name}/{hex}"),
            Output::pattern("dns_name", "{name}-{hex}.elb.{region}.amazonaws.com"),
            Output::pattern("zone_id", "Z26RNL4JYFTOTI"),
        ],
        data: false,
        shared: false,
        seconds: 150,
    };
}
