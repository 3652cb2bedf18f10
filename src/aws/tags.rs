//! The cluster's tags in the shapes of each service.

use crate::engine::{Address, Live};
use crate::resource::{CLUSTER_TAG, OBJECT_TAG, Tags, tags_of};

/// The address that an object's tags give it, if they say that it belongs to the cluster and is of the kind.
pub(super) fn address(tags: &Tags, cluster: &str, kind: &str) -> Option<Address> {
    if tags.get(CLUSTER_TAG).map(String::as_str) != Some(cluster) {
        return None;
    }
    tags.get(OBJECT_TAG)?.parse().ok().filter(|address: &Address| address.kind() == kind)
}

/// The tags to set so that an object carries what is wanted.
pub(super) fn difference(live: &Live, wanted: &Tags) -> Tags {
    let have = tags_of(&live.attributes);
    wanted.iter().filter(|(key, value)| have.get(*key) != Some(value)).map(|(k, v)| (k.clone(), v.clone())).collect()
}

/// The keys that an object should lose.
///
/// The engine passes a live object with our tags only (those that we want, or wanted last time), so a tag that
/// somebody else added is never in it.
pub(super) fn removed(live: &Live, wanted: &Tags) -> Vec<String> {
    tags_of(&live.attributes).into_keys().filter(|key| !wanted.contains_key(key)).collect()
}
