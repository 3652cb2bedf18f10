//! Conversion of rules to and from EC2's form.

use aws_sdk_ec2::types::{IpPermission, IpRange, Ipv6Range, PrefixListId, SecurityGroupRule, UserIdGroupPair};

use crate::resource::GroupRule;

/// Every protocol, or every port.
const ALL: &str = "all";

/// The egress rule that EC2 gives a new group.
pub(super) fn allow_all() -> GroupRule {
    GroupRule { protocol: ALL.to_owned(), ports: ALL.to_owned(), peer: "0.0.0.0/0".into(), description: String::new() }
}

/// Returns `true` if two rules allow the same: EC2 does not keep two of them.
pub(in crate::aws) fn same_but_description(a: &GroupRule, b: &GroupRule) -> bool {
    (&a.protocol, &a.ports, &a.peer) == (&b.protocol, &b.ports, &b.peer)
}

/// Converts permissions to rules: one rule per range, pair or prefix list.
pub(in crate::aws) fn of_permissions(permissions: &[IpPermission]) -> Vec<GroupRule> {
    permissions.iter().flat_map(of_permission).collect()
}

fn of_permission(permission: &IpPermission) -> impl Iterator<Item = GroupRule> {
    let protocol = protocol(permission.ip_protocol().unwrap_or_default());
    let ports = ports(&protocol, permission.from_port(), permission.to_port());
    let ipv4 = permission.ip_ranges().iter().map(|range| (range.cidr_ip(), range.description()));
    let ipv6 = permission.ipv6_ranges().iter().map(|range| (range.cidr_ipv6(), range.description()));
    let groups = permission.user_id_group_pairs().iter().map(|pair| (pair.group_id(), pair.description()));
    let lists = permission.prefix_list_ids().iter().map(|list| (list.prefix_list_id(), list.description()));
    ipv4.chain(ipv6).chain(groups).chain(lists).map(move |(peer, description)| GroupRule {
        protocol: protocol.clone(),
        ports: ports.clone(),
        peer: peer.unwrap_or_default().into(),
        description: description.unwrap_or_default().to_owned(),
    })
}

/// Converts a rule that has an id.
pub(super) fn of_rule(described: &SecurityGroupRule) -> GroupRule {
    let protocol = protocol(described.ip_protocol().unwrap_or_default());
    let peer = described
        .cidr_ipv4()
        .or_else(|| described.cidr_ipv6())
        .or_else(|| described.referenced_group_info().and_then(|group| group.group_id()))
        .or_else(|| described.prefix_list_id());
    GroupRule {
        ports: ports(&protocol, described.from_port(), described.to_port()),
        protocol,
        peer: peer.unwrap_or_default().into(),
        description: described.description().unwrap_or_default().to_owned(),
    }
}

/// Converts the rule to EC2's form.
pub(super) fn permission(rule: &GroupRule) -> IpPermission {
    let (from, to) = range(rule);
    let protocol = if rule.protocol == ALL { "-1" } else { &rule.protocol };
    let permission = IpPermission::builder().ip_protocol(protocol).set_from_port(from).set_to_port(to);
    let description = Some(&rule.description).filter(|text| !text.is_empty()).cloned();
    let peer = rule.peer.known().unwrap_or_default();
    match RulePeer::of(peer) {
        RulePeer::Ipv4 => permission.ip_ranges(IpRange::builder().cidr_ip(peer).set_description(description).build()),
        RulePeer::Ipv6 => {
            permission.ipv6_ranges(Ipv6Range::builder().cidr_ipv6(peer).set_description(description).build())
        }
        RulePeer::Group => permission
            .user_id_group_pairs(UserIdGroupPair::builder().group_id(peer).set_description(description).build()),
        RulePeer::PrefixList => permission
            .prefix_list_ids(PrefixListId::builder().prefix_list_id(peer).set_description(description).build()),
    }
    .build()
}

/// The source or the destination of a rule.
enum RulePeer {
    Ipv4,
    Ipv6,
    Group,
    PrefixList,
}

impl RulePeer {
    fn of(peer: &str) -> Self {
        match peer {
            _ if peer.starts_with("sg-") => Self::Group,
            _ if peer.starts_with("pl-") => Self::PrefixList,
            _ if peer.contains(':') => Self::Ipv6,
            _ => Self::Ipv4,
        }
    }
}

/// Returns the protocol by the name that EC2 prefers, whichever form was given.
fn protocol(described: &str) -> String {
    match described {
        "-1" => ALL,
        "1" => "icmp",
        "6" => "tcp",
        "17" => "udp",
        "58" => "icmpv6",
        other => other,
    }
    .to_owned()
}

/// Returns `true` for ICMP, which has types and codes instead of ports: `8` is a type with every code, `3-4` one code of it.
fn is_icmp(protocol: &str) -> bool {
    protocol.starts_with("icmp")
}

/// Returns `true` if the protocol has ports, or types. For any other protocol EC2 ignores them and may answer any value.
fn has_ports(protocol: &str) -> bool {
    is_icmp(protocol) || matches!(protocol, "tcp" | "udp")
}

fn ports(protocol: &str, from: Option<i32>, to: Option<i32>) -> String {
    match (from.unwrap_or(-1), to.unwrap_or(-1)) {
        _ if !has_ports(protocol) => ALL.to_owned(),
        (-1, _) => ALL.to_owned(),
        (0, 65535) if !is_icmp(protocol) => ALL.to_owned(),
        (kind, -1) => kind.to_string(),
        (from, to) if from == to && !is_icmp(protocol) => from.to_string(),
        (from, to) => format!("{from}-{to}"),
    }
}

fn range(rule: &GroupRule) -> (Option<i32>, Option<i32>) {
    let number = |text: &str| text.parse().ok();
    let one_port = matches!(rule.protocol.as_str(), "tcp" | "udp");
    match rule.ports.split_once('-') {
        None if rule.ports != ALL && is_icmp(&rule.protocol) => (number(&rule.ports), Some(-1)),
        None if rule.ports != ALL => (number(&rule.ports), number(&rule.ports)),
        Some((from, to)) => (number(from), number(to)),
        None if one_port => (Some(0), Some(65535)),
        None => (Some(-1), Some(-1)),
    }
}
