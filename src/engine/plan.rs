//! A plan: plain data, the one value that renderers, analyses and apply read.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Address, Value};

/// Every change between the observed and the wanted state.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Plan {
    /// The purpose of the plan.
    pub mode: PlanMode,
    /// The serial of the record that the plan is based on; 0 without a record.
    pub serial: u64,
    /// The changes, sorted by address. Empty when nothing differs.
    pub changes: Vec<Change>,
    /// Number of objects that need no change.
    pub unchanged: usize,
    /// The objects whose machines keep their old version, because the plan leaves rolls out. Sorted by address.
    #[serde(skip_serializing_if = "BTreeSet::is_empty", default)]
    pub held: BTreeSet<Address>,
}

/// The purpose of a plan.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PlanMode {
    /// Makes the cloud match the file.
    #[default]
    Apply,
    /// Removes everything.
    Destroy,
    /// Only shows what was changed outside of Quorate since the last apply.
    Refresh,
}

/// One change to one object.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Change {
    /// The object.
    pub address: Address,
    /// The action on the object.
    pub action: Action,
    /// The reason of the change.
    pub reason: Reason,
    /// The cloud's identifier of the existing object.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub id: Option<String>,
    /// The attributes that change, sorted by name; all of them for a creation.
    pub attributes: Vec<AttributeChange>,
    /// The changes that must be done first.
    pub needs: BTreeSet<Address>,
    /// Changes of one lane that roll machines happen one at a time.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub lane: Option<String>,
    /// `true` if data is lost that cannot be restored.
    pub loses_data: bool,
}

impl Change {
    /// Returns a change without attributes and dependencies.
    pub(super) fn bare(address: &Address, action: Action, reason: Reason) -> Self {
        Self {
            address: address.clone(),
            action,
            reason,
            id: None,
            attributes: Vec::new(),
            needs: BTreeSet::new(),
            lane: None,
            loses_data: false,
        }
    }
}

/// An action on an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// The object is removed.
    Delete,
    /// A new object is created, its users move to it, the old object is removed.
    Replace,
    /// The object is updated in place, then its machines are replaced one after the other.
    Roll,
    /// The object is updated in place.
    Update,
    /// The object is created.
    Create,
    /// The object exists as wanted, and is not in the record: a run did not finish, or the state moved.
    Adopt,
    /// The object is as wanted, but not usable yet: it is only waited for.
    Wait,
    /// The change is impossible on a living cluster: the whole plan is refused.
    Refuse,
}

/// The reason of a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Reason {
    /// It is new in the file.
    New,
    /// It existed after the last apply and is gone.
    Missing,
    /// The file (or this release) differs from the last apply.
    File,
    /// It was changed outside of Quorate since the last apply.
    Drift,
    /// Both the file and a change outside of Quorate.
    FileAndDrift,
    /// The file no longer has it.
    NotInFile,
    /// The whole cluster is removed.
    Destroy,
    /// A second object carries the address of the object that is kept.
    Duplicate {
        /// The identifier of the object that is kept.
        kept: String,
    },
    /// An earlier run created it and did not record it.
    Unrecorded,
    /// It was changed as wanted, and is not usable yet.
    Unfinished,
    /// An object of that name exists, without proof that this cluster created it.
    Foreign,
    /// The cloud reported that it would reject the object as wanted.
    Rejected {
        /// The message of the cloud.
        message: String,
    },
    /// An attribute that cannot be changed would have to be.
    Fixed {
        /// The attribute.
        attribute: String,
        /// The alternative.
        instead: String,
    },
    /// It must exist as long as the cluster does.
    Needed {
        /// The reason, and the alternative.
        instead: String,
    },
    /// It is created again, and gets its data from others that hold the same.
    Moved {
        /// The old and the new place, and the method of the move.
        how: String,
    },
    /// It is gone, existing objects need it, and a new one would not work with them.
    Lost {
        /// The alternative.
        instead: String,
    },
}

/// One attribute of a change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AttributeChange {
    /// The attribute.
    pub name: String,
    /// Its current value.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub before: Option<Value>,
    /// Its value after the change.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub after: Option<Value>,
    /// The origin of the change.
    pub origin: DifferenceOrigin,
    /// The action that this attribute alone would need.
    pub action: Action,
}

/// The origin of a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DifferenceOrigin {
    /// The file (or this release) differs from the last apply.
    File,
    /// The object was changed outside of Quorate since the last apply.
    Drift,
    /// Both.
    Both,
}

impl Plan {
    /// Returns `true` if there are no changes.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// Returns the changes that make the plan impossible.
    pub fn refusals(&self) -> impl Iterator<Item = &Change> {
        self.changes.iter().filter(|change| change.action == Action::Refuse)
    }

    /// Returns the number of changes with this action.
    pub fn count(&self, action: Action) -> usize {
        self.changes.iter().filter(|change| change.action == action).count()
    }
}
