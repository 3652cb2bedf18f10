//! The bucket that contains the record and the files that machines start from.

use serde::{Deserialize, Serialize};

use super::{Attribute, Kind, KindCalls, NewAttributes, OutputSpec, Resource, Tags};
use crate::limits::{AllowedValue, AttributeLimit, aws};

/// The state bucket: versioned, encrypted, closed to the public.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Bucket {
    /// Its name, globally unique.
    pub name: String,
    /// `true` if old versions of objects are kept.
    pub versioned: bool,
    /// `true` if new objects are encrypted.
    pub encrypted: bool,
    /// `true` if public access is blocked, by all four settings.
    pub private: bool,
    /// Tags.
    pub tags: Tags,
}

impl Resource for Bucket {
    const KIND: Kind = Kind {
        name: "bucket",
        title: "S3 bucket",
        attributes: &[
            Attribute::fixed("name", "put `state` back as it was, or move it: quorate state move"),
            Attribute::update("versioned"),
            Attribute::update("encrypted"),
            Attribute::update("private"),
            Attribute::update("tags").tags(),
        ],
        outputs: &[OutputSpec::attribute("name"), OutputSpec::pattern("arn", "arn:aws:s3:::{name}")],
        data: false,
        shared: true,
        seconds: 5,
    };

    const CALLS: KindCalls = KindCalls {
        read: &["s3:ListBucket", "s3:GetBucketTagging", "s3:GetBucketVersioning", "s3:GetBucketPublicAccessBlock"],
        create: &[
            "s3:CreateBucket",
            "s3:PutBucketPublicAccessBlock",
            "s3:PutBucketTagging",
            "s3:PutBucketVersioning",
            "s3:PutEncryptionConfiguration",
        ],
        update: &["s3:PutBucketPublicAccessBlock", "s3:PutBucketTagging", "s3:PutBucketVersioning"],
        delete: &["s3:DeleteBucket"],
    };

    const LIMITS: &'static [AttributeLimit] =
        &[AttributeLimit::new(&["name"], AllowedValue::Text(aws::name::BUCKET), "InvalidBucketName")];

    fn summary(new: &NewAttributes<'_>) -> String {
        new.join(&["name"])
    }
}
