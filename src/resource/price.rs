//! The prices that the cost of a cluster is estimated with.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

/// A price of AWS in a region, in US dollars.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PriceName {
    /// An instance of this size with Linux on demand, per hour.
    Instance(String),
    /// An application load balancer, per hour.
    ApplicationLoadBalancer,
    /// The capacity units of an application load balancer, per hour.
    ApplicationLoadBalancerCapacity,
    /// A gp3 volume, per GB and month.
    Gp3,
    /// A hosted zone, per month.
    HostedZone,
    /// A network load balancer, per hour.
    LoadBalancer,
    /// The capacity units of a network load balancer, per hour.
    LoadBalancerCapacity,
    /// A managed control plane, per hour.
    ManagedControlPlane,
    /// A NAT gateway in one zone, per hour.
    NatGateway,
    /// Traffic through NAT gateways, per GB.
    NatGatewayTraffic,
    /// A public IPv4 address in use, per hour.
    PublicAddress,
    /// Storage in S3, per GB and month.
    ObjectStorage,
    /// Traffic between zones, per GB and direction.
    ZoneTransfer,
}

/// Prices as AWS's price list answers them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PriceAnswers {
    /// The amounts as decimal numbers. A price that the list does not have is missing.
    pub amounts: BTreeMap<PriceName, String>,
    /// The day of the newest of these prices, for example `2026-11-20`.
    pub published: Option<String>,
}

/// The names in a table of prices, except those of instances.
const NAMES: [(PriceName, &str); 12] = [
    (PriceName::ApplicationLoadBalancer, "application_load_balancer_hour"),
    (PriceName::ApplicationLoadBalancerCapacity, "application_load_balancer_lcu_hour"),
    (PriceName::Gp3, "gp3_gb_month"),
    (PriceName::HostedZone, "hosted_zone_month"),
    (PriceName::LoadBalancer, "load_balancer_hour"),
    (PriceName::LoadBalancerCapacity, "load_balancer_lcu_hour"),
    (PriceName::ManagedControlPlane, "managed_control_plane_hour"),
    (PriceName::NatGatewayTraffic, "nat_gateway_gb"),
    (PriceName::NatGateway, "nat_gateway_hour"),
    (PriceName::PublicAddress, "public_address_hour"),
    (PriceName::ObjectStorage, "s3_gb_month"),
    (PriceName::ZoneTransfer, "zone_transfer_gb"),
];
/// The beginning of the name of an instance's price.
const INSTANCE: &str = "instance_hour.";

impl PriceName {
    /// Returns all prices of a region beside those of instances.
    pub fn others() -> impl Iterator<Item = Self> {
        NAMES.into_iter().map(|(name, _)| name)
    }
}

impl fmt::Display for PriceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Instance(size) => write!(f, "{INSTANCE}{size}"),
            other => NAMES.iter().filter(|(name, _)| name == other).try_for_each(|(_, text)| f.write_str(text)),
        }
    }
}

/// Error of a text that is not the name of a price.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not the name of a price")]
pub struct NotAPriceName(pub String);

impl FromStr for PriceName {
    type Err = NotAPriceName;

    fn from_str(text: &str) -> Result<Self, NotAPriceName> {
        if let Some(size) = text.strip_prefix(INSTANCE) {
            return Ok(Self::Instance(size.to_owned()));
        }
        let found = NAMES.into_iter().find(|(_, name)| *name == text).map(|(name, _)| name);
        found.ok_or_else(|| NotAPriceName(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_read_as_it_is_written() {
        let instance = PriceName::Instance("m7i.large".to_owned());
        assert_eq!(instance.to_string(), "instance_hour.m7i.large");
        for name in PriceName::others().chain([instance]) {
            assert_eq!(name.to_string().parse(), Ok(name));
        }
        assert!("gp2_gb_month".parse::<PriceName>().is_err());
    }
}
