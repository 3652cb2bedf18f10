//! Handing the number of pods over to whoever decides about it next.

use serde_json::json;

use super::client::{Apply, Connection, MANAGER};
use super::place::{Json, Place};
use crate::engine::Failure;

/// The kinds whose number of pods something else may decide.
const SCALED: [&str; 2] = ["Deployment", "StatefulSet"];

/// Keeps the number of pods that there are when a manifest no longer says one.
///
/// What we set once and no longer set, server-side apply takes away: the number would fall to one before the autoscaler has
/// looked for the first time. So another manager takes it over before, as the page on server-side apply says under
/// "Transferring ownership".
pub(super) async fn hand_over(connection: &Connection, place: &Place, manifest: &Json) -> Result<(), Failure> {
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
    connection.apply(place, &kept, Apply::HandedOver).await?;
    Ok(())
}

/// Whether it is we who hold the number of pods.
fn is_held(object: &Json) -> bool {
    let managers = object["metadata"]["managedFields"].as_array();
    let mut ours = managers.into_iter().flatten().filter(|entry| entry["manager"] == MANAGER);
    ours.any(|entry| entry["fieldsV1"]["f:spec"]["f:replicas"].is_object())
}
