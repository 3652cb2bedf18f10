//! The simulated account and everything in it: what is kept between commands.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::engine::{Address, Attributes, Value, Vocabulary};
use crate::resource::{Kind, Kinds, Tags};

/// The version of the file's format.
pub(super) const FORMAT: u32 = 1;
/// When simulated time begins: 2026-01-01T00:00:00Z.
const BEGINNING: Timestamp = Timestamp::constant(1_767_225_600, 0);

/// Milliseconds of simulated time since its beginning.
pub(super) type Moment = u64;

/// The simulated account.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct World {
    /// The version of this format.
    pub(super) format: u32,
    /// The account's 12 digits.
    pub(super) account: String,
    /// Decides every id.
    pub(super) seed: u64,
    /// Simulated time: it passes with each call and each wait.
    pub(super) clock: Moment,
    /// How many ids have been made.
    pub(super) made: u64,
    /// How many calls there have been.
    pub(super) calls: u64,
    /// Zones that have failed.
    pub(super) failed_zones: BTreeSet<String>,
    /// Groups whose new machines never become ready.
    #[serde(skip_serializing_if = "BTreeSet::is_empty", default)]
    pub(super) failed_boots: BTreeSet<String>,
    /// What each client token was used for.
    pub(super) tokens: BTreeMap<String, Use>,
    /// What there is, by kind and id.
    pub(super) things: BTreeMap<String, BTreeMap<String, Thing>>,
}

/// What a client token was used for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Use {
    /// The kind that was made.
    pub(super) kind: String,
    /// The id of what was made.
    pub(super) id: String,
    /// The hash of what was asked for.
    pub(super) request: String,
}

/// Something in the account.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Thing {
    /// Which object of which cluster it is; nothing for what no cluster made.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(super) mark: Option<Mark>,
    /// The region that it is in; empty for what every region sees.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub(super) region: String,
    /// What it looks like.
    pub(super) attributes: Attributes,
    /// What others refer to.
    pub(super) outputs: BTreeMap<String, String>,
    /// When it was made.
    pub(super) created: Moment,
    /// From when on it can be seen and referred to.
    pub(super) visible: Moment,
    /// From when on it can be used.
    pub(super) ready: Moment,
    /// The machines of a group.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub(super) machines: Vec<Machine>,
    /// The records that machines wrote into a zone, by name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub(super) contents: BTreeMap<String, String>,
}

/// Which object of which cluster something is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Mark {
    /// The cluster.
    pub(super) cluster: String,
    /// The object.
    pub(super) address: Address,
}

/// A machine of an Auto Scaling group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Machine {
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
    /// When it was launched.
    pub(super) launched: Moment,
    /// When it has booted.
    pub(super) booted: Moment,
    /// Its tags, and those of its root volume; nothing of machines that older releases made.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub(super) tags: Vec<Tags>,
    /// Whether it runs and never becomes ready.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub(super) fails: bool,
}

impl World {
    /// An account without anything.
    pub(super) fn empty(account: &str, seed: u64) -> Self {
        Self {
            format: FORMAT,
            account: account.to_owned(),
            seed,
            clock: 0,
            made: 0,
            calls: 0,
            failed_zones: BTreeSet::new(),
            failed_boots: BTreeSet::new(),
            tokens: BTreeMap::new(),
            things: BTreeMap::new(),
        }
    }

    /// Everything of a kind, by id.
    pub(super) fn of(&self, kind: &str) -> impl Iterator<Item = (&String, &Thing)> {
        self.things.get(kind).into_iter().flatten()
    }

    /// Everything: kind, id, thing.
    pub(super) fn all(&self) -> impl Iterator<Item = (&str, &str, &Thing)> {
        self.things
            .iter()
            .flat_map(|(kind, things)| things.iter().map(move |(id, thing)| (kind.as_str(), id.as_str(), thing)))
    }

    /// One thing.
    pub(super) fn get(&self, kind: &str, id: &str) -> Option<&Thing> {
        self.things.get(kind)?.get(id)
    }

    /// One thing, to be changed.
    pub(super) fn get_mut(&mut self, kind: &str, id: &str) -> Option<&mut Thing> {
        self.things.get_mut(kind)?.get_mut(id)
    }

    /// Adds a thing.
    pub(super) fn insert(&mut self, kind: &str, id: &str, thing: Thing) {
        self.things.entry(kind.to_owned()).or_default().insert(id.to_owned(), thing);
    }

    /// Takes a thing out.
    pub(super) fn take(&mut self, kind: &str, id: &str) -> Option<Thing> {
        let things = self.things.get_mut(kind)?;
        let taken = things.remove(id);
        if things.is_empty() {
            self.things.remove(kind);
        }
        taken
    }

    /// The thing of a kind whose output is this.
    pub(super) fn by_output(&self, kind: &str, output: &str, value: &str) -> Option<(&String, &Thing)> {
        self.of(kind).find(|(_, thing)| thing.outputs.get(output).is_some_and(|found| found == value))
    }

    /// The moment as a time.
    pub(super) fn timestamp(moment: Moment) -> Timestamp {
        let since = i64::try_from(moment).map(SignedDuration::from_millis).unwrap_or_default();
        BEGINNING.checked_add(since).unwrap_or(BEGINNING)
    }
}

impl Thing {
    /// A text attribute.
    pub(super) fn text(&self, attribute: &str) -> Option<&str> {
        self.attributes.get(attribute)?.as_text()
    }

    /// A number attribute that cannot be negative.
    pub(super) fn number(&self, attribute: &str) -> Option<usize> {
        match self.attributes.get(attribute)? {
            Value::Integer(number) => usize::try_from(*number).ok(),
            _ => None,
        }
    }

    /// What people call it: its address, or its id.
    pub(super) fn title(&self, id: &str) -> String {
        self.mark.as_ref().map_or_else(|| id.to_owned(), |mark| format!("{} ({id})", mark.address))
    }
}

/// The kind of this name.
pub(super) fn kind(name: &str) -> Option<&'static Kind> {
    // The vocabulary hands out a borrow of itself, and it is a constant.
    const KINDS: &Kinds = &Kinds;
    KINDS.kind(name)
}

/// Kinds that belong to no region. What is in a bucket belongs to the bucket.
const GLOBAL: &[&str] = &["bucket", "bucket-object", "secret", "role", "instance-profile", "hosted-zone", "record"];

/// The region of something of a kind that was made in this one.
pub(super) fn region_of(kind: &str, region: &str) -> String {
    if GLOBAL.contains(&kind) { String::new() } else { region.to_owned() }
}
