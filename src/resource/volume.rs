//! Volumes that outlive their machines.

use serde::{Deserialize, Serialize};

use super::{Attribute, Kind, OutputSpec, Resource, Tags};

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
}
