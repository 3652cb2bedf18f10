//! A saved plan: the changes that `plan --out` writes and `apply FILE` makes.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::StateError;
use super::record::{ClusterRecord, parse, text};
use crate::engine::{Change, DifferenceOrigin, Plan};
use crate::words;

/// The newest format of a saved plan that this release knows, and the one it writes.
const FORMAT: u32 = 1;

/// Maximum size of a saved plan in bytes.
const LARGEST: usize = 64 << 20;

/// Time after which a saved plan is not applied any more.
const VALID: SignedDuration = SignedDuration::from_hours(24);

/// Maximum time by which the clocks of two machines differ.
const CLOCK_DIFFERENCE: SignedDuration = SignedDuration::from_mins(5);

/// A plan in a file.
///
/// It contains no secret: a plan hides the values that may be one, and `hidden` is a salted password hash of them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SavedPlan {
    /// The version of this format.
    pub format: u32,
    /// The id of the plan. The record of the apply contains it.
    pub saved_plan: String,
    /// The version of Quorate that made the plan.
    pub quorate: String,
    /// The time of the plan.
    pub created: Timestamp,
    /// The cluster, its account, and the location of its record.
    pub target: PlanTarget,
    /// The choices of the plan that the cluster file does not contain: recorded versions and options.
    pub choices: serde_json::Value,
    /// The hash of the values that the plan hides; `None` if it hides none.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub hidden: Option<HiddenValues>,
    /// The changes. Its serial is that of the record.
    pub plan: Plan,
}

/// The cluster that a plan is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlanTarget {
    /// The cluster's name.
    pub cluster: String,
    /// The account's 12 digits.
    pub account: String,
    /// The region.
    pub region: String,
    /// The location of the record.
    pub state: String,
    /// The id that distinguishes this cluster from an earlier or later one of the same name; `None` without a record.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub lineage: Option<String>,
    /// `true` if the cloud is simulated.
    pub sandbox: bool,
}

/// A salted hash of values that must not be guessed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HiddenValues {
    /// The salt, random for each plan, in hexadecimal digits.
    pub salt: String,
    /// PBKDF2-HMAC-SHA256 of the values, in hexadecimal digits.
    pub hash: String,
}

/// The reason why a saved plan is not applied.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SavedPlanError {
    /// The file is not a saved plan.
    #[error("it is not a plan that `quorate plan --out` wrote: {reason}")]
    Invalid {
        /// The parse error.
        reason: String,
    },
    /// A newer Quorate wrote it, in a format that this one does not know.
    #[error("it has format {format}, and this release knows formats up to {known}")]
    Newer {
        /// Its format.
        format: u32,
        /// The newest known format.
        known: u32,
    },
    /// Another release made it.
    #[error("Quorate {made_by} made it, and this is Quorate {own}")]
    Release {
        /// The release that made the plan.
        made_by: String,
        /// This release.
        own: String,
    },
    /// It is too old.
    #[error("it was made at {}, more than a day ago", words::moment(*created))]
    Expired {
        /// The time of the plan.
        created: Timestamp,
    },
    /// Its time is in the future.
    #[error("it was made at {}, which is in the future by the clock of this machine", words::moment(*created))]
    Future {
        /// The time of the plan.
        created: Timestamp,
    },
    /// It is the plan of another cluster.
    #[error("it is for {what} {planned}, and this is {found}")]
    Target {
        /// The name of the difference, for example `the account`.
        what: &'static str,
        /// The value in the plan.
        planned: String,
        /// The value now.
        found: String,
    },
    /// An apply has used it.
    #[error("it was used already: the run {run} wrote the record at {}", words::moment(*at))]
    Used {
        /// The run that wrote the record.
        run: String,
        /// The time of the record.
        at: Timestamp,
    },
    /// Another run wrote the record after the plan.
    #[error("the record changed since: it has serial {serial}, written at {} by the run {run}, and the plan is based on \
             serial {planned}", words::moment(*at))]
    RecordChanged {
        /// The run that wrote the record.
        run: String,
        /// Its serial.
        serial: u64,
        /// The time of the record.
        at: Timestamp,
        /// The serial that the plan is based on.
        planned: u64,
    },
    /// The record that the plan is based on is gone.
    #[error("the record that it is based on, with serial {planned}, is gone")]
    RecordGone {
        /// The serial that the plan is based on.
        planned: u64,
    },
    /// An apply would make other changes.
    #[error("an apply would make other changes now")]
    Changes {
        /// The differences, sorted by address.
        differences: Vec<String>,
    },
    /// A value that a plan hides is another one.
    #[error("the values of environment variables or of secrets that it sets are not those of the files any more")]
    HiddenValues,
}

impl SavedPlan {
    /// Creates a saved plan of this release.
    pub fn new(
        plan: Plan,
        target: PlanTarget,
        choices: serde_json::Value,
        hidden: Option<HiddenValues>,
        now: Timestamp,
    ) -> Self {
        let quorate = env!("CARGO_PKG_VERSION").to_owned();
        Self {
            format: FORMAT,
            saved_plan: Uuid::new_v4().to_string(),
            quorate,
            created: now,
            target,
            choices,
            hidden,
            plan,
        }
    }

    /// Returns the text of the file.
    ///
    /// # Errors
    /// Returns an error if a value has no JSON form.
    pub fn to_bytes(&self) -> Result<Vec<u8>, serde_json::Error> {
        text(self)
    }

    /// Parses the text of a file.
    ///
    /// # Errors
    /// Returns an error if it is not a saved plan, or one of a newer format.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, SavedPlanError> {
        if bytes.len() > LARGEST {
            return Err(SavedPlanError::Invalid { reason: format!("it is larger than {} MiB", LARGEST >> 20) });
        }
        parse(bytes, FORMAT, "").map_err(|error| match error {
            StateError::Newer { format, known, .. } => SavedPlanError::Newer { format, known },
            StateError::Unreadable { source, .. } => SavedPlanError::Invalid { reason: source.to_string() },
            other => SavedPlanError::Invalid { reason: other.to_string() },
        })
    }

    /// Returns an error if this release does not apply the plan now.
    ///
    /// # Errors
    /// Returns an error if another release made it, or its time has passed.
    pub fn check_age(&self, now: Timestamp) -> Result<(), SavedPlanError> {
        let own = env!("CARGO_PKG_VERSION");
        if self.quorate != own {
            return Err(SavedPlanError::Release { made_by: self.quorate.clone(), own: own.to_owned() });
        }
        let age = now.duration_since(self.created);
        if age > VALID {
            return Err(SavedPlanError::Expired { created: self.created });
        }
        if age < -CLOCK_DIFFERENCE {
            return Err(SavedPlanError::Future { created: self.created });
        }
        Ok(())
    }

    /// Returns an error if the plan is for another cluster, account or location.
    ///
    /// # Errors
    /// Returns the first difference.
    pub fn check_target(&self, found: &PlanTarget) -> Result<(), SavedPlanError> {
        let cloud = |target: &PlanTarget| if target.sandbox { "the sandbox" } else { "AWS" }.to_owned();
        let values = |target: &PlanTarget| {
            [
                ("a cluster in", cloud(target)),
                ("the cluster", target.cluster.clone()),
                ("the account", target.account.clone()),
                ("the region", target.region.clone()),
                ("the state in", target.state.clone()),
            ]
        };
        let pairs = values(&self.target).into_iter().zip(values(found));
        let mut differing = pairs.filter(|((_, planned), (_, found))| planned != found);
        differing
            .next()
            .map_or(Ok(()), |((what, planned), (_, found))| Err(SavedPlanError::Target { what, planned, found }))
    }

    /// Returns an error if the record is not the one that the plan is based on.
    ///
    /// # Errors
    /// Returns what happened to the record.
    pub fn check_record(&self, record: Option<&ClusterRecord>) -> Result<(), SavedPlanError> {
        let planned = self.plan.serial;
        let Some(record) = record else {
            return if planned == 0 { Ok(()) } else { Err(SavedPlanError::RecordGone { planned }) };
        };
        let (run, at, serial) = (record.run.clone(), record.written, record.serial);
        if record.applied_plan.as_ref() == Some(&self.saved_plan) {
            return Err(SavedPlanError::Used { run, at });
        }
        let is_same = self.target.lineage.as_ref() == Some(&record.lineage) && serial == planned;
        if is_same { Ok(()) } else { Err(SavedPlanError::RecordChanged { run, serial, at, planned }) }
    }

    /// Returns an error if another plan makes other changes.
    ///
    /// # Errors
    /// Returns all differences.
    pub fn check_changes(&self, now: &Plan) -> Result<(), SavedPlanError> {
        let differences = differences(&self.plan.changes, &now.changes);
        if differences.is_empty() { Ok(()) } else { Err(SavedPlanError::Changes { differences }) }
    }
}

/// Returns the differences between two lists of changes.
fn differences(saved: &[Change], now: &[Change]) -> Vec<String> {
    let key = |change: &Change| (change.address.clone(), change.id.clone());
    let by_object = |changes: &[Change]| -> BTreeMap<_, Change> {
        changes.iter().map(|change| (key(change), change.clone())).collect()
    };
    let (saved, now) = (by_object(saved), by_object(now));
    let objects: BTreeSet<_> = saved.keys().chain(now.keys()).collect();
    let difference = |object| match (saved.get(object), now.get(object)) {
        (Some(saved), Some(now)) => changed(saved, now),
        (Some(saved), None) => Some(format!("{}: it needs no change any more", saved.address)),
        (None, Some(now)) => Some(format!("{}: the plan does not contain this change", now.address)),
        (None, None) => None,
    };
    let all: Vec<String> = objects.into_iter().filter_map(difference).collect();
    // Another order follows from another difference.
    let (order, mut own): (Vec<String>, Vec<String>) = all.into_iter().partition(|text| text.ends_with(OTHER_ORDER));
    if own.is_empty() {
        own = order;
    }
    own
}

/// The difference of changes whose attributes are the same.
const OTHER_ORDER: &str = "the reason or the order of the change is another one";

/// Returns the difference between two changes to one object.
fn changed(saved: &Change, now: &Change) -> Option<String> {
    if saved == now {
        return None;
    }
    let attributes = |change: &Change| -> BTreeMap<String, _> {
        change.attributes.iter().map(|attribute| (attribute.name.clone(), attribute.clone())).collect()
    };
    let (before, after) = (attributes(saved), attributes(now));
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    // A difference that the plan does not have comes from the file, unless it is drift.
    let is_live = |name: &String| match (before.get(name), after.get(name)) {
        (Some(before), Some(after)) => before.before != after.before,
        (None, Some(after)) => after.origin != DifferenceOrigin::File,
        _ => false,
    };
    let differing: Vec<&String> = names.into_iter().filter(|name| before.get(*name) != after.get(*name)).collect();
    let quoted = |names: &[&String]| words::list(&names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>());
    let (kept, differing): (Vec<&String>, Vec<&String>) =
        differing.into_iter().partition(|name| !after.contains_key(*name));
    let (live, wanted): (Vec<&String>, Vec<&String>) = differing.into_iter().partition(|name| is_live(name));
    let mut parts = Vec::new();
    if !live.is_empty() {
        parts.push(format!("{} of the live object changed since", quoted(&live)));
    }
    if !wanted.is_empty() {
        parts.push(format!("{} would get another value", quoted(&wanted)));
    }
    if !kept.is_empty() {
        parts.push(format!("{} would not change any more", quoted(&kept)));
    }
    if parts.is_empty() {
        parts.push(OTHER_ORDER.to_owned());
    }
    Some(format!("{}: {}", saved.address, parts.join("; ")))
}

#[cfg(test)]
mod tests;
