//! A zone's part of the VPC.

use serde::{Deserialize, Serialize};

use super::{Attribute, Kind, KindCalls, NewAttributes, OutputSpec, Resource, Tags, TextInput};

/// A public subnet: one per zone.
///
/// Instances get their public address by their launch template, so the subnet itself assigns none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Subnet {
    /// The VPC.
    pub vpc: TextInput,
    /// The availability zone, for example `us-east-1a`.
    pub zone: String,
    /// The address range, for example `172.20.32.0/19`.
    pub cidr: String,
    /// Tags.
    pub tags: Tags,
}

impl Resource for Subnet {
    const KIND: Kind = Kind {
        name: "subnet",
        title: "subnet",
        attributes: &[
            Attribute::replace("vpc"),
            Attribute::fixed("zone", "destroy the cluster and apply again"),
            Attribute::fixed(
                "cidr",
                "keep the subnet's old range, or take the zone out of the file, apply, and put it back with the new range",
            ),
            Attribute::update("tags").tags(),
        ],
        outputs: &[OutputSpec::pattern("id", "subnet-{hex}")],
        data: false,
        shared: false,
        seconds: 2,
    };

    const CALLS: KindCalls = KindCalls {
        read: &["ec2:DescribeSubnets"],
        create: &["ec2:CreateSubnet", "ec2:CreateTags"],
        update: &["ec2:CreateTags", "ec2:DeleteTags"],
        delete: &["ec2:DeleteSubnet"],
    };

    fn summary(new: &NewAttributes<'_>) -> String {
        new.join(&["cidr"])
    }
}
