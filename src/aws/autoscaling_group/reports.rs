//! Status reports that machines write into the bucket: a new machine counts once it has reported that it is ready.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::try_join_all;
use jiff::Timestamp;
use tokio::time::Instant;

use super::wait::PATIENCE;
use crate::aws::AwsProvider;
use crate::aws::store::read_patiently;
use crate::engine::Failure;
use crate::health::{JoinProgress, MachineStatus};
use crate::resource::{STATUS, machine_file};

/// Number of failures that a machine may report before it is given up: it retries by itself.
const FAILURES: usize = 3;

/// Advice for a machine that does not start up.
pub(super) const LOG_HINT: &str = "The reason is in its console output and in `journalctl -u quorate-node` on it: \
                                   `quorate logs` shows both. Correct it, then run `quorate apply` again";

/// The reports of a group's machines so far.
#[derive(Debug, Default)]
pub(super) struct MachineReports {
    machines: BTreeMap<String, MachineReport>,
}

#[derive(Debug)]
struct MachineReport {
    /// Time of the first request for its report.
    since: Instant,
    last: Option<MachineStatus>,
    /// Times at which it reported a failure.
    failures: BTreeSet<Timestamp>,
}

impl MachineReports {
    /// Reads the current reports of these machines, except of those that are ready.
    pub(super) async fn ask(&mut self, aws: &AwsProvider, machines: &BTreeSet<String>) -> Result<(), Failure> {
        let open: Vec<&String> = machines.iter().filter(|machine| !self.is_ready(machine)).collect();
        let statuses = try_join_all(open.iter().map(|machine| status(aws, machine))).await?;
        for (machine, status) in open.into_iter().zip(statuses) {
            self.add(machine, status, Instant::now());
        }
        Ok(())
    }

    /// Records the report of a machine; `None` if there is no report.
    pub(super) fn add(&mut self, machine: &str, status: Option<MachineStatus>, now: Instant) {
        let unheard = || MachineReport { since: now, last: None, failures: BTreeSet::new() };
        let report = self.machines.entry(machine.to_owned()).or_insert_with(unheard);
        report
            .failures
            .extend(status.iter().filter(|status| status.state == JoinProgress::Failed).map(|status| status.at));
        report.last = status;
    }

    /// Returns `true` if a machine has reported that it is ready.
    pub(super) fn is_ready(&self, machine: &str) -> bool {
        self.last(machine).is_some_and(|last| last.state == JoinProgress::Ready)
    }

    /// Returns `true` if a machine has reported that it is not ready. A missing report does not count: an old report may have
    /// been deleted.
    pub(super) fn is_ill(&self, machine: &str) -> bool {
        self.last(machine).is_some_and(|last| last.state != JoinProgress::Ready)
    }

    /// Describes the last report of a machine, as the end of a sentence about it.
    pub(super) fn last_report(&self, machine: &str) -> String {
        describe_status(self.last(machine))
    }

    /// Returns the reason for no longer waiting for a machine; `None` while it is waited for.
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
            .then(|| format!("{machine} runs for {minutes} minutes, is not ready, and {}", self.last_report(machine)))
    }

    fn last(&self, machine: &str) -> Option<&MachineStatus> {
        self.machines.get(machine)?.last.as_ref()
    }
}

/// Describes a report, as the end of a sentence about the machine.
pub(super) fn describe_status(status: Option<&MachineStatus>) -> String {
    match status {
        None => "has not reported yet".to_owned(),
        Some(MachineStatus { state: JoinProgress::Working, step, .. }) => format!("is at the step `{step}`"),
        Some(MachineStatus { state: JoinProgress::Failed, step, .. }) => format!("failed in the step `{step}`"),
        Some(MachineStatus { state: JoinProgress::Ready, .. }) => "is ready".to_owned(),
    }
}

/// Returns the last report of a machine; `None` if there is none, or none that can be parsed.
pub(super) async fn status(aws: &AwsProvider, machine: &str) -> Result<Option<MachineStatus>, Failure> {
    let key = format!("{}{}", aws.scope.prefix, machine_file(machine, STATUS));
    let stored = read_patiently(aws, &aws.scope.bucket, &key).await?;
    Ok(stored.and_then(|stored| serde_json::from_slice(&stored.bytes).ok()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use std::time::Duration;

    use super::*;

    fn status(state: JoinProgress, second: i64) -> MachineStatus {
        let at = Timestamp::from_second(second).unwrap();
        MachineStatus { step: "join".to_owned(), state, at, certificates_end: None }
    }

    #[test]
    fn a_machine_may_fail_twice_and_the_same_report_counts_once() {
        let (mut reports, now) = (MachineReports::default(), Instant::now());
        for second in [1, 1, 2, 2] {
            reports.add("i-1", Some(status(JoinProgress::Failed, second)), now);
            reports.add("i-1", Some(status(JoinProgress::Working, second)), now);
        }
        assert_eq!(reports.overdue("i-1", now), None);
        reports.add("i-1", Some(status(JoinProgress::Failed, 3)), now);
        let why = reports.overdue("i-1", now).unwrap();
        assert_eq!(why, "i-1 has failed 3 times, last in the step `join`");
        reports.add("i-1", Some(status(JoinProgress::Ready, 4)), now);
        assert_eq!(reports.overdue("i-1", now), None, "it came up after all");
    }

    #[test]
    fn the_wait_for_a_machine_without_reports_ends() {
        let (mut reports, now) = (MachineReports::default(), Instant::now());
        reports.add("i-1", None, now);
        assert!(!reports.is_ready("i-1") && !reports.is_ill("i-1"));
        assert_eq!(reports.overdue("i-1", now + PATIENCE - Duration::from_secs(1)), None);
        let why = reports.overdue("i-1", now + PATIENCE).unwrap();
        assert_eq!(why, "i-1 runs for 15 minutes, is not ready, and has not reported yet");
    }

    #[test]
    fn a_machine_that_moves_on_and_on_is_not_waited_for_for_ever_either() {
        let (mut reports, now) = (MachineReports::default(), Instant::now());
        reports.add("i-1", None, now);
        reports.add("i-1", Some(status(JoinProgress::Working, 900)), now + PATIENCE);
        assert!(reports.overdue("i-1", now + PATIENCE).is_some());
    }
}
