//! Waiting until what was applied is there: by watch, and with the reason when it stalls.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::StreamExt;
use tokio::time::{Instant, sleep_until};

use super::client::{Connection, Events, Seen};
use super::failure::own;
use super::patience::Patience;
use super::place::{Json, Place};
use super::progress::{Progress, condition};
use super::trouble::{distinct, trouble};
use super::warnings::{selector, warnings};
use crate::engine::{Class, Failure, Note};
use crate::resource::ApiType;

/// The type of pods, which no manifest of ours makes by itself.
const PODS: ApiType = ApiType::known("v1", "Pod", "pods", true);
/// How long something may take, however much moves.
pub(super) const LIMIT: Duration = Duration::from_mins(20);
/// How long nothing may be said before it is asked for warnings.
const QUIET: Duration = Duration::from_secs(20);
/// How long before a watch that broke is begun anew.
const PAUSE: Duration = Duration::from_secs(1);

/// Waits until an object is as it should be, and returns it.
pub(super) async fn wait(connection: &Connection, place: &Place, note: Note<'_>) -> Result<Json, Failure> {
    let mut vigil = Vigil {
        connection,
        place,
        patience: Patience::new(Instant::now()),
        pods: BTreeMap::new(),
        failed: None,
        said: String::new(),
    };
    let told = match tokio::time::timeout(LIMIT, vigil.keep(note)).await {
        Ok(Ok(End::There(object))) => return Ok(object),
        Ok(Ok(End::Stalled(told))) => told,
        Ok(Err(failure)) => return Err(failure),
        Err(_) => format!("not within {} minutes", LIMIT.as_secs() / 60),
    };
    // Why it failed is known without them, too.
    let warnings = warnings(connection, place).await.unwrap_or_default();
    Err(vigil.stalled(&told, &warnings))
}

/// How waiting ends.
enum End {
    /// It is as it should be.
    There(Json),
    /// It has given up: how far it came.
    Stalled(String),
}

/// Waits until an object is gone that is on its way out. One of this name that is not, or that has another uid, is not the
/// one that was removed.
///
/// The watch begins before the look: it tells nothing of what has gone before it began.
pub(super) async fn wait_gone(
    connection: &Connection,
    place: &Place,
    uid: Option<&str>,
    patience: Duration,
    note: Note<'_>,
) -> Result<(), Failure> {
    let until = Instant::now() + patience;
    note("until it is gone".to_owned());
    loop {
        let mut events = connection.watch(place).await?;
        let Some(mut there) = connection.get(place).await?.filter(|there| is_leaving(there, uid)) else {
            return Ok(());
        };
        loop {
            let event = tokio::select! {
                event = events.next() => event,
                () = sleep_until(until) => return Err(stays(place, &there, patience)),
            };
            match event {
                Some(Ok(Seen::Gone(gone))) if gone["metadata"]["uid"] == there["metadata"]["uid"] => return Ok(()),
                Some(Ok(Seen::There(now))) if now["metadata"]["uid"] == there["metadata"]["uid"] => there = now,
                Some(Ok(_)) => {}
                // The watch has ended or broken: watch anew, and look again.
                Some(Err(_)) | None => break,
            }
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Whether this object is the one of this uid, and on its way out.
fn is_leaving(object: &Json, uid: Option<&str>) -> bool {
    let metadata = &object["metadata"];
    metadata["deletionTimestamp"].is_string() && uid.is_none_or(|uid| metadata["uid"] == uid)
}

fn stays(place: &Place, object: &Json, patience: Duration) -> Failure {
    let finalizers: Vec<&str> =
        object["metadata"]["finalizers"].as_array().into_iter().flatten().filter_map(Json::as_str).collect();
    let by = if finalizers.is_empty() { String::new() } else { format!(": {} holds it", finalizers.join(", ")) };
    let message = format!("it is not gone after {} minutes{by}", patience.as_secs() / 60);
    own(Class::Held, &format!("delete {place}"), message)
}

/// Somebody who waits for one object.
struct Vigil<'a> {
    connection: &'a Connection,
    place: &'a Place,
    patience: Patience,
    /// What is wrong with each pod, by name.
    pods: BTreeMap<String, String>,
    /// Why no pod can be made.
    failed: Option<String>,
    /// What was said last.
    said: String,
}

impl Vigil<'_> {
    async fn keep(&mut self, note: Note<'_>) -> Result<End, Failure> {
        loop {
            // A watch tells nothing of what has gone before it began: it begins before the look.
            let mut objects = self.connection.watch(self.place).await?;
            let Some(object) = self.connection.get(self.place).await? else { return Err(self.gone()) };
            self.pods.clear();
            let mut pods = self.watch_pods(&object).await?;
            loop {
                let end = self.patience.ends();
                tokio::select! {
                    biased;
                    event = objects.next() => match event {
                        Some(Ok(Seen::There(object))) => {
                            if let Some(end) = self.see(object, note) {
                                return Ok(end);
                            }
                        }
                        Some(Ok(Seen::Gone(_))) => return Err(self.gone()),
                        Some(Err(_)) | None => break,
                    },
                    event = pods.next() => match event {
                        Some(Ok(event)) => self.see_pod(event, note),
                        Some(Err(_)) | None => break,
                    },
                    () = sleep_until(end.unwrap_or_else(Instant::now)), if end.is_some() => {
                        return Ok(End::Stalled(self.patience.told()));
                    }
                    () = tokio::time::sleep(QUIET) => self.ask(note).await,
                }
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Says what the cluster warns of.
    async fn ask(&mut self, note: Note<'_>) {
        let warnings = warnings(self.connection, self.place).await.unwrap_or_default();
        if !warnings.is_empty() {
            self.say(&warnings.join("; "), note);
        }
    }

    /// The pods of a workload; of anything else nothing, for ever.
    async fn watch_pods(&self, object: &Json) -> Result<Events, Failure> {
        let labels = selector(object).filter(|_| self.place.api.group() == "apps");
        let Some(labels) = labels else { return Ok(futures_util::stream::pending().boxed()) };
        self.connection.watch_all(&PODS, self.place.namespace.as_deref(), &labels).await
    }

    fn see(&mut self, object: Json, note: Note<'_>) -> Option<End> {
        let failed = condition(&object, "ReplicaFailure").filter(|condition| condition["status"] == "True");
        self.failed = failed.and_then(|failed| failed["message"].as_str().map(str::to_owned));
        match self.patience.see(&object, Instant::now()) {
            Progress::Done => Some(End::There(object)),
            Progress::Stalled(told) => Some(End::Stalled(told)),
            Progress::Waiting(told) => {
                self.say(&told, note);
                None
            }
        }
    }

    fn see_pod(&mut self, event: Seen, note: Note<'_>) {
        let name = |pod: &Json| pod["metadata"]["name"].as_str().unwrap_or_default().to_owned();
        match event {
            Seen::Gone(pod) => drop(self.pods.remove(&name(&pod))),
            Seen::There(pod) => match trouble(&pod) {
                Some(trouble) => {
                    self.pods.insert(name(&pod), trouble.clone());
                    self.say(&trouble, note);
                }
                None => drop(self.pods.remove(&name(&pod))),
            },
        }
    }

    /// Says something that was not said just before.
    fn say(&mut self, told: &str, note: Note<'_>) {
        let told = match &self.failed {
            Some(failed) => format!("{told}; no pod can be made: {failed}"),
            None => told.to_owned(),
        };
        if told != self.said {
            note(told.clone());
            self.said = told;
        }
    }

    /// The end of waiting, with everything that stands in the way.
    fn stalled(&self, told: &str, warnings: &[String]) -> Failure {
        let mut reasons = distinct(self.pods.values().map(String::as_str).chain(self.failed.as_deref()));
        reasons.extend(warnings.iter().map(String::as_str));
        let reasons = if reasons.is_empty() { String::new() } else { format!(": {}", reasons.join("; ")) };
        self.failure(Class::Fatal, &format!("{told}{reasons}"))
    }

    fn gone(&self) -> Failure {
        self.failure(Class::Gone, "it was removed meanwhile")
    }

    fn failure(&self, class: Class, message: &str) -> Failure {
        own(class, &format!("roll out {}", self.place), message)
    }
}
