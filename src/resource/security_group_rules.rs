//! Who may talk to whom.

use serde::{Deserialize, Serialize};

use super::{Attribute, Input, Kind, Output, Resource};

/// All rules of a security group, as one set each way: a rule that somebody adds is a difference too.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SecurityGroupRules {
    /// The group that the rules belong to.
    pub group: Input,
    /// What may come in.
    pub ingress: Vec<Rule>,
    /// What may go out.
    pub egress: Vec<Rule>,
}

/// A rule: one protocol, one range of ports, one peer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rule {
    /// `tcp`, `udp`, `icmp`, `all`, or a protocol number.
    pub protocol: String,
    /// One port `443`, a range `2379-2380`, or `all`.
    pub ports: String,
    /// An IPv4 or IPv6 range, a prefix list's id, or a security group's id.
    pub peer: Input,
    /// Why the rule is there; empty if nobody said.
    pub description: String,
}

impl SecurityGroupRules {
    /// The one group that the cluster's cloud controller opens to the load balancers that it makes: the nodes'.
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
        outputs: &[Output::attribute("group")],
        data: false,
        shared: false,
        seconds: 2,
    };
}
