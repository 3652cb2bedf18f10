//! Objects as wanted, and as observed.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Address, Attributes, Reference, Value};

/// An object as wanted.
#[derive(Debug, Clone, PartialEq)]
pub struct Object {
    /// Its name in the cluster.
    pub address: Address,
    /// Its wanted attributes. Attributes that are absent belong to others and are never compared.
    pub attributes: Attributes,
    /// Objects that must exist first although no attribute refers to them.
    pub depends_on: BTreeSet<Address>,
    /// The lane: objects of one lane are rolled one at a time, and new ones join existing ones one at a time.
    pub lane: Option<String>,
    /// Content that belongs to the object but never to a plan or a record.
    pub payload: Option<Payload>,
}

/// Content that is uploaded, and never printed or serialised.
#[derive(Clone, PartialEq, Eq)]
pub struct Payload(pub Arc<[u8]>);

/// An object as observed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Live {
    /// Its name in the cluster, from its tag or its derived name.
    pub address: Address,
    /// The cloud's own identifier, for example `vpc-0a1b2c3d` or an ARN.
    pub id: String,
    /// Its current attributes, in the same form as those of an [`Object`].
    pub attributes: Attributes,
    /// Its outputs, to which other objects refer: `id`, `arn`, `dns_name`, …
    pub outputs: BTreeMap<String, String>,
    /// Its phase, which shows if it can be used.
    pub phase: ObjectPhase,
    /// `true` if its tag, path or name proves that this cluster made it. An object without such a mark (a DNS record) belongs to
    /// the cluster only if the record names it or if it is exactly as wanted.
    pub proven: bool,
    /// Time of its creation, if the cloud returns it.
    pub created: Option<Timestamp>,
    /// The machines of a group.
    pub members: Vec<GroupMember>,
}

/// The phase of an object's life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ObjectPhase {
    /// It is being created.
    Pending,
    /// It can be used.
    Ready,
    /// It is being removed.
    Deleting,
    /// It will not become usable.
    Failed,
}

/// A machine of a group.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct GroupMember {
    /// The instance's id.
    pub id: String,
    /// Its zone.
    pub zone: String,
    /// Its state as the group reports it, for example `InService`.
    pub state: String,
    /// The template version that it was started from.
    pub version: String,
    /// Its instance type, if the cloud returns it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub size: Option<String>,
    /// The time of its launch, if the cloud returns it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub launched: Option<Timestamp>,
}

/// The entry of an object in the record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RecordedObject {
    /// The cloud's identifier.
    pub id: String,
    /// The attributes as last applied, all known.
    pub attributes: Attributes,
    /// The outputs as last observed.
    pub outputs: BTreeMap<String, String>,
    /// The objects that it depended on.
    pub needs: BTreeSet<Address>,
}

impl Object {
    /// Returns every object that must exist before this one.
    pub fn needs(&self) -> BTreeSet<Address> {
        let mut needs = self.depends_on.clone();
        needs.extend(self.references().into_iter().map(|reference| reference.address.clone()));
        needs.remove(&self.address);
        needs
    }

    /// Returns every reference in the attributes.
    pub fn references(&self) -> BTreeSet<&Reference> {
        self.attributes.values().flat_map(Value::references).collect()
    }

    /// Returns the object with every reference that `look_up` resolves filled in.
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
