//! The tags of every object.

use crate::engine::Address;
use crate::resource::{self, CLUSTER_TAG, OBJECT_TAG, Tags};
use crate::spec::Cluster;

pub use crate::resource::{GROUP_TAG, MEMBER_TAG, ROLE_TAG};

/// The tag by which Kubernetes' own controllers know what belongs to a cluster.
pub(super) fn kubernetes_tag(cluster: &Cluster) -> String {
    resource::kubernetes_tag(cluster.name.as_str())
}

/// The tags of an object, which is called `name` in the console. Ours win over the user's.
pub(super) fn tags(cluster: &Cluster, address: &Address, name: &str) -> Tags {
    let mut tags = cluster.tags.clone();
    tags.extend([
        (CLUSTER_TAG.to_owned(), cluster.name.to_string()),
        (OBJECT_TAG.to_owned(), address.to_string()),
        (kubernetes_tag(cluster), "owned".to_owned()),
        ("Name".to_owned(), name.to_owned()),
    ]);
    tags
}

/// The same tags and some more.
pub(super) fn with<const N: usize>(mut tags: Tags, more: [(&str, &str); N]) -> Tags {
    tags.extend(more.map(|(key, value)| (key.to_owned(), value.to_owned())));
    tags
}
