//! A DNS name.

use serde::{Deserialize, Serialize};

use super::{Attribute, Kind, KindCalls, NewAttributes, OutputSpec, Resource, TextInput};
use crate::limits::{AllowedValue, AttributeLimit, aws};

/// A record set that points to a load balancer.
///
/// It cannot have tags: it is the cluster's if the record of the last apply contains it, or if it equals the desired one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DnsRecord {
    /// The zone's id.
    pub zone: TextInput,
    /// The full name, without a final dot.
    pub name: String,
    /// The record type, `A`.
    pub record_type: String,
    /// The load balancer's DNS name.
    pub target: TextInput,
    /// The id of the zone of the load balancer's DNS name.
    pub target_zone: TextInput,
}

impl Resource for DnsRecord {
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
        outputs: &[OutputSpec::attribute("name")],
        data: false,
        shared: false,
        seconds: 30,
    };

    const CALLS: KindCalls = KindCalls {
        read: &["route53:ListHostedZones", "route53:ListResourceRecordSets"],
        create: &["route53:ChangeResourceRecordSets"],
        update: &["route53:ChangeResourceRecordSets"],
        delete: &["route53:ChangeResourceRecordSets"],
    };

    const LIMITS: &'static [AttributeLimit] =
        &[AttributeLimit::new(&["name"], AllowedValue::Text(aws::name::DOMAIN), "InvalidChangeBatch")];

    fn summary(new: &NewAttributes<'_>) -> String {
        new.join(&["record_type", "name"])
    }
}
