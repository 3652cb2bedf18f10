//! A file that machines start from.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Attribute, Kind, KindCalls, OutputSpec, Resource, Tags, TextInput};
use crate::limits::{AllowedValue, AttributeLimit, aws};

/// An object in the bucket. Its key contains the hash of its content, so changed content is another object.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BucketObject {
    /// The bucket.
    pub bucket: TextInput,
    /// Its key, `<prefix>/<cluster>/bootstrap/<sha256>/<name>`, with the name from its address.
    pub key: String,
    /// The SHA-256 of its content, in hexadecimal.
    pub sha256: String,
    /// The content of [`NODE_REGISTRATIONS`](super::NODE_REGISTRATIONS), by node group; empty for any other file.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub registrations: BTreeMap<String, NodeRegistration>,
    /// The settings of the cluster file in the content, by their paths, for a file of machines; `None` for any other file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settings: Option<BTreeMap<String, String>>,
}

/// Labels and taints that the nodes of a group have from the cluster file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeRegistration {
    /// Labels, by key.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: Tags,
    /// Taints, each as kubectl writes it: `key=value:effect`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub taints: Vec<String>,
}

impl Resource for BucketObject {
    const KIND: Kind = Kind {
        name: "bucket-object",
        title: "S3 object",
        attributes: &[
            Attribute::replace("bucket"),
            Attribute::replace("key"),
            Attribute::replace("sha256"),
            Attribute::update("registrations").by_record(),
            Attribute::update("settings").by_record(),
        ],
        outputs: &[OutputSpec::attribute("key")],
        data: false,
        shared: false,
        seconds: 1,
    };

    const CALLS: KindCalls = KindCalls {
        read: &["s3:ListBucket"],
        create: &["s3:PutObject"],
        update: &["s3:PutObject"],
        delete: &["s3:DeleteObjectVersion", "s3:ListBucketVersions"],
    };

    const LIMITS: &'static [AttributeLimit] =
        &[AttributeLimit::new(&["key"], AllowedValue::Text(aws::OBJECT_KEY), "KeyTooLongError")];
}
