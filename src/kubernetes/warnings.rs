//! Warning events of the cluster about a workload that does not become ready.

use std::collections::BTreeSet;

use k8s_openapi::Resource;
use k8s_openapi::api::apps::v1::ReplicaSet;
use k8s_openapi::api::core::v1::{Event, ObjectReference, Pod};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, ObjectMeta};
use k8s_openapi::jiff::Timestamp;
use serde::Deserialize as _;

use super::client::{ApiConnection, ListQuery};
use super::object_ref::{JsonObject, ObjectRef};
use crate::engine::Failure;

/// Reasons that the state of a pod describes better.
const SHOWN_BY_POD: [&str; 4] = ["BackOff", "ErrImageNeverPull", "FailedScheduling", "InspectFailed"];
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
    let mut events = connection.read::<Event>(ListQuery::within(namespace)).await?;
    events.retain(|event| is_warning(event) && subjects.contains(&subject(&event.involved_object)));
    events.sort_by_key(|event| std::cmp::Reverse(last_timestamp(event)));
    let mut warnings = Vec::new();
    for event in &events {
        let text = format!("{}: {}", text(event.reason.as_ref()), text(event.message.as_ref()).trim());
        if !warnings.contains(&text) && warnings.len() < MOST {
            warnings.push(text);
        }
    }
    Ok(warnings)
}

/// Returns the workload and every object between it and a running pod.
async fn subjects(
    connection: &ApiConnection,
    place: &ObjectRef,
    namespace: &str,
) -> Result<BTreeSet<EventSubject>, Failure> {
    let mut subjects = BTreeSet::from([(place.api.kind.to_string(), place.name.clone())]);
    let Some(labels) = connection.get(place).await?.as_ref().and_then(selector) else { return Ok(subjects) };
    let query = ListQuery::within(namespace).labelled(&labels);
    let sets = connection.read::<ReplicaSet>(query).await?;
    subjects.extend(sets.iter().map(|set| named(ReplicaSet::KIND, &set.metadata)));
    let pods = connection.read::<Pod>(query).await?;
    subjects.extend(pods.iter().map(|pod| named(Pod::KIND, &pod.metadata)));
    subjects.extend(pods.iter().flat_map(claim_warnings));
    Ok(subjects)
}

fn named(kind: &str, metadata: &ObjectMeta) -> EventSubject {
    (kind.to_owned(), metadata.name.clone().unwrap_or_default())
}

/// Returns the pod selector of a workload, as a list takes it.
pub(super) fn selector(workload: &JsonObject) -> Option<String> {
    let selector = LabelSelector::deserialize(workload.pointer("/spec/selector")?).ok()?;
    let labels: Vec<String> = selector.match_labels?.iter().map(|(name, value)| format!("{name}={value}")).collect();
    Some(labels.join(","))
}

/// Returns the claims of volumes that a pod names.
fn claim_warnings(pod: &Pod) -> Vec<EventSubject> {
    let volumes = pod.spec.iter().flat_map(|spec| &spec.volumes).flatten();
    let claims = volumes.filter_map(|volume| volume.persistent_volume_claim.as_ref());
    claims.map(|claim| ("PersistentVolumeClaim".to_owned(), claim.claim_name.clone())).collect()
}

fn is_warning(event: &Event) -> bool {
    let message = text(event.message.as_ref());
    let of_an_image = OF_IMAGES.iter().any(|known| message.starts_with(known));
    event.type_.as_deref() == Some("Warning") && !of_an_image && !SHOWN_BY_POD.contains(&text(event.reason.as_ref()))
}

fn subject(involved: &ObjectReference) -> EventSubject {
    (text(involved.kind.as_ref()).to_owned(), text(involved.name.as_ref()).to_owned())
}

/// The time at which an event occurred last.
fn last_timestamp(event: &Event) -> Option<Timestamp> {
    let series = event.series.as_ref().and_then(|series| series.last_observed_time.as_ref()).map(|time| time.0);
    let last = event.last_timestamp.as_ref().map(|time| time.0);
    series.or(last).or_else(|| event.event_time.as_ref().map(|time| time.0))
}

fn text(value: Option<&String>) -> &str {
    value.map(String::as_str).unwrap_or_default()
}
