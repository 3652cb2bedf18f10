//! Everything about the cost of a cluster, before and after a plan.

use serde::{Deserialize, Serialize};

use super::estimate::CostEstimate;
use super::managed::ManagedComparison;
use super::plan_cost::{ChangeCost, PlanCost};
use super::prices::{PriceSource, PriceTable, UsageRate};
use crate::analysis::Money;
use crate::analysis::state::ClusterState;
use crate::engine::ExecutablePlan;
use crate::resource::{ApplicationLoadBalancer, NatGateway};

/// The cost of a cluster per month before and after a plan, item by item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CostReport {
    /// The currency of every amount.
    pub currency: String,
    /// The origin of the prices.
    pub prices: PriceSource,
    /// The cost as the cluster is.
    pub before: CostEstimate,
    /// The cost as the file describes it.
    pub after: CostEstimate,
    /// The cost that an apply adds; `None` if it depends on an unknown price.
    pub difference: Option<Money>,
    /// The objects whose cost changes, sorted by address.
    pub changes: Vec<ChangeCost>,
    /// Prices of what is billed by use: no sum contains it.
    pub rates: Vec<UsageRate>,
    /// The same cluster, as the file describes it, with a managed control plane; `None` if its price is unknown.
    pub managed_control_plane: Option<ManagedComparison>,
}

impl CostReport {
    /// Estimates the cost of a cluster in a region, before and after a plan.
    pub fn new(run: &ExecutablePlan, region: &str, table: &PriceTable) -> Self {
        let prices = table.region(region);
        let states = [ClusterState::before(run), ClusterState::after(run)];
        let [before, after] = states.each_ref().map(|state| CostEstimate::new(state, &prices));
        let has_nat_gateways = states.iter().any(ClusterState::has::<NatGateway>);
        let PlanCost { currency, prices: source, difference, changes, .. } =
            PlanCost::of(table.source(region), &before, &after);
        let is_on_the_web = states.iter().any(ClusterState::has::<ApplicationLoadBalancer>);
        let managed_control_plane = ManagedComparison::new(&after, &prices);
        Self {
            currency,
            prices: source,
            before,
            after,
            difference,
            changes,
            rates: prices.rates(has_nat_gateways, is_on_the_web),
            managed_control_plane,
        }
    }
}
