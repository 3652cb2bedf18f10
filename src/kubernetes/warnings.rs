//! What the cluster's own events warn of, about something that does not come up.

use std::collections::BTreeSet;

use super::client::{Connection, Query};
use super::place::{Json, Place};
use crate::engine::Failure;
use crate::resource::ApiType;

static EVENTS: ApiType = ApiType::known("v1", "Event", "events", true);
static REPLICA_SETS: ApiType = ApiType::known("apps/v1", "ReplicaSet", "replicasets", true);
static PODS: ApiType = ApiType::known("v1", "Pod", "pods", true);
/// Reasons that the state of a pod tells better.
const TOLD: [&str; 4] = ["BackOff", "ErrImageNeverPull", "FailedScheduling", "InspectFailed"];
/// What the kubelet says of an image with a reason that it gives other failures, too: the state of the pod tells it better.
const OF_IMAGES: [&str; 5] = [
    "Error: ErrImageNeverPull",
    "Error: ErrImagePull",
    "Error: ImagePullBackOff",
    "Error: InvalidImageName",
    "Failed to pull image",
];
/// How many warnings are told.
const MOST: usize = 3;

/// A kind and a name: what an event is about.
type Subject = (String, String);

/// The last warnings about a workload, its replica sets, its pods and their claims: each once, the newest first.
pub(super) async fn warnings(connection: &Connection, place: &Place) -> Result<Vec<String>, Failure> {
    let Some(namespace) = place.namespace.as_deref() else { return Ok(Vec::new()) };
    let subjects = subjects(connection, place, namespace).await?;
    let mut events = connection.list(&EVENTS, Query::within(namespace)).await?;
    events.retain(|event| is_warning(event) && subjects.contains(&subject(&event["involvedObject"])));
    events.sort_by(|one, other| last_seen(other).cmp(last_seen(one)));
    let mut told = Vec::new();
    for event in &events {
        let text = format!("{}: {}", text(&event["reason"]), text(&event["message"]).trim());
        if !told.contains(&text) && told.len() < MOST {
            told.push(text);
        }
    }
    Ok(told)
}

/// The workload and everything that stands between it and a pod that runs.
async fn subjects(connection: &Connection, place: &Place, namespace: &str) -> Result<BTreeSet<Subject>, Failure> {
    let mut subjects = BTreeSet::from([(place.api.kind.to_string(), place.name.clone())]);
    let Some(labels) = connection.get(place).await?.as_ref().and_then(selector) else { return Ok(subjects) };
    for api in [&REPLICA_SETS, &PODS] {
        let found = connection.list(api, Query::within(namespace).labelled(&labels)).await?;
        subjects
            .extend(found.iter().map(|object| (api.kind.to_string(), text(&object["metadata"]["name"]).to_owned())));
        subjects.extend(found.iter().flat_map(claims));
    }
    Ok(subjects)
}

/// How a workload selects its pods, as a list is asked for them.
pub(super) fn selector(workload: &Json) -> Option<String> {
    let labels = workload["spec"]["selector"]["matchLabels"].as_object()?;
    let labels: Vec<String> =
        labels.iter().filter_map(|(name, value)| Some(format!("{name}={}", value.as_str()?))).collect();
    Some(labels.join(","))
}

/// The claims to volumes that a pod names.
fn claims(pod: &Json) -> Vec<Subject> {
    let volumes = pod["spec"]["volumes"].as_array().into_iter().flatten();
    let names = volumes.filter_map(|volume| volume["persistentVolumeClaim"]["claimName"].as_str());
    names.map(|name| ("PersistentVolumeClaim".to_owned(), name.to_owned())).collect()
}

fn is_warning(event: &Json) -> bool {
    let message = text(&event["message"]);
    let of_an_image = OF_IMAGES.iter().any(|known| message.starts_with(known));
    event["type"] == "Warning" && !of_an_image && !TOLD.contains(&text(&event["reason"]))
}

fn subject(involved: &Json) -> Subject {
    (text(&involved["kind"]).to_owned(), text(&involved["name"]).to_owned())
}

/// When an event was seen last. Times of this form sort as text.
fn last_seen(event: &Json) -> &str {
    let times = [&event["series"]["lastObservedTime"], &event["lastTimestamp"], &event["eventTime"]];
    times.into_iter().find_map(Json::as_str).unwrap_or_default()
}

fn text(value: &Json) -> &str {
    value.as_str().unwrap_or_default()
}
