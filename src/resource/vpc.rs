//! The virtual private cloud: one per cluster.

use serde::{Deserialize, Serialize};

use super::{Attribute, Kind, KindCalls, NewAttributes, OutputSpec, Resource, Tags};

/// A VPC.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Vpc {
    /// The address range, for example `172.20.0.0/16`.
    pub cidr: String,
    /// `true` if Amazon's DNS resolver is enabled in it.
    pub dns_support: bool,
    /// `true` if instances get DNS names.
    pub dns_hostnames: bool,
    /// Tags.
    pub tags: Tags,
}

impl Resource for Vpc {
    const KIND: Kind = Kind {
        name: "vpc",
        title: "VPC",
        attributes: &[
            Attribute::fixed("cidr", "destroy the cluster and apply again, or give the new one another name"),
            Attribute::update("dns_support"),
            Attribute::update("dns_hostnames"),
            Attribute::update("tags").tags(),
        ],
        outputs: &[OutputSpec::pattern("id", "vpc-{hex}")],
        data: false,
        shared: false,
        seconds: 3,
    };

    const CALLS: KindCalls = KindCalls {
        read: &["ec2:DescribeVpcs", "ec2:DescribeVpcAttribute"],
        create: &["ec2:CreateVpc", "ec2:CreateTags", "ec2:ModifyVpcAttribute"],
        update: &["ec2:CreateTags", "ec2:DeleteTags", "ec2:ModifyVpcAttribute"],
        delete: &["ec2:DeleteVpc"],
    };

    fn summary(new: &NewAttributes<'_>) -> String {
        new.join(&["cidr"])
    }
}
