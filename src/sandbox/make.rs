//! Creates, changes and deletes objects.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest, Sha256};

use super::account::{OwnerMark, SimulatedAccount, SimulatedObject, UsedToken, region_of};
use super::faults::CallFate;
use super::kinds::simulated;
use super::limits::check_limits;
use super::names::{self, ApiCall};
use super::provider::{gone, missing};
use super::rules::check_zone;
use super::spare::has_spare;
use super::{Sandbox, facts};
use crate::engine::{
    Address, Attributes, Comparison, Failure, FailureClass, IdempotencyToken, Live, Object, OutputShape, Value,
};
use crate::resource::{
    AutoScalingGroup, Bucket, CLUSTER_TAG, Kind, Resource, SecurityGroupRules, is_kubernetes, tags_of,
};

impl Sandbox {
    /// Creates an object: all checks first, so that a refused creation changes nothing.
    pub(super) fn make(
        &self,
        world: &mut SimulatedAccount,
        fate: &CallFate,
        call: &ApiCall,
        kind: &Kind,
        object: &Object,
        token: &IdempotencyToken,
    ) -> Result<Live, Failure> {
        let row = simulated(kind.name);
        if row.client_token
            && let Some(used) = world.token(&token.0).cloned()
        {
            return self.redeem(world, call, kind, object, &used);
        }
        check_zone(call, kind.name, &object.attributes, &facts::zones(&self.settings.region))?;
        world.check_all(call, kind.name, &object.attributes, None, &self.settings.cluster)?;
        self.write_content(call, object)?;

        let (id, stored, half) = self.new_object(world, fate, kind, object);
        world.insert(kind.name, &id, stored);
        if row.client_token {
            let used = UsedToken { kind: kind.name.to_owned(), id: id.clone(), request: request(object) };
            world.use_token(&token.0, used);
        }
        if half {
            return Err(call.failure(
                FailureClass::Unavailable,
                "InternalError",
                "an internal error has occurred after a part of the request",
            ));
        }
        self.one(world, call, kind.name, &id)
    }

    /// Repeats a creation whose token was used before: if the request is the same, it continues where that one stopped.
    fn redeem(
        &self,
        world: &mut SimulatedAccount,
        call: &ApiCall,
        kind: &Kind,
        object: &Object,
        used: &UsedToken,
    ) -> Result<Live, Failure> {
        let become_like = |stored: &mut SimulatedObject| stored.become_like(kind, object.attributes.clone());
        let is_same = used.request == request(object);
        if !is_same || world.edit(&used.kind, &used.id, become_like).is_none() {
            let message = "the client token was used for something else";
            return Err(call.failure(FailureClass::AlreadyExists, "IdempotentParameterMismatch", message));
        }
        self.one(world, call, kind.name, &used.id)
    }

    fn new_object(
        &self,
        world: &mut SimulatedAccount,
        fate: &CallFate,
        kind: &Kind,
        object: &Object,
    ) -> (String, SimulatedObject, bool) {
        let mut attributes = object.attributes.clone();
        attributes.remove("machines");
        let outputs = world.outputs(kind, &attributes, &self.settings.region);
        let mut id = names::id(kind, &outputs, &attributes);
        if is_kubernetes(kind.name) && self.is_anothers(world.get(kind.name, &id)) {
            // Each cluster has a Kubernetes of its own.
            id = format!("{id}@{}", self.settings.cluster);
        }
        let row = simulated(kind.name);
        let mut half = false;
        for name in row.later.iter().filter(|_| fate.half) {
            half |= blank(&mut attributes, name);
        }
        let takes = if row.delayed { u64::from(kind.seconds) * 1000 } else { 0 };
        let mark = OwnerMark { cluster: self.settings.cluster.clone(), address: object.address.clone() };
        let mut stored = SimulatedObject {
            mark: Some(mark),
            region: region_of(kind.name, &self.settings.region),
            attributes,
            outputs,
            created: world.state.clock,
            visible: world.state.clock + fate.invisible,
            ready: world.state.clock + takes,
            machines: Vec::new(),
            contents: BTreeMap::new(),
        };
        (row.adjust)(&mut stored);
        (id, stored, half)
    }

    /// Changes an object, with the same checks.
    pub(super) fn change(
        &self,
        world: &mut SimulatedAccount,
        call: &ApiCall,
        kind: &Kind,
        live: &Live,
        object: &Object,
        changed: &BTreeSet<String>,
    ) -> Result<Live, Failure> {
        let stored = world.get(kind.name, &live.id).ok_or_else(|| gone(call, kind.name, &live.id))?;
        if stored.visible > world.state.clock {
            return Err(missing(call, FailureClass::MaybeNotYetConsistent, kind.name, &live.id));
        }
        let attributes = changed_attributes(kind, stored, live, object, changed);
        world.check_all(call, kind.name, &attributes, Some(&live.id), &self.settings.cluster)?;
        world.edit(kind.name, &live.id, |stored| {
            stored.become_like(kind, attributes);
            if changed.contains("tags") {
                stored.tag_machines(&tags_of(&live.attributes));
            }
        });
        if changed.contains("tags") {
            self.mark(world, kind, &live.id, &object.address);
        }
        self.one(world, call, kind.name, &live.id)
    }
}

impl Sandbox {
    /// Deletes an object, if nothing holds it. `keys` are the keys in a bucket.
    pub(super) fn destroy(
        &self,
        world: &mut SimulatedAccount,
        call: &ApiCall,
        kind: &str,
        id: &str,
        keys: &[String],
    ) -> Result<(), Failure> {
        let Some(stored) = world.get(kind, id) else { return Ok(()) };
        if let Some(key) = keys.first().filter(|_| kind == Bucket::KIND.name) {
            let message = format!("the bucket `{id}` is not empty: it holds `{key}` and {} more", keys.len() - 1);
            return Err(call.failure(FailureClass::Held, simulated(kind).codes.held, message));
        }
        world.check_free(call, kind, id)?;
        self.remove_content(call, kind, stored)?;
        for (follower, id) in world.followers(kind, id) {
            world.take(follower, &id);
        }
        world.take(kind, id);
        Ok(())
    }

    /// Returns `true` if the object belongs to another cluster.
    fn is_anothers(&self, stored: Option<&SimulatedObject>) -> bool {
        let mark = stored.and_then(|stored| stored.mark.as_ref());
        mark.is_some_and(|mark| mark.cluster != self.settings.cluster)
    }

    /// Marks an object as the cluster's once it carries the cluster's tags again, and with it the rules of a group.
    fn mark(&self, world: &mut SimulatedAccount, kind: &Kind, id: &str, address: &Address) {
        let cluster = &self.settings.cluster;
        let Some(stored) = world.get(kind.name, id) else { return };
        if stored.mark.is_some() || tags_of(&stored.attributes).get(CLUSTER_TAG) != Some(cluster) {
            return;
        }
        let mark = |address: &Address| Some(OwnerMark { cluster: cluster.clone(), address: address.clone() });
        world.edit(kind.name, id, |stored| stored.mark = mark(address));
        for rules in world.rules_of(id) {
            world.edit(SecurityGroupRules::KIND.name, &rules, |rules| {
                if rules.mark.is_none() {
                    rules.mark = mark(&SecurityGroupRules::address(address.name()));
                }
            });
        }
    }
}

impl SimulatedAccount {
    /// Checks attributes as AWS does, of a new object or a changed one.
    fn check_all(
        &self,
        call: &ApiCall,
        kind: &str,
        attributes: &Attributes,
        except: Option<&str>,
        cluster: &str,
    ) -> Result<(), Failure> {
        check_limits(call, kind, attributes)?;
        self.check_links(call, kind, attributes)?;
        let row = simulated(kind);
        if except.is_none() {
            (row.check_new)(self, call, attributes)?;
        }
        self.check_unique(call, kind, attributes, except, cluster)?;
        (row.check)(self, call, attributes)
    }
}

impl SimulatedObject {
    /// Sets new attributes: outputs follow, and a version increases if an attribute that it depends on changes.
    pub(super) fn become_like(&mut self, kind: &Kind, attributes: Attributes) {
        let moved: BTreeSet<&str> = kind
            .attributes
            .iter()
            .filter(|rule| self.attributes.get(rule.name) != attributes.get(rule.name))
            .flat_map(|rule| rule.moves.iter().copied())
            .collect();
        self.attributes = attributes;
        // Of several that count, one that is moved gets the newest number: a generation is the version that began it.
        let counts = kind.outputs.iter().filter(|output| matches!(output.shape, OutputShape::Version));
        let newest = counts.filter_map(|output| self.outputs.get(output.name)?.parse::<u64>().ok()).max();
        for output in kind.outputs {
            let value = match output.shape {
                OutputShape::Attribute(name) => self.text(name).map(str::to_owned),
                OutputShape::Version if moved.contains(output.name) => newest.map(|version| (version + 1).to_string()),
                OutputShape::Version | OutputShape::Pattern(_) => None,
            };
            if let Some(value) = value {
                self.outputs.insert(output.name.to_owned(), value);
            }
        }
        (simulated(kind.name).adjust)(self);
    }
}

/// Returns the attributes after an update: unchanged attributes stay, and so do tags that are not ours.
fn changed_attributes(
    kind: &Kind,
    stored: &SimulatedObject,
    live: &Live,
    object: &Object,
    changed: &BTreeSet<String>,
) -> Attributes {
    let mut attributes = stored.attributes.clone();
    // A roll changes the machines, and the size of a group in which an earlier one has left a spare machine.
    let is_old = live.attributes.get("machines") != object.attributes.get("machines");
    let rolls = kind.name == AutoScalingGroup::KIND.name && is_old && has_spare(&attributes, &object.attributes);
    let by_roll = |name: &str| name == "machines" || (rolls && matches!(name, "desired" | "max"));
    for name in changed.iter().filter(|name| !by_roll(name)) {
        let wanted = object.attributes.get(name);
        let value = match (kind.attribute(name).form, wanted, attributes.get(name)) {
            (Comparison::Tags, Some(Value::Map(wanted)), Some(Value::Map(there))) => {
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

type TextMap = BTreeMap<String, Value>;

/// Returns the tags after an update. `ours` are the tags that we set or want: those that are no longer wanted are removed.
fn merge(there: &TextMap, ours: Option<&Value>, wanted: &TextMap) -> TextMap {
    let mut tags = there.clone();
    if let Some(Value::Map(ours)) = ours {
        tags.retain(|key, _| !ours.contains_key(key));
    }
    tags.extend(wanted.clone());
    tags
}

/// Resets an attribute to its value before a second call sets it. Returns `true` if that is another value.
fn blank(attributes: &mut Attributes, name: &str) -> bool {
    let before = attributes.get(name).cloned();
    match &before {
        Some(Value::Bool(_)) => attributes.insert(name.to_owned(), Value::Bool(false)),
        Some(Value::List(_)) => attributes.insert(name.to_owned(), Value::List(Vec::new())),
        Some(Value::Map(_)) => attributes.insert(name.to_owned(), Value::Map(TextMap::new())),
        _ => attributes.remove(name),
    };
    attributes.get(name) != before.as_ref()
}

/// Returns the hash of the request.
fn request(object: &Object) -> String {
    let text = serde_json::to_string(&(&object.address, &object.attributes)).unwrap_or_default();
    hex::encode(Sha256::digest(text.as_bytes()))
}
