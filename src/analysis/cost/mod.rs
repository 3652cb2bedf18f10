//! The cost of a cluster per month, before and after a plan.

mod estimate;
mod item;
mod limit;
mod managed;
mod missing;
mod owner;
mod plan_cost;
mod prices;
mod report;

#[cfg(test)]
mod tests;

pub use estimate::{CostEstimate, CostTotal};
pub use item::{CostItem, PriceUnit};
pub use limit::CostLimitError;
pub use managed::ManagedComparison;
pub use missing::missing_prices;
pub use owner::CostOwner;
pub use plan_cost::{ChangeCost, PlanCost};
pub use prices::{PriceSource, PriceTable, UsageRate};
pub use report::CostReport;

/// Hours of a month, as AWS's own calculator counts them.
pub const HOURS: u64 = 730;
