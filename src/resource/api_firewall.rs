//! The firewall of the Kubernetes API: the ranges that are allowed, and temporary grants.

use ipnet::Ipv4Net;
use jiff::Timestamp;

use super::{AccessGrant, GroupRule, PUBLIC_API_PORT};

/// The ranges that may reach the API now.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AllowList {
    /// Ranges that are allowed permanently, by `api.allow` or by a manual rule.
    pub always: Vec<Ipv4Net>,
    /// Grants, including expired ones.
    pub grants: Vec<AccessGrant>,
}

impl AllowList {
    /// Evaluates the ingress rules of a security group.
    pub fn of(rules: &[GroupRule]) -> Self {
        let mut admission = Self::default();
        for rule in rules.iter().filter(|rule| is_for_the_api(rule)) {
            match AccessGrant::of(rule) {
                Some(grant) => admission.grants.push(grant),
                None => admission.always.extend(rule.peer.known().and_then(|peer| peer.parse::<Ipv4Net>().ok())),
            }
        }
        admission.always.sort();
        admission.grants.sort_by_key(|grant| (grant.range, grant.until));
        admission
    }

    /// Returns `true` if the whole range is allowed permanently.
    pub fn is_open(&self, range: &Ipv4Net) -> bool {
        self.always.iter().any(|open| open.contains(range))
    }

    /// Returns the grants that are valid now.
    pub fn running(&self, now: Timestamp) -> impl Iterator<Item = &AccessGrant> {
        self.grants.iter().filter(move |grant| grant.runs(now))
    }
}

fn is_for_the_api(rule: &GroupRule) -> bool {
    let ports = match rule.ports.split_once('-') {
        _ if rule.ports == "all" => Some((0, u16::MAX)),
        Some((from, to)) => from.parse().ok().zip(to.parse().ok()),
        None => rule.ports.parse().ok().map(|port: u16| (port, port)),
    };
    matches!(rule.protocol.as_str(), "tcp" | "all")
        && ports.is_some_and(|(from, to)| (from..=to).contains(&PUBLIC_API_PORT))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;
    use crate::resource::Grantee;

    fn rule(protocol: &str, ports: &str, peer: &str) -> GroupRule {
        GroupRule {
            protocol: protocol.to_owned(),
            ports: ports.to_owned(),
            peer: peer.into(),
            description: String::new(),
        }
    }

    #[test]
    fn only_what_lets_in_to_the_api_counts() {
        let grant =
            AccessGrant::new("203.0.113.7/32".parse().unwrap(), Timestamp::UNIX_EPOCH, Grantee::Run("r".to_owned()));
        let rules = [
            rule("tcp", "443", "10.1.0.0/16"),
            rule("tcp", "400-500", "10.2.0.0/16"),
            rule("all", "all", "10.3.0.0/16"),
            rule("tcp", "22", "10.4.0.0/16"),
            rule("udp", "443", "10.5.0.0/16"),
            rule("tcp", "443", "sg-1"),
            grant.rule(),
        ];
        let admission = AllowList::of(&rules);
        let always: Vec<String> = admission.always.iter().map(ToString::to_string).collect();
        assert_eq!(always, ["10.1.0.0/16", "10.2.0.0/16", "10.3.0.0/16"]);
        assert_eq!(admission.grants, [grant]);
        assert!(admission.is_open(&"10.1.2.3/32".parse().unwrap()));
        assert!(!admission.is_open(&"10.0.0.0/8".parse().unwrap()), "a part is not all of it");
    }
}
