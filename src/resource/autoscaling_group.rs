//! Auto Scaling groups, which replace failed machines.

use serde::{Deserialize, Serialize};

use super::{Attribute, Kind, MASTER, NewAttributes, OutputSpec, ROLE_TAG, Resource, Tags, TextInput};
use crate::limits::{AllowedValue, AttributeLimit, aws};
use crate::words;

/// An Auto Scaling group: one per master, one per node group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AutoScalingGroup {
    /// Its name, unique in the region.
    pub name: String,
    /// The launch template's id.
    pub launch_template: TextInput,
    /// The launch template's version that new machines start from.
    pub version: TextInput,
    /// The launch template's generation that every machine was started from. Observed: the version of the oldest machine,
    /// or the generation if that version differs only in tags; the group's own version if it has no machine.
    pub machines: TextInput,
    /// The subnets that it spans.
    pub subnets: Vec<TextInput>,
    /// Minimum number of machines.
    pub min: u32,
    /// Maximum number of machines.
    pub max: u32,
    /// Desired number of machines; absent if an autoscaler sets it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub desired: Option<u32>,
    /// The ARNs of the target groups that its machines are registered in.
    pub target_groups: Vec<TextInput>,
    /// Tags, which its machines get too.
    pub tags: Tags,
}

impl AutoScalingGroup {
    /// Returns `true` if its machines are masters.
    pub fn is_masters(&self) -> bool {
        // A machine that lacks the tag may be named after the value.
        self.tags.get(ROLE_TAG).and_then(|role| role.split(' ').next()).is_some_and(|role| role == MASTER)
    }

    /// Returns whether a group of this size is a node group of one machine with a second one beside it, as a roll makes it.
    pub fn has_spare(&self, size: Option<u32>) -> bool {
        !self.is_masters() && self.desired == Some(1) && size == Some(2)
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
            OutputSpec::pattern(
                "arn",
                "arn:aws:autoscaling:{region}:{account}:autoScalingGroup:{hex}:autoScalingGroupName/{name}",
            ),
            OutputSpec::attribute("name"),
        ],
        data: false,
        shared: false,
        seconds: 90,
    };

    const LIMITS: &'static [AttributeLimit] = &[
        AttributeLimit::new(&["name"], AllowedValue::Text(aws::name::AUTO_SCALING_GROUP), aws::code::AUTO_SCALING),
        AttributeLimit::new(&["min"], AllowedValue::Number(0, 10_000), aws::code::AUTO_SCALING),
        AttributeLimit::new(&["max"], AllowedValue::Number(0, 10_000), aws::code::AUTO_SCALING),
        AttributeLimit::new(&["target_groups"], AllowedValue::Count(50), "LimitExceeded"),
    ];

    fn summary(new: &NewAttributes<'_>) -> String {
        match (new.number("desired"), new.number("min"), new.number("max")) {
            (Some(desired), ..) => words::count(desired, "machine"),
            (None, Some(min), Some(max)) => format!("{min} to {max} machines"),
            _ => String::new(),
        }
    }
}
