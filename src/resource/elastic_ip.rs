//! Fixed public addresses.

use serde::{Deserialize, Serialize};

use super::{Attribute, Kind, KindCalls, OutputSpec, Resource, Tags};

/// An Elastic IP address: that of a NAT gateway of one zone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ElasticIp {
    /// Tags.
    pub tags: Tags,
}

impl Resource for ElasticIp {
    const KIND: Kind = Kind {
        name: "elastic-ip",
        title: "Elastic IP address",
        attributes: &[Attribute::update("tags").tags()],
        outputs: &[OutputSpec::pattern("id", "eipalloc-{hex}")],
        data: false,
        shared: false,
        seconds: 2,
    };

    const CALLS: KindCalls = KindCalls {
        read: &["ec2:DescribeAddresses"],
        create: &["ec2:AllocateAddress", "ec2:CreateTags"],
        update: &["ec2:CreateTags", "ec2:DeleteTags"],
        delete: &["ec2:ReleaseAddress"],
    };
}
