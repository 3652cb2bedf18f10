//! What hands a role to an instance.

use serde::{Deserialize, Serialize};

use super::{Attribute, Input, Kind, Output, Resource, Tags};

/// An instance profile. Its path holds its address, as a role's does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InstanceProfile {
    /// Its name, unique in the account.
    pub name: String,
    /// Its path.
    pub path: String,
    /// The name of the role in it.
    pub role: Input,
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
            Output::pattern("arn", "arn:aws:iam::{account}:instance-profile/quorate/{name}"),
            Output::attribute("name"),
        ],
        data: false,
        shared: false,
        seconds: 5,
    };
}
