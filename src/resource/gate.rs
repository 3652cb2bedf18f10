//! The way in to the Kubernetes API from outside: who may take it, and letting somebody in for a while.

use ipnet::Ipv4Net;
use jiff::Timestamp;

use super::{Grant, PUBLIC_API_PORT, Rule};
use crate::engine::{BoxFuture, Failure};

/// Who may reach the API now.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Admission {
    /// Ranges that are let in for good, by `api.allow` or by somebody's hand.
    pub always: Vec<Ipv4Net>,
    /// Grants, those that have ended too.
    pub grants: Vec<Grant>,
}

impl Admission {
    /// What a security group's ingress rules come to.
    pub fn of(rules: &[Rule]) -> Self {
        let mut admission = Self::default();
        for rule in rules.iter().filter(|rule| is_for_the_api(rule)) {
            match Grant::of(rule) {
                Some(grant) => admission.grants.push(grant),
                None => admission.always.extend(rule.peer.known().and_then(|peer| peer.parse::<Ipv4Net>().ok())),
            }
        }
        admission.always.sort();
        admission.grants.sort_by_key(|grant| (grant.range, grant.until));
        admission
    }

    /// Whether all of a range is let in for good.
    pub fn is_open(&self, range: &Ipv4Net) -> bool {
        self.always.iter().any(|open| open.contains(range))
    }

    /// The grants that let in now.
    pub fn running(&self, now: Timestamp) -> impl Iterator<Item = &Grant> {
        self.grants.iter().filter(move |grant| grant.runs(now))
    }
}

fn is_for_the_api(rule: &Rule) -> bool {
    let ports = match rule.ports.split_once('-') {
        _ if rule.ports == "all" => Some((0, u16::MAX)),
        Some((from, to)) => from.parse().ok().zip(to.parse().ok()),
        None => rule.ports.parse().ok().map(|port: u16| (port, port)),
    };
    matches!(rule.protocol.as_str(), "tcp" | "all")
        && ports.is_some_and(|(from, to)| (from..=to).contains(&PUBLIC_API_PORT))
}

/// The gate of one cluster's API.
pub trait Gate: Send + Sync {
    /// Who may come in; nothing while the cluster has no gate.
    fn admission(&self) -> BoxFuture<'_, Result<Option<Admission>, Failure>>;

    /// Makes a grant. One for the same range becomes this one; a rule that lets the range in for good stays what it is.
    /// May be repeated.
    fn grant<'a>(&'a self, grant: &'a Grant) -> BoxFuture<'a, Result<(), Failure>>;

    /// Takes grants away, if they are still what they were. May be repeated.
    fn revoke<'a>(&'a self, grants: &'a [Grant]) -> BoxFuture<'a, Result<(), Failure>>;
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;
    use crate::resource::Bearer;

    fn rule(protocol: &str, ports: &str, peer: &str) -> Rule {
        Rule { protocol: protocol.to_owned(), ports: ports.to_owned(), peer: peer.into(), description: String::new() }
    }

    #[test]
    fn only_what_lets_in_to_the_api_counts() {
        let grant = Grant::new("203.0.113.7/32".parse().unwrap(), Timestamp::UNIX_EPOCH, Bearer::Run("r".to_owned()));
        let rules = [
            rule("tcp", "443", "10.1.0.0/16"),
            rule("tcp", "400-500", "10.2.0.0/16"),
            rule("all", "all", "10.3.0.0/16"),
            rule("tcp", "22", "10.4.0.0/16"),
            rule("udp", "443", "10.5.0.0/16"),
            rule("tcp", "443", "sg-1"),
            grant.rule(),
        ];
        let admission = Admission::of(&rules);
        let always: Vec<String> = admission.always.iter().map(ToString::to_string).collect();
        assert_eq!(always, ["10.1.0.0/16", "10.2.0.0/16", "10.3.0.0/16"]);
        assert_eq!(admission.grants, [grant]);
        assert!(admission.is_open(&"10.1.2.3/32".parse().unwrap()));
        assert!(!admission.is_open(&"10.0.0.0/8".parse().unwrap()), "a part is not all of it");
    }
}
