//! The firewall rules of security groups.

use std::collections::{BTreeMap, BTreeSet};

use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};

use super::{Attribute, Kind, KindCalls, NewAttributes, OutputSpec, Resource, TextInput, text};
use crate::engine::Value;
use crate::limits::{AllowedValue, AttributeLimit, aws};
use crate::words;

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

impl GroupRule {
    /// Creates a rule. AWS allows letters, digits, spaces and `._-:/()#,@[]+=&;{}!$*` in a description.
    pub fn new(protocol: &str, ports: &str, peer: TextInput, description: &str) -> Self {
        Self { protocol: protocol.to_owned(), ports: ports.to_owned(), peer, description: description.to_owned() }
    }
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

    const CALLS: KindCalls = KindCalls {
        read: &["ec2:DescribeSecurityGroups", "ec2:DescribeSecurityGroupRules"],
        create: &[
            "ec2:AuthorizeSecurityGroupEgress",
            "ec2:AuthorizeSecurityGroupIngress",
            "ec2:RevokeSecurityGroupEgress",
            "ec2:RevokeSecurityGroupIngress",
        ],
        update: &[
            "ec2:AuthorizeSecurityGroupEgress",
            "ec2:AuthorizeSecurityGroupIngress",
            "ec2:RevokeSecurityGroupEgress",
            "ec2:RevokeSecurityGroupIngress",
            "ec2:UpdateSecurityGroupRuleDescriptionsEgress",
            "ec2:UpdateSecurityGroupRuleDescriptionsIngress",
        ],
        delete: &["ec2:RevokeSecurityGroupEgress", "ec2:RevokeSecurityGroupIngress"],
    };

    const LIMITS: &'static [AttributeLimit] = &[
        AttributeLimit::new(
            &["ingress"],
            AllowedValue::Count(aws::SECURITY_GROUP_RULES),
            "RulesPerSecurityGroupLimitExceeded",
        ),
        AttributeLimit::new(
            &["egress"],
            AllowedValue::Count(aws::SECURITY_GROUP_RULES),
            "RulesPerSecurityGroupLimitExceeded",
        ),
        AttributeLimit::new(&["ingress", "*", "description"], AllowedValue::Text(aws::DESCRIPTION), aws::code::EC2),
        AttributeLimit::new(&["egress", "*", "description"], AllowedValue::Text(aws::DESCRIPTION), aws::code::EC2),
    ];

    /// Returns the number of rules, and the ranges that may connect: groups and ids are the cluster's own.
    fn summary(new: &NewAttributes<'_>) -> String {
        let (ingress, egress) = (new.items("ingress"), new.items("egress"));
        let counts = format!("{} in, {} out", ingress.len(), egress.len());
        let mut outside: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (peer, what) in ingress.iter().filter_map(from_outside) {
            outside.entry(peer).or_default().insert(what);
        }
        let open = |(peer, what): (String, BTreeSet<String>)| {
            format!("{peer} ({})", what.into_iter().collect::<Vec<_>>().join(", "))
        };
        let outside: Vec<String> = outside.into_iter().map(open).collect();
        if outside.is_empty() { counts } else { format!("{counts}; open to {}", words::list(&outside)) }
    }
}

/// `203.0.113.7/32` and `tcp 443` if the rule's peer is a range.
fn from_outside(rule: &Value) -> Option<(String, String)> {
    let Value::Map(rule) = rule else { return None };
    let peer = rule.get("peer")?.as_text()?;
    let outside = if peer.contains(':') { peer.contains('/') } else { !is_private(peer.parse().ok()?) };
    let what = |name: &str| text::safe(rule.get(name).and_then(Value::as_text).unwrap_or_default());
    outside.then(|| (text::safe(peer), format!("{} {}", what("protocol"), what("ports"))))
}

/// Returns `true` if a range is never routed on the internet: RFC 1918, and RFC 6598, which holds pods and services.
fn is_private(range: Ipv4Net) -> bool {
    const PRIVATE: [&str; 4] = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"];
    PRIVATE.iter().any(|net| net.parse::<Ipv4Net>().is_ok_and(|net| net.contains(&range)))
}
