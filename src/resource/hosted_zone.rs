//! A DNS zone.

use serde::{Deserialize, Serialize};

use super::{Attribute, Input, Kind, Output, Resource, Tags};

/// A Route 53 hosted zone.
///
/// The machines write their own names into the private one: those records go when the zone goes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HostedZone {
    /// The domain, without a final dot.
    pub name: String,
    /// The VPC that sees it; a public zone has none.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub vpc: Option<Input>,
    /// What it is for.
    pub comment: String,
    /// Tags.
    pub tags: Tags,
}

impl Resource for HostedZone {
    const KIND: Kind = Kind {
        name: "hosted-zone",
        title: "hosted zone",
        attributes: &[
            Attribute::replace("name"),
            Attribute::update("vpc"),
            Attribute::update("comment"),
            Attribute::update("tags").tags(),
        ],
        outputs: &[Output::pattern("id", "Z{HEX}"), Output::pattern("name_servers", "ns-1.awsdns-1.org")],
        data: false,
        shared: false,
        seconds: 30,
    };
}
