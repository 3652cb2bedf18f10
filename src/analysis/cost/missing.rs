//! The prices that the cost of a plan needs, and that a table does not have.

use std::collections::BTreeSet;

use super::prices::PriceTable;
use crate::analysis::state::ClusterState;
use crate::engine::{ExecutablePlan, PlanMode};
use crate::resource::{LaunchTemplate, PriceName};

/// Returns the unknown prices of a region: those of the instance sizes before and after a plan, and all others.
pub fn missing_prices(run: &ExecutablePlan, region: &str, table: &PriceTable) -> BTreeSet<PriceName> {
    let states = [ClusterState::before(run), ClusterState::after(run)];
    let templates = states.iter().flat_map(ClusterState::objects).filter(|object| object.is::<LaunchTemplate>());
    let sizes: BTreeSet<PriceName> = templates
        .filter_map(|template| template.text("instance_size"))
        .map(|size| PriceName::Instance(size.to_owned()))
        .collect();
    if run.plan.mode == PlanMode::Refresh || sizes.is_empty() {
        return BTreeSet::new();
    }
    let known = table.region(region);
    sizes.into_iter().chain(PriceName::others()).filter(|name| known.price(name).is_none()).collect()
}
