//! What keeps machines alive.

use serde::{Deserialize, Serialize};

use super::{Attribute, Input, Kind, MASTER, Output, ROLE_TAG, Resource, Tags};

/// An Auto Scaling group: one per master, one per node group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AutoScalingGroup {
    /// Its name, unique in the region.
    pub name: String,
    /// The launch template's id.
    pub launch_template: Input,
    /// The launch template's version that new machines start from.
    pub version: Input,
    /// The launch template's generation that every machine was started from. Observed: the version of the oldest machine,
    /// or the generation where that has only other tags; the group's own version when it has no machine.
    pub machines: Input,
    /// The subnets that it spans.
    pub subnets: Vec<Input>,
    /// The fewest machines.
    pub min: u32,
    /// The most machines.
    pub max: u32,
    /// How many machines; absent when an autoscaler decides.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub desired: Option<u32>,
    /// The ARNs of the target groups that its machines answer for.
    pub target_groups: Vec<Input>,
    /// Tags, which its machines get too.
    pub tags: Tags,
}

impl AutoScalingGroup {
    /// Whether its machines are masters.
    pub fn is_masters(&self) -> bool {
        // Behind the value may stand which machine does not have it.
        self.tags.get(ROLE_TAG).and_then(|role| role.split(' ').next()).is_some_and(|role| role == MASTER)
    }
}

impl Resource for AutoScalingGroup {
    const KIND: Kind = Kind {
        name: "autoscaling-group",
        title: "Auto Scaling group",
        attributes: &[
            Attribute::replace("name"),
            Attribute::update("launch_template"),
            Attribute::update("version"),
            Attribute::roll("machines"),
            Attribute::update("subnets").set(),
            Attribute::update("min"),
            Attribute::update("max"),
            Attribute::update("desired"),
            Attribute::update("target_groups").set(),
            Attribute::update("tags").tags(),
        ],
        outputs: &[
            Output::pattern(
                "arn",
                "arn:aws:autoscaling:{region}:{account}:autoScalingGroup:{hex}:autoScalingGroupName/{name}",
            ),
            Output::attribute("name"),
        ],
        data: false,
        shared: false,
        seconds: 90,
    };
}
