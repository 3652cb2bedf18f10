//! The spread of things over zones.

use std::collections::BTreeMap;

/// The machines of a node group by zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum MachineSpread {
    /// Machines that run.
    Placed(BTreeMap<String, u64>),
    /// Machines that the group has yet to start: evenly over its zones, but AWS chooses which zones get one more.
    Even {
        /// The number of machines.
        count: u64,
        /// The zones.
        zones: Vec<String>,
    },
}

impl MachineSpread {
    /// Returns the number of machines.
    pub(super) fn count(&self) -> u64 {
        match self {
            Self::Placed(zones) => zones.values().sum(),
            Self::Even { count, .. } => *count,
        }
    }

    /// Returns the zones that it may have machines in.
    pub(super) fn zones(&self) -> impl Iterator<Item = &str> {
        let (placed, even) = match self {
            Self::Placed(zones) => (Some(zones), None),
            Self::Even { zones, .. } => (None, Some(zones)),
        };
        placed.into_iter().flat_map(BTreeMap::keys).chain(even.into_iter().flatten()).map(String::as_str)
    }

    /// Returns the machines of each zone. Where some zones get one more, those with the lowest rank get it.
    pub(super) fn by_zone(&self, rank: impl Fn(&str) -> u8) -> BTreeMap<&str, u64> {
        match self {
            Self::Placed(zones) => zones.iter().map(|(zone, count)| (zone.as_str(), *count)).collect(),
            Self::Even { count, zones } => evenly(*count, zones.iter().map(String::as_str), rank),
        }
    }
}

/// Spreads a number evenly over zones; those with the lowest rank get the rest.
pub(in crate::analysis) fn evenly<'a>(
    count: u64,
    zones: impl Iterator<Item = &'a str>,
    rank: impl Fn(&str) -> u8,
) -> BTreeMap<&'a str, u64> {
    let mut zones: Vec<&str> = zones.collect();
    zones.sort_by_key(|zone| (rank(zone), *zone));
    zones.dedup();
    let number = u64::try_from(zones.len()).unwrap_or(u64::MAX).max(1);
    let (each, rest) = (count / number, count % number);
    zones.into_iter().zip(0_u64..).map(|(zone, place)| (zone, each + u64::from(place < rest))).collect()
}
