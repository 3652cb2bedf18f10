//! Draining a machine of a node group before a roll ends it.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;

use super::wait::PATIENCE;
use crate::cloud::NodeDrain;
use crate::engine::{Failure, FailureClass};
use crate::resource::DrainProgress;

/// Time for which a roll waits for a disruption budget before it tries another machine first.
const BLOCKED: Duration = Duration::from_mins(3);
/// Time for which a roll waits for pods that were evicted and do not end.
const MOVING: Duration = Duration::from_mins(5);

/// The next step of a roll with a machine that it drains.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum DrainStep {
    /// The machine ends.
    End,
    /// The drain goes on; the text describes it.
    Wait(String),
    /// Other machines go first; the text is the reason.
    Postpone(String),
}

/// The drains of a roll.
#[derive(Debug, Default)]
pub(super) struct MachineDrains {
    /// The time at which the drain of each machine began, or was resumed.
    begun: BTreeMap<String, Instant>,
    /// The machines that other ones go before, with the number of the postponement.
    pub(super) postponed: BTreeMap<String, usize>,
    /// The time since which a disruption budget has let no machine end.
    blocked_since: Option<Instant>,
}

impl MachineDrains {
    /// Goes on with the drain of a machine.
    ///
    /// # Errors
    /// Returns an error if disruption budgets have let no machine end for as long as a machine may take to start.
    pub(super) async fn step(&mut self, drain: &dyn NodeDrain, machine: &str) -> Result<DrainStep, Failure> {
        // Without the API, the machine drains itself while it shuts down.
        let progress = drain.drain(machine).await.unwrap_or(DrainProgress::Done);
        self.decide(machine, progress, Instant::now())
    }

    fn decide(&mut self, machine: &str, progress: DrainProgress, now: Instant) -> Result<DrainStep, Failure> {
        let begun = *self.begun.entry(machine.to_owned()).or_insert(now);
        match progress {
            DrainProgress::Moving(what) if now - begun < MOVING => {
                Ok(DrainStep::Wait(format!("{machine} is drained: {what} to move")))
            }
            DrainProgress::Done | DrainProgress::Moving(_) => {
                self.blocked_since = None;
                Ok(DrainStep::End)
            }
            DrainProgress::Blocked(why) => {
                let since = *self.blocked_since.get_or_insert(now);
                if now - since >= PATIENCE {
                    return Err(undrainable(machine, &why));
                }
                if now - begun < BLOCKED {
                    return Ok(DrainStep::Wait(format!("{machine} is drained: {why}")));
                }
                self.begun.remove(machine);
                let last = self.postponed.values().max().copied().unwrap_or_default();
                self.postponed.insert(machine.to_owned(), last + 1);
                Ok(DrainStep::Postpone(format!("{machine} is tried again after the others: {why}")))
            }
        }
    }
}

fn undrainable(machine: &str, why: &str) -> Failure {
    let minutes = PATIENCE.as_secs() / 60;
    let message = format!(
        "{machine} cannot be drained for {minutes} minutes: {why}. It stays; machines that could be drained were replaced. \
         Add pods or change the budget, then run `quorate apply` again"
    );
    Failure::own(FailureClass::Fatal, "drain", message)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn blocked() -> DrainProgress {
        DrainProgress::Blocked("the pod a/b is not evicted: the budget".to_owned())
    }

    #[tokio::test(start_paused = true)]
    async fn a_machine_that_a_budget_blocks_is_tried_after_the_others_and_named_at_the_end() {
        let (mut drains, start) = (MachineDrains::default(), Instant::now());
        let at = |minutes: u64| start + Duration::from_mins(minutes);
        let step = drains.decide("i-1", blocked(), at(0)).unwrap();
        assert_eq!(step, DrainStep::Wait("i-1 is drained: the pod a/b is not evicted: the budget".to_owned()));
        assert!(matches!(drains.decide("i-1", blocked(), at(3)).unwrap(), DrainStep::Postpone(_)));
        assert_eq!(drains.postponed.get("i-1"), Some(&1));
        assert_eq!(drains.decide("i-2", DrainProgress::Done, at(4)).unwrap(), DrainStep::End);
        // The budget has let a machine end: the time begins again.
        assert!(matches!(drains.decide("i-1", blocked(), at(10)).unwrap(), DrainStep::Wait(_)));
        assert!(matches!(drains.decide("i-1", blocked(), at(13)).unwrap(), DrainStep::Postpone(_)));
        assert!(matches!(drains.decide("i-1", blocked(), at(14)).unwrap(), DrainStep::Wait(_)));
        let failure = drains.decide("i-1", blocked(), at(25)).unwrap_err();
        assert!(failure.message.contains("i-1 cannot be drained for 15 minutes: the pod a/b"), "{failure}");
        assert!(!failure.class.is_transient());
    }

    #[tokio::test(start_paused = true)]
    async fn pods_that_were_evicted_have_a_limited_time() {
        let (mut drains, start) = (MachineDrains::default(), Instant::now());
        let moving = || DrainProgress::Moving("2 pods".to_owned());
        let step = drains.decide("i-1", moving(), start).unwrap();
        assert_eq!(step, DrainStep::Wait("i-1 is drained: 2 pods to move".to_owned()));
        assert_eq!(drains.decide("i-1", moving(), start + MOVING).unwrap(), DrainStep::End);
    }
}
