//! What machines write of themselves into the bucket: a new one counts when it says that it is ready.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::try_join_all;
use jiff::Timestamp;
use tokio::time::Instant;

use super::wait::PATIENCE;
use crate::aws::Aws;
use crate::aws::failure::if_there;
use crate::aws::s3::S3;
use crate::engine::Failure;
use crate::health::{Progress, Status};
use crate::resource::{STATUS, machine_file};

/// How often a machine may say that it has failed: it tries again by itself.
const FAILURES: usize = 3;

/// What to do about a machine that does not come up.
pub(super) const LOOK: &str = "Its console output (EC2, \"Get system log\") and `journalctl -u quorate-node` on it say \
                               why; then run `quorate apply` again, with another file if it takes one";

/// What the machines of a group have said so far.
#[derive(Debug, Default)]
pub(super) struct Reports {
    machines: BTreeMap<String, Report>,
}

#[derive(Debug)]
struct Report {
    /// Since when it is listened to.
    since: Instant,
    last: Option<Status>,
    /// When it said that it had failed.
    failures: BTreeSet<Timestamp>,
}

impl Reports {
    /// Asks what these machines say now. One that is ready is not asked again.
    pub(super) async fn ask(&mut self, aws: &Aws, machines: &BTreeSet<String>) -> Result<(), Failure> {
        let open: Vec<&String> = machines.iter().filter(|machine| !self.is_ready(machine)).collect();
        let said = try_join_all(open.iter().map(|machine| status(aws, machine))).await?;
        for (machine, said) in open.into_iter().zip(said) {
            self.hear(machine, said, Instant::now());
        }
        Ok(())
    }

    /// Notes what a machine said; `None` if it has said nothing.
    pub(super) fn hear(&mut self, machine: &str, said: Option<Status>, now: Instant) {
        let unheard = || Report { since: now, last: None, failures: BTreeSet::new() };
        let report = self.machines.entry(machine.to_owned()).or_insert_with(unheard);
        report.failures.extend(said.iter().filter(|said| said.state == Progress::Failed).map(|said| said.at));
        report.last = said;
    }

    /// Whether a machine has said that it is through.
    pub(super) fn is_ready(&self, machine: &str) -> bool {
        self.last(machine).is_some_and(|last| last.state == Progress::Ready)
    }

    /// Whether a machine has said that it is not. Silence is no such word: what it said long ago may have been cleared
    /// away.
    pub(super) fn is_ill(&self, machine: &str) -> bool {
        self.last(machine).is_some_and(|last| last.state != Progress::Ready)
    }

    /// What a machine said last, as the end of a sentence about it.
    pub(super) fn word(&self, machine: &str) -> String {
        word(self.last(machine))
    }

    /// Why a machine is no longer waited for, if it is not.
    pub(super) fn overdue(&self, machine: &str, now: Instant) -> Option<String> {
        let report = self.machines.get(machine)?;
        if self.is_ready(machine) {
            return None;
        }
        if report.failures.len() >= FAILURES {
            let step = report.last.as_ref().map(|last| last.step.as_str()).unwrap_or_default();
            let times = report.failures.len();
            return Some(format!("{machine} has failed {times} times, last in the step `{step}`"));
        }
        let minutes = PATIENCE.as_secs() / 60;
        (now - report.since >= PATIENCE)
            .then(|| format!("{machine} runs for {minutes} minutes, is not ready, and {}", self.word(machine)))
    }

    fn last(&self, machine: &str) -> Option<&Status> {
        self.machines.get(machine)?.last.as_ref()
    }
}

/// What a machine said, as the end of a sentence about it.
pub(super) fn word(said: Option<&Status>) -> String {
    match said {
        None => "has not reported yet".to_owned(),
        Some(Status { state: Progress::Working, step, .. }) => format!("is at the step `{step}`"),
        Some(Status { state: Progress::Failed, step, .. }) => format!("failed in the step `{step}`"),
        Some(Status { state: Progress::Ready, .. }) => "is ready".to_owned(),
    }
}

/// What a machine wrote last; nothing if it wrote nothing, or nothing that can be read.
pub(super) async fn status(aws: &Aws, machine: &str) -> Result<Option<Status>, Failure> {
    let key = format!("{}{}", aws.scope.prefix, machine_file(machine, STATUS));
    let request = || aws.s3.get_object().bucket(&aws.scope.bucket).key(&key).send();
    let Some(answer) = if_there(aws.read(S3, "GetObject", request).await)? else { return Ok(None) };
    let Ok(body) = answer.body.collect().await else { return Ok(None) };
    Ok(serde_json::from_slice(&body.into_bytes()).ok())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use std::time::Duration;

    use super::*;

    fn status(state: Progress, second: i64) -> Status {
        let at = Timestamp::from_second(second).unwrap();
        Status { step: "join".to_owned(), state, at, certificates_end: None }
    }

    #[test]
    fn a_machine_may_fail_twice_and_the_same_word_counts_once() {
        let (mut reports, now) = (Reports::default(), Instant::now());
        for second in [1, 1, 2, 2] {
            reports.hear("i-1", Some(status(Progress::Failed, second)), now);
            reports.hear("i-1", Some(status(Progress::Working, second)), now);
        }
        assert_eq!(reports.overdue("i-1", now), None);
        reports.hear("i-1", Some(status(Progress::Failed, 3)), now);
        let why = reports.overdue("i-1", now).unwrap();
        assert_eq!(why, "i-1 has failed 3 times, last in the step `join`");
        reports.hear("i-1", Some(status(Progress::Ready, 4)), now);
        assert_eq!(reports.overdue("i-1", now), None, "it came up after all");
    }

    #[test]
    fn a_machine_that_says_nothing_is_not_waited_for_for_ever() {
        let (mut reports, now) = (Reports::default(), Instant::now());
        reports.hear("i-1", None, now);
        assert!(!reports.is_ready("i-1") && !reports.is_ill("i-1"));
        assert_eq!(reports.overdue("i-1", now + PATIENCE - Duration::from_secs(1)), None);
        let why = reports.overdue("i-1", now + PATIENCE).unwrap();
        assert_eq!(why, "i-1 runs for 15 minutes, is not ready, and has not reported yet");
    }

    #[test]
    fn a_machine_that_moves_on_and_on_is_not_waited_for_for_ever_either() {
        let (mut reports, now) = (Reports::default(), Instant::now());
        reports.hear("i-1", None, now);
        reports.hear("i-1", Some(status(Progress::Working, 900)), now + PATIENCE);
        assert!(reports.overdue("i-1", now + PATIENCE).is_some());
    }
}
