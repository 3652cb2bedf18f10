//! The internet access of the VPC.

use serde::{Deserialize, Serialize};

use super::{Attribute, Kind, KindCalls, OutputSpec, Resource, Tags, TextInput};

/// An internet gateway, attached to the VPC.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InternetGateway {
    /// The VPC that it is attached to.
    pub vpc: TextInput,
    /// Tags.
    pub tags: Tags,
}

impl Resource for InternetGateway {
    const KIND: Kind = Kind {
        name: "internet-gateway",
        title: "internet gateway",
        attributes: &[Attribute::update("vpc"), Attribute::update("tags").tags()],
        outputs: &[OutputSpec::pattern("id", "igw-{hex}")],
        data: false,
        shared: false,
        seconds: 2,
    };

    const CALLS: KindCalls = KindCalls {
        read: &["ec2:DescribeInternetGateways"],
        create: &["ec2:CreateInternetGateway", "ec2:CreateTags", "ec2:AttachInternetGateway"],
        update: &["ec2:AttachInternetGateway", "ec2:CreateTags", "ec2:DeleteTags", "ec2:DetachInternetGateway"],
        delete: &["ec2:DeleteInternetGateway", "ec2:DetachInternetGateway"],
    };
}
