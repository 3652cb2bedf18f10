//! A file that machines start from.

use serde::{Deserialize, Serialize};

use super::{Attribute, Kind, KindCalls, OutputSpec, Resource, TextInput};
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
}

impl Resource for BucketObject {
    const KIND: Kind = Kind {
        name: "bucket-object",
        title: "S3 object",
        attributes: &[Attribute::replace("bucket"), Attribute::replace("key"), Attribute::replace("sha256")],
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
