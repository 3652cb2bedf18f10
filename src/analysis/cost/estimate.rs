//! The cost of a cluster at one moment.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::item::{CostItem, items};
use super::owner::CostOwner;
use super::prices::RegionPrices;
use crate::analysis::Money;
use crate::analysis::state::ClusterState;
use crate::engine::Address;

/// The cost of a cluster per month, item by item.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CostEstimate {
    /// The sum.
    pub total: CostTotal,
    /// The items, sorted by address.
    pub items: Vec<CostItem>,
}

/// A sum of costs per month.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CostTotal {
    /// The sum of the known costs: with unknown prices, the cost is at least this.
    pub monthly: Money,
    /// The same if autoscalers start as many machines as they may.
    pub monthly_at_most: Money,
    /// The things whose price is unknown, each once.
    pub unknown: Vec<String>,
}

impl CostEstimate {
    pub(super) fn new(state: &ClusterState<'_>, prices: &RegionPrices) -> Self {
        let items = items(state, prices);
        Self { total: CostTotal::of(&items), items }
    }

    /// Returns the sum of each part of the cluster.
    pub fn by_owner(&self) -> BTreeMap<&CostOwner, CostTotal> {
        self.by(|item| &item.owner)
    }

    /// Returns the sum of each object.
    pub(super) fn by_address(&self) -> BTreeMap<&Address, CostTotal> {
        self.by(|item| &item.address)
    }

    fn by<'a, K: Ord>(&'a self, key: impl Fn(&'a CostItem) -> K) -> BTreeMap<K, CostTotal> {
        let mut groups: BTreeMap<K, Vec<&CostItem>> = BTreeMap::new();
        for item in &self.items {
            groups.entry(key(item)).or_default().push(item);
        }
        groups.into_iter().map(|(key, items)| (key, CostTotal::of(items))).collect()
    }

    /// Returns the number of each thing whose price is unknown.
    pub(super) fn unknown(&self) -> BTreeMap<&str, u64> {
        let mut unknown = BTreeMap::new();
        for item in self.items.iter().filter(|item| item.price.is_none()) {
            let number: &mut u64 = unknown.entry(item.resource.as_str()).or_default();
            *number = number.saturating_add(item.quantity);
        }
        unknown
    }
}

impl CostTotal {
    /// Returns the sum of some items.
    pub fn of<'a>(items: impl IntoIterator<Item = &'a CostItem>) -> Self {
        let mut total = Self::default();
        let mut unknown = BTreeSet::new();
        for item in items {
            match (item.monthly, item.monthly_for(item.quantity_at_most)) {
                (Some(monthly), Some(at_most)) => {
                    total.monthly = total.monthly + monthly;
                    total.monthly_at_most = total.monthly_at_most + at_most;
                }
                _ => _ = unknown.insert(item.resource.clone()),
            }
        }
        Self { unknown: unknown.into_iter().collect(), ..total }
    }

    /// Returns `true` if every price is known.
    pub fn is_complete(&self) -> bool {
        self.unknown.is_empty()
    }

    /// Returns `true` if nothing is billed.
    pub fn is_nothing(&self) -> bool {
        self.is_complete() && self.monthly_at_most == Money::ZERO
    }
}
