//! The time of changes as earlier runs measured it.

use std::collections::BTreeMap;
use std::time::Duration;

/// The weight of a new measurement is one in this number.
const MEMORY: u64 = 3;

/// The time of each sort of change in milliseconds, as earlier runs of a cluster measured it. A sort of change is named by its
/// kind and its action: `load-balancer create`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChangeTimes(BTreeMap<String, u64>);

impl From<BTreeMap<String, u64>> for ChangeTimes {
    fn from(times: BTreeMap<String, u64>) -> Self {
        Self(times)
    }
}

impl From<ChangeTimes> for BTreeMap<String, u64> {
    fn from(times: ChangeTimes) -> Self {
        times.0
    }
}

impl ChangeTimes {
    /// Returns the time of a sort of change, rounded up to seconds.
    pub(super) fn seconds(&self, sort: &str) -> Option<u64> {
        self.0.get(sort).map(|millis| millis.div_ceil(1000))
    }

    /// Adds a measurement: the newer ones count more.
    pub(super) fn learn(&mut self, sort: &str, time: Duration) {
        let measured = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let known = self.0.entry(sort.to_owned()).or_insert(measured);
        *known = (known.saturating_mul(MEMORY - 1).saturating_add(measured)) / MEMORY;
    }
}
