//! A DNS zone.

use serde::{Deserialize, Serialize};

use super::{Attribute, Kind, KindCalls, NewAttributes, OutputSpec, Resource, Tags, TextInput};
use crate::limits::tags::{MOST_ON_A_HOSTED_ZONE, TagLimits};
use crate::limits::{AllowedValue, AttributeLimit, TextLimit, aws};

/// A Route 53 hosted zone.
///
/// The machines create their own records in the private zone: those are deleted with the zone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HostedZone {
    /// The domain, without a final dot.
    pub name: String,
    /// The VPC that it is associated with; a public zone has none.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub vpc: Option<TextInput>,
    /// The purpose of the zone.
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
        outputs: &[OutputSpec::pattern("id", "Z{HEX}"), OutputSpec::pattern("name_servers", "ns-1.awsdns-1.org")],
        data: false,
        shared: false,
        seconds: 30,
    };

    const CALLS: KindCalls = KindCalls {
        read: &["route53:GetHostedZone", "route53:ListHostedZones", "route53:ListTagsForResources"],
        create: &["route53:ChangeTagsForResource", "route53:CreateHostedZone"],
        update: &[
            "route53:AssociateVPCWithHostedZone",
            "route53:ChangeTagsForResource",
            "route53:DisassociateVPCFromHostedZone",
            "route53:UpdateHostedZoneComment",
        ],
        delete: &["route53:ChangeResourceRecordSets", "route53:DeleteHostedZone", "route53:ListResourceRecordSets"],
    };

    const TAG_LIMITS: TagLimits = TagLimits { most: MOST_ON_A_HOSTED_ZONE, ..TagLimits::USUAL };

    const LIMITS: &'static [AttributeLimit] = &[
        AttributeLimit::new(&["name"], AllowedValue::Text(aws::name::DOMAIN), "InvalidDomainName"),
        AttributeLimit::new(&["comment"], AllowedValue::Text(TextLimit::of(0, 256, |_| true)), "InvalidInput"),
    ];

    fn summary(new: &NewAttributes<'_>) -> String {
        new.join(&["name"])
    }
}
