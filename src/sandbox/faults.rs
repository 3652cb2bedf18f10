//! What goes wrong, on purpose: decided by a seed.

use std::str::FromStr;
use std::time::Duration;

use super::names::Call;
use crate::engine::{Class, Failure};

/// How often what goes wrong. Nothing does by default. Rates are between 0 and 1.
///
/// Written `seed=7,throttle=0.1,unavailable=0.05,unknown=0.05,half=0.05,invisible=0.2,latency=50ms,crash=12-after`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Faults {
    /// Decides everything below.
    pub seed: u64,
    /// Calls that are throttled.
    pub throttle: f64,
    /// Calls that fail with an error of the service, without effect.
    pub unavailable: f64,
    /// Changes whose answer gets lost: half of them took effect.
    pub unknown: f64,
    /// Creations that stop half way: the object is there, what a second call would have added is not.
    pub half: f64,
    /// New objects that cannot be seen for a moment.
    pub invisible: f64,
    /// The longest time that an answer takes, in real time.
    pub latency: Duration,
    /// Where the process dies.
    pub crash: Option<Crash>,
}

/// Where the process dies: that call never returns, nor does any later one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Crash {
    /// The number of the call in this process; the first is 1.
    pub call: u64,
    /// Whether it takes effect before.
    pub after: bool,
}

/// A text that does not describe faults.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotFaults {
    /// A part is not `name=value`, or its value is out of range.
    #[error("`{0}` does not describe a fault; one looks like `throttle=0.1`")]
    Part(String),
    /// There is no such fault.
    #[error(
        "there is no fault `{0}`; there are seed, throttle, unavailable, unknown, half, invisible, latency and crash"
    )]
    Name(String),
}

/// What happens to one call.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Fate {
    /// It fails without effect.
    pub(super) before: Option<Failure>,
    /// It takes effect and its answer is this.
    pub(super) after: Option<Failure>,
    /// It stops half way.
    pub(super) half: bool,
    /// What it makes is invisible for so many milliseconds.
    pub(super) invisible: u64,
}

impl Faults {
    /// Whether anything can go wrong.
    pub fn any(&self) -> bool {
        let rates = [self.throttle, self.unavailable, self.unknown, self.half, self.invisible];
        rates.iter().any(|rate| *rate > 0.0) || self.crash.is_some()
    }

    /// What happens to the call of this number, counted over the whole life of the account.
    pub(super) fn fate(&self, number: u64, call: &Call, changes: bool) -> Fate {
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
        let lost =
            || call.failure(Class::UnknownOutcome, "RequestTimeout", "the connection broke before the answer came");
        let before = if throttled {
            Some(call.failure(Class::Throttled, "RequestLimitExceeded", "request limit exceeded"))
        } else if unavailable {
            Some(call.failure(Class::Unavailable, "InternalError", "an internal error has occurred"))
        } else {
            (unknown && !effect).then(lost)
        };
        Fate {
            before,
            after: (unknown && effect).then(lost),
            half,
            invisible: if invisible { dice.u64(250..2000) } else { 0 },
        }
    }

    /// How long the call of this number takes.
    pub(super) fn delay(&self, number: u64) -> Duration {
        self.latency.mul_f64(self.dice(number).f64())
    }

    fn dice(&self, number: u64) -> fastrand::Rng {
        fastrand::Rng::with_seed(self.seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(number))
    }
}

impl FromStr for Faults {
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

impl FromStr for Crash {
    type Err = ();

    /// `12` or `12-before`, `12-after`.
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
        let faults: Faults = "seed=7, throttle=0.1,unknown=1,latency=50ms,crash=12-after".parse().unwrap();
        let expected = Faults {
            seed: 7,
            throttle: 0.1,
            unknown: 1.0,
            latency: Duration::from_millis(50),
            crash: Some(Crash { call: 12, after: true }),
            ..Faults::default()
        };
        assert_eq!(faults, expected);
        assert_eq!("".parse::<Faults>().unwrap(), Faults::default());
    }

    #[test]
    fn what_is_no_fault_is_refused() {
        for text in ["throttle", "throttle=2", "throttle=-1", "latency=5", "crash=x", "crash=1-later", "seed=-1"] {
            assert_eq!(text.parse::<Faults>(), Err(NotFaults::Part(text.to_owned())));
        }
        assert!(matches!("storm=1".parse::<Faults>(), Err(NotFaults::Name(_))));
    }

    #[test]
    fn the_same_seed_decides_the_same() {
        let faults = Faults { seed: 3, throttle: 0.3, unknown: 0.3, invisible: 0.3, ..Faults::default() };
        let call = Call::new("Create", "vpc");
        let fates = |faults: &Faults| (0..100).map(|n| faults.fate(n, &call, true)).collect::<Vec<_>>();
        assert_eq!(fates(&faults), fates(&faults));
        assert_ne!(fates(&faults), fates(&Faults { seed: 4, ..faults.clone() }));
    }

    #[test]
    fn the_answer_of_a_look_cannot_be_in_doubt() {
        let faults = Faults { unknown: 1.0, ..Faults::default() };
        let fate = faults.fate(1, &Call::list("vpc"), false);
        assert_eq!((fate.before, fate.after), (None, None));
    }
}
