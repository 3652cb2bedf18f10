//! The methods of the provider.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::future::{join_all, try_join_all};
use tokio::sync::OnceCell;
use tokio::time::Instant;

use super::client::{ApiConnection, ApplyMode, GoneCondition, ListQuery, MANAGER};
use super::failure::{ApiRefusal, CONNECT, is_alone, own, unreachable};
use super::live::{as_live, live, ours};
use super::object_ref::{JsonObject, ObjectRef};
use super::{ClientAccess, custom, dry_run, earlier_jobs, handover, namespace, release, rollout};
use crate::engine::{
    Address, BoxFuture, DryRun, Failure, FailureClass, IdempotencyToken, Live, Object, ObjectPhase, Observation,
    ProgressNote, Provider, Value,
};
use crate::resource::{API_TYPES, ApiType, CLUSTER_TAG, manifest_of};

/// Maximum number of concurrent requests.
pub(super) const ABREAST: usize = 8;

/// The objects of one cluster in its own API.
pub struct KubernetesProvider {
    pub(super) cluster: String,
    access: Arc<dyn ClientAccess>,
    connection: OnceCell<ApiConnection>,
    /// Time and reason of the last failure to connect: a caller that waited for that attempt need not repeat it.
    refused: Mutex<Option<(Instant, ConnectionProblem)>>,
    /// The types that could not be listed in the last observation, with the failures.
    unlisted: Mutex<Vec<(ApiType, Failure)>>,
    /// `true` if the whole cluster is removed.
    leaving: bool,
}

/// The reason that there is no connection.
#[derive(Clone)]
enum ConnectionProblem {
    /// The cluster has no API yet.
    Nothing,
    /// The API does not answer, or refuses the caller.
    Failed(Failure),
}

impl KubernetesProvider {
    /// Returns the provider for a cluster's API. It does not connect before the API is needed: in a first apply
    /// neither the keys nor the API exist when planning begins.
    pub fn new(cluster: impl Into<String>, access: Arc<dyn ClientAccess>) -> Self {
        Self {
            cluster: cluster.into(),
            access,
            connection: OnceCell::new(),
            refused: Mutex::default(),
            unlisted: Mutex::default(),
            leaving: false,
        }
    }

    /// Returns the provider of a cluster that is removed: it does not wait for details such as the end of the last pod.
    #[must_use]
    pub fn leaving(self) -> Self {
        Self { leaving: true, ..self }
    }

    /// Returns `true` if the API has answered, and has accepted the caller.
    pub fn is_connected(&self) -> bool {
        self.connection.initialized()
    }

    /// Returns the connection to a ready server; `None` while the cluster has no API.
    pub(super) async fn connect(&self) -> Result<Option<&ApiConnection>, Failure> {
        let begun = Instant::now();
        match self.connection.get_or_try_init(|| self.try_connect(begun)).await {
            Ok(connection) => Ok(Some(connection)),
            Err(ConnectionProblem::Nothing) => Ok(None),
            Err(ConnectionProblem::Failed(failure)) => Err(failure),
        }
    }

    /// Connects, one attempt at a time: many objects wait for the same API. A failure after `begun` counts for this attempt too.
    async fn try_connect(&self, begun: Instant) -> Result<ApiConnection, ConnectionProblem> {
        let refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((_, missing)) = refused.filter(|(at, _)| *at >= begun) {
            return Err(missing);
        }
        let connected = self.open_connection().await;
        if let Err(missing) = &connected {
            let refused = Some((Instant::now(), missing.clone()));
            *self.refused.lock().unwrap_or_else(PoisonError::into_inner) = refused;
        }
        connected
    }

    async fn open_connection(&self) -> Result<ApiConnection, ConnectionProblem> {
        let access =
            self.access.access().await.map_err(ConnectionProblem::Failed)?.ok_or(ConnectionProblem::Nothing)?;
        let connection = ApiConnection::new(&access).map_err(ConnectionProblem::Failed)?;
        let ready = connection.is_ready().await;
        ready.map_err(|failure| ConnectionProblem::Failed(unreachable(&access.server, failure)))?;
        Ok(connection)
    }

    /// Returns the connection of a cluster that must have an API.
    pub(super) async fn connection(&self) -> Result<&ApiConnection, Failure> {
        let missing = || own(FailureClass::Unavailable, CONNECT, "the cluster's API is not there yet");
        self.connect().await?.ok_or_else(missing)
    }

    /// Returns the label of the cluster's objects.
    fn label(&self) -> String {
        format!("{CLUSTER_TAG}={}", self.cluster)
    }

    /// Observes every object with the cluster's label: one list per type. Types that the cluster's own definitions create are
    /// listed after the built-in types, and one that cannot be listed (its conversion webhook is down) is
    /// remembered as such.
    async fn list_all(&self) -> Result<Vec<Live>, Failure> {
        let Some(connection) = self.connect().await? else { return Ok(Vec::new()) };
        let label = self.label();
        let known =
            try_join_all(API_TYPES.iter().map(|api| connection.list(api, ListQuery::ALL.labelled(&label)))).await?;
        let mut found: Vec<(ApiType, Vec<JsonObject>)> = API_TYPES.iter().cloned().zip(known).collect();
        let defined: Vec<Vec<ApiType>> = found.iter().flat_map(|(_, objects)| objects).map(ApiType::defined).collect();
        let listed = join_all(defined.iter().map(|types| custom::list(connection, types, &label))).await;
        let mut unlisted = Vec::new();
        for (types, listed) in defined.iter().zip(listed) {
            match listed {
                Err(failure) if is_alone(&failure) => unlisted.extend(types.first().cloned().zip(Some(failure))),
                listed => found.extend(listed?),
            }
        }
        *self.unlisted.lock().unwrap_or_else(PoisonError::into_inner) = unlisted;
        let all = found.iter().flat_map(|(api, objects)| objects.iter().map(move |object| (api, object)));
        let mut lives: Vec<Live> = all.filter_map(|(api, object)| live(&self.cluster, api, object)).collect();
        lives.sort_by(|one, other| one.address.cmp(&other.address));
        Ok(lives)
    }

    /// Returns a recorded object whose label was removed, only if its managed fields still show that we set some of them: an
    /// object that was created by others under its name is theirs.
    async fn remember(&self, address: &Address, id: &str) -> Result<Option<Live>, Failure> {
        let Some(connection) = self.connect().await? else { return Ok(None) };
        let Some(api) = custom::named(connection, id).await? else { return Ok(None) };
        let Some(place) = ObjectRef::parse(&api, id) else { return Ok(None) };
        let there = match dry_run::observe(connection, &place).await {
            // Its owner is unknown, so it is not deleted.
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
            return Err(own(
                FailureClass::AlreadyExists,
                &format!("apply {place}"),
                "an object of that name exists already",
            ));
        }
        earlier_jobs::make_way(connection, &self.cluster, &object.address, &place).await?;
        let made =
            connection.apply(&place, &manifest, ApplyMode::Real).await.map_err(|refusal| fresh(refusal.failure))?;
        self.described(&place, &made)
    }

    async fn change(&self, object: &Object, changed: &BTreeSet<String>) -> Result<Live, Failure> {
        let connection = self.connection().await?;
        let (place, manifest) = required(connection, object).await?;
        handover::hand_over(connection, &place, &manifest).await?;
        let applied = match connection.apply(&place, &manifest, ApplyMode::Real).await {
            // The plan listed these fields, so its confirmation includes them.
            Err(refusal) if refusal.is_about(changed) => connection.apply(&place, &manifest, ApplyMode::Forced).await,
            applied => applied,
        };
        self.described(&place, &applied.map_err(|refusal| since_the_plan(refusal, &place))?)
    }

    fn described(&self, place: &ObjectRef, object: &JsonObject) -> Result<Live, Failure> {
        let unmarked = || own(FailureClass::Invalid, "apply", format!("{place} came back without its mark"));
        live(&self.cluster, &place.api, object).ok_or_else(unmarked)
    }

    /// Starts the deletion of an object.
    async fn remove(&self, live: &Live, note: ProgressNote<'_>) -> Result<(), Failure> {
        let place = place_of(live)?;
        let connection = self.connection().await?;
        let Some(there) = connection.get(&place).await? else { return Ok(()) };
        // Since the plan was made, it has become another object, or has lost its label.
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
        let pods = if self.leaving { GoneCondition::GoAfterwards } else { GoneCondition::GoFirst };
        match connection.delete(&place, uid_of(live), pods).await {
            // Another object of that name is not the one that we meant.
            Err(failure) if failure.code.as_deref() == Some("Conflict") => Ok(()),
            deleted => deleted,
        }
    }

    /// Waits until an object is gone whose deletion has started.
    async fn removed(&self, live: &Live, note: ProgressNote<'_>) -> Result<(), Failure> {
        let place = place_of(live)?;
        let connection = self.connection().await?;
        let patience = if self.leaving { release::PATIENCE } else { rollout::LIMIT };
        match rollout::wait_gone(connection, &place, uid_of(live), patience, note).await {
            Err(failure) if self.leaving && failure.class == FailureClass::Held => {
                note(format!("let go: {}", failure.message));
                Ok(())
            }
            gone => gone,
        }
    }
}

impl Provider for KubernetesProvider {
    fn observe(&self) -> BoxFuture<'_, Result<Observation, Failure>> {
        Box::pin(async move { Ok(self.list_all().await?.into()) })
    }

    fn recall<'a>(&'a self, recorded: &'a BTreeMap<Address, String>) -> BoxFuture<'a, Result<Observation, Failure>> {
        Box::pin(async move {
            let found = try_join_all(recorded.iter().map(|(address, id)| self.remember(address, id))).await?;
            Ok(found.into_iter().flatten().collect::<Vec<Live>>().into())
        })
    }

    fn dry_run<'a>(&'a self, objects: Vec<Object>, live: &'a [Live]) -> BoxFuture<'a, Result<DryRun, Failure>> {
        Box::pin(async move {
            let Some(connection) = self.connect().await? else {
                return Ok(DryRun { objects, ..DryRun::default() });
            };
            let held = namespace::held(connection, &self.cluster, &objects, live).await?;
            let mut dry_run = dry_run::dry_run_all(connection, &self.cluster, objects, live).await?;
            dry_run.notes.extend(held);
            let unlisted = self.unlisted.lock().unwrap_or_else(PoisonError::into_inner);
            dry_run.notes.extend(unlisted.iter().map(|(api, failure)| dry_run::unlisted(api, failure)));
            Ok(dry_run)
        })
    }

    fn find<'a>(&'a self, address: &'a Address) -> BoxFuture<'a, Result<Vec<Live>, Failure>> {
        Box::pin(async move {
            let found = self.list_all().await?;
            Ok(found.into_iter().filter(|live| live.address == *address).collect())
        })
    }

    fn create<'a>(&'a self, object: &'a Object, _token: &'a IdempotencyToken) -> BoxFuture<'a, Result<Live, Failure>> {
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

    fn roll<'a>(
        &'a self,
        live: &'a Live,
        _object: &'a Object,
        note: ProgressNote<'a>,
    ) -> BoxFuture<'a, Result<Live, Failure>> {
        self.ready(live, note)
    }

    fn changes(&self) -> u64 {
        self.connection.get().map_or(0, |connection| connection.changes.get())
    }

    fn ready<'a>(&'a self, live: &'a Live, note: ProgressNote<'a>) -> BoxFuture<'a, Result<Live, Failure>> {
        Box::pin(async move {
            if live.phase == ObjectPhase::Ready {
                return Ok(live.clone());
            }
            let place = place_of(live)?;
            let object = rollout::wait(self.connection().await?, &place, note).await?;
            super::live::live(&self.cluster, &place.api, &object)
                .ok_or_else(|| own(FailureClass::Gone, "watch", format!("{place} lost its mark")))
        })
    }

    fn delete<'a>(&'a self, live: &'a Live, note: ProgressNote<'a>) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(self.remove(live, note))
    }

    fn gone<'a>(&'a self, live: &'a Live, note: ProgressNote<'a>) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(self.removed(live, note))
    }
}

fn set_by_us(object: &JsonObject) -> bool {
    let managers = object["metadata"]["managedFields"].as_array();
    managers.into_iter().flatten().any(|entry| entry["manager"] == MANAGER)
}

/// Returns the place and the manifest of an object; `None` while the server does not have its type.
pub(super) async fn sent(
    connection: &ApiConnection,
    object: &Object,
) -> Result<Option<(ObjectRef, JsonObject)>, Failure> {
    let broken = || own(FailureClass::Invalid, "apply", format!("{} has no manifest", object.address));
    let manifest = manifest_of(object).ok_or_else(broken)?;
    let Some(api) = custom::of(connection, &manifest).await? else { return Ok(None) };
    let place = ObjectRef::of(&api, &manifest).ok_or_else(broken)?;
    Ok(Some((place, manifest)))
}

/// Returns the same for an object that is applied now: the definition of its type was created a moment ago.
async fn required(connection: &ApiConnection, object: &Object) -> Result<(ObjectRef, JsonObject), Failure> {
    let untyped = || {
        let message = format!("the server does not have the type of {} yet", object.address);
        own(FailureClass::MaybeNotYetConsistent, "apply", message)
    };
    sent(connection, object).await?.ok_or_else(untyped)
}

/// Returns the uid of a live object, which another object of its name does not have.
fn uid_of(live: &Live) -> Option<&str> {
    live.outputs.get("uid").map(String::as_str).filter(|uid| !uid.is_empty())
}

/// Returns the place of a live object.
fn place_of(live: &Live) -> Result<ObjectRef, Failure> {
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
        ObjectRef::parse(&api, &live.id)
    };
    place().ok_or_else(|| own(FailureClass::Invalid, "read", format!("{} has no type and no name", live.address)))
}

/// Classifies a missing dependency of a creation (its namespace, its type): it was most likely created a moment ago.
fn fresh(failure: Failure) -> Failure {
    match failure.class {
        FailureClass::Gone => Failure { class: FailureClass::MaybeNotYetConsistent, ..failure },
        _ => failure,
    }
}

/// Returns the failure for a conflict that the plan did not show.
fn since_the_plan(refusal: ApiRefusal, place: &ObjectRef) -> Failure {
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
