//! The conversion of an API object to the engine's form.

use std::collections::BTreeMap;

use super::object_ref::{JsonObject, ObjectRef};
use super::progress::{RolloutProgress, is_failed_job, progress};
use crate::engine::{Address, Live, ObjectPhase};
use crate::resource::{ApiType, fields, is_kubernetes, marked};

/// Converts a marked object; returns `None` for one without the address of an object of the cluster.
pub(super) fn live(cluster: &str, api: &ApiType, object: &JsonObject) -> Option<Live> {
    let address = ours(cluster, object)?;
    as_live(api, object, address, true)
}

/// Returns the address of an object of the cluster; `None` if it has none.
pub(super) fn ours(cluster: &str, object: &JsonObject) -> Option<Address> {
    marked(cluster, object).filter(|address| is_kubernetes(address.kind()))
}

/// Converts an existing object at the place of a wanted one.
pub(super) fn as_live(api: &ApiType, object: &JsonObject, address: Address, proven: bool) -> Option<Live> {
    let metadata = &object["metadata"];
    let phase = match progress(object) {
        _ if metadata["deletionTimestamp"].is_string() => ObjectPhase::Deleting,
        RolloutProgress::Done => ObjectPhase::Ready,
        _ if is_failed_job(object) => ObjectPhase::Failed,
        // A failed rollout is corrected by the next apply, not by creating the object again.
        RolloutProgress::Waiting(_) | RolloutProgress::Stalled(_) => ObjectPhase::Pending,
    };
    let uid = metadata["uid"].as_str().unwrap_or_default().to_owned();
    Some(Live {
        address,
        id: ObjectRef::of(api, object)?.to_string(),
        attributes: fields(object),
        outputs: BTreeMap::from([("uid".to_owned(), uid)]),
        phase,
        proven,
        created: metadata["creationTimestamp"].as_str().and_then(|created| created.parse().ok()),
        members: Vec::new(),
    })
}
