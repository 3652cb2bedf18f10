//! Certificates of the Certificate Manager (ACM).

use serde::{Deserialize, Serialize};

use super::{Attribute, Kind, KindCalls, NewAttributes, OutputSpec, Resource, Tags, TextInput};
use crate::limits::{AllowedValue, AttributeLimit, aws};

/// A public certificate for one name, which AWS issues and renews as long as its validation record is in DNS.
///
/// The record is a part of the certificate, not an object of its own: its name is in AWS' answer to the request only, and all
/// certificates of an account for the same name share it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Certificate {
    /// The name that it is for.
    pub domain: String,
    /// The id of the hosted zone with its validation record; empty if no zone of the cluster's names has it.
    pub zone: TextInput,
    /// Tags.
    pub tags: Tags,
}

impl Certificate {
    /// The tag with the id of the zone that the validation record was written into. Without it, the record existed before.
    pub const RECORD_TAG: &str = "quorate.dev/validation-record";
}

impl Resource for Certificate {
    const KIND: Kind = Kind {
        name: "certificate",
        title: "certificate",
        attributes: &[Attribute::replace("domain"), Attribute::update("zone"), Attribute::update("tags").tags()],
        outputs: &[OutputSpec::pattern("arn", "arn:aws:acm:{region}:{account}:certificate/{hex}")],
        data: false,
        shared: false,
        seconds: 180,
    };

    const CALLS: KindCalls = KindCalls {
        read: &[
            "acm:DescribeCertificate",
            "acm:ListCertificates",
            "acm:ListTagsForCertificate",
            "route53:ListHostedZones",
            "route53:ListResourceRecordSets",
        ],
        create: &[
            "acm:AddTagsToCertificate",
            "acm:RequestCertificate",
            "route53:ChangeResourceRecordSets",
            "route53:GetHostedZone",
        ],
        update: &["acm:AddTagsToCertificate", "acm:RemoveTagsFromCertificate", "route53:ChangeResourceRecordSets"],
        delete: &["acm:DeleteCertificate", "route53:ChangeResourceRecordSets"],
    };

    const OPTIONAL: bool = true;

    const LIMITS: &'static [AttributeLimit] =
        &[AttributeLimit::new(&["domain"], AllowedValue::Text(aws::name::CERTIFICATE), "InvalidParameterException")];

    fn summary(new: &NewAttributes<'_>) -> String {
        new.join(&["domain"]) + ", validated by DNS"
    }
}
