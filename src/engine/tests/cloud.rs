//! A strict cloud in memory, which can be slow, fail, and lose the line at any call.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::*;

/// The verbs of a provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Verb {
    Observe,
    Find,
    Create,
    Update,
    Roll,
    Ready,
    Delete,
}

/// What goes wrong with a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It fails before it has an effect.
    Before(Class),
    /// It has its effect, and fails.
    After(Class),
    /// A creation leaves an object without its changeable attributes, and fails.
    Half(Class),
}

/// Decides what goes wrong with the n-th call.
pub(crate) type Faults = Box<dyn Fn(usize, Verb) -> Option<Fault> + Send + Sync>;

/// A strict cloud.
pub(crate) struct Cloud {
    state: Mutex<State>,
    faults: Mutex<Faults>,
    /// Calls take as long as their kind says.
    pub(crate) slow: bool,
    /// The object that nobody may make.
    pub(crate) denied: Option<Address>,
    /// What every new object is called: it takes the place of an old one, as content under a key does.
    pub(crate) overwrites: Option<String>,
    /// The call at which the line goes dead, before or after its effect.
    pub(crate) dies_at: Option<(usize, bool)>,
    /// Tells that the line is dead.
    pub(crate) dead: CancellationToken,
    /// Cancelled at the call of this number.
    pub(crate) stops_at: Option<(usize, CancellationToken)>,
}

#[derive(Default)]
struct State {
    objects: Vec<Stored>,
    made: usize,
    calls: Vec<(Verb, Option<Address>)>,
    flying: usize,
    most_flying: usize,
    rolling: Vec<String>,
}

#[derive(Clone)]
struct Stored {
    live: Live,
    token: String,
    version: u64,
    /// What was sent and is never told back.
    hidden: Attributes,
}

impl Cloud {
    pub(crate) fn new() -> Self {
        Self {
            state: Mutex::default(),
            faults: Mutex::new(Box::new(|_, _| None)),
            slow: false,
            denied: None,
            overwrites: None,
            dies_at: None,
            dead: CancellationToken::new(),
            stops_at: None,
        }
    }

    pub(crate) fn with_faults(self, faults: impl Fn(usize, Verb) -> Option<Fault> + Send + Sync + 'static) -> Self {
        *self.faults.lock().unwrap() = Box::new(faults);
        self
    }

    /// From now on nothing goes wrong.
    pub(crate) fn heal(&mut self) {
        *self.faults.lock().unwrap() = Box::new(|_, _| None);
        self.dies_at = None;
        self.dead = CancellationToken::new();
        self.stops_at = None;
    }

    pub(crate) fn put(&self, live: Live) {
        self.state.lock().unwrap().objects.push(Stored {
            live,
            token: String::new(),
            version: 1,
            hidden: Attributes::new(),
        });
    }

    pub(crate) fn objects(&self) -> Vec<Live> {
        self.state.lock().unwrap().objects.iter().map(|stored| stored.live.clone()).collect()
    }

    /// What was sent for an object and is never told back.
    pub(crate) fn hidden(&self, address: &str) -> Attributes {
        let state = self.state.lock().unwrap();
        state.objects.iter().find(|stored| stored.live.address == at(address)).unwrap().hidden.clone()
    }

    pub(crate) fn calls(&self) -> Vec<(Verb, Option<Address>)> {
        self.state.lock().unwrap().calls.clone()
    }

    /// The calls of one verb, in order.
    pub(crate) fn called(&self, verb: Verb) -> Vec<String> {
        let of_verb = |(called, address): (Verb, Option<Address>)| (called == verb).then_some(address).flatten();
        self.calls().into_iter().filter_map(of_verb).map(|address| address.to_string()).collect()
    }

    pub(crate) fn most_flying(&self) -> usize {
        self.state.lock().unwrap().most_flying
    }

    /// Changes an object behind everybody's back.
    pub(crate) fn tamper(&self, address: &str, change: impl FnOnce(&mut Attributes)) {
        let mut state = self.state.lock().unwrap();
        let stored = state.objects.iter_mut().find(|stored| stored.live.address == at(address)).unwrap();
        change(&mut stored.live.attributes);
    }

    async fn call<T>(
        &self,
        verb: Verb,
        address: Option<&Address>,
        effect: impl FnOnce(&mut State, bool) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let number = self.begin(verb, address);
        let _flying = Flying(self);
        if let Some((at, token)) = &self.stops_at
            && *at == number
        {
            token.cancel();
        }
        self.die_if(number, false).await;
        let denied = verb == Verb::Create && address.is_some() && address == self.denied.as_ref();
        let fault =
            if denied { Some(Fault::Before(Class::Denied)) } else { (self.faults.lock().unwrap())(number, verb) };
        if let Some(Fault::Before(class)) = fault {
            return Err(failure(class, verb, "nothing happened"));
        }
        if self.slow && matches!(verb, Verb::Create | Verb::Update | Verb::Roll | Verb::Delete) {
            let seconds = TestKinds.kind(address.unwrap().kind()).unwrap().seconds;
            tokio::time::sleep(Duration::from_secs(seconds.into())).await;
        } else {
            tokio::task::yield_now().await;
        }
        let half = matches!(fault, Some(Fault::Half(_)));
        let answer = effect(&mut self.state.lock().unwrap(), half);
        self.die_if(number, true).await;
        match (fault, answer) {
            (Some(Fault::After(class) | Fault::Half(class)), Ok(_)) => Err(failure(class, verb, "it happened")),
            (_, answer) => answer,
        }
    }

    fn begin(&self, verb: Verb, address: Option<&Address>) -> usize {
        let mut state = self.state.lock().unwrap();
        state.calls.push((verb, address.cloned()));
        state.flying += 1;
        state.most_flying = state.most_flying.max(state.flying);
        state.calls.len() - 1
    }

    async fn die_if(&self, number: usize, after: bool) {
        if self.dies_at == Some((number, after)) {
            self.dead.cancel();
            std::future::pending::<()>().await;
        }
    }
}

struct Flying<'a>(&'a Cloud);

impl Drop for Flying<'_> {
    fn drop(&mut self) {
        self.0.state.lock().unwrap().flying -= 1;
    }
}

struct Rolling<'a>(&'a Cloud, Option<String>);

impl<'a> Rolling<'a> {
    fn begin(cloud: &'a Cloud, object: &Object) -> Self {
        if let Some(lane) = &object.lane {
            let rolling = &mut cloud.state.lock().unwrap().rolling;
            assert!(!rolling.contains(lane), "two of lane {lane} roll at once");
            rolling.push(lane.clone());
        }
        Self(cloud, object.lane.clone())
    }
}

impl Drop for Rolling<'_> {
    fn drop(&mut self) {
        self.0.state.lock().unwrap().rolling.retain(|lane| Some(lane) != self.1.as_ref());
    }
}

impl Provider for Cloud {
    fn observe(&self) -> BoxFuture<'_, Result<Vec<Live>, Failure>> {
        Box::pin(self.call(Verb::Observe, None, |state, _| Ok(state.lives(|_| true))))
    }

    fn find<'a>(&'a self, address: &'a Address) -> BoxFuture<'a, Result<Vec<Live>, Failure>> {
        Box::pin(self.call(Verb::Find, Some(address), move |state, _| Ok(state.lives(|live| live.address == *address))))
    }

    fn create<'a>(&'a self, object: &'a Object, token: &'a Token) -> BoxFuture<'a, Result<Live, Failure>> {
        Box::pin(self.call(Verb::Create, Some(&object.address), move |state, half| {
            Ok(state.create(object, token, half, self.overwrites.as_deref()))
        }))
    }

    fn update<'a>(
        &'a self,
        live: &'a Live,
        object: &'a Object,
        changed: &'a BTreeSet<String>,
    ) -> BoxFuture<'a, Result<Live, Failure>> {
        Box::pin(self.call(Verb::Update, Some(&live.address), move |state, _| state.update(live, object, changed)))
    }

    fn roll<'a>(&'a self, live: &'a Live, object: &'a Object, note: Note<'a>) -> BoxFuture<'a, Result<Live, Failure>> {
        Box::pin(async move {
            let _rolling = Rolling::begin(self, object);
            note("machines".to_owned());
            self.call(Verb::Roll, Some(&live.address), move |state, _| state.roll(live, object)).await
        })
    }

    fn ready<'a>(&'a self, live: &'a Live, _note: Note<'a>) -> BoxFuture<'a, Result<Live, Failure>> {
        Box::pin(self.call(Verb::Ready, Some(&live.address), move |state, _| {
            let stored = state.stored(&live.id)?;
            stored.live.phase = Phase::Ready;
            Ok(stored.live.clone())
        }))
    }

    fn delete<'a>(&'a self, live: &'a Live, _note: Note<'a>) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(self.call(Verb::Delete, Some(&live.address), move |state, _| state.delete(live)))
    }
}

impl State {
    fn lives(&self, keep: impl Fn(&Live) -> bool) -> Vec<Live> {
        self.objects.iter().map(|stored| &stored.live).filter(|live| keep(live)).cloned().collect()
    }

    fn stored(&mut self, id: &str) -> Result<&mut Stored, Failure> {
        let gone = || failure(Class::Gone, Verb::Find, id);
        self.objects.iter_mut().find(|stored| stored.live.id == id).ok_or_else(gone)
    }

    fn create(&mut self, object: &Object, token: &Token, half: bool, key: Option<&str>) -> Live {
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
            attributes.retain(|name, _| kind.attribute(name).effect == Effect::Replace);
        }
        let live = Live {
            address: object.address.clone(),
            outputs: outputs(&object.address, &id, &attributes, 1),
            id,
            attributes,
            phase: Phase::Pending,
            proven: object.address.kind() != "sign",
            created: None,
            members: Vec::new(),
        };
        let mut stored = Stored { live, token: token.0.clone(), version: 1, hidden: Attributes::new() };
        stored.hide();
        self.objects.push(stored.clone());
        stored.live
    }

    fn update(&mut self, live: &Live, object: &Object, changed: &BTreeSet<String>) -> Result<Live, Failure> {
        self.check(object);
        let kind = TestKinds.kind(object.address.kind()).unwrap();
        let stored = self.stored(&live.id)?;
        for name in changed {
            let rule = kind.attribute(name);
            assert_eq!(rule.effect, Effect::Update, "{name} of {} cannot be updated", object.address);
            stored.version += u64::from(!rule.moves.is_empty());
            let Some(wanted) = object.attributes.get(name).cloned() else {
                assert!(rule.pruned, "{name} of {} is not wanted", object.address);
                stored.live.attributes.remove(name);
                continue;
            };
            let value = if rule.form == Form::Tags {
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

    fn roll(&mut self, live: &Live, object: &Object) -> Result<Live, Failure> {
        self.check(object);
        let stored = self.stored(&live.id)?;
        let version = stored.live.attributes["version"].clone();
        assert_eq!(version, object.attributes["version"], "rolled before it was updated");
        stored.live.attributes.insert("machines".to_owned(), version);
        Ok(stored.live.clone())
    }

    fn delete(&mut self, live: &Live) -> Result<(), Failure> {
        self.stored(&live.id)?;
        let others = self.objects.iter().filter(|stored| stored.live.id != live.id);
        let holder = others.map(|stored| &stored.live).find(|other| ids(&other.attributes).contains(live.id.as_str()));
        if let Some(holder) = holder {
            return Err(failure(Class::Held, Verb::Delete, &format!("{} holds {}", holder.address, live.address)));
        }
        self.objects.retain(|stored| stored.live.id != live.id);
        Ok(())
    }

    /// Refuses what waits for others, and references to what is not there or not ready.
    fn check(&self, object: &Object) {
        assert!(object.references().is_empty(), "{} is not resolved", object.address);
        let ready = self.objects.iter().filter(|stored| stored.live.phase == Phase::Ready);
        let ready: BTreeSet<&str> = ready.map(|stored| stored.live.id.as_str()).collect();
        for id in ids(&object.attributes) {
            assert!(ready.contains(id), "{} refers to {id}, which is not there or not ready", object.address);
        }
    }
}

impl Stored {
    /// What the cloud does not tell.
    fn hide(&mut self) {
        let kind = TestKinds.kind(self.live.address.kind()).unwrap();
        let (told, hidden) =
            std::mem::take(&mut self.live.attributes).into_iter().partition(|(name, _)| kind.attribute(name).observed);
        self.live.attributes = told;
        self.hidden.extend::<Attributes>(hidden);
    }
}

/// Sets the wanted tags, and removes those that the caller knows of and does not want.
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

pub(super) fn outputs(address: &Address, id: &str, attributes: &Attributes, version: u64) -> BTreeMap<String, String> {
    let kind = TestKinds.kind(address.kind()).unwrap();
    let value = |output: &Output| match output.shape {
        Shape::Pattern(pattern) if pattern.contains('{') => Some(id.to_owned()),
        Shape::Pattern(constant) => Some(constant.to_owned()),
        Shape::Attribute(name) => attributes.get(name)?.as_text().map(str::to_owned),
        Shape::Version => Some(version.to_string()),
    };
    kind.outputs.iter().filter_map(|output| Some((output.name.to_owned(), value(output)?))).collect()
}

pub(super) fn failure(class: Class, verb: Verb, message: &str) -> Failure {
    Failure {
        class,
        service: "test".to_owned(),
        action: format!("{verb:?}"),
        code: None,
        message: message.to_owned(),
        request_id: None,
    }
}
