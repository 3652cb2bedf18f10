//! An index of the account: finds objects by what identifies them and by what they refer to, without a scan.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::account::SimulatedObject;
use super::kinds::simulated;
use crate::engine::{Attributes, Value};
use crate::resource::{Resource, SecurityGroup, Subnet};

/// A key of the index: the hash of one property of an object. Objects with other properties can have the same key, so a lookup
/// returns candidates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct IndexKey(u64);

impl IndexKey {
    /// The key of objects of a kind with this output.
    pub(super) fn output(kind: &str, output: &str, value: &str) -> Self {
        Self::of(("output", kind, output, value))
    }

    /// The key of objects that refer to an object of a kind by one of its outputs.
    pub(super) fn link(to: &str, output: &str, value: &str) -> Self {
        Self::of(("link", to, output, value))
    }

    /// The key of Auto Scaling groups with a machine in a subnet or in a security group.
    pub(super) fn machine(place: &str, id: &str) -> Self {
        Self::of(("machine", place, id))
    }

    /// The key of objects of a kind with these values of its unique attributes; `None` if an attribute is missing.
    pub(super) fn unique(kind: &str, parts: &[&str], attributes: &Attributes) -> Option<Self> {
        let values = parts.iter().map(|part| attributes.get(*part).map(text)).collect::<Option<Vec<String>>>()?;
        Some(Self::of(("unique", kind, values)))
    }

    fn of(property: impl Hash) -> Self {
        // Without a random seed: the order of candidates, and with it the account, must not depend on the process.
        let mut hasher = DefaultHasher::new();
        property.hash(&mut hasher);
        Self(hasher.finish())
    }
}

/// The keys of all objects.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct AccountIndex(BTreeSet<(IndexKey, &'static str, String)>);

impl AccountIndex {
    /// Returns the objects that can have a key: kind and id, sorted.
    pub(super) fn candidates(&self, key: IndexKey) -> impl Iterator<Item = (&'static str, &str)> {
        let entries = self.0.range((key, "", String::new())..);
        entries.take_while(move |(found, ..)| *found == key).map(|(_, kind, id)| (*kind, id.as_str()))
    }

    /// Changes the keys of an object.
    pub(super) fn replace(&mut self, kind: &str, id: &str, before: &BTreeSet<IndexKey>, after: &BTreeSet<IndexKey>) {
        let kind = simulated(kind).name;
        for key in before.difference(after) {
            self.0.remove(&(*key, kind, id.to_owned()));
        }
        self.0.extend(after.difference(before).map(|key| (*key, kind, id.to_owned())));
    }
}

/// Returns the keys of an object.
pub(super) fn keys(kind: &str, stored: &SimulatedObject) -> BTreeSet<IndexKey> {
    let row = simulated(kind);
    let outputs = stored.outputs.iter().map(|(output, value)| IndexKey::output(kind, output, value));
    let mut keys: BTreeSet<IndexKey> = outputs.collect();
    if !row.unique.is_empty() {
        keys.extend(IndexKey::unique(kind, row.unique, &stored.attributes));
    }
    for link in row.links {
        let named = link.named(&stored.attributes).into_iter();
        keys.extend(named.map(|name| IndexKey::link(link.to, link.output, name)));
    }
    for machine in &stored.machines {
        keys.insert(IndexKey::machine(Subnet::KIND.name, &machine.subnet));
        let groups = machine.security_groups.iter();
        keys.extend(groups.map(|group| IndexKey::machine(SecurityGroup::KIND.name, group)));
    }
    keys
}

fn text(value: &Value) -> String {
    match value {
        Value::Text(text) => text.clone(),
        other => serde_json::to_string(other).unwrap_or_default(),
    }
}
