//! Injected faults, determined by a seed.

use std::str::FromStr;
use std::time::Duration;

use super::names::ApiCall;
use crate::engine::{Failure, FailureClass};

/// Injected faults. Rates are between 0 and 1. By default there are no faults.
///
/// Written `seed=7,throttle=0.1,unavailable=0.05,unknown=0.05,half=0.05,invisible=0.2,latency=50ms,crash=12-after`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct FaultRates {
    /// The seed of all random decisions.
    pub seed: u64,
    /// Calls that are throttled.
    pub throttle: f64,
    /// Calls that fail with an error of the service, without effect.
    pub unavailable: f64,
    /// Changes whose answer is lost; half of them take effect.
    pub unknown: f64,
    /// Creations that stop after their first call: the object exists, without the part that a second call would have
    /// added.
    pub half: f64,
    /// New objects that are not visible for a moment.
    pub invisible: f64,
    /// Maximum latency of an answer, in real time.
    pub latency: Duration,
    /// The call at which the process dies.
    pub crash: Option<CrashPoint>,
}

/// The call at which the process dies: that call never returns, nor does any later one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CrashPoint {
    /// The number of the call in this process; the first is 1.
    pub call: u64,
    /// `true` if the call takes effect before.
    pub after: bool,
}

/// A text that does not describe faults.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotFaults {
    /// A part is not `name=value`, or its value is out of range.
    #[error("`{0}` does not describe a fault; example: `throttle=0.1`")]
    Part(String),
    /// There is no such fault.
    #[error(
        "there is no fault `{0}`; there are seed, throttle, unavailable, unknown, half, invisible, latency and crash"
    )]
    Name(String),
}

/// The outcome of one call.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct CallFate {
    /// It fails without effect.
    pub(super) before: Option<Failure>,
    /// It takes effect and its answer is this.
    pub(super) after: Option<Failure>,
    /// It stops after a part.
    pub(super) half: bool,
    /// Time that a new object is invisible, in milliseconds.
    pub(super) invisible: u64,
}

impl FaultRates {
    /// Returns `true` if any fault can occur.
    pub fn any(&self) -> bool {
        let rates = [self.throttle, self.unavailable, self.unknown, self.half, self.invisible];
        rates.iter().any(|rate| *rate > 0.0) || self.crash.is_some()
    }

    /// Returns the outcome of the call of this number, counted over the whole life of the account.
    pub(super) fn fate(&self, number: u64, call: &ApiCall, changes: bool) -> CallFate {
        let mut dice = self.dice(number);
        let mut falls = |rate: f64| dice.f64() < rate;
        let (throttled, unavailable, unknown, effect, half, invisible) = (
            falls(self.throttle),
            falls(self.unavailable),
            falls(self.unknown) && changes,
            falls(0.5),
            falls(self.half) && changes,
            falls(self.invisible) && changes,
        );
        let lost = || {
            call.failure(FailureClass::UnknownOutcome, "RequestTimeout", "the connection broke before the answer came")
        };
        let before = if throttled {
            Some(call.failure(FailureClass::Throttled, "RequestLimitExceeded", "request limit exceeded"))
        } else if unavailable {
            Some(call.failure(FailureClass::Unavailable, "InternalError", "an internal error has occurred"))
        } else {
            (unknown && !effect).then(lost)
        };
        CallFate {
            before,
            after: (unknown && effect).then(lost),
            half,
            invisible: if invisible { dice.u64(250..2000) } else { 0 },
        }
    }

    /// Returns the latency of the call of this number.
    pub(super) fn delay(&self, number: u64) -> Duration {
        self.latency.mul_f64(self.dice(number).f64())
    }

    fn dice(&self, number: u64) -> fastrand::Rng {
        fastrand::Rng::with_seed(self.seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(number))
    }
}

impl FromStr for FaultRates {
    type Err = NotFaults;

    fn from_str(text: &str) -> Result<Self, NotFaults> {
        let mut faults = Self::default();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let wrong = || NotFaults::Part(part.to_owned());
            let (name, value) = part.split_once('=').ok_or_else(wrong)?;
            let rate = || value.parse().ok().filter(|rate| (0.0..=1.0).contains(rate)).ok_or_else(wrong);
            match name {
                "seed" => faults.seed = value.parse().map_err(|_| wrong())?,
                "throttle" => faults.throttle = rate()?,
                "unavailable" => faults.unavailable = rate()?,
                "unknown" => faults.unknown = rate()?,
                "half" => faults.half = rate()?,
                "invisible" => faults.invisible = rate()?,
                "latency" => {
                    let length = value.strip_suffix("ms").and_then(|number| number.parse().ok()).ok_or_else(wrong)?;
                    faults.latency = Duration::from_millis(length);
                }
                "crash" => faults.crash = Some(value.parse().map_err(|()| wrong())?),
                other => return Err(NotFaults::Name(other.to_owned())),
            }
        }
        Ok(faults)
    }
}

impl FromStr for CrashPoint {
    type Err = ();

    /// Parses `12` or `12-before`, `12-after`.
    fn from_str(text: &str) -> Result<Self, ()> {
        let (call, after) = match text.split_once('-') {
            None => (text, false),
            Some((call, "before")) => (call, false),
            Some((call, "after")) => (call, true),
            Some(_) => return Err(()),
        };
        Ok(Self { call: call.parse().map_err(|_| ())?, after })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn faults_are_read_from_text() {
        let faults: FaultRates = "seed=7, throttle=0.1,unknown=1,latency=50ms,crash=12-after".parse().unwrap();
        let expected = FaultRates {
            seed: 7,
            throttle: 0.1,
            unknown: 1.0,
            latency: Duration::from_millis(50),
            crash: Some(CrashPoint { call: 12, after: true }),
            ..FaultRates::default()
        };
        assert_eq!(faults, expected);
        assert_eq!("".parse::<FaultRates>().unwrap(), FaultRates::default());
    }

    #[test]
    fn what_is_no_fault_is_refused() {
        for text in ["throttle", "throttle=2", "throttle=-1", "latency=5", "crash=x", "crash=1-later", "seed=-1"] {
            assert_eq!(text.parse::<FaultRates>(), Err(NotFaults::Part(text.to_owned())));
        }
        assert!(matches!("storm=1".parse::<FaultRates>(), Err(NotFaults::Name(_))));
    }

    #[test]
    fn the_same_seed_decides_the_same() {
        let faults = FaultRates { seed: 3, throttle: 0.3, unknown: 0.3, invisible: 0.3, ..FaultRates::default() };
        let call = ApiCall::new("Create", "vpc");
        let fates = |faults: &FaultRates| (0..100).map(|n| faults.fate(n, &call, true)).collect::<Vec<_>>();
        assert_eq!(fates(&faults), fates(&faults));
        assert_ne!(fates(&faults), fates(&FaultRates { seed: 4, ..faults.clone() }));
    }

    #[test]
    fn the_answer_to_a_read_cannot_be_in_doubt() {
        let faults = FaultRates { unknown: 1.0, ..FaultRates::default() };
        let fate = faults.fate(1, &ApiCall::list("vpc"), false);
        assert_eq!((fate.before, fate.after), (None, None));
    }
}
