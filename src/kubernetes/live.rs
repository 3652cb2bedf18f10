//! An object as the API tells it, as the engine sees it.

use std::collections::BTreeMap;

use super::place::{Json, Place};
use super::progress::{Progress, progress};
use crate::engine::{Address, Live, Phase};
use crate::resource::{ApiType, fields, is_kubernetes, marked};

/// A marked object; nothing for one that does not say which object of the cluster it is.
pub(super) fn live(cluster: &str, api: &ApiType, object: &Json) -> Option<Live> {
    let address = ours(cluster, object)?;
    as_live(api, object, address, true)
}

/// Which object of the cluster it is; nothing if it does not say so.
pub(super) fn ours(cluster: &str, object: &Json) -> Option<Address> {
    marked(cluster, object).filter(|address| is_kubernetes(address.kind()))
}

/// What stands where an object should be.
pub(super) fn as_live(api: &ApiType, object: &Json, address: Address, proven: bool) -> Option<Live> {
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
        id: Place::of(api, object)?.to_string(),
        attributes: fields(object),
        outputs: BTreeMap::from([("uid".to_owned(), uid)]),
        phase,
        proven,
        created: metadata["creationTimestamp"].as_str().and_then(|created| created.parse().ok()),
        members: Vec::new(),
    })
}
