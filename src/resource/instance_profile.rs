//! Instance profiles, which give a role to an instance.

use serde::{Deserialize, Serialize};

use super::{Attribute, TextInput, Kind, OutputSpec, Resource, Tags};

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
}
