//! The state bucket, and no other bucket.
//!
//! It may belong to another owner who shares it with the cluster: then it is used as it is.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;

use aws_sdk_s3::types::{
    BucketLocationConstraint, BucketVersioningStatus, CreateBucketConfiguration, ObjectIdentifier,
    PublicAccessBlockConfiguration, ServerSideEncryption, ServerSideEncryptionByDefault,
    ServerSideEncryptionConfiguration, ServerSideEncryptionRule, Tagging, VersioningConfiguration,
};

use super::failure::{ErrorCodes, if_there, incomplete, internal, just_made};
use super::kind::{AwsKind, CreateContext, live, updated};
use super::observe_cache::ObserveCache;
use super::s3::{S3, from_s3, remove, to_s3, versions};
use super::{AwsProvider, tags};
use crate::cloud::{BucketOwner, CloudProvider};
use crate::engine::{Failure, FailureClass, Live, ProgressNote};
use crate::resource::{AwsPartition, Bucket, Resource, STATE_BUCKET, Tags};

/// The region whose buckets are created without a location constraint.
const FIRST_REGION: &str = "us-east-1";
/// The error code of S3 in the few regions where a bucket cannot be created with tags.
const NO_TAGS: &str = "UnsupportedArgument";
/// Maximum number of foreign keys that an error message names.
const NAMED: usize = 3;

impl AwsKind for Bucket {
    const CODES: ErrorCodes = &[
        (FailureClass::Gone, &["NoSuchBucket"]),
        (FailureClass::AlreadyExists, &["BucketAlreadyExists", "BucketAlreadyOwnedByYou"]),
        (FailureClass::Held, &["BucketNotEmpty"]),
        (FailureClass::Quota, &["TooManyBuckets"]),
    ];

    async fn observe(cache: &ObserveCache<'_>) -> Result<Vec<Live>, Failure> {
        let aws = cache.aws;
        let name = &aws.scope.bucket;
        if aws.bucket_deleted.load(Ordering::Relaxed) {
            return Ok(Vec::new());
        }
        let Some(tags) = read_tags(aws, name).await? else { return Ok(Vec::new()) };
        let (versioned, private) = if aws.is_shallow() {
            (true, true)
        } else {
            tokio::try_join!(is_versioned(aws, name), is_private(aws, name))?
        };
        let proven = tags::address(&tags, &aws.scope.cluster, Self::KIND.name).is_some();
        // S3 encrypts whatever is written to any bucket, and that cannot be switched off: nothing to ask.
        let bucket = Self { name: name.clone(), versioned, encrypted: true, private, tags };
        Ok(vec![Live { proven, ..found(aws, STATE_BUCKET, &bucket)? }])
    }

    async fn create(&self, aws: &AwsProvider, creation: &CreateContext<'_>) -> Result<Live, Failure> {
        let configuration = CreateBucketConfiguration::builder()
            .set_location_constraint(location(aws))
            .set_tags(Some(to_s3(&self.tags)?))
            .build();
        let request = aws.s3.create_bucket().bucket(&self.name).create_bucket_configuration(configuration);
        match aws.send(S3, "CreateBucket", request.send()).await {
            Err(refused) if refused.code.as_deref() == Some(NO_TAGS) => self.create_bare(aws).await?,
            outcome => outcome.map(drop)?,
        }
        // No master has reported in a bucket that is new.
        let _ = aws.lives.set(false);
        self.furnish(aws).await.map_err(just_made)?;
        found(aws, creation.object.address.name(), self)
    }

    async fn update(&self, aws: &AwsProvider, live: &Live, changed: &BTreeSet<String>) -> Result<Live, Failure> {
        if changed.contains("tags") {
            let mut tags = read_tags(aws, &self.name).await?.unwrap_or_default();
            tags.retain(|key, _| !tags::removed(live, &self.tags).contains(key));
            tags.extend(self.tags.clone());
            write_tags(aws, &self.name, &tags).await?;
        }
        if changed.contains("versioned") {
            self.set_versioning(aws).await?;
        }
        if changed.contains("encrypted") {
            self.set_encryption(aws).await?;
        }
        if changed.contains("private") {
            self.set_privacy(aws).await?;
        }
        updated(live, self)
    }

    async fn delete(aws: &AwsProvider, live: &Live, note: ProgressNote<'_>) -> Result<(), Failure> {
        let name = &live.id;
        // S3 deletes only a bucket that holds nothing.
        match aws.send(S3, "DeleteBucket", aws.s3.delete_bucket().bucket(name).send()).await {
            Err(failure) if failure.class == FailureClass::Held => {}
            outcome => {
                aws.bucket_deleted.store(outcome.is_ok() && aws.is_shallow(), Ordering::Relaxed);
                return outcome.map(drop);
            }
        }
        let held = versions(aws, name, "").await?;
        let foreign: BTreeSet<&str> =
            held.iter().map(ObjectIdentifier::key).filter(|key| !key.starts_with(&aws.scope.prefix)).collect();
        if !foreign.is_empty() {
            return Err(holds(&foreign));
        }
        if !held.is_empty() {
            note(format!("{} versions of objects are being removed", held.len()));
            remove(aws, name, &held).await?;
        }
        aws.send(S3, "DeleteBucket", aws.s3.delete_bucket().bucket(name).send()).await.map(drop)
    }
}

impl Bucket {
    /// Creates the bucket where S3 does not take tags in that call, and tags it in the next one.
    async fn create_bare(&self, aws: &AwsProvider) -> Result<(), Failure> {
        let elsewhere =
            location(aws).map(|region| CreateBucketConfiguration::builder().location_constraint(region).build());
        let request = aws.s3.create_bucket().bucket(&self.name).set_create_bucket_configuration(elsewhere);
        aws.send(S3, "CreateBucket", request.send()).await?;
        write_tags(aws, &self.name, &self.tags).await.map_err(just_made)
    }

    /// Configures a bucket that was just created.
    async fn furnish(&self, aws: &AwsProvider) -> Result<(), Failure> {
        if self.versioned {
            self.set_versioning(aws).await?;
        }
        // S3 encrypts whatever is written to a new bucket with its own keys.
        if self.private {
            self.set_privacy(aws).await?;
        }
        Ok(())
    }

    async fn set_versioning(&self, aws: &AwsProvider) -> Result<(), Failure> {
        // What was versioned once can only be suspended.
        let status = if self.versioned { BucketVersioningStatus::Enabled } else { BucketVersioningStatus::Suspended };
        let configuration = VersioningConfiguration::builder().status(status).build();
        let request = aws.s3.put_bucket_versioning().bucket(&self.name).versioning_configuration(configuration);
        aws.send(S3, "PutBucketVersioning", request.send()).await.map(drop)
    }

    async fn set_encryption(&self, aws: &AwsProvider) -> Result<(), Failure> {
        let ours = ServerSideEncryptionByDefault::builder().sse_algorithm(ServerSideEncryption::Aes256).build();
        let ours = ours.map_err(|error| incomplete(&error))?;
        let rule = ServerSideEncryptionRule::builder().apply_server_side_encryption_by_default(ours).build();
        let configuration = ServerSideEncryptionConfiguration::builder().rules(rule).build();
        let configuration = configuration.map_err(|error| incomplete(&error))?;
        let request = aws.s3.put_bucket_encryption().bucket(&self.name);
        let request = request.server_side_encryption_configuration(configuration);
        aws.send(S3, "PutEncryptionConfiguration", request.send()).await.map(drop)
    }

    async fn set_privacy(&self, aws: &AwsProvider) -> Result<(), Failure> {
        let configuration = PublicAccessBlockConfiguration::builder()
            .block_public_acls(self.private)
            .ignore_public_acls(self.private)
            .block_public_policy(self.private)
            .restrict_public_buckets(self.private)
            .build();
        let request = aws.s3.put_public_access_block().bucket(&self.name);
        let request = request.public_access_block_configuration(configuration);
        aws.send(S3, "PutBucketPublicAccessBlock", request.send()).await.map(drop)
    }
}

/// Returns the owner of the bucket; `None` if there is no bucket of that name.
///
/// # Errors
/// Fails as S3 does: a bucket of another account that does not share it is denied.
pub(super) async fn owner(aws: &AwsProvider) -> Result<Option<BucketOwner>, Failure> {
    let bucket = &aws.scope.bucket;
    let account = aws.account().await?;
    let own = || aws.s3.head_bucket().bucket(bucket).expected_bucket_owner(&account).send();
    match if_there(aws.read(S3, "ListBucket", own).await) {
        // Another owner and a missing permission have the same answer: without the condition, only one of them is left.
        Err(denied) if denied.class == FailureClass::Denied => {
            let request = || aws.s3.head_bucket().bucket(bucket).send();
            let shared = if_there(aws.read(S3, "ListBucket", request).await)?;
            Ok(shared.map(|_| BucketOwner::Other))
        }
        answer => Ok(answer?.map(|_| BucketOwner::Caller)),
    }
}

/// Returns the region in which to create a bucket; `None` for the region that needs no location constraint.
fn location(aws: &AwsProvider) -> Option<BucketLocationConstraint> {
    let region = aws.scope.region.as_str();
    (region != FIRST_REGION).then(|| BucketLocationConstraint::from(region))
}

fn found(aws: &AwsProvider, name: &str, bucket: &Bucket) -> Result<Live, Failure> {
    let arn = format!("arn:{}:s3:::{}", AwsPartition::of(&aws.scope.region).id(), bucket.name);
    live(name, &bucket.name, bucket, &[("name", &bucket.name), ("arn", &arn)])
}

/// Returns the bucket's tags; `None` if there is no bucket.
async fn read_tags(aws: &AwsProvider, bucket: &str) -> Result<Option<Tags>, Failure> {
    let request = || aws.s3.get_bucket_tagging().bucket(bucket).send();
    match aws.read(S3, "GetBucketTagging", request).await {
        Err(failure) if failure.code.as_deref() == Some("NoSuchTagSet") => Ok(Some(Tags::new())),
        answer => Ok(if_there(answer)?.map(|answer| from_s3(answer.tag_set()))),
    }
}

/// Sets all of a bucket's tags: S3 cannot set one of them alone.
async fn write_tags(aws: &AwsProvider, bucket: &str, tags: &Tags) -> Result<(), Failure> {
    let tagging = Tagging::builder().set_tag_set(Some(to_s3(tags)?)).build();
    let request = aws.s3.put_bucket_tagging().bucket(bucket);
    let request = request.tagging(tagging.map_err(|error| incomplete(&error))?);
    aws.send(S3, "PutBucketTagging", request.send()).await.map(drop)
}

async fn is_versioned(aws: &AwsProvider, bucket: &str) -> Result<bool, Failure> {
    let request = || aws.s3.get_bucket_versioning().bucket(bucket).send();
    let answer = if_there(aws.read(S3, "GetBucketVersioning", request).await)?;
    Ok(answer.is_some_and(|answer| answer.status() == Some(&BucketVersioningStatus::Enabled)))
}

async fn is_private(aws: &AwsProvider, bucket: &str) -> Result<bool, Failure> {
    let request = || aws.s3.get_public_access_block().bucket(bucket).send();
    // A bucket without the setting answers that there is none.
    let answer = if_there(aws.read(S3, "GetBucketPublicAccessBlock", request).await)?;
    let configuration = answer.and_then(|answer| answer.public_access_block_configuration);
    Ok(configuration.is_some_and(|blocked| all_four(&blocked)))
}

fn all_four(blocked: &PublicAccessBlockConfiguration) -> bool {
    [
        blocked.block_public_acls,
        blocked.ignore_public_acls,
        blocked.block_public_policy,
        blocked.restrict_public_buckets,
    ]
    .iter()
    .all(|on| *on == Some(true))
}

fn holds(keys: &BTreeSet<&str>) -> Failure {
    let mut named: Vec<_> = keys.iter().take(NAMED).map(|key| (*key).to_owned()).collect();
    if keys.len() > NAMED {
        named.push(format!("{} more", keys.len() - NAMED));
    }
    let message = format!("the bucket holds what this cluster did not write: {}", named.join(", "));
    Failure { service: S3.to_owned(), ..internal("DeleteBucket", message) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_is_private_when_all_four_ways_are_blocked() {
        let all = PublicAccessBlockConfiguration::builder()
            .block_public_acls(true)
            .ignore_public_acls(true)
            .block_public_policy(true)
            .restrict_public_buckets(true);
        assert!(all_four(&all.clone().build()));
        assert!(!all_four(&all.clone().restrict_public_buckets(false).build()));
        assert!(!all_four(&all.set_block_public_acls(None).build()));
    }

    #[test]
    fn a_refusal_names_a_few_keys() {
        let failure = holds(&["a", "b", "c", "d", "e"].into());
        assert_eq!(failure.class, crate::engine::FailureClass::Fatal, "waiting does not help");
        assert!(failure.message.ends_with("a, b, c, 2 more"), "{failure}");
        assert!(holds(&["a"].into()).message.ends_with(": a"));
    }
}
