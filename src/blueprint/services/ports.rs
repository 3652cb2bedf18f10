//! The port that every machine has for a service behind a load balancer.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

use crate::blueprint::{Pins, Problem};
use crate::spec::Cluster;

/// The ports that are given out by hand. Kubernetes itself takes one of the others (30086 to 32767) for a service that
/// names none.
const BAND: RangeInclusive<u16> = 30_000..=30_085;

/// The port of each service behind a load balancer: the one that it had, or the first that is free.
pub(in crate::blueprint) fn node_ports(cluster: &Cluster, pins: &Pins) -> Result<BTreeMap<String, u16>, Problem> {
    let balanced: Vec<&String> =
        cluster.services.iter().filter(|(_, service)| service.nlb.is_some()).map(|(name, _)| name).collect();
    if balanced.len() > BAND.len() {
        return Err(Problem::TooManyBalancers { found: balanced.len(), most: BAND.len() });
    }
    let mut ports: BTreeMap<String, u16> = BTreeMap::new();
    let mut taken: BTreeSet<u16> = BTreeSet::new();
    for name in &balanced {
        if let Some(port) = pins.node_ports.get(*name).filter(|port| BAND.contains(port) && taken.insert(**port)) {
            ports.insert((*name).clone(), *port);
        }
    }
    let mut free = BAND.filter(|port| !taken.contains(port));
    for name in balanced {
        if !ports.contains_key(name) {
            ports.extend(free.next().map(|port| (name.clone(), port)));
        }
    }
    Ok(ports)
}
