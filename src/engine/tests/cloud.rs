//! A strict cloud in memory, which can be slow, fail, and lose the connection at any call.

mod state;

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::*;

pub(super) use state::outputs;
use state::{CloudObject, CloudState};

/// The verbs of a provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum ProviderVerb {
    Observe,
    Find,
    Create,
    Update,
    Roll,
    Ready,
    Delete,
}

/// The fault of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CallFault {
    /// The call fails before its effect.
    Before(FailureClass),
    /// The call has its effect, and fails.
    After(FailureClass),
    /// A creation leaves an object without its changeable attributes, and fails.
    Half(FailureClass),
}

/// Decides the fault of the n-th call.
pub(crate) type FaultPlan = Box<dyn Fn(usize, ProviderVerb) -> Option<CallFault> + Send + Sync>;

/// A strict cloud.
pub(crate) struct TestCloud {
    state: Mutex<CloudState>,
    faults: Mutex<FaultPlan>,
    /// `true` if calls take the time of their kind.
    pub(crate) slow: bool,
    /// The object that is waited for without end: until it is usable, or gone.
    pub(crate) endless: Option<Address>,
    /// The object whose creation is denied.
    pub(crate) denied: Option<Address>,
    /// The id of every new object: it replaces an old object, as content under a key does.
    pub(crate) overwrites: Option<String>,
    /// The call at which the connection is lost, before or after its effect.
    pub(crate) dies_at: Option<(usize, bool)>,
    /// Cancelled when the connection is lost.
    pub(crate) dead: CancellationToken,
    /// Cancelled at the call of this number.
    pub(crate) stops_at: Option<(usize, CancellationToken)>,
    changes: ChangeCounter,
}

impl TestCloud {
    pub(crate) fn new() -> Self {
        Self {
            state: Mutex::default(),
            faults: Mutex::new(Box::new(|_, _| None)),
            slow: false,
            changes: ChangeCounter::default(),
            endless: None,
            denied: None,
            overwrites: None,
            dies_at: None,
            dead: CancellationToken::new(),
            stops_at: None,
        }
    }

    pub(crate) fn with_faults(
        self,
        faults: impl Fn(usize, ProviderVerb) -> Option<CallFault> + Send + Sync + 'static,
    ) -> Self {
        *self.faults.lock().unwrap() = Box::new(faults);
        self
    }

    /// Removes all faults.
    pub(crate) fn heal(&mut self) {
        *self.faults.lock().unwrap() = Box::new(|_, _| None);
        self.dies_at = None;
        self.dead = CancellationToken::new();
        self.stops_at = None;
        self.endless = None;
    }

    pub(crate) fn put(&self, live: Live) {
        self.state.lock().unwrap().objects.push(CloudObject {
            live,
            token: String::new(),
            version: 1,
            hidden: Attributes::new(),
        });
    }

    pub(crate) fn objects(&self) -> Vec<Live> {
        self.state.lock().unwrap().objects.iter().map(|stored| stored.live.clone()).collect()
    }

    /// Returns the attributes that were sent for an object and are never returned.
    pub(crate) fn hidden(&self, address: &str) -> Attributes {
        let state = self.state.lock().unwrap();
        state.objects.iter().find(|stored| stored.live.address == at(address)).unwrap().hidden.clone()
    }

    pub(crate) fn calls(&self) -> Vec<(ProviderVerb, Option<Address>)> {
        self.state.lock().unwrap().calls.clone()
    }

    /// Returns the calls of one verb, in order.
    pub(crate) fn called(&self, verb: ProviderVerb) -> Vec<String> {
        let of_verb =
            |(called, address): (ProviderVerb, Option<Address>)| (called == verb).then_some(address).flatten();
        self.calls().into_iter().filter_map(of_verb).map(|address| address.to_string()).collect()
    }

    pub(crate) fn most_flying(&self) -> usize {
        self.state.lock().unwrap().most_flying
    }

    /// Changes an object outside of the engine.
    pub(crate) fn tamper(&self, address: &str, change: impl FnOnce(&mut Attributes)) {
        let mut state = self.state.lock().unwrap();
        let stored = state.objects.iter_mut().find(|stored| stored.live.address == at(address)).unwrap();
        change(&mut stored.live.attributes);
    }

    async fn call<T>(
        &self,
        verb: ProviderVerb,
        address: Option<&Address>,
        effect: impl FnOnce(&mut CloudState, bool) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let number = self.begin(verb, address);
        let _flying = InFlightCall(self);
        if let Some((at, token)) = &self.stops_at
            && *at == number
        {
            token.cancel();
        }
        self.die_if(number, false).await;
        let denied = verb == ProviderVerb::Create && address.is_some() && address == self.denied.as_ref();
        let fault = if denied {
            Some(CallFault::Before(FailureClass::Denied))
        } else {
            (self.faults.lock().unwrap())(number, verb)
        };
        if let Some(CallFault::Before(class)) = fault {
            return Err(failure(class, verb, "nothing happened"));
        }
        if self.slow
            && matches!(verb, ProviderVerb::Create | ProviderVerb::Update | ProviderVerb::Roll | ProviderVerb::Delete)
        {
            let seconds = TestKinds.kind(address.unwrap().kind()).unwrap().seconds;
            tokio::time::sleep(Duration::from_secs(seconds.into())).await;
        } else {
            tokio::task::yield_now().await;
        }
        let half = matches!(fault, Some(CallFault::Half(_)));
        let answer = effect(&mut self.state.lock().unwrap(), half);
        self.die_if(number, true).await;
        let answer = match (fault, answer) {
            (Some(CallFault::After(class) | CallFault::Half(class)), Ok(_)) => Err(failure(class, verb, "it happened")),
            (_, answer) => answer,
        };
        if !matches!(verb, ProviderVerb::Observe | ProviderVerb::Find | ProviderVerb::Ready) {
            self.changes.count(&answer);
        }
        answer
    }

    /// Returns the state even after a check of it has failed: a second panic would hide the first.
    fn unwinding(&self) -> MutexGuard<'_, CloudState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin(&self, verb: ProviderVerb, address: Option<&Address>) -> usize {
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

struct InFlightCall<'a>(&'a TestCloud);

impl Drop for InFlightCall<'_> {
    fn drop(&mut self) {
        self.0.unwinding().flying -= 1;
    }
}

struct RollingGroup<'a>(&'a TestCloud, Option<String>);

impl<'a> RollingGroup<'a> {
    fn begin(cloud: &'a TestCloud, object: &Object) -> Self {
        if let Some(lane) = &object.lane {
            let rolling = &mut cloud.state.lock().unwrap().rolling;
            assert!(!rolling.contains(lane), "two of lane {lane} roll at once");
            rolling.push(lane.clone());
        }
        Self(cloud, object.lane.clone())
    }
}

impl Drop for RollingGroup<'_> {
    fn drop(&mut self) {
        self.0.unwinding().rolling.retain(|lane| Some(lane) != self.1.as_ref());
    }
}

impl Provider for TestCloud {
    fn observe(&self) -> BoxFuture<'_, Result<Observation, Failure>> {
        Box::pin(self.call(ProviderVerb::Observe, None, |state, _| Ok(state.lives(|_| true).into())))
    }

    fn find<'a>(&'a self, address: &'a Address) -> BoxFuture<'a, Result<Vec<Live>, Failure>> {
        Box::pin(
            self.call(ProviderVerb::Find, Some(address), move |state, _| {
                Ok(state.lives(|live| live.address == *address))
            }),
        )
    }

    fn create<'a>(&'a self, object: &'a Object, token: &'a IdempotencyToken) -> BoxFuture<'a, Result<Live, Failure>> {
        Box::pin(self.call(ProviderVerb::Create, Some(&object.address), move |state, half| {
            Ok(state.create(object, token, half, self.overwrites.as_deref()))
        }))
    }

    fn update<'a>(
        &'a self,
        live: &'a Live,
        object: &'a Object,
        changed: &'a BTreeSet<String>,
    ) -> BoxFuture<'a, Result<Live, Failure>> {
        Box::pin(
            self.call(ProviderVerb::Update, Some(&live.address), move |state, _| state.update(live, object, changed)),
        )
    }

    fn roll<'a>(
        &'a self,
        live: &'a Live,
        object: &'a Object,
        note: ProgressNote<'a>,
    ) -> BoxFuture<'a, Result<Live, Failure>> {
        Box::pin(async move {
            let _rolling = RollingGroup::begin(self, object);
            note("machines".to_owned());
            self.call(ProviderVerb::Roll, Some(&live.address), move |state, _| state.roll(live, object)).await
        })
    }

    fn changes(&self) -> u64 {
        self.changes.get()
    }

    fn ready<'a>(&'a self, live: &'a Live, _note: ProgressNote<'a>) -> BoxFuture<'a, Result<Live, Failure>> {
        Box::pin(async move {
            self.linger(&live.address).await;
            let ready = self.call(ProviderVerb::Ready, Some(&live.address), move |state, _| {
                let stored = state.stored(&live.id)?;
                stored.live.phase = ObjectPhase::Ready;
                Ok(stored.live.clone())
            });
            ready.await
        })
    }

    fn delete<'a>(&'a self, live: &'a Live, _note: ProgressNote<'a>) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(self.call(ProviderVerb::Delete, Some(&live.address), move |state, _| state.delete(live)))
    }

    fn gone<'a>(&'a self, live: &'a Live, _note: ProgressNote<'a>) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(async move {
            self.linger(&live.address).await;
            Ok(())
        })
    }
}

pub(super) fn failure(class: FailureClass, verb: ProviderVerb, message: &str) -> Failure {
    Failure {
        class,
        service: "test".to_owned(),
        action: format!("{verb:?}"),
        code: (class == FailureClass::Unavailable).then(|| "InternalError".to_owned()),
        message: message.to_owned(),
        request_id: None,
    }
}
