//! What people and fate do to a cluster behind its back.

use std::collections::BTreeMap;
use std::str::FromStr;
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;

use super::names::Call;
use super::world::{self, Thing, World};
use super::{Sandbox, SandboxError, facts, foreign, provider};
use crate::engine::{Address, Attributes, Failure, Form, Member, Store, Value};
use crate::resource::{CLUSTER_TAG, Kind, OBJECT_TAG};

/// Kinds that prove by their path or key, not by a tag, whose they are.
const MARKED_OTHERWISE: &[&str] = &["role", "instance-profile", "record", "bucket-object"];

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

/// A change to an attribute: `health_check.interval=30`, `tags.Name=mine`, `ingress+={"protocol":…}`, `ingress-=0`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// The attribute, and below it keys and positions, with dots between them.
    path: String,
    how: How,
    value: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum How {
    Set,
    Add,
    Remove,
}

/// Why something was not done to the account.
#[derive(Debug, thiserror::Error)]
pub enum HurtError {
    /// The text is no edit.
    #[error("`{0}` is not an edit; one looks like `desired=2`, `tags.Name=mine`, `ingress+={{…}}` or `ingress-=0`")]
    NotAnEdit(String),
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

    /// Changes an attribute of an object, as somebody would in the console.
    pub fn set(&self, address: &Address, edit: &Edit) -> Result<(), HurtError> {
        self.with(|world| {
            let kind = world::kind(address.kind()).ok_or_else(|| HurtError::NoSuchObject(address.clone()))?;
            let thing = self.thing(world, address)?;
            let mut attributes = thing.attributes.clone();
            edit.apply(kind, &mut attributes).map_err(|problem| HurtError::DoesNotFit {
                address: address.clone(),
                path: edit.path.clone(),
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

    /// Removes an object, if nothing holds it.
    pub async fn remove(&self, address: &Address) -> Result<(), HurtError> {
        let id = self.with(|world| self.id(world, address))??;
        let keys = self.contents(address.kind(), &id).await?;
        let call = Call::new("Delete", address.kind());
        Ok(self.with(|world| provider::destroy(world, &call, address.kind(), &id, &keys))??)
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

    fn id(&self, world: &World, address: &Address) -> Result<String, HurtError> {
        let ours = |thing: &Thing| {
            thing.mark.as_ref().is_some_and(|mark| mark.cluster == self.settings.cluster && mark.address == *address)
        };
        let found = world.of(address.kind()).find(|(_, thing)| ours(thing)).map(|(id, _)| id.clone());
        found.ok_or_else(|| HurtError::NoSuchObject(address.clone()))
    }

    fn thing<'a>(&self, world: &'a mut World, address: &Address) -> Result<&'a mut Thing, HurtError> {
        let id = self.id(world, address)?;
        world.get_mut(address.kind(), &id).ok_or_else(|| HurtError::NoSuchObject(address.clone()))
    }
}

impl FromStr for Edit {
    type Err = HurtError;

    fn from_str(text: &str) -> Result<Self, HurtError> {
        let wrong = || HurtError::NotAnEdit(text.to_owned());
        let (left, value) = text.split_once('=').ok_or_else(wrong)?;
        let (path, how) = match (left.strip_suffix('+'), left.strip_suffix('-')) {
            (Some(path), _) => (path, How::Add),
            (_, Some(path)) => (path, How::Remove),
            _ => (left, How::Set),
        };
        if path.is_empty() {
            return Err(wrong());
        }
        Ok(Self { path: path.to_owned(), how, value: value.to_owned() })
    }
}

impl Edit {
    pub(super) fn apply(&self, kind: &Kind, attributes: &mut Attributes) -> Result<(), String> {
        let (name, rest) =
            self.path.split_once('.').map_or((self.path.as_str(), None), |(name, rest)| (name, Some(rest)));
        if !kind.attributes.iter().any(|rule| rule.name == name) {
            let known: Vec<&str> = kind.attributes.iter().map(|rule| rule.name).collect();
            return Err(format!("a {} has {}", kind.title, known.join(", ")));
        }
        let texts = matches!(kind.attribute(name).form, Form::Tags | Form::Json);
        match (attributes.get_mut(name), rest) {
            (Some(value), rest) => self.change(value, rest, texts),
            (None, Some(_)) => Err(format!("it has no `{name}`")),
            (None, None) => {
                attributes.insert(name.to_owned(), typed(&self.value, None, false)?);
                Ok(())
            }
        }
    }

    /// Goes down the path and makes the change at its end. `texts` is whether a map's values are all text.
    fn change(&self, value: &mut Value, path: Option<&str>, texts: bool) -> Result<(), String> {
        let Some(path) = path else { return self.change_here(value) };
        match value {
            // Keys of tags hold dots, so what is left of the path is a key before it is a path.
            Value::Map(items) => {
                if let Some((key, rest)) = path.split_once('.')
                    && !texts
                    && let Some(item) = items.get_mut(key)
                {
                    return self.change(item, Some(rest), texts);
                }
                if let Some(item) = items.get_mut(path) {
                    return self.change_here(item);
                }
                let like = Value::Text(String::new());
                items.insert(path.to_owned(), typed(&self.value, texts.then_some(&like), false)?);
                Ok(())
            }
            Value::List(items) => {
                let (at, rest) = path.split_once('.').map_or((path, None), |(at, rest)| (at, Some(rest)));
                let length = items.len();
                let item = at.parse::<usize>().ok().and_then(|at| items.get_mut(at));
                self.change(item.ok_or_else(|| format!("there is no `{at}` of {length}"))?, rest, texts)
            }
            _ => Err(format!("there is nothing below it, and so no `{path}`")),
        }
    }

    fn change_here(&self, value: &mut Value) -> Result<(), String> {
        match (self.how, value) {
            (How::Set, value) => *value = typed(&self.value, Some(value), true)?,
            (How::Add, Value::List(items)) => items.push(typed(&self.value, items.first(), true)?),
            (How::Remove, Value::List(items)) => {
                let gone = typed(&self.value, None, false)?;
                let at = items.iter().position(|item| *item == gone).or_else(|| self.value.parse().ok());
                let at = at.filter(|at| *at < items.len()).ok_or_else(|| format!("it has no `{}`", self.value))?;
                items.remove(at);
            }
            (How::Remove, Value::Map(items)) => {
                items.remove(&self.value).ok_or_else(|| format!("it has no `{}`", self.value))?;
            }
            (How::Add | How::Remove, _) => return Err("only lists have items".to_owned()),
        }
        Ok(())
    }
}

/// Reads a value: of the type of the one that is there, or what its text looks like.
fn typed(text: &str, like: Option<&Value>, strict: bool) -> Result<Value, String> {
    let read = || serde_json::from_str::<Value>(text).ok();
    let fits = |value: &Value| like.is_none_or(|like| std::mem::discriminant(like) == std::mem::discriminant(value));
    match like {
        Some(Value::Text(_)) => Ok(Value::Text(text.to_owned())),
        _ => match read() {
            Some(value) if fits(&value) => Ok(value),
            Some(_) => Err(format!("`{text}` is of another type than what is there")),
            None if strict && like.is_some() => Err(format!("`{text}` is no value in JSON")),
            None => Ok(Value::Text(text.to_owned())),
        },
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
