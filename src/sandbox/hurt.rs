//! What people and fate do to a cluster behind its back.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;

use super::names::Call;
use super::world::{self, Thing, World};
use super::{Edit, Sandbox, SandboxError, facts, foreign};
use crate::engine::{Address, Attributes, Failure, Member, Store, Value};
use crate::resource::{CLUSTER_TAG, OBJECT_TAG};

/// Kinds that prove by their path or key, not by a tag, whose they are.
const MARKED_OTHERWISE: &[&str] = &["role", "instance-profile", "record", "bucket-object", "secret"];

/// Something in the account.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Resident {
    /// Its kind.
    pub kind: String,
    /// The cloud's identifier.
    pub id: String,
    /// The cluster that it belongs to, if any.
    pub cluster: Option<String>,
    /// Which object of that cluster it is.
    pub address: Option<Address>,
    /// What it looks like.
    pub attributes: Attributes,
    /// The machines of a group.
    pub members: Vec<Member>,
    /// The records that machines wrote into a zone.
    pub contents: BTreeMap<String, String>,
}

/// Why something was not done to the account.
#[derive(Debug, thiserror::Error)]
pub enum HurtError {
    /// There is no such object.
    #[error("there is no object `{0}`")]
    NoSuchObject(Address),
    /// There is no such instance.
    #[error("there is no instance `{0}`")]
    NoSuchInstance(String),
    /// There is no such zone.
    #[error("there is no zone `{zone}`; there are {}", known.join(", "))]
    NoSuchZone {
        /// What was asked for.
        zone: String,
        /// What there is.
        known: Vec<String>,
    },
    /// The path leads nowhere, or the value does not fit there.
    #[error("`{path}` of {address} cannot take that: {problem}")]
    DoesNotFit {
        /// The object.
        address: Address,
        /// Where.
        path: String,
        /// Why not.
        problem: String,
    },
    /// The cloud refuses that to anybody.
    #[error(transparent)]
    Refused(#[from] Failure),
    /// The sandbox's file.
    #[error(transparent)]
    Sandbox(#[from] SandboxError),
}

impl Sandbox {
    /// Ends an instance. Its group replaces it.
    pub fn terminate(&self, instance: &str) -> Result<(), HurtError> {
        let ended = self.with(|world| world.end(|machine| machine.id == instance))?;
        if ended.is_empty() { Err(HurtError::NoSuchInstance(instance.to_owned())) } else { Ok(()) }
    }

    /// Takes a zone down: its machines end, and none can be launched there. The instances that ended.
    pub fn fail_zone(&self, zone: &str) -> Result<Vec<String>, HurtError> {
        let zone = self.known_zone(zone)?;
        Ok(self.with(|world| {
            world.failed_zones.insert(zone.clone());
            world.end(|machine| machine.zone == zone)
        })?)
    }

    /// Brings a zone back.
    pub fn restore_zone(&self, zone: &str) -> Result<(), HurtError> {
        let zone = self.known_zone(zone)?;
        self.with(|world| world.failed_zones.remove(&zone))?;
        Ok(())
    }

    /// Lets new machines of an Auto Scaling group run and never become ready.
    pub fn fail_boot(&self, group: &Address) -> Result<(), HurtError> {
        self.with(|world| {
            let name = self.id(world, group)?;
            world.failed_boots.insert(name);
            Ok(())
        })?
    }

    /// Ends that: those that run become ready too, as machines try again.
    pub fn restore_boot(&self, group: &Address) -> Result<(), HurtError> {
        self.with(|world| {
            let name = self.id(world, group)?;
            world.failed_boots.remove(&name);
            self.thing(world, group)?.machines.iter_mut().for_each(|machine| machine.fails = false);
            Ok(())
        })?
    }

    /// Changes an attribute of an object, as somebody would in the console.
    pub fn set(&self, address: &Address, edit: &Edit) -> Result<(), HurtError> {
        self.with(|world| {
            let kind = world::kind(address.kind()).ok_or_else(|| HurtError::NoSuchObject(address.clone()))?;
            let thing = self.thing(world, address)?;
            let mut attributes = thing.attributes.clone();
            edit.apply(kind, &mut attributes).map_err(|problem| HurtError::DoesNotFit {
                address: address.clone(),
                path: edit.path().to_owned(),
                problem,
            })?;
            thing.become_like(kind, attributes);
            Ok(())
        })?
    }

    /// Takes the tags away that show which object it is. What is marked by its path or key stays marked.
    pub fn untag(&self, address: &Address) -> Result<(), HurtError> {
        self.with(|world| {
            let thing = self.thing(world, address)?;
            if let Some(Value::Map(tags)) = thing.attributes.get_mut("tags") {
                tags.retain(|key, _| key != CLUSTER_TAG && key != OBJECT_TAG);
            }
            if MARKED_OTHERWISE.contains(&address.kind()) {
                return Ok(());
            }
            thing.mark = None;
            // A group's rules are found by their group.
            let group = thing.outputs.get("id").cloned();
            let rules = world.things.get_mut("security-group-rules").into_iter().flat_map(BTreeMap::values_mut);
            rules.filter(|rules| rules.text("group") == group.as_deref()).for_each(|rules| rules.mark = None);
            Ok(())
        })?
    }

    /// Takes a tag from the machines of a group, and from their root volumes.
    pub fn untag_machines(&self, group: &Address, key: &str) -> Result<(), HurtError> {
        self.with(|world| {
            let machines = &mut self.thing(world, group)?.machines;
            for tags in machines.iter_mut().flat_map(|machine| &mut machine.tags) {
                tags.remove(key);
            }
            Ok(())
        })?
    }

    /// Removes an object, if nothing holds it.
    pub async fn remove(&self, address: &Address) -> Result<(), HurtError> {
        let id = self.with(|world| self.id(world, address))??;
        let keys = self.contents(address.kind(), &id).await?;
        let call = Call::new("Delete", address.kind());
        Ok(self.with(|world| self.destroy(world, &call, address.kind(), &id, &keys))??)
    }

    /// Forgets the account and everything in it.
    pub async fn reset(&self) -> Result<(), HurtError> {
        if let super::Disk::Memory(memory) = &self.disk {
            memory.purge("").await?;
        }
        Ok(self.home.clear(|| foreign::found(&self.settings))?)
    }

    /// Lets simulated time pass.
    pub fn pass(&self, time: Duration) -> Result<(), HurtError> {
        Ok(self.with(|world| {
            world.clock += u64::try_from(time.as_millis()).unwrap_or_default();
            world.settle();
        })?)
    }

    /// The simulated time.
    pub fn now(&self) -> Result<Timestamp, HurtError> {
        Ok(self.with(|world| World::timestamp(world.clock))?)
    }

    /// Everything in the account, whoever it belongs to, sorted by kind and id.
    pub fn inventory(&self) -> Result<Vec<Resident>, HurtError> {
        Ok(self.with(|world| world.all().map(|(kind, id, thing)| resident(world, kind, id, thing)).collect())?)
    }

    fn known_zone(&self, zone: &str) -> Result<String, HurtError> {
        let known = facts::zones(&self.settings.region);
        if known.iter().any(|name| name == zone) {
            Ok(zone.to_owned())
        } else {
            Err(HurtError::NoSuchZone { zone: zone.to_owned(), known })
        }
    }

    pub(super) fn id(&self, world: &World, address: &Address) -> Result<String, HurtError> {
        let ours = |thing: &Thing| {
            thing.mark.as_ref().is_some_and(|mark| mark.cluster == self.settings.cluster && mark.address == *address)
        };
        let here = |id: &str, thing: &Thing| self.is_here(address.kind(), id, thing) && ours(thing);
        let found = world.of(address.kind()).find(|(id, thing)| here(id, thing)).map(|(id, _)| id.clone());
        found.ok_or_else(|| HurtError::NoSuchObject(address.clone()))
    }

    fn thing<'a>(&self, world: &'a mut World, address: &Address) -> Result<&'a mut Thing, HurtError> {
        let id = self.id(world, address)?;
        world.get_mut(address.kind(), &id).ok_or_else(|| HurtError::NoSuchObject(address.clone()))
    }
}

fn resident(world: &World, kind: &str, id: &str, thing: &Thing) -> Resident {
    Resident {
        kind: kind.to_owned(),
        id: id.to_owned(),
        cluster: thing.mark.as_ref().map(|mark| mark.cluster.clone()),
        address: thing.mark.as_ref().map(|mark| mark.address.clone()),
        attributes: thing.attributes.clone(),
        members: thing.members(world.clock),
        contents: thing.contents.clone(),
    }
}
