//! Code that the EC2 kinds share: tags and filters.

use aws_sdk_ec2::types::{Filter, ResourceType, Tag, TagSpecification};

use super::AwsProvider;
use super::observe_cache::ObserveCache;
use crate::engine::{Failure, Live};
use crate::resource::{CLUSTER_TAG, Tags};

/// The service's name, for failures and limits.
pub(super) const EC2: &str = "ec2";

/// Matches objects that carry the cluster's tag.
pub(super) fn of_cluster(aws: &AwsProvider) -> Filter {
    filter(&format!("tag:{CLUSTER_TAG}"), &aws.scope.cluster)
}

/// Matches the objects of an observation: by tag, or by the ids in the record. An id that does not exist is not an error
/// for a filter.
pub(super) fn sought(cache: &ObserveCache<'_>, attribute: &str, kind: &str) -> Filter {
    match cache.whose.ids(kind) {
        None => of_cluster(cache.aws),
        Some(ids) => Filter::builder().name(attribute).set_values(Some(ids)).build(),
    }
}

/// Returns a filter with one value.
pub(super) fn filter(name: &str, value: &str) -> Filter {
    Filter::builder().name(name).values(value).build()
}

/// Returns the tags for a creating call.
pub(super) fn specification(resource: ResourceType, tags: &Tags) -> TagSpecification {
    TagSpecification::builder().resource_type(resource).set_tags(Some(to_ec2(tags))).build()
}

/// Converts tags to EC2's form.
pub(super) fn to_ec2(tags: &Tags) -> Vec<Tag> {
    tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect()
}

/// Converts tags from EC2's form.
pub(super) fn from_ec2(tags: &[Tag]) -> Tags {
    tags.iter().filter_map(|tag| Some((tag.key()?.to_owned(), tag.value().unwrap_or_default().to_owned()))).collect()
}

/// Sets the wanted tags on an object: sets those that differ, and removes tags of Quorate that are no longer wanted.
pub(super) async fn retag(aws: &AwsProvider, live: &Live, wanted: &Tags, changed: bool) -> Result<(), Failure> {
    if !changed {
        return Ok(());
    }
    let set = super::tags::difference(live, wanted);
    if !set.is_empty() {
        let request = aws.ec2.create_tags().resources(&live.id).set_tags(Some(to_ec2(&set)));
        aws.send(EC2, "CreateTags", request.send()).await?;
    }
    let removed = super::tags::removed(live, wanted);
    if !removed.is_empty() {
        let keys = removed.iter().map(|key| Tag::builder().key(key).build()).collect();
        let request = aws.ec2.delete_tags().resources(&live.id).set_tags(Some(keys));
        aws.send(EC2, "DeleteTags", request.send()).await?;
    }
    Ok(())
}

/// Converts a count to EC2's type.
pub(super) fn whole(count: u32) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

/// Converts a time as EC2 and Auto Scaling return it.
pub(super) fn created(at: Option<&aws_smithy_types::DateTime>) -> Option<jiff::Timestamp> {
    jiff::Timestamp::from_second(at?.secs()).ok()
}
