//! Objects as they should be, and as they are.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Address, Attributes, Reference, Value};

/// An object as it should be.
#[derive(Debug, Clone, PartialEq)]
pub struct Object {
    /// Its name in the cluster.
    pub address: Address,
    /// What it should look like. Attributes that are absent belong to somebody else and are never compared.
    pub attributes: Attributes,
    /// Objects that must exist first although no attribute names them.
    pub depends_on: BTreeSet<Address>,
    /// Objects of one lane are rolled one at a time, and join those that are there one at a time.
    pub lane: Option<String>,
    /// Content that belongs to the object but never to a plan or a record.
    pub payload: Option<Payload>,
}

/// Content that is uploaded, and never printed or serialised.
#[derive(Clone, PartialEq, Eq)]
pub struct Payload(pub Arc<[u8]>);

/// An object as it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Live {
    /// Its name in the cluster, from its tag or its derived name.
    pub address: Address,
    /// The cloud's own identifier, for example `vpc-0a1b2c3d` or an ARN.
    pub id: String,
    /// What it looks like, in the same attributes as an [`Object`].
    pub attributes: Attributes,
    /// What the cloud says of it that others refer to: `id`, `arn`, `dns_name`, …
    pub outputs: BTreeMap<String, String>,
    /// Whether it can be used.
    pub phase: Phase,
    /// Whether it proves by tag, path or name that this cluster made it. What carries no such mark (a DNS record)
    /// is ours only if the record says so or if it is exactly what we want.
    pub proven: bool,
    /// When it was made, where the cloud tells.
    pub created: Option<Timestamp>,
    /// The machines of a group.
    pub members: Vec<Member>,
}

/// Whether an object can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Being made.
    Pending,
    /// Usable.
    Ready,
    /// Being removed.
    Deleting,
    /// It will not become usable.
    Failed,
}

/// A machine of a group.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Member {
    /// The instance's id.
    pub id: String,
    /// Its zone.
    pub zone: String,
    /// Its state in the group's own words, for example `InService`.
    pub state: String,
    /// The template version that it was started from.
    pub version: String,
}

/// What the record remembers of an object.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Recorded {
    /// The cloud's identifier.
    pub id: String,
    /// The attributes as last applied, all known.
    pub attributes: Attributes,
    /// The outputs as last seen.
    pub outputs: BTreeMap<String, String>,
    /// What it needed.
    pub needs: BTreeSet<Address>,
}

impl Object {
    /// Every object that must exist before this one.
    pub fn needs(&self) -> BTreeSet<Address> {
        let mut needs = self.depends_on.clone();
        needs.extend(self.references().into_iter().map(|reference| reference.address.clone()));
        needs.remove(&self.address);
        needs
    }

    /// Every reference in the attributes.
    pub fn references(&self) -> BTreeSet<&Reference> {
        self.attributes.values().flat_map(Value::references).collect()
    }

    /// The object with every reference that `look_up` knows filled in.
    #[must_use]
    pub fn resolve(&self, look_up: &impl Fn(&Reference) -> Option<String>) -> Self {
        let attributes = self.attributes.iter().map(|(name, value)| (name.clone(), value.resolve(look_up))).collect();
        Self { attributes, ..self.clone() }
    }
}

impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Payload({} bytes)", self.0.len())
    }
}
