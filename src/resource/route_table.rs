//! The routes of the network.

use serde::{Deserialize, Serialize};

use super::{Attribute, Kind, KindCalls, OutputSpec, Resource, Tags, TextInput};
use crate::limits::{AllowedValue, AttributeLimit};

/// A route table with its routes and the subnets that use it.
///
/// Routes to instances belong to the cloud controller (one for each node, for its pods): they are never shown here.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RouteTable {
    /// The VPC.
    pub vpc: TextInput,
    /// The routes beside the VPC's own.
    pub routes: Vec<Route>,
    /// The subnets that use the table.
    pub subnets: Vec<TextInput>,
    /// Tags.
    pub tags: Tags,
}

/// A route of a route table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Route {
    /// The destination, for example `0.0.0.0/0`.
    pub destination: String,
    /// The gateway's id.
    pub target: TextInput,
}

impl Resource for RouteTable {
    const KIND: Kind = Kind {
        name: "route-table",
        title: "route table",
        attributes: &[
            Attribute::replace("vpc"),
            Attribute::update("routes").set(),
            Attribute::update("subnets").set(),
            Attribute::update("tags").tags(),
        ],
        outputs: &[OutputSpec::pattern("id", "rtb-{hex}")],
        data: false,
        shared: false,
        seconds: 3,
    };

    const CALLS: KindCalls = KindCalls {
        read: &["ec2:DescribeRouteTables"],
        create: &[
            "ec2:AssociateRouteTable",
            "ec2:CreateRoute",
            "ec2:CreateRouteTable",
            "ec2:CreateTags",
            "ec2:ReplaceRouteTableAssociation",
        ],
        update: &[
            "ec2:AssociateRouteTable",
            "ec2:CreateRoute",
            "ec2:CreateTags",
            "ec2:DeleteRoute",
            "ec2:DeleteTags",
            "ec2:DisassociateRouteTable",
            "ec2:ReplaceRoute",
            "ec2:ReplaceRouteTableAssociation",
        ],
        delete: &["ec2:DeleteRouteTable", "ec2:DisassociateRouteTable"],
    };

    const LIMITS: &'static [AttributeLimit] =
        &[AttributeLimit::new(&["routes"], AllowedValue::Count(500), "RouteLimitExceeded")];
}
