//! The content of the cloud, and its checks.

use std::collections::{BTreeMap, BTreeSet};

use super::*;

/// The content of the cloud, and the calls so far.
#[derive(Default)]
pub(super) struct CloudState {
    pub(super) objects: Vec<CloudObject>,
    made: usize,
    pub(super) calls: Vec<(ProviderVerb, Option<Address>)>,
    pub(super) flying: usize,
    pub(super) most_flying: usize,
    pub(super) rolling: Vec<String>,
}

/// An object as the cloud keeps it.
#[derive(Clone)]
pub(super) struct CloudObject {
    pub(super) live: Live,
    pub(super) token: String,
    pub(super) version: u64,
    /// The attributes that were sent and are never returned.
    pub(super) hidden: Attributes,
}

impl CloudState {
    pub(super) fn lives(&self, keep: impl Fn(&Live) -> bool) -> Vec<Live> {
        self.objects.iter().map(|stored| &stored.live).filter(|live| keep(live)).cloned().collect()
    }

    pub(super) fn stored(&mut self, id: &str) -> Result<&mut CloudObject, Failure> {
        let gone = || failure(FailureClass::Gone, ProviderVerb::Find, id);
        self.objects.iter_mut().find(|stored| stored.live.id == id).ok_or_else(gone)
    }

    pub(super) fn create(&mut self, object: &Object, token: &IdempotencyToken, half: bool, key: Option<&str>) -> Live {
        self.check(object);
        if let Some(same) = self.objects.iter().find(|stored| stored.token == token.0) {
            assert_eq!(same.live.address, object.address, "one token for two objects");
            return same.live.clone();
        }
        self.made += 1;
        let id = key.map_or_else(|| format!("{}-{:06}", object.address.kind(), self.made), str::to_owned);
        let mut attributes = object.attributes.clone();
        if half {
            let kind = TestKinds.kind(object.address.kind()).unwrap();
            attributes.retain(|name, _| kind.attribute(name).effect == ChangeEffect::Replace);
        }
        let live = Live {
            address: object.address.clone(),
            outputs: outputs(&object.address, &id, &attributes, 1),
            id,
            attributes,
            phase: ObjectPhase::Pending,
            proven: object.address.kind() != "sign",
            created: None,
            members: Vec::new(),
        };
        let mut stored = CloudObject { live, token: token.0.clone(), version: 1, hidden: Attributes::new() };
        stored.hide();
        self.objects.push(stored.clone());
        stored.live
    }

    pub(super) fn update(&mut self, live: &Live, object: &Object, changed: &BTreeSet<String>) -> Result<Live, Failure> {
        self.check(object);
        let kind = TestKinds.kind(object.address.kind()).unwrap();
        let stored = self.stored(&live.id)?;
        for name in changed {
            let rule = kind.attribute(name);
            assert_eq!(rule.effect, ChangeEffect::Update, "{name} of {} cannot be updated", object.address);
            stored.version += u64::from(!rule.moves.is_empty());
            let Some(wanted) = object.attributes.get(name).cloned() else {
                assert!(rule.pruned, "{name} of {} is not wanted", object.address);
                stored.live.attributes.remove(name);
                continue;
            };
            let value = if rule.form == Comparison::Tags {
                retagged(live.attributes.get(name), stored.live.attributes.get(name), &wanted)
            } else {
                wanted
            };
            stored.live.attributes.insert(name.clone(), value);
        }
        stored.live.outputs = outputs(&object.address, &live.id, &stored.live.attributes, stored.version);
        stored.hide();
        Ok(stored.live.clone())
    }

    pub(super) fn roll(&mut self, live: &Live, object: &Object) -> Result<Live, Failure> {
        self.check(object);
        let stored = self.stored(&live.id)?;
        let version = stored.live.attributes["version"].clone();
        assert_eq!(version, object.attributes["version"], "rolled before it was updated");
        stored.live.attributes.insert("machines".to_owned(), version);
        Ok(stored.live.clone())
    }

    pub(super) fn delete(&mut self, live: &Live) -> Result<(), Failure> {
        self.stored(&live.id)?;
        let others = self.objects.iter().filter(|stored| stored.live.id != live.id);
        let holder = others.map(|stored| &stored.live).find(|other| ids(&other.attributes).contains(live.id.as_str()));
        if let Some(holder) = holder {
            return Err(failure(
                FailureClass::Held,
                ProviderVerb::Delete,
                &format!("{} holds {}", holder.address, live.address),
            ));
        }
        self.objects.retain(|stored| stored.live.id != live.id);
        Ok(())
    }

    /// Rejects objects with pending values, and references to objects that do not exist or are not ready.
    fn check(&self, object: &Object) {
        assert!(object.references().is_empty(), "{} is not resolved", object.address);
        let ready = self.objects.iter().filter(|stored| stored.live.phase == ObjectPhase::Ready);
        let ready: BTreeSet<&str> = ready.map(|stored| stored.live.id.as_str()).collect();
        for id in ids(&object.attributes) {
            assert!(ready.contains(id), "{} refers to {id}, which is not there or not ready", object.address);
        }
    }
}

impl CloudObject {
    /// Removes the attributes that the cloud does not return.
    fn hide(&mut self) {
        let kind = TestKinds.kind(self.live.address.kind()).unwrap();
        let (reported, hidden) = std::mem::take(&mut self.live.attributes)
            .into_iter()
            .partition(|(name, _)| kind.attribute(name).is_observed());
        self.live.attributes = reported;
        self.hidden.extend::<Attributes>(hidden);
    }
}

/// Sets the wanted tags, and removes those that the caller knows and does not want.
fn retagged(known: Option<&Value>, there: Option<&Value>, wanted: &Value) -> Value {
    let map = |value: Option<&Value>| match value {
        Some(Value::Map(items)) => items.clone(),
        _ => BTreeMap::new(),
    };
    let mut tags = map(there);
    tags.retain(|key, _| !map(known).contains_key(key));
    tags.extend(map(Some(wanted)));
    Value::Map(tags)
}

fn ids(attributes: &Attributes) -> BTreeSet<&str> {
    let mut ids = BTreeSet::new();
    for value in attributes.values() {
        value.visit(&mut |leaf| ids.extend(leaf.as_text().filter(|text| is_id(text))));
    }
    ids
}

fn is_id(text: &str) -> bool {
    text.rsplit_once('-').is_some_and(|(kind, number)| {
        TestKinds.kind(kind).is_some() && number.len() == 6 && number.bytes().all(|byte| byte.is_ascii_digit())
    })
}

pub(in crate::engine::tests) fn outputs(
    address: &Address,
    id: &str,
    attributes: &Attributes,
    version: u64,
) -> BTreeMap<String, String> {
    let kind = TestKinds.kind(address.kind()).unwrap();
    let value = |output: &OutputSpec| match output.shape {
        OutputShape::Pattern(pattern) if pattern.contains('{') => Some(id.to_owned()),
        OutputShape::Pattern(constant) => Some(constant.to_owned()),
        OutputShape::Attribute(name) => attributes.get(name)?.as_text().map(str::to_owned),
        OutputShape::Version => Some(version.to_string()),
    };
    kind.outputs.iter().filter_map(|output| Some((output.name.to_owned(), value(output)?))).collect()
}
