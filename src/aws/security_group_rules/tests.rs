#![allow(clippy::unwrap_used, reason = "tests")]

use aws_sdk_ec2::types::{IpRange, Ipv6Range, PrefixListId, SecurityGroupRule, UserIdGroupPair};

use super::*;

fn rule(protocol: &str, ports: &str, peer: &str, description: &str) -> GroupRule {
    GroupRule {
        protocol: protocol.to_owned(),
        ports: ports.to_owned(),
        peer: peer.into(),
        description: description.to_owned(),
    }
}

fn standing(id: &str, rule: GroupRule) -> ExistingRule {
    ExistingRule { id: id.to_owned(), direction: RuleDirection::In, rule }
}

#[test]
fn every_rule_survives_the_way_to_ec2_and_back() {
    let rules = [
        rule("tcp", "443", "0.0.0.0/0", "the API"),
        rule("tcp", "2379-2380", "sg-1", ""),
        rule("tcp", "all", "10.0.0.0/8", ""),
        rule("udp", "53", "::/0", "names"),
        rule("all", "all", "sg-1", ""),
        rule("all", "all", "0.0.0.0/0", ""),
        rule("icmp", "all", "0.0.0.0/0", ""),
        rule("icmp", "8", "0.0.0.0/0", ""),
        rule("icmp", "3-4", "0.0.0.0/0", ""),
        rule("icmp", "3-3", "0.0.0.0/0", ""),
        rule("icmpv6", "all", "::/0", ""),
        rule("50", "all", "pl-1", "ESP"),
    ];
    for rule in rules {
        assert_eq!(of_permissions(&[permission(&rule)]), [rule]);
    }
}

#[test]
fn a_permission_with_several_peers_is_a_rule_each() {
    let observed = IpPermission::builder()
        .ip_protocol("tcp")
        .from_port(22)
        .to_port(22)
        .ip_ranges(IpRange::builder().cidr_ip("10.0.0.0/8").description("office").build())
        .ip_ranges(IpRange::builder().cidr_ip("192.168.0.0/16").build())
        .ipv6_ranges(Ipv6Range::builder().cidr_ipv6("fd00::/8").build())
        .user_id_group_pairs(UserIdGroupPair::builder().group_id("sg-1").user_id("123456789012").build())
        .prefix_list_ids(PrefixListId::builder().prefix_list_id("pl-1").build())
        .build();
    let expected = [
        rule("tcp", "22", "10.0.0.0/8", "office"),
        rule("tcp", "22", "192.168.0.0/16", ""),
        rule("tcp", "22", "fd00::/8", ""),
        rule("tcp", "22", "sg-1", ""),
        rule("tcp", "22", "pl-1", ""),
    ];
    assert_eq!(of_permissions(&[observed]), expected);
}

#[test]
fn protocols_are_known_by_number_too() {
    let observed = |protocol: &str, from, to| {
        let observed =
            SecurityGroupRule::builder().ip_protocol(protocol).from_port(from).to_port(to).cidr_ipv4("10.0.0.0/8");
        let rule = of_rule(&observed.build());
        format!("{} {}", rule.protocol, rule.ports)
    };
    assert_eq!(observed("6", 80, 80), "tcp 80");
    assert_eq!(observed("17", 0, 65535), "udp all");
    assert_eq!(observed("-1", -1, -1), "all all");
    assert_eq!(observed("47", -1, -1), "47 all");
}

#[test]
fn the_rule_that_a_new_group_has_is_the_one_that_we_know() {
    let observed = IpPermission::builder().ip_protocol("-1").ip_ranges(IpRange::builder().cidr_ip("0.0.0.0/0").build());
    assert_eq!(of_permissions(&[observed.build()]), [allow_all()]);
}

#[test]
fn another_description_is_neither_a_new_rule_nor_an_old_one() {
    let wanted = [rule("tcp", "443", "10.0.0.0/8", "new text"), rule("tcp", "80", "10.0.0.0/8", "")];
    let have = [
        standing("sgr-1", rule("tcp", "443", "10.0.0.0/8", "old text")),
        standing("sgr-2", rule("tcp", "22", "0.0.0.0/0", "")),
    ];
    let difference = difference(&wanted, &have.iter().collect::<Vec<_>>());
    assert_eq!(difference.described, [&wanted[0]]);
    assert_eq!(difference.missing, [&wanted[1]]);
    assert_eq!(difference.surplus, ["sgr-2"]);
}

#[test]
fn nothing_is_done_about_rules_that_are_right() {
    let wanted = [rule("tcp", "443", "10.0.0.0/8", "")];
    let have = [standing("sgr-1", wanted[0].clone())];
    let difference = difference(&wanted, &have.iter().collect::<Vec<_>>());
    assert!(difference.described.is_empty() && difference.missing.is_empty() && difference.surplus.is_empty());
}
