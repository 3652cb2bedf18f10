//! Handing the number of replicas over to its next manager.

use serde_json::json;

use super::client::{ApiConnection, ApplyMode, MANAGER};
use super::object_ref::{JsonObject, ObjectRef};
use crate::engine::Failure;

/// The kinds whose number of replicas another manager may set.
const SCALED: [&str; 2] = ["Deployment", "StatefulSet"];

/// Keeps the current number of replicas if a manifest no longer sets it.
///
/// Server-side apply removes a field that was set once and is no longer set: the number would fall to one before the
/// autoscaler's first evaluation. So another manager takes the field over first, as the page on server-side apply
/// describes under "Transferring ownership".
pub(super) async fn hand_over(
    connection: &ApiConnection,
    place: &ObjectRef,
    manifest: &JsonObject,
) -> Result<(), Failure> {
    if !SCALED.contains(&place.api.kind.as_ref()) || !manifest["spec"]["replicas"].is_null() {
        return Ok(());
    }
    let there = connection.get(place).await?.filter(is_held);
    let Some(replicas) = there.as_ref().and_then(|there| there["spec"]["replicas"].as_u64()) else { return Ok(()) };
    let kept = json!({
        "apiVersion": manifest["apiVersion"],
        "kind": manifest["kind"],
        "metadata": { "name": place.name, "namespace": place.namespace },
        "spec": { "replicas": replicas },
    });
    connection.apply(place, &kept, ApplyMode::HandedOver).await?;
    Ok(())
}

/// Returns `true` if Quorate manages the number of replicas.
fn is_held(object: &JsonObject) -> bool {
    let managers = object["metadata"]["managedFields"].as_array();
    let mut ours = managers.into_iter().flatten().filter(|entry| entry["manager"] == MANAGER);
    ours.any(|entry| entry["fieldsV1"]["f:spec"]["f:replicas"].is_object())
}
