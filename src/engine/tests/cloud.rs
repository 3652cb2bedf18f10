//! A strict cloud in memory, which can be slow, fail, and lose the line at any call.

mod state;

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::*;

pub(super) use state::outputs;
use state::{State, Stored};

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
    /// The object that is waited for without end: until it can be used, or until it is gone.
    pub(crate) endless: Option<Address>,
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

impl Cloud {
    pub(crate) fn new() -> Self {
        Self {
            state: Mutex::default(),
            faults: Mutex::new(Box::new(|_, _| None)),
            slow: false,
            endless: None,
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
        self.endless = None;
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

    /// What is there while a check of it has failed, too: a second panic would hide the first.
    fn unwinding(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin(&self, verb: Verb, address: Option<&Address>) -> usize {
        let mut state = self.state.lock().unwrap();
        state.calls.push((verb, address.cloned()));
        state.flying += 1;
        state.most_flying = state.most_flying.max(state.flying);
        state.calls.len() - 1
    }

    async fn linger(&self, address: &Address) {
        if self.endless.as_ref() == Some(address) {
            std::future::pending::<()>().await;
        }
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
        self.0.unwinding().flying -= 1;
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
        self.0.unwinding().rolling.retain(|lane| Some(lane) != self.1.as_ref());
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
        Box::pin(async move {
            self.linger(&live.address).await;
            let ready = self.call(Verb::Ready, Some(&live.address), move |state, _| {
                let stored = state.stored(&live.id)?;
                stored.live.phase = Phase::Ready;
                Ok(stored.live.clone())
            });
            ready.await
        })
    }

    fn delete<'a>(&'a self, live: &'a Live, _note: Note<'a>) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(self.call(Verb::Delete, Some(&live.address), move |state, _| state.delete(live)))
    }

    fn gone<'a>(&'a self, live: &'a Live, _note: Note<'a>) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(async move {
            self.linger(&live.address).await;
            Ok(())
        })
    }
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
