//! Where the record, and what machines start from, are kept.

use serde::{Deserialize, Serialize};

use super::{Attribute, Kind, Output, Resource, Tags};

/// The state bucket: versioned, encrypted, closed to the public.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Bucket {
    /// Its name, unique in the world.
    pub name: String,
    /// Whether old versions of objects are kept.
    pub versioned: bool,
    /// Whether new objects are encrypted.
    pub encrypted: bool,
    /// Whether public access is blocked, in all four ways.
    pub private: bool,
    /// Tags.
    pub tags: Tags,
}

impl Resource for Bucket {
    const KIND: Kind = Kind {
        name: "bucket",
        title: "S3 bucket",
        attributes: &[
            Attribute::fixed("name", "put `state` back as it was: the cluster's keys and its record are there"),
            Attribute::update("versioned"),
            Attribute::update("encrypted"),
            Attribute::update("private"),
            Attribute::update("tags").tags(),
        ],
        outputs: &[Output::attribute("name"), Output::pattern("arn", "arn:aws:s3:::{name}")],
        data: false,
        shared: true,
        seconds: 5,
    };
}
