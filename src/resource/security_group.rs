//! A named set of network interfaces, for rules to speak of.

use serde::{Deserialize, Serialize};

use super::{Attribute, Input, Kind, Output, Resource, Tags};

/// A security group, without its rules: those are a `security-group-rules` object, so that groups can name each other.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SecurityGroup {
    /// Its name, unique in the VPC.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// The VPC.
    pub vpc: Input,
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
        outputs: &[Output::pattern("id", "sg-{hex}")],
        data: false,
        shared: false,
        seconds: 2,
    };
}
