//! The purchase option of a group's machines: On-Demand Instances, or Spot Instances for a part of them.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The purchase option of a group's machines.
///
/// As an attribute it is a text: `on-demand`, or `spot (price-capacity-optimized), 1 on-demand, then 20 %`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum PurchaseOption {
    /// Every machine is an On-Demand Instance.
    #[default]
    OnDemand,
    /// Machines are Spot Instances, but for a share.
    Spot(SpotDistribution),
}

/// The distribution of Spot and On-Demand Instances in a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpotDistribution {
    /// Auto Scaling's strategy for the choice of capacity pools, for example `price-capacity-optimized`.
    pub strategy: String,
    /// Number of On-Demand Instances before any Spot Instance.
    pub on_demand_base: u32,
    /// Percentage of On-Demand Instances above that number, less than 100.
    pub on_demand_percent: u32,
}

impl PurchaseOption {
    /// Returns the option with these shares: one without Spot Instances is [`PurchaseOption::OnDemand`].
    pub fn new(strategy: &str, on_demand_base: u32, on_demand_percent: u32) -> Self {
        if on_demand_percent >= 100 {
            return Self::OnDemand;
        }
        Self::Spot(SpotDistribution { strategy: strategy.to_owned(), on_demand_base, on_demand_percent })
    }

    /// Parses the text of an attribute.
    pub fn parse(text: &str) -> Option<Self> {
        if text == ON_DEMAND {
            return Some(Self::OnDemand);
        }
        let (strategy, rest) = text.strip_prefix("spot (")?.split_once("), ")?;
        let (base, percent) = rest.split_once(" on-demand, then ")?;
        let spot = Self::new(strategy, base.parse().ok()?, percent.strip_suffix(" %")?.parse().ok()?);
        (spot != Self::OnDemand).then_some(spot)
    }

    /// Returns the distribution, if there are Spot Instances.
    pub fn spot(&self) -> Option<&SpotDistribution> {
        match self {
            Self::OnDemand => None,
            Self::Spot(distribution) => Some(distribution),
        }
    }

    /// Returns the number of Spot Instances among this many machines, as Auto Scaling distributes them: On-Demand Instances are
    /// rounded up.
    pub fn spot_machines(&self, machines: u64) -> u64 {
        let Self::Spot(spot) = self else { return 0 };
        let above = machines.saturating_sub(u64::from(spot.on_demand_base));
        above - above.saturating_mul(u64::from(spot.on_demand_percent)).div_ceil(100)
    }
}

const ON_DEMAND: &str = "on-demand";

impl fmt::Display for PurchaseOption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Spot(spot) = self else { return f.write_str(ON_DEMAND) };
        write!(f, "spot ({}), {} on-demand, then {} %", spot.strategy, spot.on_demand_base, spot.on_demand_percent)
    }
}

impl From<PurchaseOption> for String {
    fn from(option: PurchaseOption) -> Self {
        option.to_string()
    }
}

/// Error of a text that is not a purchase option.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a purchase option")]
pub struct PurchaseOptionError(String);

impl TryFrom<String> for PurchaseOption {
    type Error = PurchaseOptionError;

    fn try_from(text: String) -> Result<Self, PurchaseOptionError> {
        Self::parse(&text).ok_or(PurchaseOptionError(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_purchase_option_is_read_as_it_is_written() {
        for option in [
            PurchaseOption::OnDemand,
            PurchaseOption::new("lowest-price", 0, 0),
            PurchaseOption::new("price-capacity-optimized", 2, 99),
        ] {
            assert_eq!(PurchaseOption::parse(&option.to_string()), Some(option));
        }
        for wrong in ["", "spot", "spot (x), 1 on-demand, then 100 %", "spot (x), -1 on-demand, then 1 %"] {
            assert_eq!(PurchaseOption::parse(wrong), None, "{wrong}");
        }
        assert_eq!(
            PurchaseOption::new("lowest-price", 3, 100),
            PurchaseOption::OnDemand,
            "no machine is a Spot Instance"
        );
    }

    #[test]
    fn on_demand_machines_are_rounded_up() {
        let spots = |base, percent| (0..6).map(|n| PurchaseOption::new("x", base, percent).spot_machines(n)).collect();
        let (all, some, most): (Vec<u64>, Vec<u64>, Vec<u64>) = (spots(0, 0), spots(2, 0), spots(1, 25));
        assert_eq!(all, [0, 1, 2, 3, 4, 5]);
        assert_eq!(some, [0, 0, 0, 1, 2, 3]);
        assert_eq!(most, [0, 0, 0, 1, 2, 3]);
        assert_eq!(PurchaseOption::OnDemand.spot_machines(5), 0);
    }
}
