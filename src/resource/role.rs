//! What machines may do.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Attribute, Input, Kind, Output, Resource, Tags};

/// An IAM role with everything that gives it permissions.
///
/// Its path, `/quorate/<cluster>/role/<name>/`, holds its address: roles cannot be listed by tag.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Role {
    /// Its name, unique in the account.
    pub name: String,
    /// Its path.
    pub path: String,
    /// Who may assume it: a JSON policy document.
    pub trust: String,
    /// Its inline policies by name: JSON policy documents. A policy that somebody adds is a difference too.
    pub policies: BTreeMap<String, Input>,
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
        outputs: &[Output::pattern("arn", "arn:aws:iam::{account}:role/quorate/{name}"), Output::attribute("name")],
        data: false,
        shared: false,
        seconds: 5,
    };
}
