//! Auto Scaling groups, which replace failed machines.

use serde::{Deserialize, Serialize};

use super::{
    Attribute, Kind, KindCalls, MASTER, NewAttributes, OutputSpec, PurchaseOption, ROLE_TAG, Resource, Tags, TextInput,
};
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
    /// The instance sizes that machines may have, in order of preference; empty if all have that of the launch template.
    #[serde(default)]
    pub sizes: Vec<String>,
    /// The purchase option of new machines.
    #[serde(default)]
    pub purchase: PurchaseOption,
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
    /// Maximum number of machines that a roll adds to those of a node group; `None` for one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub max_surge: Option<u32>,
    /// Maximum number of machines of a node group that do not work during a roll; `None` for none.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub max_unavailable: Option<u32>,
    /// The ids of machines that a roll replaces although they have the wanted version.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub replace: Vec<String>,
    /// Tags, which its machines get too.
    pub tags: Tags,
}

/// The limits of a roll.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RollLimits {
    /// Maximum number of machines beside those of the group.
    pub surge: usize,
    /// Maximum number of machines that do not work.
    pub unavailable: usize,
}

impl RollLimits {
    /// Returns the limits of a group of this size: at least one machine can be replaced, and one of several always works.
    #[must_use]
    fn within(self, size: usize) -> Self {
        let most = if size > 1 { size - 1 } else { 1 };
        let unavailable = match self {
            Self { surge: 0, unavailable } => unavailable.clamp(1, most),
            Self { unavailable, .. } if size > 1 => unavailable.min(most),
            Self { .. } => 0,
        };
        Self { unavailable, ..self }
    }

    /// Returns the number of machines that may be replaced at the same time.
    pub fn width(self) -> usize {
        (self.surge + self.unavailable).max(1)
    }
}

impl AutoScalingGroup {
    /// Returns `true` if its machines are masters.
    pub fn is_masters(&self) -> bool {
        Self::has_masters(&self.tags)
    }

    /// Returns `true` if the machines of a group with these tags are masters.
    pub fn has_masters(tags: &Tags) -> bool {
        // A machine that lacks the tag may be named after the value.
        tags.get(ROLE_TAG).and_then(|role| role.split(' ').next()).is_some_and(|role| role == MASTER)
    }

    /// Describes machines whose replacement was requested.
    pub fn requested(ids: &[String]) -> String {
        match ids {
            [only] => format!("{only} is to be replaced"),
            several => format!("{} are to be replaced", words::count(several.len(), "machine")),
        }
    }

    /// Returns `true` if a problem of machines is nothing but a requested replacement.
    pub fn is_requested(problem: &str) -> bool {
        problem.ends_with(" to be replaced") && !problem.contains(" and ")
    }

    /// Returns what is wrong with machines that have the wanted version, from the observed value of `machines`.
    pub fn machine_problem(machines: &str) -> Option<&str> {
        machines.split_once(Self::BUT).map(|(_, problem)| problem)
    }

    /// Returns `true` if machines do not work, from the observed value of `machines`.
    pub fn has_broken_machines(machines: &str) -> bool {
        Self::machine_problem(machines).is_some_and(|problem| !Self::is_requested(problem))
    }

    /// Adds what is wrong with machines to the observed value of `machines`.
    #[must_use]
    pub fn with_problem(machines: &str, problem: &str) -> String {
        let separator = if machines.contains(Self::BUT) { " and " } else { Self::BUT };
        format!("{machines}{separator}{problem}")
    }

    /// Separates the version of machines from what is wrong with them.
    const BUT: &str = ", but ";

    /// Returns the limits of a roll of the group while it has this size. A master is replaced by its successor, because both
    /// need its etcd volume.
    pub fn roll_limits(&self, size: usize) -> RollLimits {
        if self.is_masters() {
            return RollLimits { surge: 0, unavailable: 1 };
        }
        let given =
            |number: Option<u32>, default| number.and_then(|number| usize::try_from(number).ok()).unwrap_or(default);
        RollLimits { surge: given(self.max_surge, 1), unavailable: given(self.max_unavailable, 0) }.within(size)
    }

    /// Returns whether a group of this size is a node group with machines beside its own, as a roll makes it.
    pub fn has_spare(&self, size: Option<u32>) -> bool {
        let (Some(own), Some(size)) = (self.desired, size) else { return false };
        let beside = size.saturating_sub(own);
        beside > 0 && usize::try_from(beside).is_ok_and(|beside| beside <= self.roll_limits(1).surge)
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
            Attribute::update("sizes"),
            Attribute::update("purchase"),
            Attribute::update("subnets").set(),
            Attribute::update("min"),
            Attribute::update("max"),
            Attribute::update("desired"),
            Attribute::update("target_groups").set(),
            Attribute::update("max_surge").unobserved(),
            Attribute::update("max_unavailable").unobserved(),
            Attribute::update("replace").unobserved(),
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

    const CALLS: KindCalls = KindCalls {
        read: &["autoscaling:DescribeAutoScalingGroups", "ec2:DescribeInstances", "s3:GetObject"],
        create: &[
            "autoscaling:CreateAutoScalingGroup",
            "autoscaling:CreateOrUpdateTags",
            "autoscaling:DescribeScalingActivities",
            "ec2:CreateTags",
            "ec2:RunInstances",
            "iam:CreateServiceLinkedRole",
            "iam:PassRole",
        ],
        update: &[
            "autoscaling:AttachLoadBalancerTargetGroups",
            "autoscaling:CreateOrUpdateTags",
            "autoscaling:DeleteTags",
            "autoscaling:DescribeScalingActivities",
            "autoscaling:DetachLoadBalancerTargetGroups",
            "autoscaling:TerminateInstanceInAutoScalingGroup",
            "autoscaling:UpdateAutoScalingGroup",
            "ec2:CreateTags",
            "ec2:DeleteTags",
            "ec2:RunInstances",
            "iam:PassRole",
        ],
        delete: &["autoscaling:DeleteAutoScalingGroup"],
    };

    const LIMITS: &'static [AttributeLimit] = &[
        AttributeLimit::new(&["name"], AllowedValue::Text(aws::name::AUTO_SCALING_GROUP), aws::code::AUTO_SCALING),
        AttributeLimit::new(&["min"], AllowedValue::Number(0, 10_000), aws::code::AUTO_SCALING),
        AttributeLimit::new(&["max"], AllowedValue::Number(0, 10_000), aws::code::AUTO_SCALING),
        // Overrides of a launch template in a mixed instances policy.
        AttributeLimit::new(&["sizes"], AllowedValue::Count(40), aws::code::AUTO_SCALING),
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
