//! Failures and changes outside of Quorate, made on purpose.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;

use super::account::{self, SimulatedAccount, SimulatedObject};
use super::kinds::simulated;
use super::names::ApiCall;
use super::simulated_kind::OwnerProof;
use super::{AttributeEdit, Sandbox, SandboxError, facts, foreign};
use crate::engine::{Address, Attributes, Failure, GroupMember, ObjectStore, Value};
use crate::resource::{CLUSTER_TAG, OBJECT_TAG, Resource, SecurityGroupRules};

/// An object in the account.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AccountObject {
    /// Its kind.
    pub kind: String,
    /// The cloud's identifier.
    pub id: String,
    /// The cluster that it belongs to, if any.
    pub cluster: Option<String>,
    /// Its address in that cluster.
    pub address: Option<Address>,
    /// Its attributes.
    pub attributes: Attributes,
    /// The machines of a group.
    pub members: Vec<GroupMember>,
    /// The records that machines wrote into a zone.
    pub contents: BTreeMap<String, String>,
}

/// Error of a failed change to the account.
#[derive(Debug, thiserror::Error)]
pub enum InjectError {
    /// There is no such object.
    #[error("there is no object `{0}`")]
    NoSuchObject(Address),
    /// There is no such instance.
    #[error("there is no instance `{0}`")]
    NoSuchInstance(String),
    /// There is no such zone.
    #[error("there is no zone `{zone}`; there are {}", known.join(", "))]
    NoSuchZone {
        /// The zone that was asked for.
        zone: String,
        /// The zones that exist.
        known: Vec<String>,
    },
    /// The path does not exist, or the value does not fit there.
    #[error("`{path}` of {address} cannot take that: {problem}")]
    DoesNotFit {
        /// The object.
        address: Address,
        /// The path.
        path: String,
        /// The reason.
        problem: String,
    },
    /// The cloud refuses the call, for every caller.
    #[error(transparent)]
    Refused(#[from] Failure),
    /// The sandbox's file.
    #[error(transparent)]
    Sandbox(#[from] SandboxError),
}

impl Sandbox {
    /// Terminates an instance. Its group replaces it.
    pub fn terminate(&self, instance: &str) -> Result<(), InjectError> {
        let ended = self.with(|world| world.end(|machine| machine.id == instance))?;
        if ended.is_empty() { Err(InjectError::NoSuchInstance(instance.to_owned())) } else { Ok(()) }
    }

    /// Publishes newer machine images. Returns their day.
    pub fn publish_images(&self) -> Result<Date, InjectError> {
        let published = self.with(|world| {
            world.state.published_images += 1;
            world.state.published_images
        })?;
        Ok(facts::image_day(published))
    }

    /// Fails a zone: its machines end, and none can be launched there. Returns the instances that ended.
    pub fn fail_zone(&self, zone: &str) -> Result<Vec<String>, InjectError> {
        let zone = self.known_zone(zone)?;
        Ok(self.with(|world| {
            world.state.failed_zones.insert(zone.clone());
            world.end(|machine| machine.zone == zone)
        })?)
    }

    /// Restores a zone.
    pub fn restore_zone(&self, zone: &str) -> Result<(), InjectError> {
        let zone = self.known_zone(zone)?;
        self.with(|world| world.state.failed_zones.remove(&zone))?;
        Ok(())
    }

    /// Makes new machines of an Auto Scaling group run and never become ready.
    pub fn fail_boot(&self, group: &Address) -> Result<(), InjectError> {
        self.with(|world| {
            let name = self.id(world, group)?;
            world.state.failed_boots.insert(name);
            Ok(())
        })?
    }

    /// Reverts that: machines that run become ready too, as they try again.
    pub fn restore_boot(&self, group: &Address) -> Result<(), InjectError> {
        self.with(|world| {
            let name = self.id(world, group)?;
            world.state.failed_boots.remove(&name);
            let recover =
                |group: &mut SimulatedObject| group.machines.iter_mut().for_each(|machine| machine.fails = false);
            self.edit(world, group, recover)
        })?
    }

    /// Changes an attribute of an object, as a user would in the console.
    pub fn set(&self, address: &Address, edit: &AttributeEdit) -> Result<(), InjectError> {
        self.with(|world| {
            let kind = account::kind(address.kind()).ok_or_else(|| InjectError::NoSuchObject(address.clone()))?;
            self.edit(world, address, |stored| {
                let mut attributes = stored.attributes.clone();
                edit.apply(kind, &mut attributes).map_err(|problem| InjectError::DoesNotFit {
                    address: address.clone(),
                    path: edit.path().to_owned(),
                    problem,
                })?;
                stored.become_like(kind, attributes);
                Ok(())
            })?
        })?
    }

    /// Removes the tags that identify an object. An object that is identified by its path or key stays so.
    pub fn untag(&self, address: &Address) -> Result<(), InjectError> {
        self.with(|world| {
            let stays = simulated(address.kind()).proof == OwnerProof::Name;
            let group = self.edit(world, address, |stored| {
                if let Some(Value::Map(tags)) = stored.attributes.get_mut("tags") {
                    tags.retain(|key, _| key != CLUSTER_TAG && key != OBJECT_TAG);
                }
                if !stays {
                    stored.mark = None;
                }
                stored.outputs.get("id").cloned().filter(|_| !stays)
            })?;
            // A group's rules are found by their group.
            for rules in group.iter().flat_map(|group| world.rules_of(group)).collect::<Vec<_>>() {
                world.edit(SecurityGroupRules::KIND.name, &rules, |rules| rules.mark = None);
            }
            Ok(())
        })?
    }

    /// Removes a tag from the machines of a group, and from their root volumes.
    pub fn untag_machines(&self, group: &Address, key: &str) -> Result<(), InjectError> {
        self.with(|world| {
            self.edit(world, group, |group| {
                for tags in group.machines.iter_mut().flat_map(|machine| &mut machine.tags) {
                    tags.remove(key);
                }
            })
        })?
    }

    /// Removes an object, if nothing holds it.
    pub async fn remove(&self, address: &Address) -> Result<(), InjectError> {
        let id = self.with(|world| self.id(world, address))??;
        let keys = self.contents(address.kind(), &id).await?;
        let call = ApiCall::new("Delete", address.kind());
        Ok(self.with(|world| self.destroy(world, &call, address.kind(), &id, &keys))??)
    }

    /// Deletes the account and everything in it.
    pub async fn reset(&self) -> Result<(), InjectError> {
        if let super::ContentStore::Memory(memory) = &self.disk {
            memory.purge("").await?;
        }
        Ok(self.home.clear(|| foreign::found(&self.settings))?)
    }

    /// Advances simulated time.
    pub fn pass(&self, time: Duration) -> Result<(), InjectError> {
        Ok(self.with(|world| {
            world.state.clock += u64::try_from(time.as_millis()).unwrap_or_default();
            world.settle();
        })?)
    }

    /// Returns the simulated time.
    pub fn now(&self) -> Result<Timestamp, InjectError> {
        Ok(self.with(|world| SimulatedAccount::timestamp(world.state.clock))?)
    }

    /// Returns everything in the account, whatever its owner, sorted by kind and id.
    pub fn inventory(&self) -> Result<Vec<AccountObject>, InjectError> {
        Ok(self.with(|world| world.all().map(|(kind, id, stored)| resident(world, kind, id, stored)).collect())?)
    }

    fn known_zone(&self, zone: &str) -> Result<String, InjectError> {
        let known = facts::zones(&self.settings.region);
        if known.iter().any(|name| name == zone) {
            Ok(zone.to_owned())
        } else {
            Err(InjectError::NoSuchZone { zone: zone.to_owned(), known })
        }
    }

    pub(super) fn id(&self, world: &SimulatedAccount, address: &Address) -> Result<String, InjectError> {
        let ours = |stored: &SimulatedObject| {
            stored.mark.as_ref().is_some_and(|mark| mark.cluster == self.settings.cluster && mark.address == *address)
        };
        let here = |id: &str, stored: &SimulatedObject| self.is_here(address.kind(), id, stored) && ours(stored);
        let found = world.of(address.kind()).find(|(id, stored)| here(id, stored)).map(|(id, _)| id.clone());
        found.ok_or_else(|| InjectError::NoSuchObject(address.clone()))
    }

    fn edit<T>(
        &self,
        world: &mut SimulatedAccount,
        address: &Address,
        change: impl FnOnce(&mut SimulatedObject) -> T,
    ) -> Result<T, InjectError> {
        let id = self.id(world, address)?;
        world.edit(address.kind(), &id, change).ok_or_else(|| InjectError::NoSuchObject(address.clone()))
    }
}

fn resident(world: &SimulatedAccount, kind: &str, id: &str, stored: &SimulatedObject) -> AccountObject {
    AccountObject {
        kind: kind.to_owned(),
        id: id.to_owned(),
        cluster: stored.mark.as_ref().map(|mark| mark.cluster.clone()),
        address: stored.mark.as_ref().map(|mark| mark.address.clone()),
        attributes: stored.attributes.clone(),
        members: stored.members(world.state.clock),
        contents: stored.contents.clone(),
    }
}
