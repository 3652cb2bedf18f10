//! A plan: plain data, the one value that renderers, analyses and apply read.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{Address, Value};

/// Every change between what is and what should be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// What the plan is for.
    pub mode: Mode,
    /// The serial of the record that it was made against; 0 without one.
    pub serial: u64,
    /// The changes, sorted by address. Empty when nothing differs.
    pub changes: Vec<Change>,
    /// How many objects are as they should be.
    pub unchanged: usize,
}

/// What a plan is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Make the cloud match the file.
    Apply,
    /// Remove everything.
    Destroy,
    /// Only show what changed outside since the last apply.
    Refresh,
}

/// One change to one object.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// The object.
    pub address: Address,
    /// What is done to it.
    pub action: Action,
    /// Why.
    pub reason: Reason,
    /// The cloud's identifier of the object that is there now.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub id: Option<String>,
    /// The attributes that change, sorted by name; all of them for a creation.
    pub attributes: Vec<AttributeChange>,
    /// The changes that must be done first.
    pub needs: BTreeSet<Address>,
    /// Changes of one lane that roll machines happen one at a time.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub lane: Option<String>,
    /// Whether data is lost that nobody can make again.
    pub loses_data: bool,
}

/// What is done to an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Removed.
    Delete,
    /// A new one is made, users move over, the old one is removed.
    Replace,
    /// Updated in place, then its machines are replaced one after the other.
    Roll,
    /// Changed in place.
    Update,
    /// Made.
    Create,
    /// Found as it should be, made by a run that did not finish: only recorded.
    Adopt,
    /// As it should be, but not usable yet: only waited for.
    Wait,
    /// Cannot be done on a living cluster: the whole plan is refused.
    Refuse,
}

/// Why a change is made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Reason {
    /// It is new in the file.
    New,
    /// It was there after the last apply and is gone.
    Missing,
    /// The file (or this release) wants something else than last time.
    File,
    /// Somebody changed it since the last apply.
    Drift,
    /// Both the file and somebody else.
    FileAndDrift,
    /// The file no longer has it.
    NotInFile,
    /// The whole cluster is removed.
    Destroy,
    /// A second object carries the address of the one that stays.
    Duplicate {
        /// The identifier of the one that stays.
        kept: String,
    },
    /// An earlier run made it and did not get to record it.
    Unrecorded,
    /// It was changed as it should be, and is not usable yet.
    Unfinished,
    /// An object of that name exists and nothing shows that this cluster made it.
    Foreign,
    /// The cloud has said that it would not take the object as it should be.
    Rejected {
        /// What it said.
        message: String,
    },
    /// An attribute that cannot be changed would have to be.
    Fixed {
        /// Which one.
        attribute: String,
        /// What to do instead.
        instead: String,
    },
    /// It has to stay as long as the cluster lives.
    Needed {
        /// Why, and what to do instead.
        instead: String,
    },
    /// It is made anew, and gets its data from others that hold the same.
    Moved {
        /// From where to where, and how.
        how: String,
    },
    /// It is gone, others that are there need it, and a new one would be of no use to them.
    Lost {
        /// What to do instead.
        instead: String,
    },
}

/// One attribute of a change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AttributeChange {
    /// The attribute.
    pub name: String,
    /// What it is now.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub before: Option<Value>,
    /// What it will be.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub after: Option<Value>,
    /// Who wants the change.
    pub origin: Origin,
    /// What the change of this attribute alone would do to the object.
    pub action: Action,
}

/// Who caused a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// The file (or this release) wants something else than last time.
    File,
    /// Somebody changed the object since.
    Drift,
    /// Both.
    Both,
}

impl Plan {
    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// The changes that make the plan impossible.
    pub fn refusals(&self) -> impl Iterator<Item = &Change> {
        self.changes.iter().filter(|change| change.action == Action::Refuse)
    }

    /// How many changes do this.
    pub fn count(&self, action: Action) -> usize {
        self.changes.iter().filter(|change| change.action == action).count()
    }
}
