//! Ways to services of AWS inside the VPC.

use serde::{Deserialize, Serialize};

use super::{Attribute, Kind, KindCalls, NewAttributes, OutputSpec, Resource, Tags, TextInput};

/// A gateway endpoint: routes of the VPC to a service of AWS. It costs nothing, and its traffic takes no NAT gateway.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VpcEndpoint {
    /// The VPC.
    pub vpc: TextInput,
    /// The service, for example `com.amazonaws.us-east-1.s3`.
    pub service: String,
    /// The route tables that have routes to it.
    pub tables: Vec<TextInput>,
    /// Tags.
    pub tags: Tags,
}

impl Resource for VpcEndpoint {
    const KIND: Kind = Kind {
        name: "vpc-endpoint",
        title: "VPC endpoint",
        attributes: &[
            Attribute::replace("vpc"),
            Attribute::replace("service"),
            Attribute::update("tables").set(),
            Attribute::update("tags").tags(),
        ],
        outputs: &[OutputSpec::pattern("id", "vpce-{hex}")],
        data: false,
        shared: false,
        seconds: 5,
    };

    const CALLS: KindCalls = KindCalls {
        read: &["ec2:DescribeVpcEndpoints"],
        create: &["ec2:CreateTags", "ec2:CreateVpcEndpoint"],
        update: &["ec2:CreateTags", "ec2:DeleteTags", "ec2:ModifyVpcEndpoint"],
        delete: &["ec2:DeleteVpcEndpoints"],
    };

    fn summary(new: &NewAttributes<'_>) -> String {
        new.join(&["service"])
    }
}
