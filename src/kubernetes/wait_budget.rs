//! The time limit of the wait for a rollout.

use std::time::Duration;

use k8s_openapi::api::apps::v1::{Deployment, DeploymentCondition};
use k8s_openapi::api::batch::v1::Job;
use tokio::time::Instant;

use super::object_ref::JsonObject;
use super::progress::{RolloutProgress, condition, progress};
use super::typed::as_type;

/// Maximum time without progress.
const STUCK: Duration = Duration::from_mins(5);

/// The time limit of the wait for one object.
///
/// A job with a deadline fails by itself when it is over. A Deployment reports by itself that its deadline has passed. If it had failed before the wait began, its cause may have
/// been fixed since (a secret, capacity), and it reports that only when a pod becomes ready: it gets the time of an object
/// that never reports a failure.
pub(super) struct WaitBudget {
    /// Time of the last progress.
    since: Instant,
    /// The last progress.
    last_progress: Option<String>,
    /// Its progress condition at first; `None` before the first observation.
    at_first: Option<ProgressReport>,
    /// `true` if the object reports by itself that its deadline has passed.
    reports_deadline: bool,
}

/// The condition in which a Deployment reports its progress; other kinds have none.
struct ProgressReport(Option<DeploymentCondition>);

impl WaitBudget {
    pub(super) fn new(now: Instant) -> Self {
        Self { since: now, last_progress: None, at_first: None, reports_deadline: false }
    }

    /// Returns the progress of an object since the wait began: a failure from before that time does not count.
    pub(super) fn see(&mut self, object: &JsonObject, now: Instant) -> RolloutProgress {
        let deployment = as_type::<Deployment>(object);
        let progressing = deployment.as_ref().and_then(|deployment| condition(deployment, "Progressing"));
        let at_first = self.at_first.get_or_insert_with(|| ProgressReport(progressing.cloned()));
        // A job that has failed never runs again.
        let is_old = deployment.is_some() && at_first.0.as_ref() == progressing;
        let is_paused = deployment.as_ref().and_then(|deployment| deployment.spec.as_ref()?.paused) == Some(true);
        let progress = match progress(object) {
            RolloutProgress::Stalled(last_progress) if is_old => RolloutProgress::Waiting(last_progress),
            progress => progress,
        };
        let job = as_type::<Job>(object);
        let has_deadline = job.is_some_and(|job| job.spec.is_some_and(|spec| spec.active_deadline_seconds.is_some()));
        self.reports_deadline =
            has_deadline || (progressing.is_some_and(|progressing| progressing.status == "True") && !is_paused);
        if let RolloutProgress::Waiting(last_progress) = &progress
            && self.last_progress.as_ref() != Some(last_progress)
        {
            self.last_progress = Some(last_progress.clone());
            self.since = now;
        }
        progress
    }

    /// Returns the end of the wait; `None` while the object will report by itself that its deadline has passed.
    pub(super) fn ends(&self) -> Option<Instant> {
        (!self.reports_deadline).then(|| self.since + STUCK)
    }

    /// Returns the message at the end of the wait.
    pub(super) fn report(&self) -> String {
        let minutes = STUCK.as_secs() / 60;
        let last_progress = self.last_progress.as_deref().unwrap_or("nothing is known of it");
        format!("{last_progress}, and nothing has moved for {minutes} minutes")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn deployment(available: u64, status: &str, at: &str) -> JsonObject {
        json!({
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "generation": 1 }, "spec": { "replicas": 3 },
            "status": { "observedGeneration": 1, "replicas": 3, "updatedReplicas": 3, "availableReplicas": available,
                        "conditions": [{ "type": "Progressing", "status": status, "lastTransitionTime": at }] },
        })
    }

    fn daemon_set(available: u64) -> JsonObject {
        json!({
            "apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": { "generation": 1 }, "spec": {},
            "status": { "observedGeneration": 1, "desiredNumberScheduled": 3, "updatedNumberScheduled": 3,
                        "numberAvailable": available },
        })
    }

    #[test]
    fn who_had_given_up_before_is_waited_for_again() {
        let begun = Instant::now();
        let mut patience = WaitBudget::new(begun);
        let waits = RolloutProgress::Waiting("0 of 3 pods are ready".to_owned());
        assert_eq!(patience.see(&deployment(0, "False", "2026-01-01T00:00:00Z"), begun), waits);
        assert_eq!(patience.ends(), Some(begun + STUCK), "it would say nothing more");
        let later = begun + Duration::from_mins(1);
        assert_eq!(patience.see(&deployment(0, "True", "2026-01-01T00:01:00Z"), later), waits);
        assert_eq!(patience.ends(), None, "it continues, and reports by itself when it gives up");
        let gave_up = RolloutProgress::Stalled("0 of 3 pods are ready".to_owned());
        assert_eq!(patience.see(&deployment(0, "False", "2026-01-01T00:02:00Z"), later), gave_up);
    }

    #[test]
    fn who_gives_up_while_it_is_waited_for_has_given_up() {
        let begun = Instant::now();
        let mut patience = WaitBudget::new(begun);
        patience.see(&deployment(0, "True", "2026-01-01T00:00:00Z"), begun);
        let gave_up = RolloutProgress::Stalled("0 of 3 pods are ready".to_owned());
        assert_eq!(patience.see(&deployment(0, "False", "2026-01-01T00:01:00Z"), begun), gave_up);
    }

    #[test]
    fn what_never_gives_up_by_itself_is_given_up_when_nothing_moves() {
        let begun = Instant::now();
        let mut patience = WaitBudget::new(begun);
        let minutes = |number: u64| begun + Duration::from_mins(number);
        patience.see(&daemon_set(1), minutes(0));
        patience.see(&daemon_set(1), minutes(4));
        assert_eq!(patience.ends(), Some(minutes(5)));
        patience.see(&daemon_set(2), minutes(4));
        assert_eq!(patience.ends(), Some(minutes(9)));
        assert_eq!(patience.report(), "2 of 3 pods are ready, and nothing has moved for 5 minutes");
    }
}
