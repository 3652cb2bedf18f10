//! The address range of each zone's subnet: once chosen, it stays the zone's.
//!
//! A subnet is replaced by creating the new one before the old one is deleted, and AWS lets no two overlap. So a new zone
//! never gets a range that another zone has, or had.

use std::collections::{BTreeMap, BTreeSet};

use ipnet::Ipv4Net;

use super::BlueprintProblem;
use crate::spec::{Cluster, NatGateways, Network, Zone, parts_of_public, subnet_parts};

type AddressRanges = BTreeMap<Zone, Ipv4Net>;

/// The subnets of one sort, as the file leaves them.
struct WantedSubnets<'a> {
    /// The VPC.
    network: Ipv4Net,
    /// The range that each zone would have in a new cluster.
    first: &'a AddressRanges,
    /// The zones whose range is set in the file.
    given: &'a BTreeSet<Zone>,
    /// The parts of the VPC that a zone may have.
    parts: Vec<Ipv4Net>,
}

/// Returns the range of each zone's public subnet.
pub(super) fn public(network: &Network, pinned: &AddressRanges) -> Result<AddressRanges, BlueprintProblem> {
    let parts = parts_of_public(network.cidr, network.private.is_some());
    ranges(&WantedSubnets { network: network.cidr, first: &network.subnets, given: &network.given, parts }, pinned)
}

/// Returns the range of each zone's private subnet; none if machines are public.
pub(super) fn private(network: &Network, pinned: &AddressRanges) -> Result<AddressRanges, BlueprintProblem> {
    let Some(private) = &network.private else { return Ok(AddressRanges::new()) };
    // The last part has the public subnets.
    let mut parts = subnet_parts(network.cidr);
    parts.pop();
    ranges(&WantedSubnets { network: network.cidr, first: &private.subnets, given: &private.given, parts }, pinned)
}

/// Returns the range of each zone: the file's, else its previous one, else the part that a new cluster would choose, else
/// the first free one.
fn ranges(wanted: &WantedSubnets<'_>, pinned: &AddressRanges) -> Result<AddressRanges, BlueprintProblem> {
    let mut ranges: AddressRanges = wanted.first.clone();
    ranges.retain(|zone, _| wanted.given.contains(zone));
    let others: Vec<&Zone> = wanted.first.keys().filter(|zone| !wanted.given.contains(*zone)).collect();
    for &zone in &others {
        if let Some(range) =
            pinned.get(zone).filter(|range| wanted.network.contains(*range) && is_free(**range, ranges.values()))
        {
            ranges.insert(zone.clone(), *range);
        }
    }
    for zone in others {
        if !ranges.contains_key(zone) {
            let range = choose(wanted, zone, &ranges, pinned);
            let range =
                range.ok_or_else(|| BlueprintProblem::NoRoom { zone: zone.clone(), network: wanted.network })?;
            ranges.insert(zone.clone(), range);
        }
    }
    Ok(ranges)
}

/// Returns the zone of the NAT gateway that all zones share: its zone until now, or the first of the file.
pub(super) fn nat_zone(cluster: &Cluster, pinned: Option<&Zone>) -> Option<Zone> {
    let is_shared = cluster.network.private.as_ref().is_some_and(|private| private.nat == NatGateways::Shared);
    let kept = pinned.filter(|zone| cluster.zones.contains(zone));
    kept.or_else(|| cluster.zones.first()).filter(|_| is_shared).cloned()
}

/// Returns the ranges in use, and those of zones that the cluster has left, unless they are used again.
pub(super) fn remembered(ranges: &AddressRanges, pinned: &AddressRanges) -> AddressRanges {
    let mut all = ranges.clone();
    for (zone, range) in pinned {
        if is_free(*range, ranges.values()) {
            all.entry(zone.clone()).or_insert(*range);
        }
    }
    all
}

/// Returns a range for a zone without one. If every part was used before, one that is unused now is taken.
fn choose(wanted: &WantedSubnets<'_>, zone: &Zone, ranges: &AddressRanges, pinned: &AddressRanges) -> Option<Ipv4Net> {
    let first = wanted.first.get(zone);
    let candidates: Vec<Ipv4Net> = first.into_iter().chain(&wanted.parts).copied().collect();
    let free = |range: &&Ipv4Net| is_free(**range, ranges.values());
    let never_used = candidates.iter().filter(free).find(|range| is_free(**range, pinned.values()));
    never_used.or_else(|| candidates.iter().find(free)).copied()
}

fn is_free<'a>(range: Ipv4Net, mut others: impl Iterator<Item = &'a Ipv4Net>) -> bool {
    !others.any(|other| other.contains(&range) || range.contains(other))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::panic, clippy::unwrap_used, reason = "tests")]

    use proptest::prelude::*;

    use super::*;
    use crate::spec::{Cluster, parse};

    fn file(zones: &[&str], network: &str) -> Cluster {
        let zones: Vec<String> = zones.iter().map(|letter| format!("\"us-east-1{letter}\"")).collect();
        let text = format!(
            "name = \"c.example.com\"\nstate = \"file:./s\"\nzones = [{}]\n{network}\nmasters {{\n count = 1\n size = \"t3.medium\"\n}}\n\
             nodes \"w\" {{\n count = 1\n size = \"t3.medium\"\n}}\n",
            zones.join(", ")
        );
        let parsed = parse("cluster.hcl", &text, &BTreeMap::new());
        parsed.cluster.clone().unwrap_or_else(|_| panic!("{}", parsed.render(false, 80)))
    }

    fn zone(letter: &str) -> Zone {
        Zone::parse(&format!("us-east-1{letter}")).unwrap()
    }

    fn range(text: &str) -> Ipv4Net {
        text.parse().unwrap()
    }

    /// Returns the ranges after each file, with the pins carried on as in the record.
    fn lives(files: &[Cluster]) -> Vec<AddressRanges> {
        let mut pinned = AddressRanges::new();
        let mut all = Vec::new();
        for file in files {
            let ranges = public(&file.network, &pinned).unwrap();
            pinned = remembered(&ranges, &pinned);
            all.push(ranges);
        }
        all
    }

    #[test]
    fn a_zone_that_replaces_another_gets_an_unused_range() {
        let all = lives(&[file(&["d", "f"], ""), file(&["d", "a"], ""), file(&["f", "a"], "")]);
        assert_eq!(all[0][&zone("d")], range("172.20.32.0/19"));
        assert_eq!(all[0][&zone("f")], range("172.20.64.0/19"));
        assert_eq!(all[1][&zone("d")], range("172.20.32.0/19"));
        assert_eq!(all[1][&zone("a")], range("172.20.96.0/19"));
        assert_eq!(all[2][&zone("f")], range("172.20.64.0/19"), "its own again");
    }

    #[test]
    fn the_order_of_zones_in_the_file_moves_nothing() {
        let all = lives(&[file(&["d", "f"], ""), file(&["f", "d"], "")]);
        assert_eq!(all[0], all[1]);
    }

    #[test]
    fn what_the_file_gives_wins_over_what_another_zone_had() {
        let given = "network {\n subnets = { \"us-east-1a\" = \"172.20.32.0/20\" }\n}";
        let pinned = AddressRanges::from([(zone("d"), range("172.20.32.0/19"))]);
        let ranges = public(&file(&["a", "d"], given).network, &pinned).unwrap();
        assert_eq!(ranges[&zone("a")], range("172.20.32.0/20"));
        assert_eq!(ranges[&zone("d")], range("172.20.64.0/19"));
    }

    #[test]
    fn a_range_that_is_free_now_is_used_again_if_all_were_used() {
        let pinned: AddressRanges = subnet_parts(range("172.20.0.0/16"))
            .into_iter()
            .zip(["b", "c", "d", "e", "f", "g", "h", "i"])
            .map(|(range, letter)| (zone(letter), range))
            .collect();
        let ranges = public(&file(&["a", "b"], "").network, &pinned).unwrap();
        assert_eq!(ranges[&zone("b")], range("172.20.32.0/19"));
        assert!(is_free(ranges[&zone("a")], [ranges[&zone("b")]].iter()));
        assert!(
            !remembered(&ranges, &pinned).iter().any(|(one, range)| *one != zone("a") && *range == ranges[&zone("a")])
        );
    }

    proptest! {
        #[test]
        fn whatever_zones_come_and_go_no_range_is_ever_in_the_way(
            lists in prop::collection::vec(prop::sample::subsequence(vec!["a", "b", "c", "d", "e", "f"], 1..=4), 2..6),
            turns in prop::collection::vec(any::<prop::sample::Index>(), 6),
        ) {
            let files: Vec<Cluster> = lists.iter().zip(&turns).map(|(list, turn)| {
                let mut list = list.clone();
                let by = turn.index(list.len());
                list.rotate_left(by);
                file(&list, "")
            }).collect();
            for pair in lives(&files).windows(2) {
                let (before, now) = (&pair[0], &pair[1]);
                for (zone, range) in now {
                    prop_assert!(is_free(*range, now.iter().filter(|(other, _)| *other != zone).map(|(_, range)| range)));
                    match before.get(zone) {
                        Some(had) => prop_assert_eq!(had, range, "{} keeps its range", zone),
                        None => prop_assert!(is_free(*range, before.values()), "{zone} stands beside all that were there"),
                    }
                }
            }
        }
    }
}
