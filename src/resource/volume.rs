//! Volumes that outlive their machines.

use serde::{Deserialize, Serialize};

use super::{Attribute, Kind, KindCalls, NewAttributes, OutputSpec, Resource, Tags};
use crate::limits::{AllowedValue, AttributeLimit, aws};

/// An EBS volume: the etcd data of one master.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EbsVolume {
    /// The availability zone.
    pub zone: String,
    /// The volume type, for example `gp3`.
    pub volume_type: String,
    /// Size in GiB.
    pub gib: u32,
    /// `true` if it is encrypted.
    pub encrypted: bool,
    /// Tags.
    pub tags: Tags,
}

impl Resource for EbsVolume {
    const KIND: Kind = Kind {
        name: "volume",
        title: "EBS volume",
        attributes: &[
            Attribute::replace("zone"),
            Attribute::update("volume_type"),
            Attribute::update("gib"),
            Attribute::replace("encrypted"),
            Attribute::update("tags").tags(),
        ],
        outputs: &[OutputSpec::pattern("id", "vol-{hex}")],
        data: true,
        shared: false,
        seconds: 5,
    };

    const CALLS: KindCalls = KindCalls {
        read: &["ec2:DescribeVolumes"],
        create: &["ec2:CreateTags", "ec2:CreateVolume"],
        update: &["ec2:CreateTags", "ec2:DeleteTags", "ec2:ModifyVolume"],
        delete: &["ec2:DeleteVolume"],
    };

    const LIMITS: &'static [AttributeLimit] = &[
        AttributeLimit::new(&["gib"], AllowedValue::Number(1, 65_536), aws::code::EC2),
        AttributeLimit::new(
            &["volume_type"],
            AllowedValue::OneOf(&["gp2", "gp3", "io1", "io2", "sc1", "st1", "standard"]),
            aws::code::EC2,
        ),
    ];

    fn summary(new: &NewAttributes<'_>) -> String {
        format!("{} GiB {}", new.join(&["gib"]), new.join(&["volume_type"]))
    }
}
