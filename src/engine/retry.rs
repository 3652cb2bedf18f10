//! Pauses between retries, and the limits of retries.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;

use super::{Failure, FailureClass};

/// Reads something up to `attempts` times, while its failure is temporary. `pause` returns the length of the pause
/// after each attempt; the first attempt is 1.
pub async fn repeat<T, F>(attempts: u32, pause: impl Fn(u32) -> Duration, read: impl Fn() -> F) -> Result<T, Failure>
where
    F: Future<Output = Result<T, Failure>>,
{
    let mut attempt = 1;
    loop {
        match read().await {
            Err(failure) if attempt < attempts && failure.class.is_temporary() => {
                tokio::time::sleep(pause(attempt)).await;
                attempt += 1;
            }
            outcome => return outcome,
        }
    }
}

/// The limits and pauses of a run's retries.
#[derive(Debug, Clone, PartialEq)]
pub struct RetryPolicy {
    /// Maximum first pause; each later one may be twice as long.
    pub base: Duration,
    /// Maximum pause.
    pub cap: Duration,
    /// Maximum time to retry after throttling, errors of the service and lost answers.
    pub outage: Duration,
    /// Maximum time for a created object to become visible.
    pub consistency: Duration,
    /// Time after a change during which an ambiguous failure may be caused by the change.
    pub fresh: Duration,
    /// Maximum time that a deletion waits for objects that still use the object.
    pub held: Duration,
    /// Pause before an object is looked up that a creation without an answer may have made.
    pub settle: Duration,
    /// Seed of all pauses: the same seed gives the same pauses.
    pub seed: u64,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            base: Duration::from_millis(500),
            cap: Duration::from_secs(20),
            outage: Duration::from_mins(15),
            consistency: Duration::from_mins(5),
            fresh: Duration::from_mins(2),
            held: Duration::from_mins(10),
            settle: Duration::from_secs(2),
            seed: 0,
        }
    }
}

/// The retries of one step; each failure uses up part of the limit.
#[derive(Debug)]
pub(crate) struct RetryBudget<'a> {
    policy: &'a RetryPolicy,
    random: fastrand::Rng,
    fresh_until: Option<Instant>,
    attempt: u32,
    since: BTreeMap<FailureClass, Instant>,
}

/// The pause before the next attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RetryDelay {
    /// Number of the next attempt; the first call was 1.
    pub(crate) attempt: u32,
    /// Length of the pause.
    pub(crate) length: Duration,
}

impl<'a> RetryBudget<'a> {
    /// Returns the retries of the step of this name, with a dependency that was created at `fresh_until` minus
    /// [`RetryPolicy::fresh`].
    pub(crate) fn new(policy: &'a RetryPolicy, name: &str, fresh_until: Option<Instant>) -> Self {
        // Each step draws from its own source, so that the order of answers does not change anybody's pauses.
        let seed = name.bytes().fold(policy.seed, |seed, byte| seed.rotate_left(7) ^ u64::from(byte));
        Self { policy, random: fastrand::Rng::with_seed(seed), fresh_until, attempt: 1, since: BTreeMap::new() }
    }

    /// Returns the pause before the next attempt; `None` if the limit is reached.
    pub(crate) fn pause(&mut self, class: FailureClass, now: Instant) -> Option<RetryDelay> {
        let limit = self.limit(class, now)?;
        let since = *self.since.entry(class).or_insert(now);
        if now.duration_since(since) >= limit {
            return None;
        }
        let length = self.jitter().max(self.at_least(class));
        self.attempt += 1;
        Some(RetryDelay { attempt: self.attempt, length })
    }

    fn limit(&self, class: FailureClass, now: Instant) -> Option<Duration> {
        match class {
            FailureClass::Throttled | FailureClass::Unavailable | FailureClass::UnknownOutcome => {
                Some(self.policy.outage)
            }
            FailureClass::NotYetConsistent => Some(self.policy.consistency),
            FailureClass::MaybeNotYetConsistent => {
                self.fresh_until.is_some_and(|until| now < until).then_some(self.policy.consistency)
            }
            FailureClass::Held => Some(self.policy.held),
            FailureClass::Gone
            | FailureClass::AlreadyExists
            | FailureClass::Unauthenticated
            | FailureClass::Clock
            | FailureClass::NotEnabled
            | FailureClass::Denied
            | FailureClass::Protected
            | FailureClass::Elsewhere
            | FailureClass::Quota
            | FailureClass::Deferred
            | FailureClass::Invalid
            | FailureClass::Fatal => None,
        }
    }

    /// Applies full jitter: a random pause between zero and the ceiling, so that callers do not retry at the same time.
    fn jitter(&mut self) -> Duration {
        let doubled = self.policy.base.saturating_mul(2_u32.saturating_pow(self.attempt.saturating_sub(1)));
        doubled.min(self.policy.cap).mul_f64(self.random.f64())
    }

    /// Returns the minimum pause of classes of failures that need time to resolve.
    fn at_least(&self, class: FailureClass) -> Duration {
        match class {
            FailureClass::UnknownOutcome => self.policy.settle,
            FailureClass::NotYetConsistent | FailureClass::MaybeNotYetConsistent | FailureClass::Held => {
                self.policy.base
            }
            _ => Duration::ZERO,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn exactly_what_passes_is_tried_again() {
        let policy = RetryPolicy::default();
        let now = Instant::now();
        for class in FailureClass::ALL {
            let mut patience = RetryBudget::new(&policy, "part/a", Some(now + policy.fresh));
            assert_eq!(patience.pause(class, now).is_some(), class.is_transient(), "{class:?}");
            assert_eq!(patience.limit(class, now) == Some(policy.outage), class.is_temporary(), "{class:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_read_is_repeated_only_while_its_failure_passes() {
        for class in FailureClass::ALL {
            let calls = std::cell::Cell::new(0);
            let read = || {
                calls.set(calls.get() + 1);
                std::future::ready(Err::<(), _>(Failure::own(class, "read", "no")))
            };
            repeat(3, |_| Duration::from_secs(1), read).await.unwrap_err();
            assert_eq!(calls.get(), if class.is_temporary() { 3 } else { 1 }, "{class:?}");
        }
    }

    #[test]
    fn pauses_grow_to_the_cap_and_count_attempts() {
        let policy = RetryPolicy::default();
        let now = Instant::now();
        let mut patience = RetryBudget::new(&policy, "part/a", None);
        let pauses: Vec<RetryDelay> = (0..200).map(|_| patience.pause(FailureClass::Throttled, now).unwrap()).collect();
        for (number, pause) in (0_u32..).zip(&pauses) {
            let ceiling = policy.base.saturating_mul(2_u32.saturating_pow(number)).min(policy.cap);
            assert!(pause.length <= ceiling && pause.attempt == number + 2);
        }
        assert!(pauses.iter().any(|pause| pause.length > policy.cap / 2), "no pause is ever long");
        assert!(pauses.iter().any(|pause| pause.length < policy.cap / 8), "jitter is not full");
    }

    #[test]
    fn what_needs_time_is_never_asked_again_at_once() {
        let policy = RetryPolicy::default();
        let now = Instant::now();
        let mut patience = RetryBudget::new(&policy, "part/a", None);
        for _ in 0..50 {
            assert!(patience.pause(FailureClass::Held, now).unwrap().length >= policy.base);
            assert!(patience.pause(FailureClass::UnknownOutcome, now).unwrap().length >= policy.settle);
        }
    }

    #[test]
    fn doubt_is_given_only_while_something_is_fresh() {
        let policy = RetryPolicy::default();
        let now = Instant::now();
        let mut patience = RetryBudget::new(&policy, "part/a", Some(now + Duration::from_secs(1)));
        assert!(patience.pause(FailureClass::MaybeNotYetConsistent, now).is_some());
        assert_eq!(patience.pause(FailureClass::MaybeNotYetConsistent, now + Duration::from_secs(1)), None);
    }

    #[test]
    fn each_step_has_pauses_of_its_own() {
        let policy = RetryPolicy::default();
        let now = Instant::now();
        let first = |name: &str| RetryBudget::new(&policy, name, None).pause(FailureClass::Throttled, now);
        assert_eq!(first("part/a"), first("part/a"));
        assert_ne!(first("part/a"), first("part/b"));
    }
}
