//! Defaults of the settings that a file leaves out, and how they depend on other settings.

use core::net::Ipv4Addr;
use std::collections::BTreeMap;

use ipnet::Ipv4Net;

use super::cluster::Zone;

/// Default number of masters.
pub(super) const MASTERS: u32 = 3;
/// The root volume of a master, GiB: the system, the control plane's images, logs.
pub(super) const MASTER_ROOT_GIB: u32 = 30;
/// The etcd volume of a master, GiB: etcd's own limit is 8, and gp3 is cheap.
pub(super) const ETCD_GIB: u32 = 20;
/// Default retention of etcd snapshots, in days: a mistake made on Friday evening can still be repaired on Monday.
pub(super) const KEEP_DAYS: u32 = 7;
/// The root volume of a node, GiB: images, logs and ephemeral volumes of up to 110 pods.
pub(super) const NODE_ROOT_GIB: u32 = 60;
/// Default number of pods of a service.
pub(super) const REPLICAS: u32 = 1;

/// The namespace of a service that names none.
pub(super) const NAMESPACE: &str = "default";
/// Default TLS policy of a listener: TLS 1.2 and 1.3, no broken ciphers. The default of ELB's API still accepts 1.0.
pub(super) const TLS_POLICY: &str = "ELBSecurityPolicy-TLS13-1-2-2021-06";
/// Default time in seconds after which a connection of the web without traffic is closed: the default of ELB.
pub(super) const WEB_IDLE_SECONDS: u32 = 60;
/// Default address range that may connect to a load balancer: all addresses.
pub(super) const EVERYBODY: Ipv4Net = Ipv4Net::new_assert(Ipv4Addr::UNSPECIFIED, 0);

/// The VPC's range.
pub(super) const VPC: Ipv4Net = Ipv4Net::new_assert(Ipv4Addr::new(172, 20, 0, 0), 16);
/// Pod addresses.
pub(super) const PODS: Ipv4Net = Ipv4Net::new_assert(Ipv4Addr::new(100, 96, 0, 0), 11);
/// Service addresses.
pub(super) const SERVICES: Ipv4Net = Ipv4Net::new_assert(Ipv4Addr::new(100, 64, 0, 0), 13);

/// Additional prefix bits of a subnet, compared with its VPC.
pub(super) const SUBNET_BITS: u8 = 3;
/// Longest prefix of a subnet that AWS accepts.
pub(super) const SUBNET_LONGEST: u8 = 28;

/// Returns the zone of each master: round robin in zone order.
pub(super) fn master_zones(count: u32, zones: &[Zone]) -> Vec<Zone> {
    zones.iter().cycle().take(usize::try_from(count).unwrap_or(usize::MAX)).cloned().collect()
}

/// Returns the parts of a VPC for its zones, in order; no parts for a VPC that is too small for eight.
///
/// Parts are counted from the second one, as kops does; the first is for an eighth zone.
pub fn subnet_parts(vpc: Ipv4Net) -> Vec<Ipv4Net> {
    let prefix = vpc.prefix_len() + SUBNET_BITS;
    if prefix > SUBNET_LONGEST {
        return Vec::new();
    }
    let mut parts: Vec<Ipv4Net> = vpc.subnets(prefix).map(Iterator::collect).unwrap_or_default();
    parts.rotate_left(1);
    parts
}

/// Returns the parts of a VPC for the public subnets of a cluster with private machines, in order: parts of the part for an
/// eighth zone. No parts for a VPC in which they would be too small for AWS.
fn public_subnet_parts(vpc: Ipv4Net) -> Vec<Ipv4Net> {
    subnet_parts(vpc).last().map(|eighth| subnet_parts(*eighth)).unwrap_or_default()
}

/// Returns the parts of a VPC for its public subnets.
pub fn parts_of_public(vpc: Ipv4Net, has_private: bool) -> Vec<Ipv4Net> {
    if has_private { public_subnet_parts(vpc) } else { subnet_parts(vpc) }
}

/// Returns the subnet of each zone: the given one, or the zone's part of the VPC. Zones without a
/// part of the VPC are left out.
pub(super) fn subnets(parts: Vec<Ipv4Net>, zones: &[Zone], given: &BTreeMap<Zone, Ipv4Net>) -> BTreeMap<Zone, Ipv4Net> {
    let mut subnets: BTreeMap<Zone, Ipv4Net> = zones.iter().cloned().zip(parts).collect();
    subnets.extend(given.iter().map(|(zone, subnet)| (zone.clone(), *subnet)));
    subnets
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn zones(letters: &str) -> Vec<Zone> {
        letters.chars().map(|letter| Zone::parse(&format!("us-east-1{letter}")).unwrap()).collect()
    }

    fn parts(vpc: &str, letters: &str) -> Vec<String> {
        let subnets = subnets(subnet_parts(vpc.parse().unwrap()), &zones(letters), &BTreeMap::new());
        subnets.values().map(ToString::to_string).collect()
    }

    #[test]
    fn subnets_follow_the_vpc() {
        assert_eq!(parts("172.20.0.0/16", "abc"), ["172.20.32.0/19", "172.20.64.0/19", "172.20.96.0/19"]);
        assert_eq!(parts("10.0.0.0/20", "ab"), ["10.0.2.0/23", "10.0.4.0/23"]);
        assert_eq!(parts("172.20.0.0/16", "abcdefgh").last().unwrap(), "172.20.0.0/19");
        assert_eq!(parts("10.0.0.0/26", "a").len(), 0);
    }

    #[test]
    fn public_subnets_beside_private_ones_are_parts_of_the_eighth() {
        let of = |vpc: &str| public_subnet_parts(vpc.parse().unwrap());
        assert_eq!(of("172.20.0.0/16")[..2], ["172.20.4.0/22".parse().unwrap(), "172.20.8.0/22".parse().unwrap()]);
        assert_eq!(of("10.0.0.0/22").len(), 8);
        assert_eq!(of("10.0.0.0/23"), [], "they would be longer than a /28");
    }

    #[test]
    fn masters_go_round_the_zones() {
        let placed = master_zones(3, &zones("df"));
        let names: Vec<&str> = placed.iter().map(Zone::as_str).collect();
        assert_eq!(names, ["us-east-1d", "us-east-1f", "us-east-1d"]);
        assert!(master_zones(3, &[]).is_empty());
    }
}
