//! The cost of a plan: before, after, and of each change.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::estimate::{CostEstimate, CostTotal};
use super::prices::{PriceSource, PriceTable};
use crate::analysis::Money;
use crate::analysis::state::ClusterState;
use crate::engine::{Address, ExecutablePlan, PlanMode};

/// The cost of a cluster per month before and after a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PlanCost {
    /// The currency of every amount.
    pub currency: String,
    /// The origin of the prices.
    pub prices: PriceSource,
    /// The cost as the cluster is.
    pub before: CostTotal,
    /// The cost as the plan leaves it.
    pub after: CostTotal,
    /// The cost that the plan adds; `None` if it depends on an unknown price.
    pub difference: Option<Money>,
    /// The objects whose cost changes, sorted by address.
    pub changes: Vec<ChangeCost>,
}

/// The cost of an object before and after a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ChangeCost {
    /// The object.
    pub address: Address,
    /// Its cost as it is.
    pub before: CostTotal,
    /// Its cost as the plan leaves it.
    pub after: CostTotal,
}

impl PlanCost {
    /// Estimates the cost of a plan in a region; `None` for a plan that only shows differences.
    pub fn new(run: &ExecutablePlan, region: &str, table: &PriceTable) -> Option<Self> {
        if run.plan.mode == PlanMode::Refresh {
            return None;
        }
        let prices = table.region(region);
        let estimate = |state: ClusterState<'_>| CostEstimate::new(&state, &prices);
        let (before, after) = (estimate(ClusterState::before(run)), estimate(ClusterState::after(run)));
        Some(Self::of(table.source(region), &before, &after))
    }

    pub(super) fn of(prices: PriceSource, before: &CostEstimate, after: &CostEstimate) -> Self {
        // A sum of unknown parts differs by what is known only if the unknown parts are the same.
        let is_known = before.unknown() == after.unknown();
        Self {
            currency: "USD".to_owned(),
            prices,
            difference: is_known.then(|| after.total.monthly - before.total.monthly),
            changes: changes(before, after),
            before: before.total.clone(),
            after: after.total.clone(),
        }
    }
}

fn changes(before: &CostEstimate, after: &CostEstimate) -> Vec<ChangeCost> {
    let (was, is) = (before.by_address(), after.by_address());
    let mut addresses: Vec<&Address> = was.keys().chain(is.keys()).copied().collect();
    addresses.sort();
    addresses.dedup();
    let total = |of: Option<&CostTotal>| of.cloned().unwrap_or_default();
    let all = addresses.into_iter().map(|address| ChangeCost {
        address: address.clone(),
        before: total(was.get(address)),
        after: total(is.get(address)),
    });
    all.filter(|change| change.before != change.after).collect()
}
