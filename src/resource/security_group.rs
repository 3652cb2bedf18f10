//! Security groups: sets of network interfaces that rules can name.

use serde::{Deserialize, Serialize};

use super::{Attribute, Kind, KindCalls, OutputSpec, Resource, Tags, TextInput};
use crate::limits::{AllowedValue, AttributeLimit, aws};

/// A security group, without its rules: those are a `security-group-rules` object, so that groups can name each other.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SecurityGroup {
    /// Its name, unique in the VPC.
    pub name: String,
    /// The purpose of the group.
    pub description: String,
    /// The VPC.
    pub vpc: TextInput,
    /// Tags.
    pub tags: Tags,
}

impl Resource for SecurityGroup {
    const KIND: Kind = Kind {
        name: "security-group",
        title: "security group",
        attributes: &[
            Attribute::replace("name"),
            Attribute::replace("description"),
            Attribute::replace("vpc"),
            Attribute::update("tags").tags(),
        ],
        outputs: &[OutputSpec::pattern("id", "sg-{hex}")],
        data: false,
        shared: false,
        seconds: 2,
    };

    const CALLS: KindCalls = KindCalls {
        read: &["ec2:DescribeSecurityGroups"],
        create: &["ec2:CreateSecurityGroup", "ec2:CreateTags"],
        update: &["ec2:CreateTags", "ec2:DeleteTags"],
        delete: &["ec2:DeleteSecurityGroup"],
    };

    const LIMITS: &'static [AttributeLimit] = &[
        AttributeLimit::new(&["name"], AllowedValue::Text(aws::name::SECURITY_GROUP), aws::code::EC2),
        AttributeLimit::new(&["description"], AllowedValue::Text(aws::GROUP_DESCRIPTION), aws::code::EC2),
    ];
}
