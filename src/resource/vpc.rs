//! The virtual private cloud: one per cluster.

use serde::{Deserialize, Serialize};

use super::{Attribute, Kind, Output, Resource, Tags};

/// A VPC.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Vpc {
    /// The address range, for example `172.20.0.0/16`.
    pub cidr: String,
    /// Whether Amazon's resolver answers in it.
    pub dns_support: bool,
    /// Whether instances get DNS names.
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
        outputs: &[Output::pattern("id", "vpc-{hex}")],
        data: false,
        shared: false,
        seconds: 3,
    };
}
