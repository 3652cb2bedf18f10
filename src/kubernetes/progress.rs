//! The progress of an object toward its wanted state.

use k8s_openapi::api::apps::v1::{DaemonSet, DaemonSetSpec, Deployment, DeploymentCondition, StatefulSet};
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinitionStatus;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::de::DeserializeOwned;

use super::object_ref::JsonObject;
use super::typed::as_type;

/// The label and the taint of a master's node.
const MASTER: &str = "node-role.kubernetes.io/control-plane";

/// The strategy by which old pods stay until they are deleted by hand. Those below a partition stay permanently: both
/// as asked for.
const ON_DELETE: &str = "OnDelete";

/// The progress of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum RolloutProgress {
    /// It has reached its wanted state.
    Done,
    /// It is not complete: the text names what is missing.
    Waiting(String),
    /// It has failed.
    Stalled(String),
}

/// Returns the progress of an object. An object that runs nothing is complete once it is stored.
pub(super) fn progress(object: &JsonObject) -> RolloutProgress {
    let text = |field: &str| object[field].as_str().unwrap_or_default();
    match (text("apiVersion"), text("kind")) {
        ("apps/v1", "Deployment") => judge(object, deployment),
        ("apps/v1", "DaemonSet") => judge(object, daemon_set),
        ("apps/v1", "StatefulSet") => judge(object, stateful_set),
        ("batch/v1", "Job") => judge(object, job),
        // Of a definition, the schemas of its types are not read.
        ("apiextensions.k8s.io/v1", "CustomResourceDefinition") => {
            judge(&object["status"], |status: &Option<_>| definition(status.as_ref()))
        }
        _ => RolloutProgress::Done,
    }
}

fn judge<K: DeserializeOwned>(object: &JsonObject, judge: impl FnOnce(&K) -> RolloutProgress) -> RolloutProgress {
    match K::deserialize(object) {
        Ok(object) => judge(&object),
        Err(error) => RolloutProgress::Waiting(format!("its state cannot be read: {error}")),
    }
}

fn deployment(object: &Deployment) -> RolloutProgress {
    let (spec, status) = (object.spec.as_ref(), object.status.clone().unwrap_or_default());
    let is_current = is_observed(status.observed_generation, &object.metadata);
    let wanted = spec.and_then(|spec| spec.replicas).unwrap_or(1);
    let [all, updated, available] =
        [status.replicas, status.updated_replicas, status.available_replicas].map(Option::unwrap_or_default);
    // Old pods that are still there may serve, but they are not what was asked for.
    if is_current && updated == wanted && all == wanted && available == wanted {
        return RolloutProgress::Done;
    }
    let progress = pods(false, updated.min(available), wanted);
    let gave_up = condition(object, "Progressing").filter(|condition| condition.status == "False");
    match (is_current, gave_up, progress) {
        (true, Some(_), RolloutProgress::Waiting(progress)) => RolloutProgress::Stalled(progress),
        (_, _, progress) => progress,
    }
}

fn daemon_set(object: &DaemonSet) -> RolloutProgress {
    let (spec, status) = (object.spec.as_ref(), object.status.clone().unwrap_or_default());
    let is_current = is_observed(status.observed_generation, &object.metadata);
    let strategy = spec.and_then(|spec| spec.update_strategy.as_ref()?.type_.as_deref());
    let wanted = status.desired_number_scheduled;
    let updated = status.updated_number_scheduled.unwrap_or_default();
    let updated = if strategy == Some(ON_DELETE) { wanted } else { updated };
    let there = updated.min(status.number_available.unwrap_or_default());
    // Every cluster has masters: they have not joined yet, or are not known as such.
    if wanted == 0 && is_current && spec.is_some_and(is_for_masters) {
        return RolloutProgress::Waiting("no master is a node yet".to_owned());
    }
    // Machines of another kind there may be none of, and more will come: that is as asked for.
    pods(is_current && there >= wanted, there, wanted)
}

fn stateful_set(object: &StatefulSet) -> RolloutProgress {
    let (spec, status) = (object.spec.as_ref(), object.status.clone().unwrap_or_default());
    let is_current = is_observed(status.observed_generation, &object.metadata);
    let strategy = spec.and_then(|spec| spec.update_strategy.as_ref());
    let on_delete = strategy.is_some_and(|strategy| strategy.type_.as_deref() == Some(ON_DELETE));
    let partition = strategy.and_then(|strategy| strategy.rolling_update.as_ref()?.partition);
    let wanted = spec.and_then(|spec| spec.replicas).unwrap_or(1);
    let held_back = if on_delete { wanted } else { partition.unwrap_or(0).min(wanted) };
    let updated = status.updated_replicas.unwrap_or_default() + held_back;
    let there = updated.min(status.ready_replicas.unwrap_or_default());
    pods(is_current && there >= wanted, there, wanted)
}

fn job(object: &Job) -> RolloutProgress {
    let status = object.status.clone().unwrap_or_default();
    let mut conditions = status.conditions.iter().flatten().filter(|condition| condition.status == "True");
    match conditions.find(|condition| condition.type_ == "Complete" || condition.type_ == "Failed") {
        Some(end) if end.type_ == "Complete" => RolloutProgress::Done,
        Some(end) => {
            let why = end.message.as_deref().or(end.reason.as_deref()).unwrap_or("it does not say why");
            RolloutProgress::Stalled(format!("the job failed: {why}"))
        }
        None if status.failed.unwrap_or(0) > 0 => {
            let failed = status.failed.unwrap_or(0);
            RolloutProgress::Waiting(format!("it has not succeeded yet; {} failed", attempts(failed)))
        }
        None => RolloutProgress::Waiting("it has not ended yet".to_owned()),
    }
}

fn attempts(number: i32) -> String {
    if number == 1 { "one attempt".to_owned() } else { format!("{number} attempts") }
}

/// Returns `true` for a job that has failed: it never runs again by itself.
pub(super) fn is_failed_job(object: &JsonObject) -> bool {
    as_type::<Job>(object).is_some_and(|object| matches!(job(&object), RolloutProgress::Stalled(_)))
}

fn definition(status: Option<&CustomResourceDefinitionStatus>) -> RolloutProgress {
    let mut conditions = status.iter().flat_map(|status| &status.conditions).flatten();
    if conditions.any(|condition| condition.type_ == "Established" && condition.status == "True") {
        RolloutProgress::Done
    } else {
        RolloutProgress::Waiting("until it is established".to_owned())
    }
}

/// Returns `true` if the controller has observed the object's current generation.
fn is_observed(observed: Option<i64>, metadata: &ObjectMeta) -> bool {
    observed >= metadata.generation
}

/// Returns `true` if a `DaemonSet` runs on every master, and on no other node.
fn is_for_masters(spec: &DaemonSetSpec) -> bool {
    let Some(pod) = &spec.template.spec else { return false };
    let only = pod.node_selector.as_ref().is_some_and(|labels| labels.len() == 1 && labels.contains_key(MASTER));
    let mut tolerated = pod.tolerations.iter().flatten();
    only && pod.affinity.is_none() && tolerated.any(|taint| taint.key.as_deref().is_none_or(|key| key == MASTER))
}

fn pods(done: bool, there: i32, wanted: i32) -> RolloutProgress {
    if done { RolloutProgress::Done } else { RolloutProgress::Waiting(format!("{there} of {wanted} pods are ready")) }
}

/// Returns the condition of this type.
pub(super) fn condition<'a>(deployment: &'a Deployment, name: &str) -> Option<&'a DeploymentCondition> {
    deployment.status.as_ref()?.conditions.as_ref()?.iter().find(|condition| condition.type_ == name)
}
