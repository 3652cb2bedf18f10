//! The permissions of machines.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Attribute, Kind, KindCalls, OutputSpec, Resource, Tags, TextInput};
use crate::limits::tags::TagLimits;
use crate::limits::{AllowedValue, AttributeLimit, aws};

/// An IAM role with all its policies.
///
/// Its path, `/quorate/<cluster>/role/<name>/`, contains its address: roles cannot be listed by tag.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Role {
    /// Its name, unique in the account.
    pub name: String,
    /// Its path.
    pub path: String,
    /// The trust policy, a JSON policy document: the principals that may assume the role.
    pub trust: String,
    /// Its inline policies by name: JSON policy documents. A policy that was added elsewhere is a difference too.
    pub policies: BTreeMap<String, TextInput>,
    /// The ARNs of managed policies attached to it.
    pub attached: Vec<String>,
    /// Tags.
    pub tags: Tags,
}

impl Resource for Role {
    const KIND: Kind = Kind {
        name: "role",
        title: "IAM role",
        attributes: &[
            Attribute::replace("name"),
            Attribute::replace("path"),
            Attribute::update("trust").json(),
            Attribute::update("policies").json(),
            Attribute::update("attached").set(),
            Attribute::update("tags").tags(),
        ],
        outputs: &[
            OutputSpec::pattern("arn", "arn:aws:iam::{account}:role/quorate/{name}"),
            OutputSpec::attribute("name"),
        ],
        data: false,
        shared: false,
        seconds: 5,
    };

    const CALLS: KindCalls = KindCalls {
        read: &[
            "iam:ListRoles",
            "iam:ListRoleTags",
            "iam:ListRolePolicies",
            "iam:GetRolePolicy",
            "iam:ListAttachedRolePolicies",
        ],
        create: &["iam:AttachRolePolicy", "iam:CreateRole", "iam:PutRolePolicy", "iam:TagRole"],
        update: &[
            "iam:AttachRolePolicy",
            "iam:DeleteRolePolicy",
            "iam:DetachRolePolicy",
            "iam:PutRolePolicy",
            "iam:TagRole",
            "iam:UntagRole",
            "iam:UpdateAssumeRolePolicy",
        ],
        delete: &["iam:DeleteRole", "iam:DeleteRolePolicy", "iam:DetachRolePolicy"],
    };

    const TAG_LIMITS: TagLimits = TagLimits { ignores_case: true, ..TagLimits::USUAL };

    const LIMITS: &'static [AttributeLimit] = &[
        AttributeLimit::new(&["name"], AllowedValue::Text(aws::name::ROLE), aws::code::IAM),
        AttributeLimit::new(&["path"], AllowedValue::Text(aws::PATH), aws::code::IAM),
        AttributeLimit::new(&["trust"], AllowedValue::Together(2048), "LimitExceeded"),
        AttributeLimit::new(&["policies", "*"], AllowedValue::Together(aws::INLINE_POLICIES), "LimitExceeded"),
        AttributeLimit::new(&["attached"], AllowedValue::Count(10), "LimitExceeded"),
    ];
}
