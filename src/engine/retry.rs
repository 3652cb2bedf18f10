//! How long to wait before a failed call is sent again, and when to give up.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;

use super::{Class, Failure};

/// Reads something up to `attempts` times, again while its failure is one that passes. `pause` is asked for the length of
/// the pause after each attempt, the first of which is 1.
pub async fn repeat<T, F>(attempts: u32, pause: impl Fn(u32) -> Duration, read: impl Fn() -> F) -> Result<T, Failure>
where
    F: Future<Output = Result<T, Failure>>,
{
    let mut attempt = 1;
    loop {
        match read().await {
            Err(failure) if attempt < attempts && failure.class.passes() => {
                tokio::time::sleep(pause(attempt)).await;
                attempt += 1;
            }
            outcome => return outcome,
        }
    }
}

/// How patient a run is.
#[derive(Debug, Clone, PartialEq)]
pub struct RetryPolicy {
    /// The longest first pause; each later one may be twice as long.
    pub base: Duration,
    /// The longest pause.
    pub cap: Duration,
    /// How long throttling, errors of the service and lost answers are borne.
    pub outage: Duration,
    /// How long something that was made may take to become visible.
    pub consistency: Duration,
    /// How long after a change what it made may still be the reason of a failure that could be an error as well.
    pub fresh: Duration,
    /// How long a deletion waits for what still holds the object.
    pub held: Duration,
    /// How long to wait before looking for what a creation without an answer may have made.
    pub settle: Duration,
    /// Decides every pause: the same seed, the same pauses.
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

/// The patience with one step, which shrinks with each failure.
#[derive(Debug)]
pub(crate) struct Patience<'a> {
    policy: &'a RetryPolicy,
    random: fastrand::Rng,
    fresh_until: Option<Instant>,
    attempt: u32,
    since: BTreeMap<Class, Instant>,
}

/// What to do before the next attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pause {
    /// Which attempt comes next; the first call was 1.
    pub(crate) attempt: u32,
    /// How long until then.
    pub(crate) length: Duration,
}

impl<'a> Patience<'a> {
    /// Patience with the step of this name, which needs something that was made until `fresh_until` minus
    /// [`RetryPolicy::fresh`].
    pub(crate) fn new(policy: &'a RetryPolicy, name: &str, fresh_until: Option<Instant>) -> Self {
        // Each step draws from its own source, so that the order of answers does not change anybody's pauses.
        let seed = name.bytes().fold(policy.seed, |seed, byte| seed.rotate_left(7) ^ u64::from(byte));
        Self { policy, random: fastrand::Rng::with_seed(seed), fresh_until, attempt: 1, since: BTreeMap::new() }
    }

    /// The pause before the next attempt; `None` when there should be none.
    pub(crate) fn pause(&mut self, class: Class, now: Instant) -> Option<Pause> {
        let limit = self.limit(class, now)?;
        let since = *self.since.entry(class).or_insert(now);
        if now.duration_since(since) >= limit {
            return None;
        }
        let length = self.jitter().max(self.at_least(class));
        self.attempt += 1;
        Some(Pause { attempt: self.attempt, length })
    }

    fn limit(&self, class: Class, now: Instant) -> Option<Duration> {
        match class {
            Class::Throttled | Class::Unavailable | Class::UnknownOutcome => Some(self.policy.outage),
            Class::NotYetConsistent => Some(self.policy.consistency),
            Class::MaybeNotYetConsistent => {
                self.fresh_until.is_some_and(|until| now < until).then_some(self.policy.consistency)
            }
            Class::Held => Some(self.policy.held),
            Class::Gone
            | Class::AlreadyExists
            | Class::Unauthenticated
            | Class::Clock
            | Class::NotEnabled
            | Class::Denied
            | Class::Protected
            | Class::Elsewhere
            | Class::Quota
            | Class::Invalid
            | Class::Fatal => None,
        }
    }

    /// Full jitter: anything between nothing and the ceiling, so that those who failed together do not return together.
    fn jitter(&mut self) -> Duration {
        let doubled = self.policy.base.saturating_mul(2_u32.saturating_pow(self.attempt.saturating_sub(1)));
        doubled.min(self.policy.cap).mul_f64(self.random.f64())
    }

    /// What needs time rather than room must not be asked again at once.
    fn at_least(&self, class: Class) -> Duration {
        match class {
            Class::UnknownOutcome => self.policy.settle,
            Class::NotYetConsistent | Class::MaybeNotYetConsistent | Class::Held => self.policy.base,
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
        for class in Class::ALL {
            let mut patience = Patience::new(&policy, "part/a", Some(now + policy.fresh));
            assert_eq!(patience.pause(class, now).is_some(), class.is_transient(), "{class:?}");
            assert_eq!(patience.limit(class, now) == Some(policy.outage), class.passes(), "{class:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_read_is_repeated_only_while_its_failure_passes() {
        for class in Class::ALL {
            let calls = std::cell::Cell::new(0);
            let read = || {
                calls.set(calls.get() + 1);
                std::future::ready(Err::<(), _>(Failure::own(class, "read", "no")))
            };
            repeat(3, |_| Duration::from_secs(1), read).await.unwrap_err();
            assert_eq!(calls.get(), if class.passes() { 3 } else { 1 }, "{class:?}");
        }
    }

    #[test]
    fn pauses_grow_to_the_cap_and_count_attempts() {
        let policy = RetryPolicy::default();
        let now = Instant::now();
        let mut patience = Patience::new(&policy, "part/a", None);
        let pauses: Vec<Pause> = (0..200).map(|_| patience.pause(Class::Throttled, now).unwrap()).collect();
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
        let mut patience = Patience::new(&policy, "part/a", None);
        for _ in 0..50 {
            assert!(patience.pause(Class::Held, now).unwrap().length >= policy.base);
            assert!(patience.pause(Class::UnknownOutcome, now).unwrap().length >= policy.settle);
        }
    }

    #[test]
    fn doubt_is_given_only_while_something_is_fresh() {
        let policy = RetryPolicy::default();
        let now = Instant::now();
        let mut patience = Patience::new(&policy, "part/a", Some(now + Duration::from_secs(1)));
        assert!(patience.pause(Class::MaybeNotYetConsistent, now).is_some());
        assert_eq!(patience.pause(Class::MaybeNotYetConsistent, now + Duration::from_secs(1)), None);
    }

    #[test]
    fn each_step_has_pauses_of_its_own() {
        let policy = RetryPolicy::default();
        let now = Instant::now();
        let first = |name: &str| Patience::new(&policy, name, None).pause(Class::Throttled, now);
        assert_eq!(first("part/a"), first("part/a"));
        assert_ne!(first("part/a"), first("part/b"));
    }
}
