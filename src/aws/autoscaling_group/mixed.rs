//! Mixed instances policies: groups with several instance sizes, or with Spot Instances.

use aws_sdk_autoscaling::types::{
    AutoScalingGroup as Answer, InstancesDistribution, LaunchTemplate as Start, LaunchTemplateOverrides,
    MixedInstancesPolicy,
};

use super::whole;
use crate::resource::{AutoScalingGroup, PurchaseOption};

/// On-Demand Instances have the first size of the list that AWS has capacity for.
const IN_ORDER: &str = "prioritized";
/// Percentage of On-Demand Instances in a group without Spot Instances, which is also AWS's default.
const ALL_ON_DEMAND: i32 = 100;

impl AutoScalingGroup {
    /// Returns `true` if the group needs a mixed instances policy instead of a launch template alone.
    pub(super) fn is_mixed(&self) -> bool {
        !self.sizes.is_empty() || self.purchase.spot().is_some()
    }

    /// Returns the policy. An empty list of overrides clears an earlier one.
    pub(super) fn mixed_policy(&self) -> MixedInstancesPolicy {
        let overrides = self.sizes.iter().map(|size| LaunchTemplateOverrides::builder().instance_type(size).build());
        let start = Start::builder()
            .launch_template_specification(self.template())
            .set_overrides(Some(overrides.collect()))
            .build();
        let distribution = InstancesDistribution::builder().on_demand_allocation_strategy(IN_ORDER);
        let distribution = match self.purchase.spot() {
            None => distribution.on_demand_base_capacity(0).on_demand_percentage_above_base_capacity(ALL_ON_DEMAND),
            Some(spot) => distribution
                .on_demand_base_capacity(whole(spot.on_demand_base))
                .on_demand_percentage_above_base_capacity(whole(spot.on_demand_percent))
                .spot_allocation_strategy(&spot.strategy),
        };
        MixedInstancesPolicy::builder().launch_template(start).instances_distribution(distribution.build()).build()
    }
}

/// Returns the instance sizes of an observed group.
pub(super) fn sizes(group: &Answer) -> Vec<String> {
    let start = group.mixed_instances_policy().and_then(MixedInstancesPolicy::launch_template);
    let overrides = start.map(Start::overrides).unwrap_or_default();
    overrides.iter().filter_map(|size| size.instance_type().map(str::to_owned)).collect()
}

/// Returns the purchase option of an observed group.
pub(super) fn purchase(group: &Answer) -> PurchaseOption {
    let policy = group.mixed_instances_policy().and_then(MixedInstancesPolicy::instances_distribution);
    let Some(policy) = policy else { return PurchaseOption::OnDemand };
    let share = |number: Option<i32>, default: i32| u32::try_from(number.unwrap_or(default)).unwrap_or_default();
    PurchaseOption::new(
        policy.spot_allocation_strategy().unwrap_or_default(),
        share(policy.on_demand_base_capacity(), 0),
        share(policy.on_demand_percentage_above_base_capacity(), ALL_ON_DEMAND),
    )
}
