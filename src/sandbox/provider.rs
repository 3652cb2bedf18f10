//! The verbs.

use std::collections::BTreeSet;

use sha2::{Digest, Sha256};

use super::faults::Fate;
use super::names::{self, Call, hex, idiom_of, no_such_kind};
use super::rules::{check_changeable, check_known, check_payload, check_zone};
use super::world::{self, Mark, Thing, Use, World};
use super::{Sandbox, facts, scaling};
use crate::engine::{
    Address, Attributes, BoxFuture, Class, Failure, Form, Live, Note, Object, Phase, Provider, Shape, Token, Value,
};
use crate::resource::{KINDS, Kind};

/// Kinds that take a while before they can be used.
const ASYNCHRONOUS: &[&str] = &["autoscaling-group", "load-balancer", "hosted-zone", "volume"];
/// Kinds whose creation takes a client token.
const TOKENED: &[&str] = &["volume", "launch-template", "hosted-zone", "route-table"];
/// What a second call adds to an object that the first one made.
const LATER: &[(&str, &[&str])] = &[
    ("bucket", &["versioned"]),
    ("internet-gateway", &["vpc"]),
    ("instance-profile", &["role"]),
    ("load-balancer", &["cross_zone"]),
    ("role", &["policies", "attached"]),
    ("route-table", &["routes", "subnets"]),
];

impl Provider for Sandbox {
    fn observe(&self) -> BoxFuture<'_, Result<Vec<Live>, Failure>> {
        Box::pin(async move {
            for kind in KINDS.iter().skip(1) {
                self.count(&Call::list(kind.name));
            }
            let first = KINDS.first().map_or("", |kind| kind.name);
            self.call(&Call::list(first), false, |world, _| Ok(self.see(world, |_| true))).await
        })
    }

    fn find<'a>(&'a self, address: &'a Address) -> BoxFuture<'a, Result<Vec<Live>, Failure>> {
        Box::pin(async move {
            let call = Call::list(address.kind());
            self.call(&call, false, |world, _| Ok(self.see(world, |found| found == address))).await
        })
    }

    fn create<'a>(&'a self, object: &'a Object, token: &'a Token) -> BoxFuture<'a, Result<Live, Failure>> {
        Box::pin(async move {
            let kind = world::kind(object.address.kind()).ok_or_else(|| no_such_kind(&object.address))?;
            let call = Call::new("Create", kind.name);
            self.call(&call, true, |world, fate| {
                check_known(&call, object)?;
                check_payload(&call, object)?;
                self.make(world, fate, &call, kind, object, token)
            })
            .await
        })
    }

    fn update<'a>(
        &'a self,
        live: &'a Live,
        object: &'a Object,
        changed: &'a BTreeSet<String>,
    ) -> BoxFuture<'a, Result<Live, Failure>> {
        Box::pin(async move {
            let kind = world::kind(object.address.kind()).ok_or_else(|| no_such_kind(&object.address))?;
            let call = Call::new("Modify", kind.name);
            self.call(&call, true, |world, _| {
                check_known(&call, object)?;
                check_changeable(&call, kind.name, changed.iter())?;
                self.change(world, &call, kind, live, object, changed)
            })
            .await
        })
    }

    fn roll<'a>(&'a self, live: &'a Live, object: &'a Object, note: Note<'a>) -> BoxFuture<'a, Result<Live, Failure>> {
        Box::pin(async move {
            let kind = live.address.kind();
            let (look, end) = (Call::list(kind), Call::new("TerminateInstanceIn", kind));
            loop {
                let (machines, old) = self.call(&look, false, |world, _| stale(world, &look, &live.id)).await?;
                let Some(victim) = old.first() else { break };
                note(format!("{} of {machines} machines to replace", old.len()));
                let booted = self.call(&end, true, |world, _| {
                    world.end(|machine| machine.id == *victim);
                    Ok(world.clock + scaling::BOOT)
                });
                let booted = booted.await?;
                self.wait_until(&look, booted).await?;
            }
            let found = self.call(&look, false, |world, _| self.one(world, &look, kind, &live.id)).await?;
            Ok(Live { address: object.address.clone(), ..found })
        })
    }

    fn ready<'a>(&'a self, live: &'a Live, note: Note<'a>) -> BoxFuture<'a, Result<Live, Failure>> {
        Box::pin(async move {
            let kind = live.address.kind();
            let call = Call::list(kind);
            let moment = self.call(&call, false, |world, _| {
                let thing = world.get(kind, &live.id).ok_or_else(|| gone(&call, kind, &live.id))?;
                Ok(thing.ready.max(thing.visible))
            });
            let moment = moment.await?;
            if live.phase != Phase::Ready {
                note("until it can be used".to_owned());
            }
            self.wait_until(&call, moment).await?;
            self.call(&call, false, |world, _| self.one(world, &call, kind, &live.id)).await
        })
    }

    fn delete<'a>(&'a self, live: &'a Live, _note: Note<'a>) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(async move {
            let kind = live.address.kind();
            let call = Call::new("Delete", kind);
            let keys = self.contents(kind, &live.id).await?;
            self.call(&call, true, |world, _| destroy(world, &call, kind, &live.id, &keys)).await
        })
    }
}

impl Sandbox {
    /// What the cluster's run can see.
    fn see(&self, world: &World, wanted: impl Fn(&Address) -> bool) -> Vec<Live> {
        let visible = world.all().filter(|(_, _, thing)| thing.visible <= world.clock);
        visible
            .filter_map(|(kind, id, thing)| {
                let (address, proven) = self.claim(kind, thing)?;
                wanted(&address).then(|| view(world, kind, id, thing, address, proven))
            })
            .collect()
    }

    /// Which object of the cluster a thing is, and whether it proves that.
    fn claim(&self, kind: &str, thing: &Thing) -> Option<(Address, bool)> {
        let ours = thing.mark.as_ref().filter(|mark| mark.cluster == self.settings.cluster);
        match kind {
            // A record set carries no mark: it is known by its name alone.
            "record" => {
                let name = thing.text("name")?.strip_suffix(&self.settings.cluster)?.strip_suffix('.')?;
                let address = ours.map_or_else(|| Address::new(kind, name), |mark| mark.address.clone());
                Some((address, false))
            }
            "bucket" if ours.is_none() && thing.text("name") == self.settings.bucket.as_deref() => {
                Some((Address::new(kind, "state"), false))
            }
            _ => ours.map(|mark| (mark.address.clone(), true)),
        }
    }

    /// One object, whoever it belongs to.
    fn one(&self, world: &World, call: &Call, kind: &str, id: &str) -> Result<Live, Failure> {
        let thing = world.get(kind, id).ok_or_else(|| gone(call, kind, id))?;
        let (address, proven) = self.claim(kind, thing).unwrap_or_else(|| (Address::new(kind, id), false));
        Ok(view(world, kind, id, thing, address, proven))
    }

    fn make(
        &self,
        world: &mut World,
        fate: &Fate,
        call: &Call,
        kind: &Kind,
        object: &Object,
        token: &Token,
    ) -> Result<Live, Failure> {
        let request = request(object);
        if TOKENED.contains(&kind.name)
            && let Some(used) = world.tokens.get(&token.0)
        {
            if used.request == request && world.get(&used.kind, &used.id).is_some() {
                return self.one(world, call, &used.kind, &used.id);
            }
            let message = "the client token was used for something else";
            return Err(call.failure(Class::AlreadyExists, "IdempotentParameterMismatch", message));
        }
        check_zone(call, kind.name, &object.attributes, &facts::zones(&self.settings.region))?;
        world.check_all(call, kind.name, &object.attributes, None)?;

        let (id, thing, half) = self.new_thing(world, fate, kind, object);
        world.insert(kind.name, &id, thing);
        if TOKENED.contains(&kind.name) {
            world.tokens.insert(token.0.clone(), Use { kind: kind.name.to_owned(), id: id.clone(), request });
        }
        if half {
            return Err(call.failure(Class::Unavailable, "InternalError", "an internal error has occurred half way"));
        }
        self.one(world, call, kind.name, &id)
    }

    fn new_thing(&self, world: &mut World, fate: &Fate, kind: &Kind, object: &Object) -> (String, Thing, bool) {
        let mut attributes = object.attributes.clone();
        attributes.remove("machines");
        let outputs = world.outputs(kind, &attributes, &self.settings.region);
        let id = names::id(kind, &outputs, &attributes);
        let later = LATER.iter().filter(|(of, _)| fate.half && *of == kind.name).flat_map(|(_, later)| *later);
        let mut half = false;
        for name in later {
            half |= blank(&mut attributes, name);
        }
        let takes = if ASYNCHRONOUS.contains(&kind.name) { u64::from(kind.seconds) * 1000 } else { 0 };
        let mark = Mark { cluster: self.settings.cluster.clone(), address: object.address.clone() };
        let mut thing = Thing {
            mark: Some(mark),
            attributes,
            outputs,
            created: world.clock,
            visible: world.clock + fate.invisible,
            ready: world.clock + takes,
            machines: Vec::new(),
            contents: std::collections::BTreeMap::new(),
        };
        if kind.name == "autoscaling-group" {
            thing.keep_in_range();
        }
        (id, thing, half)
    }

    fn change(
        &self,
        world: &mut World,
        call: &Call,
        kind: &Kind,
        live: &Live,
        object: &Object,
        changed: &BTreeSet<String>,
    ) -> Result<Live, Failure> {
        let thing = world.get(kind.name, &live.id).ok_or_else(|| gone(call, kind.name, &live.id))?;
        if thing.visible > world.clock {
            return Err(missing(call, Class::MaybeNotYetConsistent, kind.name, &live.id));
        }
        let attributes = changed_attributes(kind, thing, live, object, changed);
        world.check_all(call, kind.name, &attributes, Some(&live.id))?;
        if let Some(thing) = world.get_mut(kind.name, &live.id) {
            thing.become_like(kind, attributes);
        }
        self.one(world, call, kind.name, &live.id)
    }
}

impl World {
    /// Everything that AWS checks about attributes, of a new object or a changed one.
    fn check_all(&self, call: &Call, kind: &str, attributes: &Attributes, except: Option<&str>) -> Result<(), Failure> {
        self.check_links(call, kind, attributes)?;
        if except.is_none() {
            self.check_ranges(call, kind, attributes)?;
        }
        self.check_unique(call, kind, attributes, except)?;
        self.check_group(call, kind, attributes)
    }
}

impl Thing {
    /// Takes new attributes on: outputs follow, and versions count what moves them.
    pub(super) fn become_like(&mut self, kind: &Kind, attributes: Attributes) {
        let moved: BTreeSet<&str> = kind
            .attributes
            .iter()
            .filter(|rule| self.attributes.get(rule.name) != attributes.get(rule.name))
            .flat_map(|rule| rule.moves.iter().copied())
            .collect();
        self.attributes = attributes;
        for output in kind.outputs {
            let value = match output.shape {
                Shape::Attribute(name) => self.text(name).map(str::to_owned),
                Shape::Version if moved.contains(output.name) => {
                    let version = self.outputs.get(output.name).and_then(|text| text.parse::<u64>().ok());
                    version.map(|version| (version + 1).to_string())
                }
                Shape::Version | Shape::Pattern(_) => None,
            };
            if let Some(value) = value {
                self.outputs.insert(output.name.to_owned(), value);
            }
        }
        if kind.name == "autoscaling-group" {
            self.keep_in_range();
        }
    }
}

/// The attributes after an update: what did not change stays, and so do tags that are not ours.
fn changed_attributes(
    kind: &Kind,
    thing: &Thing,
    live: &Live,
    object: &Object,
    changed: &BTreeSet<String>,
) -> Attributes {
    let mut attributes = thing.attributes.clone();
    // A roll changes the machines.
    for name in changed.iter().filter(|name| *name != "machines") {
        let wanted = object.attributes.get(name);
        let value = match (kind.attribute(name).form, wanted, attributes.get(name)) {
            (Form::Tags, Some(Value::Map(wanted)), Some(Value::Map(there))) => {
                Some(Value::Map(merge(there, live.attributes.get(name), wanted)))
            }
            _ => wanted.cloned(),
        };
        match value {
            Some(value) => attributes.insert(name.clone(), value),
            None => attributes.remove(name),
        };
    }
    attributes
}

type Texts = std::collections::BTreeMap<String, Value>;

/// Tags after an update. `ours` are those that we set or want: what is among them and no longer wanted goes.
fn merge(there: &Texts, ours: Option<&Value>, wanted: &Texts) -> Texts {
    let mut tags = there.clone();
    if let Some(Value::Map(ours)) = ours {
        tags.retain(|key, _| !ours.contains_key(key));
    }
    tags.extend(wanted.clone());
    tags
}

/// A thing as its cluster sees it.
fn view(world: &World, kind: &str, id: &str, thing: &Thing, address: Address, proven: bool) -> Live {
    let rules = world::kind(kind);
    let mut attributes = thing.attributes.clone();
    attributes.retain(|name, _| rules.is_none_or(|kind| kind.attribute(name).observed));
    if let Some(version) = thing.machines_version().filter(|_| kind == "autoscaling-group") {
        attributes.insert("machines".to_owned(), Value::Text(version));
    }
    Live {
        address,
        id: id.to_owned(),
        attributes,
        outputs: thing.outputs.clone(),
        phase: if thing.ready <= world.clock { Phase::Ready } else { Phase::Pending },
        proven,
        created: Some(World::timestamp(thing.created)),
        members: thing.members(world.clock),
    }
}

/// Takes something out of the account, if nothing holds it.
pub(super) fn destroy(world: &mut World, call: &Call, kind: &str, id: &str, keys: &[String]) -> Result<(), Failure> {
    if let Some(key) = keys.first().filter(|_| kind == "bucket" && world.get(kind, id).is_some()) {
        let message = format!("the bucket `{id}` is not empty: it holds `{key}` and {} more", keys.len() - 1);
        return Err(call.failure(Class::Held, idiom_of(kind).held, message));
    }
    world.check_free(call, kind, id)?;
    for (follower, id) in world.followers(kind, id) {
        world.take(follower, &id);
    }
    world.take(kind, id);
    Ok(())
}

/// How many machines a group has, and which of them do not run what it says, the oldest first.
fn stale(world: &World, call: &Call, name: &str) -> Result<(usize, Vec<String>), Failure> {
    let group = world.get("autoscaling-group", name).ok_or_else(|| gone(call, "autoscaling-group", name))?;
    let version = group.text("version").unwrap_or_default();
    let mut old: Vec<_> = group.machines.iter().filter(|machine| machine.version != version).collect();
    old.sort_by_key(|machine| machine.launched);
    Ok((group.machines.len(), old.into_iter().map(|machine| machine.id.clone()).collect()))
}

/// Makes an attribute what it is before a second call sets it. Whether that is another value.
fn blank(attributes: &mut Attributes, name: &str) -> bool {
    let before = attributes.get(name).cloned();
    match &before {
        Some(Value::Bool(_)) => attributes.insert(name.to_owned(), Value::Bool(false)),
        Some(Value::List(_)) => attributes.insert(name.to_owned(), Value::List(Vec::new())),
        Some(Value::Map(_)) => attributes.insert(name.to_owned(), Value::Map(Texts::new())),
        _ => attributes.remove(name),
    };
    attributes.get(name) != before.as_ref()
}

/// The hash of what was asked for.
fn request(object: &Object) -> String {
    let text = serde_json::to_string(&(&object.address, &object.attributes)).unwrap_or_default();
    hex(&Sha256::digest(text.as_bytes()))
}

fn gone(call: &Call, kind: &str, id: &str) -> Failure {
    missing(call, Class::Gone, kind, id)
}

fn missing(call: &Call, class: Class, kind: &str, id: &str) -> Failure {
    call.failure(class, idiom_of(kind).missing, format!("`{id}` does not exist"))
}
