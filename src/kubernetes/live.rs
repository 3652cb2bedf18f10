//! An object as the API tells it, as the engine sees it.

use std::collections::BTreeMap;

use super::place::{Json, Place};
use super::rollout::{Progress, progress};
use crate::engine::{Address, Live, Phase};
use crate::resource::{CLUSTER_TAG, OBJECT_TAG, fields, is_kubernetes};

/// A marked object; nothing for one that does not say which object of the cluster it is.
pub(super) fn live(object: &Json) -> Option<Live> {
    let address: Address = object["metadata"]["annotations"][OBJECT_TAG].as_str()?.parse().ok()?;
    is_kubernetes(address.kind()).then(|| as_live(object, address, true))?
}

/// What stands where an object should be.
pub(super) fn as_live(object: &Json, address: Address, proven: bool) -> Option<Live> {
    let metadata = &object["metadata"];
    let phase = match progress(object) {
        _ if metadata["deletionTimestamp"].is_string() => Phase::Deleting,
        Progress::Done => Phase::Ready,
        // One that has given up is mended by what is applied next, not by making it anew.
        Progress::Waiting(_) | Progress::Stalled(_) => Phase::Pending,
    };
    let uid = metadata["uid"].as_str().unwrap_or_default().to_owned();
    Some(Live {
        address,
        id: Place::of(object)?.to_string(),
        attributes: fields(object),
        outputs: BTreeMap::from([("uid".to_owned(), uid)]),
        phase,
        proven,
        created: metadata["creationTimestamp"].as_str().and_then(|created| created.parse().ok()),
        members: Vec::new(),
    })
}

/// Whether an object carries the cluster's mark and this address.
pub(super) fn is_ours(object: &Json, cluster: &str, address: &Address) -> bool {
    let metadata = &object["metadata"];
    metadata["labels"][CLUSTER_TAG] == cluster && metadata["annotations"][OBJECT_TAG] == address.to_string().as_str()
}
