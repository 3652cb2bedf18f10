//! Two clouds as one: AWS, and the Kubernetes that runs on it. Each object goes to its own, by kind.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::engine::{Address, BoxFuture, Class, Failure, Live, Note, Object, Provider, Rehearsal, Token, repeat};
use crate::kubernetes::Kubernetes;
use crate::resource::{Cloud, Facts, Gate, Question, TargetHealth, is_kubernetes};
use crate::spec::NetworkPlugin;
use crate::words;

use super::door::Door;
use super::joining::{node_group, serving, until_nodes};

/// How often it is asked what would become of objects before Kubernetes counts as silent: a plan without its word is a
/// poorer one.
const ATTEMPTS: u32 = 3;
/// How long before it is asked again; each time as much longer.
const PAUSE: Duration = Duration::from_millis(500);

/// AWS, and the Kubernetes that runs on it.
pub struct Clouds {
    base: Arc<dyn Cloud>,
    kubernetes: Kubernetes,
    network: NetworkPlugin,
    door: Door,
    /// The node groups of the file: one that leaves waits until these have nodes.
    groups: BTreeSet<String>,
    /// Why Kubernetes did not answer the last look.
    silence: Mutex<Option<Failure>>,
}

/// What a run is about, as far as it decides how long Kubernetes is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Errand {
    /// A cluster that stays.
    Stay,
    /// The same, without waiting for an API that does not answer yet.
    Hurry,
    /// A cluster that goes.
    Leave,
}

impl Clouds {
    /// The two as one, of a cluster whose pods have their network from this plugin.
    pub fn new(base: Arc<dyn Cloud>, kubernetes: Kubernetes, network: NetworkPlugin, errand: Errand) -> Self {
        let door = Door::new(Arc::clone(&base), errand == Errand::Hurry);
        let kubernetes = if errand == Errand::Leave { kubernetes.leaving() } else { kubernetes };
        Self { base, kubernetes, network, door, groups: BTreeSet::new(), silence: Mutex::new(None) }
    }

    /// The same, where no other node group is removed before one of these has nodes that take pods.
    #[must_use]
    pub fn with_groups(self, groups: impl IntoIterator<Item = String>) -> Self {
        Self { groups: groups.into_iter().collect(), ..self }
    }

    /// Refuses to remove a node group while no group of the file has a node that takes pods.
    async fn succeeded(&self, live: &Live) -> Result<(), Failure> {
        let leaving = node_group(live).filter(|group| !self.groups.is_empty() && !self.groups.contains(*group));
        let Some(leaving) = leaving else { return Ok(()) };
        if self.network != NetworkPlugin::Routes || self.silence().is_some() || !self.kubernetes.is_connected() {
            return Ok(());
        }
        for group in &self.groups {
            if self.schedulable(group).await?.is_some_and(|nodes| nodes > 0) {
                return Ok(());
            }
        }
        let others: Vec<String> = self.groups.iter().cloned().collect();
        let message = format!(
            "the node group {leaving} stays: no machine of {} is a node that takes pods yet. `quorate validate` says why; \
             then apply again",
            words::list(&others)
        );
        Err(Failure::own(Class::Fatal, "delete", message))
    }

    fn of(&self, address: &Address) -> &dyn Provider {
        if is_kubernetes(address.kind()) { &self.kubernetes } else { self.base.as_ref() }
    }

    /// Does something; when the way to Kubernetes' API ends on the way there, with why.
    async fn through<T>(&self, done: BoxFuture<'_, Result<T, Failure>>) -> Result<T, Failure> {
        match done.await {
            Err(failure) => Err(self.door.judge(failure).await),
            done => done,
        }
    }

    /// How many nodes of a group take pods. Nothing until the cluster's own objects have found a way to the API: they try
    /// all the while, and each attempt costs calls.
    async fn schedulable(&self, group: &str) -> Result<Option<usize>, Failure> {
        if self.kubernetes.is_connected() {
            return self.through(Box::pin(self.kubernetes.schedulable(group))).await;
        }
        self.door.given_up().await.map_or(Ok(None), Err)
    }

    /// What Kubernetes says; nothing if it says nothing, and why is remembered.
    fn heard<T: Default>(&self, said: Result<T, Failure>) -> T {
        let (said, silence) = match said {
            Ok(said) => (said, None),
            Err(failure) => (T::default(), Some(failure)),
        };
        *self.silence.lock().unwrap_or_else(PoisonError::into_inner) = silence;
        said
    }
}

impl Provider for Clouds {
    fn observe(&self) -> BoxFuture<'_, Result<Vec<Live>, Failure>> {
        Box::pin(async move {
            let (base, kubernetes) = tokio::join!(self.base.observe(), self.kubernetes.observe());
            let mut live = base?;
            live.extend(self.heard(kubernetes));
            Ok(live)
        })
    }

    fn recall<'a>(&'a self, recorded: &'a BTreeMap<Address, String>) -> BoxFuture<'a, Result<Vec<Live>, Failure>> {
        Box::pin(async move {
            let part = |inside: bool| -> BTreeMap<Address, String> {
                let part = recorded.iter().filter(|(address, _)| is_kubernetes(address.kind()) == inside);
                part.map(|(address, id)| (address.clone(), id.clone())).collect()
            };
            let mut found = self.base.recall(&part(false)).await?;
            let inside = part(true);
            if self.silence().is_none() && !inside.is_empty() {
                found.extend(self.heard(self.kubernetes.recall(&inside).await));
            }
            Ok(found)
        })
    }

    fn rehearse<'a>(&'a self, objects: Vec<Object>, live: &'a [Live]) -> BoxFuture<'a, Result<Rehearsal, Failure>> {
        Box::pin(async move {
            let (ours, mut rest): (Vec<Object>, Vec<Object>) =
                objects.into_iter().partition(|object| is_kubernetes(object.address.kind()));
            if self.silence().is_some() {
                rest.extend(ours);
                return Ok(Rehearsal { objects: rest, ..Rehearsal::default() });
            }
            let asked = repeat(ATTEMPTS, |attempt| PAUSE * attempt, || self.kubernetes.rehearse(ours.clone(), live));
            let mut rehearsal = self.heard(asked.await);
            if self.silence().is_some() {
                rehearsal.objects = ours;
            }
            rehearsal.objects.extend(rest);
            Ok(rehearsal)
        })
    }

    fn find<'a>(&'a self, address: &'a Address) -> BoxFuture<'a, Result<Vec<Live>, Failure>> {
        Box::pin(self.through(self.of(address).find(address)))
    }

    fn create<'a>(&'a self, object: &'a Object, token: &'a Token) -> BoxFuture<'a, Result<Live, Failure>> {
        Box::pin(self.through(self.of(&object.address).create(object, token)))
    }

    fn update<'a>(
        &'a self,
        live: &'a Live,
        object: &'a Object,
        changed: &'a BTreeSet<String>,
    ) -> BoxFuture<'a, Result<Live, Failure>> {
        Box::pin(self.through(self.of(&object.address).update(live, object, changed)))
    }

    fn roll<'a>(&'a self, live: &'a Live, object: &'a Object, note: Note<'a>) -> BoxFuture<'a, Result<Live, Failure>> {
        Box::pin(self.through(self.of(&object.address).roll(live, object, note)))
    }

    fn ready<'a>(&'a self, live: &'a Live, note: Note<'a>) -> BoxFuture<'a, Result<Live, Failure>> {
        Box::pin(async move {
            let arrived = self.through(self.of(&live.address).ready(live, note)).await?;
            // A network that the cluster brings itself comes after its machines, and makes them ready.
            if self.network == NetworkPlugin::Routes
                && !self.door.is_hurried()
                && self.silence().is_none()
                && let Some(group) = node_group(&arrived)
            {
                until_nodes(serving(&arrived), note, || self.schedulable(group)).await;
            }
            Ok(arrived)
        })
    }

    fn delete<'a>(&'a self, live: &'a Live, note: Note<'a>) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(async move {
            self.succeeded(live).await?;
            self.through(self.of(&live.address).delete(live, note)).await
        })
    }

    fn gone<'a>(&'a self, live: &'a Live, note: Note<'a>) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(self.through(self.of(&live.address).gone(live, note)))
    }
}

impl Cloud for Clouds {
    fn account(&self) -> BoxFuture<'_, Result<String, Failure>> {
        self.base.account()
    }

    fn facts<'a>(&'a self, question: &'a Question) -> BoxFuture<'a, Result<Facts, Failure>> {
        self.base.facts(question)
    }

    fn caller(&self) -> BoxFuture<'_, Result<String, Failure>> {
        self.base.caller()
    }

    fn targets<'a>(&'a self, group: &'a str) -> BoxFuture<'a, Result<Vec<TargetHealth>, Failure>> {
        self.base.targets(group)
    }

    fn gate(&self) -> &dyn Gate {
        self.base.gate()
    }

    fn strays(&self) -> BoxFuture<'_, Result<Vec<Live>, Failure>> {
        self.base.strays()
    }

    fn release<'a>(&'a self, note: Note<'a>) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(self.kubernetes.release(note))
    }

    fn silence(&self) -> Option<Failure> {
        self.silence.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
