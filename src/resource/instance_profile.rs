//! Instance profiles, which give a role to an instance.

use serde::{Deserialize, Serialize};

use super::{Attribute, Kind, KindCalls, OutputSpec, Resource, Tags, TextInput};
use crate::limits::tags::TagLimits;
use crate::limits::{AllowedValue, AttributeLimit, aws};

/// An instance profile. Its path contains its address, as a role's does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InstanceProfile {
    /// Its name, unique in the account.
    pub name: String,
    /// Its path.
    pub path: String,
    /// The name of the role in it.
    pub role: TextInput,
    /// Tags.
    pub tags: Tags,
}

impl Resource for InstanceProfile {
    const KIND: Kind = Kind {
        name: "instance-profile",
        title: "instance profile",
        attributes: &[
            Attribute::replace("name"),
            Attribute::replace("path"),
            Attribute::update("role"),
            Attribute::update("tags").tags(),
        ],
        outputs: &[
            OutputSpec::pattern("arn", "arn:aws:iam::{account}:instance-profile/quorate/{name}"),
            OutputSpec::attribute("name"),
        ],
        data: false,
        shared: false,
        seconds: 5,
    };

    const CALLS: KindCalls = KindCalls {
        read: &["iam:ListInstanceProfiles", "iam:GetInstanceProfile"],
        create: &[
            "iam:AddRoleToInstanceProfile",
            "iam:CreateInstanceProfile",
            "iam:PassRole",
            "iam:TagInstanceProfile",
        ],
        update: &[
            "iam:AddRoleToInstanceProfile",
            "iam:PassRole",
            "iam:RemoveRoleFromInstanceProfile",
            "iam:TagInstanceProfile",
            "iam:UntagInstanceProfile",
        ],
        delete: &["iam:DeleteInstanceProfile", "iam:RemoveRoleFromInstanceProfile"],
    };

    const TAG_LIMITS: TagLimits = TagLimits { ignores_case: true, ..TagLimits::USUAL };

    const LIMITS: &'static [AttributeLimit] = &[
        AttributeLimit::new(&["name"], AllowedValue::Text(aws::name::INSTANCE_PROFILE), aws::code::IAM),
        AttributeLimit::new(&["path"], AllowedValue::Text(aws::PATH), aws::code::IAM),
    ];
}
