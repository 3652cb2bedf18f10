//! The prices that the cost of a plan needs, and that a table does not have.

use std::collections::BTreeSet;

use super::prices::PriceTable;
use crate::analysis::state::ClusterState;
use crate::engine::{ExecutablePlan, PlanMode};
use crate::resource::{LaunchTemplate, NatGateway, PriceName};

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
    let has_nat_gateways = states.iter().any(ClusterState::has::<NatGateway>);
    let is_used =
        |name: &PriceName| has_nat_gateways || !matches!(name, PriceName::NatGateway | PriceName::NatGatewayTraffic);
    let others = PriceName::others().filter(is_used);
    sizes.into_iter().chain(others).filter(|name| known.price(name).is_none()).collect()
}
