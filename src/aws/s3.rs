//! Code that the S3 kinds and the store share: tags, and the removal of every version of a key.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::SystemTime;

use aws_config::SdkConfig;
use aws_sdk_s3::Client;
use aws_sdk_s3::operation::list_objects_v2::ListObjectsV2Output;
use aws_sdk_s3::types::{Delete, Object, ObjectIdentifier, Tag};

use super::AwsProvider;
use super::error_context::{ErrorContext, situate};
use super::failure::{class_of, if_there, incomplete};
use super::observe_cache::ObserveCache;
use crate::engine::Failure;
use crate::resource::Tags;

/// The service's name, for failures and limits.
pub(super) const S3: &str = "s3";

/// Maximum number of versions that one call removes.
const REMOVED_A_CALL: usize = 1000;

/// Returns the client. An endpoint other than AWS's has no host name for each bucket: it needs the bucket in the path.
pub(super) fn client(config: &SdkConfig) -> Client {
    let builder = aws_sdk_s3::config::Builder::from(config);
    Client::from_conf(builder.force_path_style(config.endpoint_url().is_some()).build())
}

/// Converts tags to S3's form.
pub(super) fn to_s3(tags: &Tags) -> Result<Vec<Tag>, Failure> {
    let tags = tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build());
    tags.collect::<Result<_, _>>().map_err(|error| incomplete(&error))
}

/// Converts tags from S3's form.
pub(super) fn from_s3(tags: &[Tag]) -> Tags {
    tags.iter().map(|tag| (tag.key().to_owned(), tag.value().to_owned())).collect()
}

/// Returns the keys below a prefix; none if there is no bucket.
pub(super) async fn keys(aws: &AwsProvider, bucket: &str, prefix: &str) -> Result<Vec<String>, Failure> {
    Ok(list(aws, bucket, prefix, None).await?.into_iter().filter_map(|object| object.key).collect())
}

/// Returns the cluster's objects in its bucket, read once for all kinds: without its backups, which may be many, and sort
/// before all other keys.
pub(super) async fn kept(cache: &ObserveCache<'_>) -> Result<Arc<Vec<Object>>, Failure> {
    let scope = &cache.aws.scope;
    if cache.aws.bucket_deleted.load(Ordering::Relaxed) {
        return Ok(Arc::default());
    }
    let after = format!("{}backups0", scope.prefix);
    cache.once(|| list(cache.aws, &scope.bucket, &scope.prefix, Some(&after))).await
}

/// Lists the objects below a prefix, optionally only those whose keys sort after another one.
async fn list(aws: &AwsProvider, bucket: &str, prefix: &str, after: Option<&str>) -> Result<Vec<Object>, Failure> {
    let pages = || {
        let request = aws.s3.list_objects_v2().bucket(bucket).prefix(prefix);
        request.set_start_after(after.map(str::to_owned)).into_paginator().send().try_collect()
    };
    let pages: Vec<ListObjectsV2Output> = if_there(aws.read(S3, "ListBucket", pages).await)?.unwrap_or_default();
    Ok(pages.into_iter().flat_map(|page| page.contents.unwrap_or_default()).collect())
}

/// Returns every version and delete marker below a prefix; none if there is no bucket.
pub(super) async fn versions(aws: &AwsProvider, bucket: &str, prefix: &str) -> Result<Vec<ObjectIdentifier>, Failure> {
    let (mut found, mut next) = (Vec::new(), (None, None));
    loop {
        let request = || {
            let (key, version) = next.clone();
            let request = aws.s3.list_object_versions().bucket(bucket).prefix(prefix);
            request.set_key_marker(key).set_version_id_marker(version).send()
        };
        let Some(page) = if_there(aws.read(S3, "ListBucketVersions", request).await)? else { return Ok(found) };
        let versions = page.versions().iter().map(|version| (version.key(), version.version_id()));
        let markers = page.delete_markers().iter().map(|marker| (marker.key(), marker.version_id()));
        for (key, version) in versions.chain(markers) {
            found.push(identifier(key.unwrap_or_default(), version)?);
        }
        if !page.is_truncated().unwrap_or_default() {
            return Ok(found);
        }
        next = (page.next_key_marker, page.next_version_id_marker);
    }
}

/// Returns keys of which the bucket holds any version, up to one page, sorted; none if there is no bucket.
pub(super) async fn some_keys(aws: &AwsProvider, bucket: &str) -> Result<Vec<String>, Failure> {
    let request = || aws.s3.list_object_versions().bucket(bucket).send();
    let Some(page) = if_there(aws.read(S3, "ListBucketVersions", request).await)? else { return Ok(Vec::new()) };
    let versions = page.versions().iter().filter_map(|version| version.key());
    let keys = versions.chain(page.delete_markers().iter().filter_map(|marker| marker.key()));
    let keys: BTreeSet<&str> = keys.collect();
    Ok(keys.into_iter().map(str::to_owned).collect())
}

/// Removes these versions permanently.
pub(super) async fn remove(aws: &AwsProvider, bucket: &str, versions: &[ObjectIdentifier]) -> Result<(), Failure> {
    for some in versions.chunks(REMOVED_A_CALL) {
        let some = Delete::builder().set_objects(Some(some.to_vec())).quiet(true).build();
        let some = some.map_err(|error| incomplete(&error))?;
        let request = aws.s3.delete_objects().bucket(bucket).delete(some);
        let answer = aws.send(S3, "DeleteObjectVersion", request.send()).await?;
        if let Some(error) = answer.errors().first() {
            return Err(not_removed(aws, error));
        }
    }
    Ok(())
}

fn identifier(key: &str, version: Option<&str>) -> Result<ObjectIdentifier, Failure> {
    let identifier = ObjectIdentifier::builder().key(key).set_version_id(version.map(str::to_owned)).build();
    identifier.map_err(|error| incomplete(&error))
}

/// Returns the failure for a key that was not removed: a call that succeeds may still leave some of its keys.
fn not_removed(aws: &AwsProvider, error: &aws_sdk_s3::types::Error) -> Failure {
    let failure = Failure {
        class: class_of(error.code(), None, aws.kind_codes),
        service: S3.to_owned(),
        action: "DeleteObjectVersion".to_owned(),
        code: error.code().map(str::to_owned),
        message: format!("{}: {}", error.key().unwrap_or_default(), error.message().unwrap_or_default()),
        request_id: None,
    };
    situate(failure, &ErrorContext::default(), &aws.scope.region, SystemTime::now())
}
