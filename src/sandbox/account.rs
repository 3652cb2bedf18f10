//! The simulated account and everything in it: the state that is kept between commands.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::account_index::{self, AccountIndex, IndexKey};
use super::account_journal::AccountChanges;
use super::kinds::simulated;
use super::scaling::ScalingQueue;
use super::simulated_kind::KindScope;
use crate::engine::{Address, Attributes, KindRegistry, Value};
use crate::resource::{Kind, ResourceKinds, Tags};

/// The version of the format of the files. Format 1 had no journal.
pub(super) const FORMAT: u32 = 2;
/// Start of simulated time: 2026-01-01T00:00:00Z.
const BEGINNING: Timestamp = Timestamp::constant(1_767_225_600, 0);

/// Milliseconds of simulated time since its start.
pub(super) type SimulatedTime = u64;

/// The simulated account.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct SimulatedAccount {
    /// The version of this format.
    pub(super) format: u32,
    /// The number of this snapshot: the journal that continues it has the same. 0 in format 1.
    #[serde(default)]
    pub(super) snapshot: u64,
    /// The account's 12 digits.
    pub(super) account: String,
    /// The seed of every id.
    pub(super) seed: u64,
    /// The part that most calls change.
    #[serde(default)]
    pub(super) state: AccountState,
    /// The use of each client token.
    tokens: BTreeMap<String, UsedToken>,
    /// All objects, by kind and id.
    objects: BTreeMap<String, BTreeMap<String, SimulatedObject>>,
    /// Finds objects by their properties.
    #[serde(skip)]
    index: AccountIndex,
    /// The changes that are not stored yet.
    #[serde(skip)]
    changes: AccountChanges,
    /// The groups that are not settled yet.
    #[serde(skip)]
    pub(super) scaling: ScalingQueue,
}

/// The part of an account that most calls change. In format 1, its fields are those of the account itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct AccountState {
    /// The simulated time: it advances with each call and each wait.
    pub(super) clock: SimulatedTime,
    /// Number of ids that have been generated.
    pub(super) made: u64,
    /// Number of calls so far.
    pub(super) calls: u64,
    /// Zones that have failed.
    #[serde(skip_serializing_if = "BTreeSet::is_empty", default)]
    pub(super) failed_zones: BTreeSet<String>,
    /// Groups whose new machines never become ready.
    #[serde(skip_serializing_if = "BTreeSet::is_empty", default)]
    pub(super) failed_boots: BTreeSet<String>,
    /// Number of machine images that AWS has published since the account was created.
    #[serde(skip_serializing_if = "is_zero", default)]
    pub(super) published_images: u32,
}

/// The use of a client token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct UsedToken {
    /// The kind of the new object.
    pub(super) kind: String,
    /// The id of the new object.
    pub(super) id: String,
    /// The hash of the request.
    pub(super) request: String,
}

/// An object in the account.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct SimulatedObject {
    /// The cluster and the address that it belongs to; `None` for an object that no cluster created.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(super) mark: Option<OwnerMark>,
    /// The region that it is in; empty for an object of all regions.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub(super) region: String,
    /// Its attributes.
    pub(super) attributes: Attributes,
    /// Its outputs, which others refer to.
    pub(super) outputs: BTreeMap<String, String>,
    /// The time of its creation.
    pub(super) created: SimulatedTime,
    /// The time from which it is visible and can be referred to.
    pub(super) visible: SimulatedTime,
    /// The time from which it can be used.
    pub(super) ready: SimulatedTime,
    /// The machines of a group.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub(super) machines: Vec<SimulatedMachine>,
    /// The records that machines wrote into a zone, by name; the grants of rules, by range.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub(super) contents: BTreeMap<String, String>,
}

/// The cluster and the address of an object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct OwnerMark {
    /// The cluster.
    pub(super) cluster: String,
    /// The object's address in the cluster.
    pub(super) address: Address,
}

/// A machine of an Auto Scaling group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SimulatedMachine {
    /// The instance's id.
    pub(super) id: String,
    /// Its zone.
    pub(super) zone: String,
    /// Its subnet's id.
    pub(super) subnet: String,
    /// Its private address.
    pub(super) ip: String,
    /// Its security groups' ids.
    pub(super) security_groups: Vec<String>,
    /// The template version that it was started from.
    pub(super) version: String,
    /// Its instance type; `None` for machines of older releases.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(super) size: Option<String>,
    /// The time of its launch.
    pub(super) launched: SimulatedTime,
    /// The time when it has booted.
    pub(super) booted: SimulatedTime,
    /// Its tags, and those of its root volume; empty for machines of older releases.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub(super) tags: Vec<Tags>,
    /// `true` if it runs and never becomes ready.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub(super) fails: bool,
}

impl SimulatedAccount {
    /// Returns an empty account.
    pub(super) fn empty(account: &str, seed: u64) -> Self {
        Self {
            format: FORMAT,
            snapshot: 0,
            account: account.to_owned(),
            seed,
            state: AccountState::default(),
            tokens: BTreeMap::new(),
            objects: BTreeMap::new(),
            index: AccountIndex::default(),
            changes: AccountChanges::default(),
            scaling: ScalingQueue::default(),
        }
    }

    /// Completes an account that was read from a file.
    pub(super) fn reindex(&mut self) {
        self.index = AccountIndex::default();
        for (kind, objects) in &self.objects {
            for (id, stored) in objects {
                self.index.replace(kind, id, &BTreeSet::new(), &account_index::keys(kind, stored));
                self.scaling.note(kind, id, stored);
            }
        }
    }

    /// Returns `true` if the index and the queue are as if the account had just been read from a file.
    #[cfg(test)]
    pub(super) fn is_consistent(&self) -> bool {
        let mut fresh = Self { index: AccountIndex::default(), ..self.clone() };
        fresh.reindex();
        let is_indexed = fresh.index == self.index;
        fresh.settle();
        is_indexed && fresh.objects == self.objects
    }

    /// Returns the changes since the last time, and forgets them.
    pub(super) fn take_changes(&mut self) -> AccountChanges {
        std::mem::take(&mut self.changes)
    }

    /// Returns all objects of a kind, by id.
    pub(super) fn of(&self, kind: &str) -> impl Iterator<Item = (&String, &SimulatedObject)> {
        self.objects.get(kind).into_iter().flatten()
    }

    /// Returns all objects: kind, id, object.
    pub(super) fn all(&self) -> impl Iterator<Item = (&str, &str, &SimulatedObject)> {
        self.objects
            .iter()
            .flat_map(|(kind, objects)| objects.iter().map(move |(id, stored)| (kind.as_str(), id.as_str(), stored)))
    }

    /// Returns one object.
    pub(super) fn get(&self, kind: &str, id: &str) -> Option<&SimulatedObject> {
        self.objects.get(kind)?.get(id)
    }

    /// Changes an object; `None` if it does not exist.
    pub(super) fn edit<T>(
        &mut self,
        kind: &str,
        id: &str,
        change: impl FnOnce(&mut SimulatedObject) -> T,
    ) -> Option<T> {
        let stored = self.objects.get_mut(kind)?.get_mut(id)?;
        let before = account_index::keys(kind, stored);
        let result = change(stored);
        self.index.replace(kind, id, &before, &account_index::keys(kind, stored));
        self.scaling.note(kind, id, stored);
        self.changes.note_object(kind, id);
        Some(result)
    }

    /// Adds an object.
    pub(super) fn insert(&mut self, kind: &str, id: &str, stored: SimulatedObject) {
        self.take(kind, id);
        self.index.replace(kind, id, &BTreeSet::new(), &account_index::keys(kind, &stored));
        self.scaling.note(kind, id, &stored);
        self.changes.note_object(kind, id);
        self.objects.entry(kind.to_owned()).or_default().insert(id.to_owned(), stored);
    }

    /// Removes and returns an object.
    pub(super) fn take(&mut self, kind: &str, id: &str) -> Option<SimulatedObject> {
        let objects = self.objects.get_mut(kind)?;
        let taken = objects.remove(id)?;
        if objects.is_empty() {
            self.objects.remove(kind);
        }
        self.index.replace(kind, id, &account_index::keys(kind, &taken), &BTreeSet::new());
        self.changes.note_object(kind, id);
        Some(taken)
    }

    /// Writes an entry into the contents of an object: a record into a zone, a grant into rules.
    pub(super) fn write_content(&mut self, kind: &str, id: &str, name: &str, value: &str) {
        let Some(stored) = self.objects.get_mut(kind).and_then(|objects| objects.get_mut(id)) else { return };
        if stored.contents.get(name).is_none_or(|there| there != value) {
            stored.contents.insert(name.to_owned(), value.to_owned());
            self.changes.note_content(kind, id, name);
        }
    }

    /// Returns the use of a client token.
    pub(super) fn token(&self, token: &str) -> Option<&UsedToken> {
        self.tokens.get(token)
    }

    /// Notes the use of a client token.
    pub(super) fn use_token(&mut self, token: &str, used: UsedToken) {
        self.tokens.insert(token.to_owned(), used);
        self.changes.note_token(token);
    }

    /// Returns the objects that can have a key of the index.
    pub(super) fn candidates(&self, key: IndexKey) -> impl Iterator<Item = (&'static str, &str, &SimulatedObject)> {
        self.index.candidates(key).filter_map(|(kind, id)| Some((kind, id, self.get(kind, id)?)))
    }

    /// Returns the object of a kind with this output.
    pub(super) fn by_output(&self, kind: &str, output: &str, value: &str) -> Option<(&str, &SimulatedObject)> {
        let named = self.candidates(IndexKey::output(kind, output, value));
        named
            .filter(|(found, ..)| *found == kind)
            .find(|(_, _, stored)| stored.outputs.get(output).is_some_and(|found| found == value))
            .map(|(_, id, stored)| (id, stored))
    }

    /// Returns the moment as a timestamp.
    pub(super) fn timestamp(moment: SimulatedTime) -> Timestamp {
        let since = i64::try_from(moment).map(SignedDuration::from_millis).unwrap_or_default();
        BEGINNING.checked_add(since).unwrap_or(BEGINNING)
    }
}

impl SimulatedObject {
    /// Returns a text attribute.
    pub(super) fn text(&self, attribute: &str) -> Option<&str> {
        self.attributes.get(attribute)?.as_text()
    }

    /// Returns a number attribute that cannot be negative.
    pub(super) fn number(&self, attribute: &str) -> Option<usize> {
        match self.attributes.get(attribute)? {
            Value::Integer(number) => usize::try_from(*number).ok(),
            _ => None,
        }
    }

    /// Returns the name of the object in messages: its address and its id, or its id alone.
    pub(super) fn title(&self, id: &str) -> String {
        self.mark.as_ref().map_or_else(|| id.to_owned(), |mark| format!("{} ({id})", mark.address))
    }
}

/// Returns the kind of this name.
pub(super) fn kind(name: &str) -> Option<&'static Kind> {
    // The vocabulary hands out a borrow of itself, and it is a constant.
    const KINDS: &ResourceKinds = &ResourceKinds;
    KINDS.kind(name)
}

/// Returns the region of an object of a kind that was created in this one.
pub(super) fn region_of(kind: &str, region: &str) -> String {
    match simulated(kind).scope {
        KindScope::Global | KindScope::Bucket => String::new(),
        KindScope::Region | KindScope::Zone => region.to_owned(),
    }
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde asks for")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}
