//! Making, changing and removing things.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest, Sha256};

use super::faults::Fate;
use super::limits::check_limits;
use super::names::{self, Call, hex, idiom_of};
use super::provider::{gone, missing};
use super::rules::check_zone;
use super::world::{Mark, Thing, Use, World, region_of};
use super::{Sandbox, facts};
use crate::engine::{Address, Attributes, Class, Failure, Form, Live, Object, Shape, Token, Value};
use crate::resource::{CLUSTER_TAG, Kind, is_kubernetes, tags_of};

/// Kinds that take a while before they can be used.
const ASYNCHRONOUS: &[&str] = &["autoscaling-group", "deployment", "load-balancer", "hosted-zone", "volume"];
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

impl Sandbox {
    /// Makes an object: all checks first, so that a refused creation changes nothing.
    pub(super) fn make(
        &self,
        world: &mut World,
        fate: &Fate,
        call: &Call,
        kind: &Kind,
        object: &Object,
        token: &Token,
    ) -> Result<Live, Failure> {
        if TOKENED.contains(&kind.name)
            && let Some(used) = world.tokens.get(&token.0).cloned()
        {
            return self.redeem(world, call, kind, object, &used);
        }
        check_zone(call, kind.name, &object.attributes, &facts::zones(&self.settings.region))?;
        world.check_all(call, kind.name, &object.attributes, None, &self.settings.cluster)?;
        self.write_content(call, object)?;

        let (id, thing, half) = self.new_thing(world, fate, kind, object);
        world.insert(kind.name, &id, thing);
        if TOKENED.contains(&kind.name) {
            let used = Use { kind: kind.name.to_owned(), id: id.clone(), request: request(object) };
            world.tokens.insert(token.0.clone(), used);
        }
        if half {
            return Err(call.failure(Class::Unavailable, "InternalError", "an internal error has occurred half way"));
        }
        self.one(world, call, kind.name, &id)
    }

    /// A creation with a token that was used before: if it was for the same, it goes on where that one stopped.
    fn redeem(
        &self,
        world: &mut World,
        call: &Call,
        kind: &Kind,
        object: &Object,
        used: &Use,
    ) -> Result<Live, Failure> {
        let same = world.get_mut(&used.kind, &used.id).filter(|_| used.request == request(object));
        let Some(thing) = same else {
            let message = "the client token was used for something else";
            return Err(call.failure(Class::AlreadyExists, "IdempotentParameterMismatch", message));
        };
        thing.become_like(kind, object.attributes.clone());
        self.one(world, call, kind.name, &used.id)
    }

    fn new_thing(&self, world: &mut World, fate: &Fate, kind: &Kind, object: &Object) -> (String, Thing, bool) {
        let mut attributes = object.attributes.clone();
        attributes.remove("machines");
        let outputs = world.outputs(kind, &attributes, &self.settings.region);
        let mut id = names::id(kind, &outputs, &attributes);
        if is_kubernetes(kind.name) && self.is_anothers(world.get(kind.name, &id)) {
            // Each cluster has a Kubernetes of its own.
            id = format!("{id}@{}", self.settings.cluster);
        }
        let later = LATER.iter().filter(|(of, _)| fate.half && *of == kind.name).flat_map(|(_, later)| *later);
        let mut half = false;
        for name in later {
            half |= blank(&mut attributes, name);
        }
        let takes = if ASYNCHRONOUS.contains(&kind.name) { u64::from(kind.seconds) * 1000 } else { 0 };
        let mark = Mark { cluster: self.settings.cluster.clone(), address: object.address.clone() };
        let mut thing = Thing {
            mark: Some(mark),
            region: region_of(kind.name, &self.settings.region),
            attributes,
            outputs,
            created: world.clock,
            visible: world.clock + fate.invisible,
            ready: world.clock + takes,
            machines: Vec::new(),
            contents: BTreeMap::new(),
        };
        if kind.name == "autoscaling-group" {
            thing.keep_in_range();
        }
        (id, thing, half)
    }

    /// Changes an object, with the same checks.
    pub(super) fn change(
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
        world.check_all(call, kind.name, &attributes, Some(&live.id), &self.settings.cluster)?;
        if let Some(thing) = world.get_mut(kind.name, &live.id) {
            let ours = tags_of(&live.attributes);
            thing.become_like(kind, attributes);
            if changed.contains("tags") {
                thing.tag_machines(&ours);
            }
        }
        if changed.contains("tags") {
            self.mark(world, kind, &live.id, &object.address);
        }
        self.one(world, call, kind.name, &live.id)
    }
}

impl Sandbox {
    /// Takes something out of the account, if nothing holds it. `keys` are what a bucket holds.
    pub(super) fn destroy(
        &self,
        world: &mut World,
        call: &Call,
        kind: &str,
        id: &str,
        keys: &[String],
    ) -> Result<(), Failure> {
        let Some(thing) = world.get(kind, id) else { return Ok(()) };
        if let Some(key) = keys.first().filter(|_| kind == "bucket") {
            let message = format!("the bucket `{id}` is not empty: it holds `{key}` and {} more", keys.len() - 1);
            return Err(call.failure(Class::Held, idiom_of(kind).held, message));
        }
        world.check_free(call, kind, id)?;
        self.remove_content(call, kind, thing)?;
        for (follower, id) in world.followers(kind, id) {
            world.take(follower, &id);
        }
        world.take(kind, id);
        Ok(())
    }

    /// Whether something belongs to another cluster.
    fn is_anothers(&self, thing: Option<&Thing>) -> bool {
        let mark = thing.and_then(|thing| thing.mark.as_ref());
        mark.is_some_and(|mark| mark.cluster != self.settings.cluster)
    }

    /// What carries the cluster's tags again is the cluster's again, and so are the rules of a group.
    fn mark(&self, world: &mut World, kind: &Kind, id: &str, address: &Address) {
        let cluster = &self.settings.cluster;
        let Some(thing) = world.get_mut(kind.name, id) else { return };
        if thing.mark.is_some() || tags_of(&thing.attributes).get(CLUSTER_TAG) != Some(cluster) {
            return;
        }
        thing.mark = Some(Mark { cluster: cluster.clone(), address: address.clone() });
        let rules = world.things.get_mut("security-group-rules").into_iter().flat_map(BTreeMap::values_mut);
        for rules in rules.filter(|rules| rules.mark.is_none() && rules.text("group") == Some(id)) {
            let address = Address::new("security-group-rules", address.name());
            rules.mark = Some(Mark { cluster: cluster.clone(), address });
        }
    }
}

impl World {
    /// Everything that AWS checks about attributes, of a new object or a changed one.
    fn check_all(
        &self,
        call: &Call,
        kind: &str,
        attributes: &Attributes,
        except: Option<&str>,
        cluster: &str,
    ) -> Result<(), Failure> {
        check_limits(call, kind, attributes)?;
        self.check_links(call, kind, attributes)?;
        if except.is_none() {
            self.check_ranges(call, kind, attributes)?;
        }
        self.check_unique(call, kind, attributes, except, cluster)?;
        self.check_group(call, kind, attributes)?;
        self.check_listener(call, kind, attributes)
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
        // Of several that count, one that is moved gets the newest number: a generation is the version that began it.
        let counts = kind.outputs.iter().filter(|output| matches!(output.shape, Shape::Version));
        let newest = counts.filter_map(|output| self.outputs.get(output.name)?.parse::<u64>().ok()).max();
        for output in kind.outputs {
            let value = match output.shape {
                Shape::Attribute(name) => self.text(name).map(str::to_owned),
                Shape::Version if moved.contains(output.name) => newest.map(|version| (version + 1).to_string()),
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

type Texts = BTreeMap<String, Value>;

/// Tags after an update. `ours` are those that we set or want: what is among them and no longer wanted goes.
fn merge(there: &Texts, ours: Option<&Value>, wanted: &Texts) -> Texts {
    let mut tags = there.clone();
    if let Some(Value::Map(ours)) = ours {
        tags.retain(|key, _| !ours.contains_key(key));
    }
    tags.extend(wanted.clone());
    tags
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
