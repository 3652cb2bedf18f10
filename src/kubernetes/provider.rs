//! The verbs.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::future::{join_all, try_join_all};
use tokio::sync::OnceCell;
use tokio::time::Instant;

use super::client::{Apply, Connection, MANAGER, Pods, Query};
use super::failure::{CONNECT, Refusal, is_alone, own, unreachable};
use super::live::{as_live, live, ours};
use super::place::{Json, Place};
use super::{Entrance, custom, handover, namespace, rehearsal, release, rollout};
use crate::engine::{Address, BoxFuture, Class, Failure, Live, Note, Object, Phase, Provider, Rehearsal, Token, Value};
use crate::resource::{API_TYPES, ApiType, CLUSTER_TAG, manifest_of};

/// How many questions are asked at a time.
pub(super) const ABREAST: usize = 8;

/// The objects of one cluster in its own API.
pub struct Kubernetes {
    pub(super) cluster: String,
    entrance: Arc<dyn Entrance>,
    connection: OnceCell<Connection>,
    /// When the last attempt to connect ended, and how: who waited for it meanwhile need not make another.
    refused: Mutex<Option<(Instant, Missing)>>,
    /// The types that the last look could not list, and why.
    unseen: Mutex<Vec<(ApiType, Failure)>>,
    /// Whether the whole cluster goes.
    leaving: bool,
}

/// Why there is no connection.
#[derive(Clone)]
enum Missing {
    /// The cluster has no API yet.
    Nothing,
    /// It does not answer, or not to us.
    Failed(Failure),
}

impl Kubernetes {
    /// The API that an entrance leads to. Nothing is asked and nothing is sent before it is needed: in a first apply
    /// neither the keys nor the API exist when planning begins.
    pub fn new(cluster: impl Into<String>, entrance: Arc<dyn Entrance>) -> Self {
        Self {
            cluster: cluster.into(),
            entrance,
            connection: OnceCell::new(),
            refused: Mutex::default(),
            unseen: Mutex::default(),
            leaving: false,
        }
    }

    /// The same of a cluster that goes: nothing in it is waited for longer than it is worth, such as the last pod's end.
    #[must_use]
    pub fn leaving(self) -> Self {
        Self { leaving: true, ..self }
    }

    /// Whether the API has answered, and let us in.
    pub fn is_connected(&self) -> bool {
        self.connection.initialized()
    }

    /// The connection to a server that takes requests; nothing while the cluster has no API.
    pub(super) async fn connect(&self) -> Result<Option<&Connection>, Failure> {
        let begun = Instant::now();
        match self.connection.get_or_try_init(|| self.knock(begun)).await {
            Ok(connection) => Ok(Some(connection)),
            Err(Missing::Nothing) => Ok(None),
            Err(Missing::Failed(failure)) => Err(failure),
        }
    }

    /// Connects, one at a time: many objects wait for the same API. An attempt that failed after `begun` stands for ours.
    async fn knock(&self, begun: Instant) -> Result<Connection, Missing> {
        let refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((_, missing)) = refused.filter(|(at, _)| *at >= begun) {
            return Err(missing);
        }
        let connected = self.enter().await;
        if let Err(missing) = &connected {
            let refused = Some((Instant::now(), missing.clone()));
            *self.refused.lock().unwrap_or_else(PoisonError::into_inner) = refused;
        }
        connected
    }

    async fn enter(&self) -> Result<Connection, Missing> {
        let access = self.entrance.access().await.map_err(Missing::Failed)?.ok_or(Missing::Nothing)?;
        let connection = Connection::new(&access).map_err(Missing::Failed)?;
        let ready = connection.is_ready().await;
        ready.map_err(|failure| Missing::Failed(unreachable(&access.server, failure)))?;
        Ok(connection)
    }

    /// The connection, of a cluster that must have an API.
    pub(super) async fn connection(&self) -> Result<&Connection, Failure> {
        let missing = || own(Class::Unavailable, CONNECT, "the cluster's API is not there yet");
        self.connect().await?.ok_or_else(missing)
    }

    /// The label by which the cluster's objects are found.
    fn label(&self) -> String {
        format!("{CLUSTER_TAG}={}", self.cluster)
    }

    /// Everything that carries the cluster's label: one list a type. Types that the cluster's own definitions make come
    /// after those that are always there, and one of them that cannot be listed (who converts its objects is down) is
    /// remembered as such.
    async fn look(&self) -> Result<Vec<Live>, Failure> {
        let Some(connection) = self.connect().await? else { return Ok(Vec::new()) };
        let label = self.label();
        let known = try_join_all(API_TYPES.iter().map(|api| connection.list(api, Query::ALL.labelled(&label)))).await?;
        let mut found: Vec<(ApiType, Vec<Json>)> = API_TYPES.iter().cloned().zip(known).collect();
        let defined: Vec<Vec<ApiType>> = found.iter().flat_map(|(_, objects)| objects).map(ApiType::defined).collect();
        let listed = join_all(defined.iter().map(|types| custom::list(connection, types, &label))).await;
        let mut unseen = Vec::new();
        for (types, listed) in defined.iter().zip(listed) {
            match listed {
                Err(failure) if is_alone(&failure) => unseen.extend(types.first().cloned().zip(Some(failure))),
                listed => found.extend(listed?),
            }
        }
        *self.unseen.lock().unwrap_or_else(PoisonError::into_inner) = unseen;
        let all = found.iter().flat_map(|(api, objects)| objects.iter().map(move |object| (api, object)));
        let mut lives: Vec<Live> = all.filter_map(|(api, object)| live(&self.cluster, api, object)).collect();
        lives.sort_by(|one, other| one.address.cmp(&other.address));
        Ok(lives)
    }

    /// A recorded object that no longer says whose it is. Only one that still says that we set fields of it: one that
    /// somebody else made under its name is theirs.
    async fn remember(&self, address: &Address, id: &str) -> Result<Option<Live>, Failure> {
        let Some(connection) = self.connect().await? else { return Ok(None) };
        let Some(api) = custom::named(connection, id).await? else { return Ok(None) };
        let Some(place) = Place::parse(&api, id) else { return Ok(None) };
        let there = match rehearsal::look(connection, &place).await {
            // Nobody can say, so nobody removes it.
            Err(failure) if is_alone(&failure) => return Ok(None),
            there => there?.filter(set_by_us),
        };
        Ok(there.and_then(|object| as_live(&api, &object, address.clone(), false)))
    }

    async fn make(&self, object: &Object) -> Result<Live, Failure> {
        let connection = self.connection().await?;
        let (place, manifest) = required(connection, object).await?;
        // One of ours that was called otherwise is only called anew.
        if let Some(there) = connection.get(&place).await?
            && ours(&self.cluster, &there).is_none()
        {
            return Err(own(Class::AlreadyExists, &format!("apply {place}"), "an object of that name exists already"));
        }
        let made = connection.apply(&place, &manifest, Apply::Real).await.map_err(|refusal| fresh(refusal.failure))?;
        self.told(&place, &made)
    }

    async fn change(&self, object: &Object, changed: &BTreeSet<String>) -> Result<Live, Failure> {
        let connection = self.connection().await?;
        let (place, manifest) = required(connection, object).await?;
        handover::hand_over(connection, &place, &manifest).await?;
        let applied = match connection.apply(&place, &manifest, Apply::Real).await {
            // Who agreed to the plan has seen these fields in it, and wants them back.
            Err(refusal) if refusal.is_about(changed) => connection.apply(&place, &manifest, Apply::Forced).await,
            applied => applied,
        };
        self.told(&place, &applied.map_err(|refusal| since_the_plan(refusal, &place))?)
    }

    fn told(&self, place: &Place, object: &Json) -> Result<Live, Failure> {
        let unmarked = || own(Class::Invalid, "apply", format!("{place} came back without its mark"));
        live(&self.cluster, &place.api, object).ok_or_else(unmarked)
    }

    /// Begins to remove an object.
    async fn remove(&self, live: &Live, note: Note<'_>) -> Result<(), Failure> {
        let place = place_of(live)?;
        let connection = self.connection().await?;
        let Some(there) = connection.get(&place).await? else { return Ok(()) };
        // Since the plan was made, it has become another object, or nobody's of ours.
        if live.proven && ours(&self.cluster, &there).as_ref() != Some(&live.address) {
            return Ok(());
        }
        if place.api.kind == "Namespace"
            && let Err(failure) = namespace::check_empty(connection, &place, &self.cluster).await
        {
            if self.leaving {
                note(format!("let go, as {}", failure.message));
                return Ok(());
            }
            return Err(failure);
        }
        // Pods on machines that are gone are never confirmed to have ended.
        let pods = if self.leaving { Pods::GoAfterwards } else { Pods::GoFirst };
        match connection.delete(&place, uid_of(live), pods).await {
            // Another object of that name is not the one that we meant.
            Err(failure) if failure.code.as_deref() == Some("Conflict") => Ok(()),
            deleted => deleted,
        }
    }

    /// Waits until an object is gone whose removal has begun.
    async fn removed(&self, live: &Live, note: Note<'_>) -> Result<(), Failure> {
        let place = place_of(live)?;
        let connection = self.connection().await?;
        let patience = if self.leaving { release::PATIENCE } else { rollout::LIMIT };
        match rollout::wait_gone(connection, &place, uid_of(live), patience, note).await {
            Err(failure) if self.leaving && failure.class == Class::Held => {
                note(format!("let go: {}", failure.message));
                Ok(())
            }
            gone => gone,
        }
    }
}

impl Provider for Kubernetes {
    fn observe(&self) -> BoxFuture<'_, Result<Vec<Live>, Failure>> {
        Box::pin(self.look())
    }

    fn recall<'a>(&'a self, recorded: &'a BTreeMap<Address, String>) -> BoxFuture<'a, Result<Vec<Live>, Failure>> {
        Box::pin(async move {
            let found = try_join_all(recorded.iter().map(|(address, id)| self.remember(address, id))).await?;
            Ok(found.into_iter().flatten().collect())
        })
    }

    fn rehearse<'a>(&'a self, objects: Vec<Object>, live: &'a [Live]) -> BoxFuture<'a, Result<Rehearsal, Failure>> {
        Box::pin(async move {
            let Some(connection) = self.connect().await? else {
                return Ok(Rehearsal { objects, ..Rehearsal::default() });
            };
            let held = namespace::held(connection, &self.cluster, &objects, live).await?;
            let mut rehearsal = rehearsal::rehearse(connection, &self.cluster, objects, live).await?;
            rehearsal.notes.extend(held);
            let unseen = self.unseen.lock().unwrap_or_else(PoisonError::into_inner);
            rehearsal.notes.extend(unseen.iter().map(|(api, failure)| rehearsal::unlisted(api, failure)));
            Ok(rehearsal)
        })
    }

    fn find<'a>(&'a self, address: &'a Address) -> BoxFuture<'a, Result<Vec<Live>, Failure>> {
        Box::pin(async move {
            let found = self.look().await?;
            Ok(found.into_iter().filter(|live| live.address == *address).collect())
        })
    }

    fn create<'a>(&'a self, object: &'a Object, _token: &'a Token) -> BoxFuture<'a, Result<Live, Failure>> {
        Box::pin(self.make(object))
    }

    fn update<'a>(
        &'a self,
        _live: &'a Live,
        object: &'a Object,
        changed: &'a BTreeSet<String>,
    ) -> BoxFuture<'a, Result<Live, Failure>> {
        Box::pin(self.change(object, changed))
    }

    fn roll<'a>(&'a self, live: &'a Live, _object: &'a Object, note: Note<'a>) -> BoxFuture<'a, Result<Live, Failure>> {
        self.ready(live, note)
    }

    fn ready<'a>(&'a self, live: &'a Live, note: Note<'a>) -> BoxFuture<'a, Result<Live, Failure>> {
        Box::pin(async move {
            if live.phase == Phase::Ready {
                return Ok(live.clone());
            }
            let place = place_of(live)?;
            let object = rollout::wait(self.connection().await?, &place, note).await?;
            super::live::live(&self.cluster, &place.api, &object)
                .ok_or_else(|| own(Class::Gone, "watch", format!("{place} lost its mark")))
        })
    }

    fn delete<'a>(&'a self, live: &'a Live, note: Note<'a>) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(self.remove(live, note))
    }

    fn gone<'a>(&'a self, live: &'a Live, note: Note<'a>) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(self.removed(live, note))
    }
}

fn set_by_us(object: &Json) -> bool {
    let managers = object["metadata"]["managedFields"].as_array();
    managers.into_iter().flatten().any(|entry| entry["manager"] == MANAGER)
}

/// Where an object should be, and what is sent there; nothing while the server does not have its type.
pub(super) async fn sent(connection: &Connection, object: &Object) -> Result<Option<(Place, Json)>, Failure> {
    let broken = || own(Class::Invalid, "apply", format!("{} has no manifest", object.address));
    let manifest = manifest_of(object).ok_or_else(broken)?;
    let Some(api) = custom::of(connection, &manifest).await? else { return Ok(None) };
    let place = Place::of(&api, &manifest).ok_or_else(broken)?;
    Ok(Some((place, manifest)))
}

/// The same of one that is to be applied now: what defines its type was made a moment ago.
async fn required(connection: &Connection, object: &Object) -> Result<(Place, Json), Failure> {
    let untyped = || {
        let message = format!("the server does not have the type of {} yet", object.address);
        own(Class::MaybeNotYetConsistent, "apply", message)
    };
    sent(connection, object).await?.ok_or_else(untyped)
}

/// The identity of a live object, which another one of its name does not have.
fn uid_of(live: &Live) -> Option<&str> {
    live.outputs.get("uid").map(String::as_str).filter(|uid| !uid.is_empty())
}

/// Where a live object is.
fn place_of(live: &Live) -> Result<Place, Failure> {
    let text = |name: &str| live.attributes.get(name).and_then(Value::as_text);
    let place = || {
        let (api_version, kind) = (text("apiVersion")?, text("kind")?);
        let api = ApiType::find(api_version, kind).cloned().or_else(|| {
            let plural = live.id.split(['.', ' ']).next()?.to_owned();
            Some(ApiType {
                api_version: api_version.to_owned().into(),
                kind: kind.to_owned().into(),
                plural: plural.into(),
                namespaced: text("metadata.namespace").is_some(),
            })
        })?;
        Place::parse(&api, &live.id)
    };
    place().ok_or_else(|| own(Class::Invalid, "look", format!("{} does not say what it is", live.address)))
}

/// What is not there for a creation (its namespace, its type) was most likely made a moment ago.
fn fresh(failure: Failure) -> Failure {
    match failure.class {
        Class::Gone => Failure { class: Class::MaybeNotYetConsistent, ..failure },
        _ => failure,
    }
}

/// A conflict that the plan did not show.
fn since_the_plan(refusal: Refusal, place: &Place) -> Failure {
    let owners: Vec<String> =
        refusal.conflicts.iter().map(|conflict| format!("{} set {}", conflict.owner, conflict.field)).collect();
    if owners.is_empty() {
        return fresh(refusal.failure);
    }
    let message = format!(
        "since the plan was made, {} of {place}; plan again to see what would be taken back",
        owners.join(" and ")
    );
    Failure { message, ..refusal.failure }
}
