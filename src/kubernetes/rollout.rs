//! Waiting for rollouts: by watch, and with the reason when a rollout stalls.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::StreamExt;
use k8s_openapi::Resource as _;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::Pod;
use tokio::time::{Instant, sleep_until};

use super::client::ApiConnection;
use super::failure::own;
use super::job_log;
use super::object_ref::{JsonObject, ObjectRef};
use super::progress::{RolloutProgress, condition};
use super::trouble::{distinct, trouble};
use super::typed::as_type;
use super::wait_budget::WaitBudget;
use super::warnings::{selector, warnings};
use super::watch::{WatchEvents, WatchedChange};
use crate::engine::{Failure, FailureClass, PollLoop, ProgressNote};

/// Maximum time of a rollout, even with progress.
pub(super) const LIMIT: Duration = Duration::from_mins(20);
/// Time without a new message before warnings are read.
const QUIET: Duration = Duration::from_secs(20);
/// Time after the deadline of a job in which it is reported as failed.
const STUCK_JOB: Duration = Duration::from_mins(2);
/// Pause before a broken watch is started again.
const PAUSE: Duration = Duration::from_secs(1);

/// Waits until an object has reached its wanted state, and returns it.
pub(super) async fn wait(
    connection: &ApiConnection,
    place: &ObjectRef,
    note: ProgressNote<'_>,
) -> Result<JsonObject, Failure> {
    let mut waiter = ObjectWaiter {
        connection,
        place,
        patience: WaitBudget::new(Instant::now()),
        pods: BTreeMap::new(),
        failed: None,
        poll: PollLoop::every(PAUSE),
    };
    let limit = limit(connection, place).await?;
    let reason = match tokio::time::timeout(limit, waiter.wait(note)).await {
        Ok(Ok(WaitEnd::There(object))) => return Ok(object),
        Ok(Ok(WaitEnd::Stalled(reason))) => reason,
        Ok(Err(failure)) => return Err(failure),
        Err(_) => format!("not within {} minutes", limit.as_secs() / 60),
    };
    if place.api.kind == Job::KIND {
        let log = job_log::last_lines(connection, place).await.unwrap_or_default();
        return Err(waiter.ended(&reason, &log));
    }
    // Why it failed is known without them, too.
    let warnings = warnings(connection, place).await.unwrap_or_default();
    Err(waiter.stalled(&reason, &warnings))
}

/// Returns the maximum time of a wait: that of most objects, and for a job the time that it may take.
async fn limit(connection: &ApiConnection, place: &ObjectRef) -> Result<Duration, Failure> {
    if place.api.kind != Job::KIND {
        return Ok(LIMIT);
    }
    let job = connection.get(place).await?;
    let seconds = job.as_ref().and_then(|job| job.pointer("/spec/activeDeadlineSeconds")?.as_u64());
    Ok(seconds.map_or(LIMIT, |seconds| LIMIT.max(Duration::from_secs(seconds) + STUCK_JOB)))
}

/// The end of a wait.
enum WaitEnd {
    /// The object has reached its wanted state.
    There(JsonObject),
    /// The object has failed; the text is its last progress.
    Stalled(String),
}

/// Waits until an object is gone that is being deleted. An object of this name that is not being deleted, or that has
/// another uid, is not the one that was deleted.
///
/// The watch starts before the read: a watch does not report deletions from before its start.
pub(super) async fn wait_gone(
    connection: &ApiConnection,
    place: &ObjectRef,
    uid: Option<&str>,
    patience: Duration,
    note: ProgressNote<'_>,
) -> Result<(), Failure> {
    let mut poll = PollLoop::every(PAUSE).lasting(patience);
    note("until it is gone".to_owned());
    loop {
        let mut events = connection.watch(place).await?;
        let Some(mut there) = connection.get(place).await?.filter(|there| is_leaving(there, uid)) else {
            return Ok(());
        };
        loop {
            let event = tokio::select! {
                event = events.next() => event,
                () = poll.over() => return Err(stays(place, &there, patience)),
            };
            match event {
                Some(Ok(WatchedChange::Gone(gone))) if gone["metadata"]["uid"] == there["metadata"]["uid"] => {
                    return Ok(());
                }
                Some(Ok(WatchedChange::There(now))) if now["metadata"]["uid"] == there["metadata"]["uid"] => {
                    there = now;
                }
                Some(Ok(_)) => {}
                // The watch has ended or failed: start another one, and read again.
                Some(Err(_)) | None => break,
            }
        }
        poll.pause().await;
    }
}

/// Returns `true` if this object has this uid, and is being deleted.
fn is_leaving(object: &JsonObject, uid: Option<&str>) -> bool {
    let metadata = &object["metadata"];
    metadata["deletionTimestamp"].is_string() && uid.is_none_or(|uid| metadata["uid"] == uid)
}

fn stays(place: &ObjectRef, object: &JsonObject, patience: Duration) -> Failure {
    let finalizers: Vec<&str> =
        object["metadata"]["finalizers"].as_array().into_iter().flatten().filter_map(JsonObject::as_str).collect();
    let by = if finalizers.is_empty() { String::new() } else { format!(": {} holds it", finalizers.join(", ")) };
    let message = format!("it is not gone after {} minutes{by}", patience.as_secs() / 60);
    own(FailureClass::Held, &format!("delete {place}"), message)
}

/// The wait for one object.
struct ObjectWaiter<'a> {
    connection: &'a ApiConnection,
    place: &'a ObjectRef,
    patience: WaitBudget,
    /// The problem of each pod, by name.
    pods: BTreeMap<String, String>,
    /// The reason that no pod can be created.
    failed: Option<String>,
    /// The pauses between watches, and the last note.
    poll: PollLoop,
}

impl ObjectWaiter<'_> {
    async fn wait(&mut self, note: ProgressNote<'_>) -> Result<WaitEnd, Failure> {
        loop {
            // A watch does not report what was deleted before it began: it begins before the read.
            let mut objects = self.connection.watch(self.place).await?;
            let Some(object) = self.connection.get(self.place).await? else { return Err(self.gone()) };
            self.pods.clear();
            let mut pods = self.watch_pods(&object).await?;
            loop {
                let end = self.patience.ends();
                tokio::select! {
                    biased;
                    event = objects.next() => match event {
                        Some(Ok(WatchedChange::There(object))) => {
                            if let Some(end) = self.see(object, note) {
                                return Ok(end);
                            }
                        }
                        Some(Ok(WatchedChange::Gone(_))) => return Err(self.gone()),
                        Some(Err(_)) | None => break,
                    },
                    event = pods.next() => match event {
                        Some(Ok(event)) => self.see_pod(event, note),
                        Some(Err(_)) | None => break,
                    },
                    () = sleep_until(end.unwrap_or_else(Instant::now)), if end.is_some() => {
                        return Ok(WaitEnd::Stalled(self.patience.report()));
                    }
                    () = tokio::time::sleep(QUIET) => self.ask(note).await,
                }
            }
            self.poll.pause().await;
        }
    }

    /// Reports the warnings of the cluster.
    async fn ask(&mut self, note: ProgressNote<'_>) {
        let warnings = warnings(self.connection, self.place).await.unwrap_or_default();
        if !warnings.is_empty() {
            self.note(&warnings.join("; "), note);
        }
    }

    /// Watches the pods of a workload; for any other object, never returns an event.
    async fn watch_pods(&self, object: &JsonObject) -> Result<WatchEvents<Pod>, Failure> {
        let labels = selector(object).filter(|_| ["apps", "batch"].contains(&self.place.api.group()));
        let Some(labels) = labels else { return Ok(futures_util::stream::pending().boxed()) };
        self.connection.watch_all(self.place.namespace.as_deref(), &labels).await
    }

    fn see(&mut self, object: JsonObject, note: ProgressNote<'_>) -> Option<WaitEnd> {
        let deployment = as_type::<Deployment>(&object);
        let failed = deployment.as_ref().and_then(|deployment| condition(deployment, "ReplicaFailure"));
        self.failed = failed.filter(|failed| failed.status == "True").and_then(|failed| failed.message.clone());
        match self.patience.see(&object, Instant::now()) {
            RolloutProgress::Done => Some(WaitEnd::There(object)),
            RolloutProgress::Stalled(progress) => Some(WaitEnd::Stalled(progress)),
            RolloutProgress::Waiting(progress) => {
                self.note(&progress, note);
                None
            }
        }
    }

    fn see_pod(&mut self, event: WatchedChange<Pod>, note: ProgressNote<'_>) {
        let name = |pod: &Pod| pod.metadata.name.clone().unwrap_or_default();
        match event {
            // The pods of a job that is over its time are deleted, and with them its cause.
            WatchedChange::Gone(_) if self.place.api.kind == Job::KIND => {}
            WatchedChange::Gone(pod) => drop(self.pods.remove(&name(&pod))),
            WatchedChange::There(pod) => match trouble(&pod) {
                Some(trouble) => {
                    self.pods.insert(name(&pod), trouble.clone());
                    self.note(&trouble, note);
                }
                None => drop(self.pods.remove(&name(&pod))),
            },
        }
    }

    /// Reports a message, unless it is the same as the last one.
    fn note(&mut self, text: &str, note: ProgressNote<'_>) {
        let text = match &self.failed {
            Some(failed) => format!("{text}; no pod can be made: {failed}"),
            None => text.to_owned(),
        };
        self.poll.note_change(&text, note);
    }

    /// Returns the failure at the end of a wait, with all known causes.
    fn stalled(&self, progress: &str, warnings: &[String]) -> Failure {
        let mut reasons = distinct(self.pods.values().map(String::as_str).chain(self.failed.as_deref()));
        reasons.extend(warnings.iter().map(String::as_str));
        let reasons = if reasons.is_empty() { String::new() } else { format!(": {}", reasons.join("; ")) };
        self.failure(FailureClass::Fatal, &format!("{progress}{reasons}"))
    }

    /// Returns the failure of a job, with the last lines of what it wrote.
    fn ended(&self, reason: &str, log: &[String]) -> Failure {
        let mut reasons = distinct(self.pods.values().map(String::as_str));
        reasons.insert(0, reason);
        let message = reasons.join("; ");
        let next = "The pods of its service were not changed. Correct the cause; the next `apply` runs it again";
        let log = if log.is_empty() { String::new() } else { format!(". Its last lines are:\n{}", log.join("\n")) };
        own(FailureClass::Fatal, &format!("run {}", self.place), format!("{message}. {next}{log}"))
    }

    fn gone(&self) -> Failure {
        self.failure(FailureClass::Gone, "it was removed during the wait")
    }

    fn failure(&self, class: FailureClass, message: &str) -> Failure {
        own(class, &format!("roll out {}", self.place), message)
    }
}
