//! A DNS name.

use serde::{Deserialize, Serialize};

use super::{Attribute, Input, Kind, Output, Resource};

/// A record set that points at a load balancer.
///
/// It cannot carry a tag: it is ours if the record says so, or if it is exactly what we want.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// The zone's id.
    pub zone: Input,
    /// The full name, without a final dot.
    pub name: String,
    /// The record type, `A`.
    pub record_type: String,
    /// The load balancer's DNS name.
    pub target: Input,
    /// The id of the zone of the load balancer's DNS name.
    pub target_zone: Input,
}

impl Resource for Record {
    const KIND: Kind = Kind {
        name: "record",
        title: "DNS record",
        attributes: &[
            Attribute::replace("zone"),
            Attribute::replace("name"),
            Attribute::replace("record_type"),
            Attribute::update("target"),
            Attribute::update("target_zone"),
        ],
        outputs: &[Output::attribute("name")],
        data: false,
        shared: false,
        seconds: 30,
    };
}
