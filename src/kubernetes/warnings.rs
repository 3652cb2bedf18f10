//! Warning events of the cluster about a workload that does not become ready.

use std::collections::BTreeSet;

use super::client::{ApiConnection, ListQuery};
use super::object_ref::{JsonObject, ObjectRef};
use crate::engine::Failure;
use crate::resource::ApiType;

static EVENTS: ApiType = ApiType::known("v1", "Event", "events", true);
static REPLICA_SETS: ApiType = ApiType::known("apps/v1", "ReplicaSet", "replicasets", true);
static PODS: ApiType = ApiType::known("v1", "Pod", "pods", true);
/// Reasons that the state of a pod describes better.
const TOLD: [&str; 4] = ["BackOff", "ErrImageNeverPull", "FailedScheduling", "InspectFailed"];
/// Messages of the kubelet about images whose reason other failures share: the state of the pod describes them better.
const OF_IMAGES: [&str; 5] = [
    "Error: ErrImageNeverPull",
    "Error: ErrImagePull",
    "Error: ImagePullBackOff",
    "Error: InvalidImageName",
    "Failed to pull image",
];
/// Maximum number of warnings that are returned.
const MOST: usize = 3;

/// The subject of an event: a kind and a name.
type EventSubject = (String, String);

/// Returns the last warnings about a workload, its replica sets, its pods and their claims: each once, the newest first.
pub(super) async fn warnings(connection: &ApiConnection, place: &ObjectRef) -> Result<Vec<String>, Failure> {
    let Some(namespace) = place.namespace.as_deref() else { return Ok(Vec::new()) };
    let subjects = subjects(connection, place, namespace).await?;
    let mut events = connection.list(&EVENTS, ListQuery::within(namespace)).await?;
    events.retain(|event| is_warning(event) && subjects.contains(&subject(&event["involvedObject"])));
    events.sort_by(|one, other| last_timestamp(other).cmp(last_timestamp(one)));
    let mut told = Vec::new();
    for event in &events {
        let text = format!("{}: {}", text(&event["reason"]), text(&event["message"]).trim());
        if !told.contains(&text) && told.len() < MOST {
            told.push(text);
        }
    }
    Ok(told)
}

/// Returns the workload and every object between it and a running pod.
async fn subjects(
    connection: &ApiConnection,
    place: &ObjectRef,
    namespace: &str,
) -> Result<BTreeSet<EventSubject>, Failure> {
    let mut subjects = BTreeSet::from([(place.api.kind.to_string(), place.name.clone())]);
    let Some(labels) = connection.get(place).await?.as_ref().and_then(selector) else { return Ok(subjects) };
    for api in [&REPLICA_SETS, &PODS] {
        let found = connection.list(api, ListQuery::within(namespace).labelled(&labels)).await?;
        subjects
            .extend(found.iter().map(|object| (api.kind.to_string(), text(&object["metadata"]["name"]).to_owned())));
        subjects.extend(found.iter().flat_map(claim_warnings));
    }
    Ok(subjects)
}

/// Returns the pod selector of a workload, as a list takes it.
pub(super) fn selector(workload: &JsonObject) -> Option<String> {
    let labels = workload["spec"]["selector"]["matchLabels"].as_object()?;
    let labels: Vec<String> =
        labels.iter().filter_map(|(name, value)| Some(format!("{name}={}", value.as_str()?))).collect();
    Some(labels.join(","))
}

/// Returns the claims of volumes that a pod names.
fn claim_warnings(pod: &JsonObject) -> Vec<EventSubject> {
    let volumes = pod["spec"]["volumes"].as_array().into_iter().flatten();
    let names = volumes.filter_map(|volume| volume["persistentVolumeClaim"]["claimName"].as_str());
    names.map(|name| ("PersistentVolumeClaim".to_owned(), name.to_owned())).collect()
}

fn is_warning(event: &JsonObject) -> bool {
    let message = text(&event["message"]);
    let of_an_image = OF_IMAGES.iter().any(|known| message.starts_with(known));
    event["type"] == "Warning" && !of_an_image && !TOLD.contains(&text(&event["reason"]))
}

fn subject(involved: &JsonObject) -> EventSubject {
    (text(&involved["kind"]).to_owned(), text(&involved["name"]).to_owned())
}

/// Returns the time of an event's last occurrence. Times of this form sort as text.
fn last_timestamp(event: &JsonObject) -> &str {
    let times = [&event["series"]["lastObservedTime"], &event["lastTimestamp"], &event["eventTime"]];
    times.into_iter().find_map(JsonObject::as_str).unwrap_or_default()
}

fn text(value: &JsonObject) -> &str {
    value.as_str().unwrap_or_default()
}
