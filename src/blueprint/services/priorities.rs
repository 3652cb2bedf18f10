//! The priorities of the rules of the load balancer of the web.
//!
//! The rule with the smallest number that fits a request is used, so a longer path has a smaller number than a shorter one. A rule
//! keeps its number for its life: if rules moved, two could want the same one at the same moment.

use std::collections::{BTreeMap, BTreeSet};

use crate::blueprint::Pins;
use crate::blueprint::names::sha256;
use crate::spec::Cluster;

/// Number of priorities for paths of one length: more than rules on a load balancer, and those of all lengths fit into AWS's
/// 50,000.
const BAND: u32 = 390;
/// The length of the longest path with a band of its own; those of longer paths share it.
const LONGEST: u32 = 127;

/// Returns the name of a rule: its host and path.
pub(super) fn rule_name(host: &str, path: &str) -> String {
    if path == "/" { host.to_owned() } else { format!("{host}{path}") }
}

/// Returns the priority of each rule by its name: its previous one, or a free one in the band of its path.
///
/// A free one is searched from a place that follows from the name, so that a lost record changes few of them. Priorities of
/// rules that leave are free once they are gone.
pub(in crate::blueprint) fn rule_priorities(cluster: &Cluster, pins: &Pins) -> BTreeMap<String, u32> {
    let places = cluster.services.values().filter_map(|service| service.http.as_ref());
    let places = places.flat_map(|http| http.hosts.iter().map(|host| (rule_name(host, &http.path), band(&http.path))));
    let places: BTreeMap<String, u32> = places.collect();
    let mut taken: BTreeSet<u32> = pins.rule_priorities.values().copied().collect();
    let mut priorities = BTreeMap::new();
    for (name, band) in places {
        let pinned = pins.rule_priorities.get(&name).copied().filter(|pinned| (band..band + BAND).contains(pinned));
        let free = || {
            let start = u32::from_str_radix(&sha256(name.as_bytes())[..7], 16).unwrap_or_default();
            (0..BAND).map(|step| band + (start + step) % BAND).find(|priority| !taken.contains(priority))
        };
        if let Some(priority) = pinned.or_else(free) {
            taken.insert(priority);
            priorities.insert(name, priority);
        }
    }
    priorities
}

/// Returns the first priority for paths of this length.
fn band(path: &str) -> u32 {
    let length = u32::try_from(path.len()).unwrap_or(LONGEST).min(LONGEST);
    1 + (LONGEST - length) * BAND
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, reason = "tests")]
mod tests {
    use super::*;
    use crate::spec::parse;

    fn priorities(places: &[(&str, &str)], pins: &BTreeMap<String, u32>) -> BTreeMap<String, u32> {
        let services = places.iter().enumerate().map(|(number, (host, path))| {
            format!(
                "service \"s{number}\" {{\nimage = \"web:1\"\nport = 80\nhttp {{\nhost = \"{host}\"\npath = \"{path}\"\n}}\n}}\n"
            )
        });
        let text = format!(
            "name = \"example.com\"\nstate = \"file:./state\"\nzones = [\"us-east-1a\", \"us-east-1b\"]\n\
             masters {{\nsize = \"m7g.large\"\n}}\n{}",
            services.collect::<String>()
        );
        let parsed = parse("cluster.hcl", &text, &BTreeMap::new());
        let cluster = parsed.cluster.clone().unwrap_or_else(|_| panic!("{}", parsed.render(false, 80)));
        rule_priorities(&cluster, &Pins { rule_priorities: pins.clone(), ..Pins::default() })
    }

    #[test]
    fn a_longer_path_comes_first_and_all_fit() {
        let long = format!("/{}", "a".repeat(125));
        let found = priorities(&[("a", "/"), ("a", "/api"), ("a", "/api/v2"), ("a", &long)], &BTreeMap::new());
        let of = |path: &str| found[&format!("a.example.com{path}")];
        assert!(of(&long) < of("/api/v2") && of("/api/v2") < of("/api") && of("/api") < of(""));
        assert!(of(&long) >= 1 && of("") <= 50_000);
    }

    #[test]
    fn a_rule_keeps_its_priority_whatever_comes_and_goes() {
        let before = priorities(&[("b", "/"), ("c", "/api")], &BTreeMap::new());
        let after = priorities(&[("a", "/"), ("b", "/"), ("c", "/api"), ("d", "/")], &before);
        assert!(before.iter().all(|(name, priority)| after[name] == *priority));
        assert_eq!(after.values().collect::<BTreeSet<_>>().len(), 4, "each its own");
        assert_eq!(priorities(&[("b", "/"), ("c", "/api")], &BTreeMap::new()), before, "a lost record");
    }

    #[test]
    fn a_priority_that_is_about_to_be_free_is_not_given_away_yet() {
        let first = priorities(&[("a", "/")], &BTreeMap::new());
        let taken = BTreeMap::from([("gone.example.com".to_owned(), first["a.example.com"])]);
        assert_ne!(priorities(&[("a", "/")], &taken), first);
    }
}
