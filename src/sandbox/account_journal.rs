//! The journal of the account: the changes of each call since the snapshot, one line each.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::account::{AccountState, FORMAT, SimulatedAccount, SimulatedObject, UsedToken};

/// The changes to the account since the last line of the journal.
#[derive(Debug, Clone, Default)]
pub(super) struct AccountChanges {
    /// The objects that were created, changed or removed: kind and id.
    objects: BTreeSet<(String, String)>,
    /// The records that machines wrote: kind and id of the zone, and the name.
    contents: BTreeSet<(String, String, String)>,
    /// The client tokens that were used.
    tokens: BTreeSet<String>,
}

impl AccountChanges {
    /// Notes that an object was created, changed or removed.
    pub(super) fn note_object(&mut self, kind: &str, id: &str) {
        self.objects.insert((kind.to_owned(), id.to_owned()));
    }

    /// Notes that a machine wrote a record into a zone.
    pub(super) fn note_content(&mut self, kind: &str, id: &str, name: &str) {
        self.contents.insert((kind.to_owned(), id.to_owned(), name.to_owned()));
    }

    /// Notes that a client token was used.
    pub(super) fn note_token(&mut self, token: &str) {
        self.tokens.insert(token.to_owned());
    }

    /// Returns `true` if nothing was changed.
    pub(super) fn is_empty(&self) -> bool {
        self.objects.is_empty() && self.contents.is_empty() && self.tokens.is_empty()
    }
}

/// Objects by kind and id; `None` for a removed one.
type ObjectsAfter<'a> = BTreeMap<Cow<'a, str>, BTreeMap<Cow<'a, str>, Option<Cow<'a, SimulatedObject>>>>;
/// Records by kind, zone and name.
type ContentsAfter<'a> = BTreeMap<Cow<'a, str>, BTreeMap<Cow<'a, str>, BTreeMap<Cow<'a, str>, Cow<'a, str>>>>;

/// A line of the journal: what one call changed, as it is afterwards.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct JournalEntry<'a> {
    state: Cow<'a, AccountState>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    tokens: BTreeMap<Cow<'a, str>, Cow<'a, UsedToken>>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    objects: ObjectsAfter<'a>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    contents: ContentsAfter<'a>,
}

impl<'a> JournalEntry<'a> {
    /// Returns the line for changes to the account.
    pub(super) fn new(account: &'a SimulatedAccount, changes: &'a AccountChanges) -> Self {
        let tokens = changes.tokens.iter();
        let tokens = tokens.filter_map(|token| Some((token.as_str().into(), Cow::Borrowed(account.token(token)?))));
        let mut objects = ObjectsAfter::new();
        for (kind, id) in &changes.objects {
            let stored = account.get(kind, id).map(Cow::Borrowed);
            objects.entry(kind.as_str().into()).or_default().insert(id.as_str().into(), stored);
        }
        let mut contents = ContentsAfter::new();
        for (kind, id, name) in &changes.contents {
            // An object that the line has as a whole has its records too.
            let is_whole = changes.objects.contains(&(kind.clone(), id.clone()));
            let zone = account.get(kind, id).filter(|_| !is_whole);
            if let Some(value) = zone.and_then(|zone| zone.contents.get(name)) {
                let records = contents.entry(kind.as_str().into()).or_default().entry(id.as_str().into()).or_default();
                records.insert(name.as_str().into(), value.as_str().into());
            }
        }
        Self { state: Cow::Borrowed(&account.state), tokens: tokens.collect(), objects, contents }
    }

    /// Repeats the changes on the account as it was before them.
    pub(super) fn apply(self, account: &mut SimulatedAccount) {
        account.state = self.state.into_owned();
        for (token, used) in self.tokens {
            account.use_token(&token, used.into_owned());
        }
        for (kind, objects) in self.objects {
            for (id, stored) in objects {
                match stored {
                    Some(stored) => account.insert(&kind, &id, stored.into_owned()),
                    None => drop(account.take(&kind, &id)),
                }
            }
        }
        for (kind, zones) in self.contents {
            for (zone, records) in zones {
                for (name, value) in records {
                    account.write_content(&kind, &zone, &name, &value);
                }
            }
        }
    }
}

/// The first line of the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct JournalHeader {
    /// The version of the format of its lines.
    format: u32,
    /// The number of the snapshot that it continues.
    pub(super) snapshot: u64,
}

impl JournalHeader {
    /// Returns the first line of a journal that continues this snapshot.
    pub(super) fn new(snapshot: u64) -> Self {
        Self { format: FORMAT, snapshot }
    }
}

/// Returns the line of a value, with its end.
pub(super) fn line(content: &impl Serialize) -> Result<Vec<u8>, serde_json::Error> {
    let mut line = serde_json::to_vec(content)?;
    line.push(b'\n');
    Ok(line)
}

/// Returns the complete lines of a text, without their ends, and the length of all of them. A line without an end was not
/// written completely: its process was killed before the call was answered.
pub(super) fn complete_lines(text: &[u8]) -> (impl Iterator<Item = &[u8]>, usize) {
    let length = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    let lines = text[..length].split_inclusive(|byte| *byte == b'\n');
    (lines.map(|line| &line[..line.len() - 1]), length)
}
