//! The cluster's tags in the form of each service.

use std::collections::BTreeMap;

use crate::engine::{Address, Live};
use crate::resource::{CLUSTER_TAG, OBJECT_TAG, Tags, tags_of};

/// The objects that an observation covers.
#[derive(Debug, Clone, Copy)]
pub(super) enum ObservationScope<'a> {
    /// The objects that carry the tags of this cluster.
    Tagged(&'a str),
    /// The objects in the record of this cluster, address to id, for objects whose tags do not show it.
    Recorded(&'a str, &'a BTreeMap<Address, String>),
}

impl ObservationScope<'_> {
    /// Returns the address of an object of a kind, if it is one of them.
    pub(super) fn address(self, tags: &Tags, id: &str, kind: &str) -> Option<Address> {
        match self {
            Self::Tagged(cluster) => address(tags, cluster, kind),
            // What carries another cluster's mark has been given away; what carries ours in full is found by it.
            Self::Recorded(cluster, _) if tags.get(CLUSTER_TAG).is_some_and(|owner| owner != cluster) => None,
            Self::Recorded(cluster, _) if address(tags, cluster, kind).is_some() => None,
            Self::Recorded(_, ids) => {
                let found = ids.iter().find(|(address, recorded)| address.kind() == kind && *recorded == id);
                found.map(|(address, _)| address.clone())
            }
        }
    }

    /// Returns the ids of a kind in the record; `None` where tags decide.
    pub(super) fn ids(self, kind: &str) -> Option<Vec<String>> {
        match self {
            Self::Tagged(_) => None,
            Self::Recorded(_, ids) => {
                Some(ids.iter().filter(|(address, _)| address.kind() == kind).map(|(_, id)| id.clone()).collect())
            }
        }
    }
}

/// Returns the address in an object's tags, if they show that it belongs to the cluster and is of the kind.
pub(super) fn address(tags: &Tags, cluster: &str, kind: &str) -> Option<Address> {
    if tags.get(CLUSTER_TAG).map(String::as_str) != Some(cluster) {
        return None;
    }
    tags.get(OBJECT_TAG)?.parse().ok().filter(|address: &Address| address.kind() == kind)
}

/// Returns the tags to set so that an object carries those that are wanted.
pub(super) fn difference(live: &Live, wanted: &Tags) -> Tags {
    let have = tags_of(&live.attributes);
    wanted.iter().filter(|(key, value)| have.get(*key) != Some(value)).map(|(k, v)| (k.clone(), v.clone())).collect()
}

/// Returns the keys to remove from an object.
///
/// The engine passes a live object with Quorate's tags only (those that are wanted now, or were last time), so a tag of
/// another owner is never in it.
pub(super) fn removed(live: &Live, wanted: &Tags) -> Vec<String> {
    tags_of(&live.attributes).into_keys().filter(|key| !wanted.contains_key(key)).collect()
}
