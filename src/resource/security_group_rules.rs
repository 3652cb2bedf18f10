//! The firewall rules of security groups.

use serde::{Deserialize, Serialize};

use super::{Attribute, TextInput, Kind, OutputSpec, Resource};

/// All rules of a security group, one set for each direction: a rule that was added elsewhere is a difference too.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SecurityGroupRules {
    /// The group that the rules belong to.
    pub group: TextInput,
    /// The inbound rules.
    pub ingress: Vec<GroupRule>,
    /// The outbound rules.
    pub egress: Vec<GroupRule>,
}

/// A rule: one protocol, one range of ports, one peer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GroupRule {
    /// `tcp`, `udp`, `icmp`, `all`, or a protocol number.
    pub protocol: String,
    /// One port `443`, a range `2379-2380`, or `all`.
    pub ports: String,
    /// An IPv4 or IPv6 range, a prefix list's id, or a security group's id.
    pub peer: TextInput,
    /// The purpose of the rule; may be empty.
    pub description: String,
}

impl SecurityGroupRules {
    /// The one group that the cluster's cloud controller opens to the load balancers that it creates: the nodes' group.
    pub const OPENED_BY_CONTROLLERS: &str = "nodes";
}

impl Resource for SecurityGroupRules {
    const KIND: Kind = Kind {
        name: "security-group-rules",
        title: "security group's rules",
        attributes: &[
            Attribute::replace("group"),
            Attribute::update("ingress").set(),
            Attribute::update("egress").set(),
        ],
        outputs: &[OutputSpec::attribute("group")],
        data: false,
        shared: false,
        seconds: 2,
    };
}
