//! Temporary access to the Kubernetes API: one ingress rule for each grant, whose description has its end and its bearer.
//!
//! A grant is not recorded anywhere else: every reader of the rule (a plan, another machine, a master's timer) sees that it
//! expires, and when.

use core::fmt;

use ipnet::Ipv4Net;
use jiff::{SignedDuration, Timestamp};

use super::GroupRule;
use crate::engine::TextInput;

/// The port that the API's load balancer listens on.
pub const PUBLIC_API_PORT: u16 = 443;
/// Maximum duration of a grant.
pub const LONGEST_GRANT: SignedDuration = SignedDuration::from_hours(24);

/// The prefix of the description of a grant. The masters' script contains it too.
const WORDS: &str = "quorate grant until ";
/// The format of a timestamp in a description: always in UTC and of the same length, so that scripts compare it as text.
const MOMENT: &str = "%Y-%m-%dT%H:%M:%SZ";
/// Maximum number of characters of a bearer in a description: EC2 allows 255 characters in all.
const LONGEST_BEARER: usize = 200;
/// Maximum difference between clocks.
const SKEW: SignedDuration = SignedDuration::from_mins(5);

/// A range of addresses that may reach the API until the grant expires.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessGrant {
    /// The addresses.
    pub range: Ipv4Net,
    /// The time at which it expires, in whole seconds.
    pub until: Timestamp,
    /// The requester.
    pub bearer: Grantee,
}

/// The requester of a grant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Grantee {
    /// A run of the program, by its id: it revokes the grant when it ends.
    Run(String),
    /// A person, for example `ada on laptop`.
    Person(String),
}

impl AccessGrant {
    /// Creates a grant. Characters of the bearer that a description cannot contain are left out.
    pub fn new(range: Ipv4Net, until: Timestamp, bearer: Grantee) -> Self {
        let until = Timestamp::from_second(until.as_second()).unwrap_or(until);
        let bearer = match bearer {
            Grantee::Run(run) => Grantee::Run(plain(&run)),
            Grantee::Person(who) => Grantee::Person(plain(&who)),
        };
        Self { range: range.trunc(), until, bearer }
    }

    /// Parses a rule as a grant, valid or expired; `None` if it is any other rule.
    pub fn of(rule: &GroupRule) -> Option<Self> {
        if rule.protocol != "tcp" || rule.ports != PUBLIC_API_PORT.to_string() {
            return None;
        }
        let range: Ipv4Net = rule.peer.known()?.parse().ok()?;
        let (until, bearer) = read(&rule.description)?;
        Some(Self { range, until, bearer })
    }

    /// Returns the rule of the grant.
    pub fn rule(&self) -> GroupRule {
        GroupRule {
            protocol: "tcp".to_owned(),
            ports: PUBLIC_API_PORT.to_string(),
            peer: TextInput::from(self.range.to_string()),
            description: format!("{WORDS}{} {}", self.until.strftime(MOMENT), self.bearer),
        }
    }

    /// Returns `true` if the grant is valid now. One that ends later than the maximum duration allows is not: a permanent rule
    /// cannot be disguised as a grant.
    pub fn runs(&self, now: Timestamp) -> bool {
        let left = self.until.duration_since(now);
        left.is_positive() && left <= LONGEST_GRANT + SKEW
    }

    /// Returns `true` if the grant allows the whole range.
    pub fn covers(&self, range: &Ipv4Net) -> bool {
        self.range.contains(range)
    }
}

impl fmt::Display for Grantee {
    /// Formats the bearer as in a description: `for run 6c1f…`, `by ada on laptop`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Run(run) => write!(f, "for run {run}"),
            Self::Person(who) => write!(f, "by {who}"),
        }
    }
}

/// Parses the end and the bearer in a description.
fn read(description: &str) -> Option<(Timestamp, Grantee)> {
    let (moment, bearer) = description.strip_prefix(WORDS)?.split_once(' ')?;
    let until: Timestamp = moment.parse().ok()?;
    // Accepts only the form that scripts compare.
    if until.strftime(MOMENT).to_string() != moment {
        return None;
    }
    let bearer = match (bearer.strip_prefix("for run "), bearer.strip_prefix("by ")) {
        (Some(run), _) => Grantee::Run(run.to_owned()),
        (_, Some(who)) => Grantee::Person(who.to_owned()),
        _ => return None,
    };
    Some((until, bearer))
}

/// Removes characters that EC2 does not allow in a description: all but letters, digits, spaces and some signs.
fn plain(text: &str) -> String {
    let known = |c: char| c.is_ascii_alphanumeric() || " ._-:/()#,@[]+=&;{}!$*".contains(c);
    let text: String = text.chars().map(|c| if known(c) { c } else { '-' }).take(LONGEST_BEARER).collect();
    if text.trim().is_empty() { "somebody".to_owned() } else { text.trim().to_owned() }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use proptest::prelude::*;

    use super::*;

    const NOW: Timestamp = Timestamp::constant(1_795_377_600, 0);

    fn grant(range: &str, minutes: i64) -> AccessGrant {
        let until = NOW + SignedDuration::from_mins(minutes);
        AccessGrant::new(range.parse().unwrap(), until, Grantee::Person("ada on laptop".to_owned()))
    }

    #[test]
    fn a_grant_is_a_rule_that_people_and_scripts_can_read() {
        let rule = grant("203.0.113.7/32", 60).rule();
        assert_eq!(
            (rule.protocol.as_str(), rule.ports.as_str(), rule.peer.known()),
            ("tcp", "443", Some("203.0.113.7/32"))
        );
        assert_eq!(rule.description, "quorate grant until 2026-11-22T21:00:00Z by ada on laptop");
    }

    #[test]
    fn any_other_rule_is_no_grant() {
        let rule = grant("203.0.113.7/32", 60).rule();
        let described = |description: &str| GroupRule { description: description.to_owned(), ..rule.clone() };
        let others = [
            described(""),
            described("api.allow in the cluster file"),
            described("quorate grant until tomorrow by ada on laptop"),
            described("quorate grant until 2026-11-22T21:00:00.5Z by ada on laptop"),
            described("quorate grant until 2026-11-22T21:00:00+00:00 by ada on laptop"),
            described("quorate grant until 2026-11-22T21:00:00Z"),
            described("quorate grant until 2026-11-22T21:00:00Z ada"),
            GroupRule { ports: "22".to_owned(), ..rule.clone() },
            GroupRule { ports: "all".to_owned(), ..rule.clone() },
            GroupRule { protocol: "all".to_owned(), ..rule.clone() },
            GroupRule { peer: "sg-1".into(), ..rule.clone() },
            GroupRule { peer: "::/0".into(), ..rule },
        ];
        for other in others {
            assert_eq!(AccessGrant::of(&other), None, "{other:?}");
        }
    }

    #[test]
    fn a_grant_runs_until_its_end_and_never_for_longer_than_allowed() {
        assert!(grant("203.0.113.7/32", 1).runs(NOW));
        assert!(grant("203.0.113.7/32", 24 * 60).runs(NOW));
        assert!(!grant("203.0.113.7/32", 0).runs(NOW));
        assert!(!grant("203.0.113.7/32", -1).runs(NOW));
        assert!(!grant("203.0.113.7/32", 25 * 60).runs(NOW), "a way in that never closes");
    }

    proptest! {
        #[test]
        fn a_grant_survives_its_rule_and_fits_into_it(
            address: u32,
            length in 0_u8..=32,
            seconds in 0_i64..4_000_000_000,
            nanoseconds in 0_i32..1_000_000_000,
            text in any::<String>(),
            run: bool,
        ) {
            let range = Ipv4Net::new(address.into(), length).unwrap();
            let until = Timestamp::new(seconds, nanoseconds).unwrap();
            let bearer = if run { Grantee::Run(text) } else { Grantee::Person(text) };
            let grant = AccessGrant::new(range, until, bearer);
            let rule = grant.rule();
            prop_assert!(rule.description.len() <= 255);
            let ec2_takes = |c: char| c.is_ascii_alphanumeric() || " ._-:/()#,@[]+=&;{}!$*".contains(c);
            prop_assert!(rule.description.chars().all(ec2_takes), "{}", rule.description);
            prop_assert_eq!(AccessGrant::of(&rule), Some(grant));
        }

        #[test]
        fn any_description_of_a_rule_is_read_without_a_panic(description in any::<String>(), rest in any::<String>()) {
            for description in [description, format!("{WORDS}{rest}")] {
                let rule = GroupRule { description, ..grant("203.0.113.7/32", 60).rule() };
                if let Some(read) = AccessGrant::of(&rule) {
                    prop_assert_eq!(read.rule(), rule);
                }
            }
        }
    }
}
