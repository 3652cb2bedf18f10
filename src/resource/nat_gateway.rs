//! The way of private machines to the internet.

use serde::{Deserialize, Serialize};

use super::{Attribute, Kind, KindCalls, NewAttributes, OutputSpec, Resource, Tags, TextInput};
use crate::limits::{AllowedValue, AttributeLimit, aws};

/// A public NAT gateway.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NatGateway {
    /// The VPC.
    pub vpc: TextInput,
    /// [`NatGateway::REGIONAL`] or [`NatGateway::ZONAL`].
    pub mode: String,
    /// The public subnet that a zonal gateway is in; empty for a regional one.
    pub subnet: TextInput,
    /// The allocation of a zonal gateway's address; empty for a regional one, whose addresses AWS allocates.
    pub address: TextInput,
    /// Tags.
    pub tags: Tags,
}

impl NatGateway {
    /// One gateway for all zones of the VPC.
    pub const REGIONAL: &'static str = "regional";
    /// A gateway in one zone.
    pub const ZONAL: &'static str = "zonal";
}

impl Resource for NatGateway {
    const KIND: Kind = Kind {
        name: "nat-gateway",
        title: "NAT gateway",
        attributes: &[
            Attribute::replace("vpc"),
            Attribute::replace("mode"),
            Attribute::replace("subnet"),
            Attribute::replace("address"),
            Attribute::update("tags").tags(),
        ],
        outputs: &[OutputSpec::pattern("id", "nat-{hex}")],
        data: false,
        shared: false,
        seconds: 120,
    };

    const CALLS: KindCalls = KindCalls {
        read: &["ec2:DescribeNatGateways"],
        create: &["ec2:CreateNatGateway", "ec2:CreateTags"],
        update: &["ec2:CreateTags", "ec2:DeleteTags"],
        delete: &["ec2:DeleteNatGateway"],
    };

    const LIMITS: &'static [AttributeLimit] =
        &[AttributeLimit::new(&["mode"], AllowedValue::OneOf(&[Self::REGIONAL, Self::ZONAL]), aws::code::EC2)];

    fn summary(new: &NewAttributes<'_>) -> String {
        new.join(&["mode"])
    }
}
