//! The prices that are shipped with the program.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::analysis::Money;
use crate::resource::{PriceAnswers, PriceName};

/// The table that is shipped.
const SHIPPED: &str = include_str!("../../../data/prices.toml");

/// Prices by region. A price that is not in the table is unknown.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct PriceTable {
    regions: BTreeMap<String, RegionPrices>,
}

/// The prices of a region, in US dollars.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RegionPrices {
    /// The day of AWS's price list, for example `2026-07-20`.
    pub(super) date: String,
    /// The day of the list that further prices were asked from.
    #[serde(skip)]
    pub(super) asked: Option<String>,
    /// Instances with Linux on demand, per hour, by size.
    #[serde(default)]
    pub(super) instance_hour: BTreeMap<String, Money>,
    pub(super) application_load_balancer_hour: Option<Money>,
    pub(super) application_load_balancer_lcu_hour: Option<Money>,
    pub(super) gp3_gb_month: Option<Money>,
    pub(super) hosted_zone_month: Option<Money>,
    pub(super) load_balancer_hour: Option<Money>,
    pub(super) load_balancer_lcu_hour: Option<Money>,
    pub(super) managed_control_plane_hour: Option<Money>,
    pub(super) nat_gateway_gb: Option<Money>,
    pub(super) nat_gateway_hour: Option<Money>,
    pub(super) public_address_hour: Option<Money>,
    pub(super) s3_gb_month: Option<Money>,
    pub(super) zone_transfer_gb: Option<Money>,
}

/// The origin of prices.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PriceSource {
    /// The region that they hold for.
    pub region: String,
    /// The day of AWS's price list; `None` if no price of the region is known.
    pub date: Option<String>,
    /// The day of the list that further prices were asked from; absent if none were.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub asked: Option<String>,
}

/// A price of something whose amount is unknown before it is used: no sum contains it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsageRate {
    /// The thing that is used.
    pub usage: String,
    /// The unit that the price is for.
    pub unit: String,
    /// The price of a unit; `None` if it is unknown.
    pub price: Option<Money>,
}

impl PriceTable {
    /// Returns the prices that are shipped with the program.
    ///
    /// A table that cannot be read has no prices, so that all are unknown; a test reads it.
    pub fn shipped() -> Self {
        Self::parse(SHIPPED).unwrap_or_default()
    }

    /// Parses a table.
    ///
    /// # Errors
    /// Returns an error if the text is not TOML, has a name that is not a price, or an amount that is not exact.
    pub fn parse(text: &str) -> Result<Self, toml::de::Error> {
        toml::from_str(text)
    }

    /// Returns the table with the regions of another one in the place of its own.
    #[must_use]
    pub fn with(mut self, other: Self) -> Self {
        self.regions.extend(other.regions);
        self
    }

    /// Returns the prices of a region; all are unknown if the table has none.
    pub(super) fn region(&self, region: &str) -> RegionPrices {
        self.regions.get(region).cloned().unwrap_or_default()
    }

    /// Returns the origin of the prices of a region.
    pub(super) fn source(&self, region: &str) -> PriceSource {
        let prices = self.regions.get(region);
        PriceSource {
            region: region.to_owned(),
            date: prices.map(|prices| prices.date.clone()),
            asked: prices.and_then(|prices| prices.asked.clone()),
        }
    }

    /// Returns `true` if the table has prices of a region.
    pub fn has_region(&self, region: &str) -> bool {
        self.regions.contains_key(region)
    }

    /// Adds prices of a region that it does not have. An amount with more decimals than a price can have stays unknown.
    pub fn add(&mut self, region: &str, answers: &PriceAnswers) {
        let amounts = answers.amounts.iter().filter_map(|(name, amount)| Some((name, amount.parse::<Money>().ok()?)));
        let mut amounts = amounts.filter(|(_, amount)| *amount != Money::ZERO).peekable();
        if amounts.peek().is_none() {
            return;
        }
        let day = answers.published.clone().unwrap_or_default();
        let of_answers = || RegionPrices { date: day.clone(), ..RegionPrices::default() };
        let is_new = !self.has_region(region);
        let prices = self.regions.entry(region.to_owned()).or_insert_with(of_answers);
        if !is_new && !day.is_empty() {
            prices.asked = Some(day);
        }
        for (name, amount) in amounts {
            prices.set(name, amount);
        }
    }
}

impl RegionPrices {
    /// Returns a price; `None` if it is unknown.
    pub(super) fn price(&self, name: &PriceName) -> Option<Money> {
        match name {
            PriceName::Instance(size) => self.instance_hour.get(size).copied(),
            PriceName::ApplicationLoadBalancer => self.application_load_balancer_hour,
            PriceName::ApplicationLoadBalancerCapacity => self.application_load_balancer_lcu_hour,
            PriceName::Gp3 => self.gp3_gb_month,
            PriceName::HostedZone => self.hosted_zone_month,
            PriceName::LoadBalancer => self.load_balancer_hour,
            PriceName::LoadBalancerCapacity => self.load_balancer_lcu_hour,
            PriceName::ManagedControlPlane => self.managed_control_plane_hour,
            PriceName::NatGateway => self.nat_gateway_hour,
            PriceName::NatGatewayTraffic => self.nat_gateway_gb,
            PriceName::PublicAddress => self.public_address_hour,
            PriceName::ObjectStorage => self.s3_gb_month,
            PriceName::ZoneTransfer => self.zone_transfer_gb,
        }
    }

    /// Sets a price that is unknown.
    fn set(&mut self, name: &PriceName, amount: Money) {
        let price = match name {
            PriceName::Instance(size) => {
                self.instance_hour.entry(size.clone()).or_insert(amount);
                return;
            }
            PriceName::ApplicationLoadBalancer => &mut self.application_load_balancer_hour,
            PriceName::ApplicationLoadBalancerCapacity => &mut self.application_load_balancer_lcu_hour,
            PriceName::Gp3 => &mut self.gp3_gb_month,
            PriceName::HostedZone => &mut self.hosted_zone_month,
            PriceName::LoadBalancer => &mut self.load_balancer_hour,
            PriceName::LoadBalancerCapacity => &mut self.load_balancer_lcu_hour,
            PriceName::ManagedControlPlane => &mut self.managed_control_plane_hour,
            PriceName::NatGateway => &mut self.nat_gateway_hour,
            PriceName::NatGatewayTraffic => &mut self.nat_gateway_gb,
            PriceName::PublicAddress => &mut self.public_address_hour,
            PriceName::ObjectStorage => &mut self.s3_gb_month,
            PriceName::ZoneTransfer => &mut self.zone_transfer_gb,
        };
        price.get_or_insert(amount);
    }

    /// Returns the prices of what no sum contains, without those of NAT gateways and of the load balancer of the web where there are
    /// none.
    pub(super) fn rates(&self, has_nat_gateways: bool, is_on_the_web: bool) -> Vec<UsageRate> {
        let rate = |usage: &str, unit: &str, price| UsageRate { usage: usage.to_owned(), unit: unit.to_owned(), price };
        let nat = rate("traffic through NAT gateways", "GB", self.nat_gateway_gb);
        let web = rate("capacity units of the web load balancer", "LCU-hour", self.application_load_balancer_lcu_hour);
        let always = [
            rate("capacity units of network load balancers", "LCU-hour", self.load_balancer_lcu_hour),
            rate("traffic between zones", "GB and direction", self.zone_transfer_gb),
            rate("etcd snapshots in S3", "GB-month", self.s3_gb_month),
        ];
        let sometimes = [(has_nat_gateways, nat), (is_on_the_web, web)];
        let sometimes = sometimes.into_iter().filter(|(is_there, _)| *is_there).map(|(_, rate)| rate);
        always.into_iter().chain(sometimes).collect()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_table_is_read_and_has_a_date() {
        let table = PriceTable::parse(SHIPPED).unwrap();
        assert_eq!(table, PriceTable::shipped());
        let prices = table.region("us-east-1");
        assert_eq!(prices.date, "2026-07-20");
        assert_eq!(prices.instance_hour.len(), 29);
        assert_eq!(prices.instance_hour["c7i.large"].exact(), "0.08925");
        assert_eq!(prices.gp3_gb_month.unwrap().exact(), "0.08");
    }

    #[test]
    fn a_region_without_prices_has_none_and_no_date() {
        let table = PriceTable::shipped();
        assert_eq!(table.region("eu-central-1"), RegionPrices::default());
        assert_eq!(table.source("eu-central-1").date, None);
    }

    #[test]
    fn the_regions_of_another_table_take_the_place_of_shipped_ones() {
        let own =
            "[us-east-1]\ndate = \"2027-01-01\"\n[eu-central-1]\ndate = \"2027-01-02\"\ngp3_gb_month = \"0.0952\"\n";
        let table = PriceTable::shipped().with(PriceTable::parse(own).unwrap());
        assert_eq!(table.source("us-east-1").date.as_deref(), Some("2027-01-01"));
        assert_eq!(table.region("us-east-1").gp3_gb_month, None, "nothing is mixed");
        assert_eq!(table.region("eu-central-1").gp3_gb_month.unwrap().exact(), "0.0952");
    }

    fn answers(amounts: &[(PriceName, &str)]) -> PriceAnswers {
        let amounts = amounts.iter().map(|(name, amount)| (name.clone(), (*amount).to_owned())).collect();
        PriceAnswers { amounts, published: Some("2026-11-20".to_owned()) }
    }

    #[test]
    fn asked_prices_are_added_and_take_the_place_of_none() {
        let mut table = PriceTable::shipped();
        let size = PriceName::Instance("m8g.large".to_owned());
        table.add("us-east-1", &answers(&[(size.clone(), "0.08976"), (PriceName::Gp3, "0.09")]));
        let prices = table.region("us-east-1");
        assert_eq!(prices.price(&size).unwrap().exact(), "0.08976");
        assert_eq!(prices.gp3_gb_month.unwrap().exact(), "0.08", "the shipped price stays");
        let source = table.source("us-east-1");
        assert_eq!((source.date.as_deref(), source.asked.as_deref()), (Some("2026-07-20"), Some("2026-11-20")));
        table.add("eu-central-1", &answers(&[(PriceName::Gp3, "0.0952")]));
        let source = table.source("eu-central-1");
        assert_eq!((source.date.as_deref(), source.asked), (Some("2026-11-20"), None), "all are of one day");
    }

    #[test]
    fn what_is_no_exact_amount_stays_unknown_and_is_never_0() {
        let mut table = PriceTable::shipped();
        table.add("eu-central-1", &answers(&[(PriceName::Gp3, "0.00000001"), (PriceName::HostedZone, "0.0000000000")]));
        table.add("eu-central-1", &PriceAnswers::default());
        assert_eq!(table, PriceTable::shipped());
        for name in PriceName::others() {
            table.add("eu-central-1", &answers(&[(name.clone(), "0.5")]));
            assert_eq!(table.region("eu-central-1").price(&name).unwrap().exact(), "0.50", "{name}");
        }
    }

    #[test]
    fn a_table_with_a_mistake_is_refused() {
        for wrong in ["gp3 = \"0.08\"", "gp3_gb_month = 0.08", "gp3_gb_month = \"8 cents\""] {
            let text = format!("[us-east-1]\ndate = \"2026-07-20\"\n{wrong}\n");
            assert!(PriceTable::parse(&text).is_err(), "{wrong}");
        }
    }
}
