//! How long a rollout is waited for.

use std::time::Duration;

use tokio::time::Instant;

use super::place::Json;
use super::progress::{Progress, condition, progress};

/// How long nothing may move.
const STUCK: Duration = Duration::from_mins(5);

/// The patience of somebody who waits for one object.
///
/// A Deployment gives up by itself, after a time of its own. One that had given up when the wait began may have been given
/// what it lacked since (a secret, room), and says so only when a pod becomes ready: it gets as long as what never says
/// that it gives up.
pub(super) struct Patience {
    /// Since when nothing has moved.
    since: Instant,
    /// How far it has come.
    told: Option<String>,
    /// What it said of its progress at first; nothing before the first look.
    at_first: Option<Json>,
    /// Whether it says itself when it gives up.
    speaks: bool,
}

impl Patience {
    pub(super) fn new(now: Instant) -> Self {
        Self { since: now, told: None, at_first: None, speaks: false }
    }

    /// How far an object has come for who waits since a while: that it gave up before is no news.
    pub(super) fn see(&mut self, object: &Json, now: Instant) -> Progress {
        let said = condition(object, "Progressing").cloned().unwrap_or_default();
        let is_old = *self.at_first.get_or_insert_with(|| said.clone()) == said;
        let is_paused = object["spec"]["paused"] == true;
        let progress = match progress(object) {
            Progress::Stalled(told) if is_old => Progress::Waiting(told),
            progress => progress,
        };
        self.speaks = said["status"] == "True" && !is_paused;
        if let Progress::Waiting(told) = &progress
            && self.told.as_ref() != Some(told)
        {
            self.told = Some(told.clone());
            self.since = now;
        }
        progress
    }

    /// When it ends; never while the object will say itself that it gives up.
    pub(super) fn ends(&self) -> Option<Instant> {
        (!self.speaks).then(|| self.since + STUCK)
    }

    /// What there is to say at its end.
    pub(super) fn told(&self) -> String {
        let minutes = STUCK.as_secs() / 60;
        let told = self.told.as_deref().unwrap_or("nothing is known of it");
        format!("{told}, and nothing has moved for {minutes} minutes")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn deployment(available: u64, status: &str, at: &str) -> Json {
        json!({
            "kind": "Deployment", "metadata": { "generation": 1 }, "spec": { "replicas": 3 },
            "status": { "observedGeneration": 1, "replicas": 3, "updatedReplicas": 3, "availableReplicas": available,
                        "conditions": [{ "type": "Progressing", "status": status, "lastTransitionTime": at }] },
        })
    }

    fn daemon_set(available: u64) -> Json {
        json!({
            "kind": "DaemonSet", "metadata": { "generation": 1 }, "spec": {},
            "status": { "observedGeneration": 1, "desiredNumberScheduled": 3, "updatedNumberScheduled": 3,
                        "numberAvailable": available },
        })
    }

    #[test]
    fn who_had_given_up_before_is_waited_for_again() {
        let begun = Instant::now();
        let mut patience = Patience::new(begun);
        let waits = Progress::Waiting("0 of 3 pods are ready".to_owned());
        assert_eq!(patience.see(&deployment(0, "False", "then"), begun), waits);
        assert_eq!(patience.ends(), Some(begun + STUCK), "it would say nothing more");
        let later = begun + Duration::from_mins(1);
        assert_eq!(patience.see(&deployment(0, "True", "now"), later), waits);
        assert_eq!(patience.ends(), None, "it goes on, and says itself when it gives up");
        let gave_up = Progress::Stalled("0 of 3 pods are ready".to_owned());
        assert_eq!(patience.see(&deployment(0, "False", "later"), later), gave_up);
    }

    #[test]
    fn who_gives_up_while_it_is_waited_for_has_given_up() {
        let begun = Instant::now();
        let mut patience = Patience::new(begun);
        patience.see(&deployment(0, "True", "then"), begun);
        let gave_up = Progress::Stalled("0 of 3 pods are ready".to_owned());
        assert_eq!(patience.see(&deployment(0, "False", "now"), begun), gave_up);
    }

    #[test]
    fn what_never_gives_up_by_itself_is_given_up_when_nothing_moves() {
        let begun = Instant::now();
        let mut patience = Patience::new(begun);
        let minutes = |number: u64| begun + Duration::from_mins(number);
        patience.see(&daemon_set(1), minutes(0));
        patience.see(&daemon_set(1), minutes(4));
        assert_eq!(patience.ends(), Some(minutes(5)));
        patience.see(&daemon_set(2), minutes(4));
        assert_eq!(patience.ends(), Some(minutes(9)));
        assert_eq!(patience.told(), "2 of 3 pods are ready, and nothing has moved for 5 minutes");
    }
}
