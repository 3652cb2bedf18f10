//! The same cluster with a managed control plane.

use serde::{Deserialize, Serialize};

use super::estimate::{CostEstimate, CostTotal};
use super::owner::CostOwner;
use super::prices::RegionPrices;
use super::{HOURS, PriceUnit};
use crate::analysis::Money;

/// The cost of a cluster whose control plane AWS runs (EKS, a version in standard support) instead of its masters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManagedComparison {
    /// The price of a managed control plane per hour.
    pub price: Money,
    /// The unit of the price.
    pub unit: PriceUnit,
    /// Its cost per month.
    pub monthly: Money,
    /// The cost of what it takes the place of: the masters with their volumes and addresses, the load balancer of the API, and
    /// the zone of the machines' names.
    pub instead_of: CostTotal,
    /// The cost of the whole cluster with it.
    pub total: CostTotal,
}

impl ManagedComparison {
    /// Compares; `None` if the price is unknown, or if there is no control plane.
    pub(super) fn new(estimate: &CostEstimate, prices: &RegionPrices) -> Option<Self> {
        let price = prices.managed_control_plane_hour?;
        let is_control_plane = |owner: &CostOwner| *owner == CostOwner::ControlPlane;
        let instead_of = CostTotal::of(estimate.items.iter().filter(|item| is_control_plane(&item.owner)));
        if instead_of == CostTotal::default() {
            return None;
        }
        let rest = CostTotal::of(estimate.items.iter().filter(|item| !is_control_plane(&item.owner)));
        let monthly = price.times(HOURS);
        let total = CostTotal {
            monthly: rest.monthly + monthly,
            monthly_at_most: rest.monthly_at_most + monthly,
            unknown: rest.unknown,
        };
        Some(Self { price, unit: PriceUnit::Hour, monthly, instead_of, total })
    }
}
