//! The tags of every object.

use crate::engine::Address;
use crate::resource::{self, CLUSTER_TAG, OBJECT_TAG, Tags};
use crate::spec::Cluster;

pub use crate::resource::{GROUP_TAG, MEMBER_TAG, ROLE_TAG};

/// Returns the tag by which Kubernetes' own controllers recognize objects of a cluster.
pub(super) fn kubernetes_tag(cluster: &Cluster) -> String {
    resource::kubernetes_tag(cluster.name.as_str())
}

/// Returns the tags of an object with the console name `name`. Our tags replace the user's; a hosted zone takes only
/// the first few of the user's.
pub(super) fn tags(cluster: &Cluster, address: &Address, name: &str) -> Tags {
    let ours = [
        (CLUSTER_TAG.to_owned(), cluster.name.to_string()),
        (OBJECT_TAG.to_owned(), address.to_string()),
        (kubernetes_tag(cluster), "owned".to_owned()),
        ("Name".to_owned(), name.to_owned()),
    ];
    let room = resource::tag_limits(address.kind()).most.saturating_sub(ours.len());
    let is_own = |key: &String| ours.iter().any(|(own, _)| own == key);
    let of_the_file = cluster.tags.iter().filter(|(key, _)| !is_own(key)).take(room);
    let mut tags: Tags = of_the_file.map(|(key, value)| (key.clone(), value.clone())).collect();
    tags.extend(ours);
    tags
}

/// Returns the same tags and some more.
pub(super) fn with<const N: usize>(mut tags: Tags, more: [(&str, &str); N]) -> Tags {
    tags.extend(more.map(|(key, value)| (key.to_owned(), value.to_owned())));
    tags
}
