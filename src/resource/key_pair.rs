//! The SSH key that machines accept.

use serde::{Deserialize, Serialize};

use super::{Attribute, Kind, KindCalls, OutputSpec, Resource, Tags};
use crate::limits::{AllowedValue, AttributeLimit, aws};

/// An imported SSH public key. Its name contains a hash of the key, so another key is another key pair.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KeyPair {
    /// Its name, unique in the region.
    pub name: String,
    /// The OpenSSH public key: type and key, without a comment.
    pub public_key: String,
    /// Tags.
    pub tags: Tags,
}

impl Resource for KeyPair {
    const KIND: Kind = Kind {
        name: "key-pair",
        title: "key pair",
        attributes: &[Attribute::replace("name"), Attribute::replace("public_key"), Attribute::update("tags").tags()],
        outputs: &[OutputSpec::pattern("id", "key-{hex}"), OutputSpec::attribute("name")],
        data: false,
        shared: false,
        seconds: 2,
    };

    const CALLS: KindCalls = KindCalls {
        read: &["ec2:DescribeKeyPairs"],
        create: &["ec2:CreateTags", "ec2:ImportKeyPair"],
        update: &["ec2:CreateTags", "ec2:DeleteTags"],
        delete: &["ec2:DeleteKeyPair"],
    };

    const LIMITS: &'static [AttributeLimit] =
        &[AttributeLimit::new(&["name"], AllowedValue::Text(aws::name::KEY_PAIR), aws::code::EC2)];
}
