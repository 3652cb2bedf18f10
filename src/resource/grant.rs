//! Who may reach the Kubernetes API for a while: one ingress rule each, whose description says until when and for whom.
//!
//! A grant needs no memory but itself: whoever reads the rule (a plan, another machine, a master's timer) knows that it
//! ends, and when.

use core::fmt;

use ipnet::Ipv4Net;
use jiff::{SignedDuration, Timestamp};

use super::Rule;
use crate::engine::Input;

/// The port that the API's load balancer listens on.
pub const PUBLIC_API_PORT: u16 = 443;
/// The longest that anybody is let in for.
pub const LONGEST_GRANT: SignedDuration = SignedDuration::from_hours(24);

/// What the description of a grant begins with. The masters' script knows it too.
const WORDS: &str = "quorate grant until ";
/// A moment in a description: always in UTC and of the same length, so that scripts compare it as text.
const MOMENT: &str = "%Y-%m-%dT%H:%M:%SZ";
/// How much of a bearer a description holds: EC2 takes 255 characters for the whole.
const LONGEST_BEARER: usize = 200;
/// How far clocks may differ.
const SKEW: SignedDuration = SignedDuration::from_mins(5);

/// A range of addresses that may reach the API until it ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// The addresses.
    pub range: Ipv4Net,
    /// When it ends, in whole seconds.
    pub until: Timestamp,
    /// Who asked for it.
    pub bearer: Bearer,
}

/// Who asked for a grant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Bearer {
    /// A run of the program, by its id: it takes the grant away when it ends.
    Run(String),
    /// Somebody, for example `ada on laptop`.
    Person(String),
}

impl Grant {
    /// A grant until a moment. What a description cannot hold of the bearer is left out.
    pub fn new(range: Ipv4Net, until: Timestamp, bearer: Bearer) -> Self {
        let until = Timestamp::from_second(until.as_second()).unwrap_or(until);
        let bearer = match bearer {
            Bearer::Run(run) => Bearer::Run(plain(&run)),
            Bearer::Person(who) => Bearer::Person(plain(&who)),
        };
        Self { range: range.trunc(), until, bearer }
    }

    /// The grant that a rule is, whether it still runs or not; nothing if it is any other rule.
    pub fn of(rule: &Rule) -> Option<Self> {
        if rule.protocol != "tcp" || rule.ports != PUBLIC_API_PORT.to_string() {
            return None;
        }
        let range: Ipv4Net = rule.peer.known()?.parse().ok()?;
        let (until, bearer) = read(&rule.description)?;
        Some(Self { range, until, bearer })
    }

    /// The rule that it is.
    pub fn rule(&self) -> Rule {
        Rule {
            protocol: "tcp".to_owned(),
            ports: PUBLIC_API_PORT.to_string(),
            peer: Input::from(self.range.to_string()),
            description: format!("{WORDS}{} {}", self.until.strftime(MOMENT), self.bearer),
        }
    }

    /// Whether it lets in now. One that claims to run for longer than anybody may be let in for is none: nobody hides a
    /// way in behind our words.
    pub fn runs(&self, now: Timestamp) -> bool {
        let left = self.until.duration_since(now);
        left.is_positive() && left <= LONGEST_GRANT + SKEW
    }

    /// Whether all of a range may come in by it.
    pub fn covers(&self, range: &Ipv4Net) -> bool {
        self.range.contains(range)
    }
}

impl fmt::Display for Bearer {
    /// As in a description: `for run 6c1f…`, `by ada on laptop`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Run(run) => write!(f, "for run {run}"),
            Self::Person(who) => write!(f, "by {who}"),
        }
    }
}

/// The end and the bearer in a description.
fn read(description: &str) -> Option<(Timestamp, Bearer)> {
    let (moment, bearer) = description.strip_prefix(WORDS)?.split_once(' ')?;
    let until: Timestamp = moment.parse().ok()?;
    // Only in the form in which scripts compare it.
    if until.strftime(MOMENT).to_string() != moment {
        return None;
    }
    let bearer = match (bearer.strip_prefix("for run "), bearer.strip_prefix("by ")) {
        (Some(run), _) => Bearer::Run(run.to_owned()),
        (_, Some(who)) => Bearer::Person(who.to_owned()),
        _ => return None,
    };
    Some((until, bearer))
}

/// What EC2 takes in a description: letters, digits, spaces and some signs.
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

    fn grant(range: &str, minutes: i64) -> Grant {
        let until = NOW + SignedDuration::from_mins(minutes);
        Grant::new(range.parse().unwrap(), until, Bearer::Person("ada on laptop".to_owned()))
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
        let described = |description: &str| Rule { description: description.to_owned(), ..rule.clone() };
        let others = [
            described(""),
            described("api.allow in the cluster file"),
            described("quorate grant until tomorrow by ada on laptop"),
            described("quorate grant until 2026-11-22T21:00:00.5Z by ada on laptop"),
            described("quorate grant until 2026-11-22T21:00:00+00:00 by ada on laptop"),
            described("quorate grant until 2026-11-22T21:00:00Z"),
            described("quorate grant until 2026-11-22T21:00:00Z ada"),
            Rule { ports: "22".to_owned(), ..rule.clone() },
            Rule { ports: "all".to_owned(), ..rule.clone() },
            Rule { protocol: "all".to_owned(), ..rule.clone() },
            Rule { peer: "sg-1".into(), ..rule.clone() },
            Rule { peer: "::/0".into(), ..rule },
        ];
        for other in others {
            assert_eq!(Grant::of(&other), None, "{other:?}");
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
            let bearer = if run { Bearer::Run(text) } else { Bearer::Person(text) };
            let grant = Grant::new(range, until, bearer);
            let rule = grant.rule();
            prop_assert!(rule.description.len() <= 255);
            let ec2_takes = |c: char| c.is_ascii_alphanumeric() || " ._-:/()#,@[]+=&;{}!$*".contains(c);
            prop_assert!(rule.description.chars().all(ec2_takes), "{}", rule.description);
            prop_assert_eq!(Grant::of(&rule), Some(grant));
        }

        #[test]
        fn a_rule_is_read_without_harm_whatever_it_says(description in any::<String>(), rest in any::<String>()) {
            for description in [description, format!("{WORDS}{rest}")] {
                let rule = Rule { description, ..grant("203.0.113.7/32", 60).rule() };
                if let Some(read) = Grant::of(&rule) {
                    prop_assert_eq!(read.rule(), rule);
                }
            }
        }
    }
}
