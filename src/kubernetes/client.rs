//! The connection to one API server: verbs on manifests, each answered or classified.

use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::APIResource;
use kube::Client;
use kube::api::{DeleteParams, GetParams, ListParams, Patch, PatchParams, Preconditions, WatchParams};
use kube::core::{Request, WatchEvent};
use serde_json::Value;

use super::access::Access;
use super::failure::{CONNECT, Refusal, classify, own, retry_after};
use super::place::{Json, Place};
use crate::engine::{Class, Failure};
use crate::resource::ApiType;

/// Who sets the fields that Quorate sets.
pub(super) const MANAGER: &str = "quorate";
/// Who holds what we let go of until somebody else sets it.
pub(super) const HEIR: &str = "quorate-handover";
/// How many objects a list asks for at a time.
const PAGE: u32 = 500;
/// How often a server that asks to be left alone is asked again.
const PATIENCE: u32 = 4;
/// The longest that it is left alone for.
const LONGEST_PAUSE: u64 = 30;
/// How long an answer may take.
const ANSWER: Duration = Duration::from_mins(1);
/// How long one watch lasts before it is begun anew, in seconds.
const WATCH: u32 = 240;

/// A connection. Clones share it.
#[derive(Clone)]
pub(super) struct Connection {
    client: Client,
    server: String,
}

/// How an apply is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Apply {
    /// For real; somebody else's fields stay theirs.
    Real,
    /// For real; what the manifest sets is ours from now on.
    Forced,
    /// Only to see what would become of the object. Nobody's field stays theirs.
    DryRun,
    /// The same; somebody else's fields stay theirs.
    PoliteDryRun,
    /// For real; what the manifest sets is kept for somebody else.
    HandedOver,
}

/// When a removed object counts as gone, of which pods came (a deployment).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pods {
    /// Once they are gone.
    GoFirst,
    /// At once; they are removed after it.
    GoAfterwards,
}

/// Which objects of a type are asked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Query<'a> {
    namespace: Option<&'a str>,
    labels: Option<&'a str>,
    extent: Extent,
}

impl<'a> Query<'a> {
    /// All of them.
    pub(super) const ALL: Self = Self { namespace: None, labels: None, extent: Extent::Whole };

    /// Those in a namespace.
    pub(super) fn within(namespace: &'a str) -> Self {
        Self { namespace: Some(namespace), ..Self::ALL }
    }

    /// Those with these labels.
    pub(super) fn labelled(self, labels: &'a str) -> Self {
        Self { labels: Some(labels), ..self }
    }

    /// What they are called and whose they are: their metadata, and nothing of their content.
    pub(super) fn names(self) -> Self {
        Self { extent: Extent::Names, ..self }
    }

    fn params(self) -> ListParams {
        ListParams { label_selector: self.labels.map(str::to_owned), ..ListParams::default() }.limit(PAGE)
    }
}

/// A watch: what it tells until it ends by itself.
pub(super) type Events = BoxStream<'static, Result<Seen, Failure>>;

/// What a watch tells.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Seen {
    /// An object as it is now.
    There(Json),
    /// An object that is no more, as it was last.
    Gone(Json),
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection").field("server", &self.server).finish_non_exhaustive()
    }
}

impl Connection {
    /// A connection that is made when the first request is sent.
    pub(super) fn new(access: &Access) -> Result<Self, Failure> {
        let client = Client::try_from(access.config()?).map_err(|error| classify(CONNECT, &error).failure)?;
        Ok(Self { client, server: access.server.clone() })
    }

    /// Whether the server takes requests: its own word, etcd included.
    pub(super) async fn is_ready(&self) -> Result<(), Failure> {
        let action = "get /readyz";
        let request = Request::new("/readyz").list(&ListParams::default()).map_err(|error| broken(action, &error))?;
        let answer = tokio::time::timeout(ANSWER, self.client.request_text(request)).await;
        match answer {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(classify(action, &error).failure),
            Err(_) => Err(silent(action)),
        }
    }

    /// One object, if it is there.
    pub(super) async fn get(&self, place: &Place) -> Result<Option<Json>, Failure> {
        match self.send(&format!("get {place}"), &place.collection(), &Verb::Get(&place.name)).await {
            Ok(found) => Ok(Some(found)),
            Err(refusal) if refusal.failure.class == Class::Gone => Ok(None),
            Err(refusal) => Err(refusal.failure),
        }
    }

    /// The objects of a type that are asked for. None of a type that the server does not have.
    pub(super) async fn list(&self, api: &ApiType, query: Query<'_>) -> Result<Vec<Json>, Failure> {
        let path = api.path(query.namespace);
        let mut found = Vec::new();
        let mut params = query.params();
        loop {
            let mut page = match self.send(&format!("list {api}"), &path, &query.extent.of(&params)).await {
                Err(refusal) if refusal.failure.class == Class::Gone && found.is_empty() => return Ok(found),
                page => page?,
            };
            if let Value::Array(items) = page["items"].take() {
                found.extend(items.into_iter().map(|item| with_type(item, api)));
            }
            match page["metadata"]["continue"].as_str().filter(|token| !token.is_empty()) {
                Some(token) => params = params.continue_token(token),
                None => return Ok(found),
            }
        }
    }

    /// Makes the object what the manifest says, as far as it says something.
    pub(super) async fn apply(&self, place: &Place, manifest: &Json, how: Apply) -> Result<Json, Refusal> {
        let manager = if how == Apply::HandedOver { HEIR } else { MANAGER };
        let mut params = PatchParams::apply(manager).validation_strict();
        params.force = matches!(how, Apply::Forced | Apply::DryRun | Apply::HandedOver);
        params.dry_run = matches!(how, Apply::DryRun | Apply::PoliteDryRun);
        let verb = Verb::Patch(&place.name, &params, Patch::Apply(manifest));
        self.send(&format!("apply {place}"), &place.collection(), &verb).await
    }

    /// Every type of object that the server has and that can be listed and deleted: its own word, one call for each
    /// group.
    pub(super) async fn types(&self) -> Result<Vec<ApiType>, Failure> {
        let action = "discover types";
        let failed = |error: kube::Error| classify(action, &error).failure;
        let groups = self.client.list_api_groups().await.map_err(failed)?;
        let versions = groups.groups.iter().filter_map(|group| {
            let preferred = group.preferred_version.as_ref().or(group.versions.first())?;
            Some(preferred.group_version.clone())
        });
        let core = self.client.list_core_api_resources("v1").await.map_err(failed)?;
        let mut types = discovered("v1", &core.resources);
        for version in versions {
            let found = self.client.list_api_group_resources(&version).await.map_err(failed)?;
            types.extend(discovered(&version, &found.resources));
        }
        Ok(types)
    }

    /// The types of a group's version; none if the server does not have it.
    pub(super) async fn types_of(&self, api_version: &str) -> Result<Vec<ApiType>, Failure> {
        match self.client.list_api_group_resources(api_version).await {
            Ok(found) => Ok(discovered(api_version, &found.resources)),
            Err(error) => match classify("discover types", &error).failure {
                failure if failure.class == Class::Gone => Ok(Vec::new()),
                failure => Err(failure),
            },
        }
    }

    /// Begins to remove an object, and what it made. With a uid: only that very one.
    pub(super) async fn delete(&self, place: &Place, uid: Option<&str>, pods: Pods) -> Result<(), Failure> {
        let mut params = match pods {
            Pods::GoFirst => DeleteParams::foreground(),
            Pods::GoAfterwards => DeleteParams::background(),
        };
        if let Some(uid) = uid {
            params.preconditions = Some(Preconditions { resource_version: None, uid: Some(uid.to_owned()) });
        }
        self.send(&format!("delete {place}"), &place.collection(), &Verb::Delete(&place.name, &params)).await?;
        Ok(())
    }

    /// Tells an object's state now and whenever it changes, for some minutes.
    pub(super) async fn watch(&self, place: &Place) -> Result<Events, Failure> {
        let params = WatchParams { field_selector: Some(format!("metadata.name={}", place.name)), ..watching() };
        self.events(&place.collection(), &params, &format!("watch {place}")).await
    }

    /// Tells the state of all objects of a type in a namespace that have these labels, now and whenever they change.
    pub(super) async fn watch_all(
        &self,
        api: &ApiType,
        namespace: Option<&str>,
        labels: &str,
    ) -> Result<Events, Failure> {
        let params = WatchParams { label_selector: Some(labels.to_owned()), ..watching() };
        self.events(&api.path(namespace), &params, &format!("watch {api}")).await
    }

    async fn events(&self, path: &str, params: &WatchParams, action: &str) -> Result<Events, Failure> {
        // Without a version the watch begins with what is there now.
        let request = Request::new(path).watch(params, "").map_err(|error| broken(action, &error))?;
        let begun = tokio::time::timeout(ANSWER, self.client.request_events::<Json>(request)).await;
        let events = begun.map_err(|_| silent(action))?.map_err(|error| classify(action, &error).failure)?;
        let action = action.to_owned();
        Ok(events.filter_map(move |event| std::future::ready(seen(&action, event))).boxed())
    }

    /// Sends a request; again, when the server asks for that.
    async fn send(&self, action: &str, path: &str, verb: &Verb<'_>) -> Result<Json, Refusal> {
        let request = Request::new(path);
        let mut attempt = 1;
        loop {
            let request = match verb {
                Verb::Get(name) => request.get(name, &GetParams::default()),
                Verb::List(params) => request.list(params),
                Verb::ListNames(params) => request.list_metadata(params),
                Verb::Patch(name, params, body) => request.patch(name, params, body),
                Verb::Delete(name, params) => request.delete(name, params),
            };
            let request = request.map_err(|error| refused(broken(action, &error)))?;
            let answer = tokio::time::timeout(ANSWER, self.client.request::<Json>(request)).await;
            let error = match answer {
                Ok(Ok(answer)) => return Ok(answer),
                Ok(Err(error)) => error,
                Err(_) => return Err(refused(silent(action))),
            };
            match retry_after(&error) {
                Some(seconds) if attempt < PATIENCE && seconds <= LONGEST_PAUSE => {
                    tokio::time::sleep(Duration::from_secs(seconds)).await;
                    attempt += 1;
                }
                _ => return Err(classify(action, &error)),
            }
        }
    }
}

/// What is asked of a path.
enum Verb<'a> {
    Get(&'a str),
    List(&'a ListParams),
    ListNames(&'a ListParams),
    Patch(&'a str, &'a PatchParams, Patch<&'a Json>),
    Delete(&'a str, &'a DeleteParams),
}

/// How much of each object a list tells.
#[derive(Debug, Clone, Copy)]
enum Extent {
    /// Everything.
    Whole,
    /// Its metadata.
    Names,
}

impl Extent {
    fn of(self, params: &ListParams) -> Verb<'_> {
        match self {
            Self::Whole => Verb::List(params),
            Self::Names => Verb::ListNames(params),
        }
    }
}

fn watching() -> WatchParams {
    WatchParams { bookmarks: false, timeout: Some(WATCH), ..WatchParams::default() }
}

/// What an event says; nothing for one that says nothing about an object.
fn seen(action: &str, event: kube::Result<WatchEvent<Json>>) -> Option<Result<Seen, Failure>> {
    match event {
        Ok(WatchEvent::Added(object) | WatchEvent::Modified(object)) => Some(Ok(Seen::There(object))),
        Ok(WatchEvent::Deleted(object)) => Some(Ok(Seen::Gone(object))),
        Ok(WatchEvent::Bookmark(_)) => None,
        Ok(WatchEvent::Error(status)) => Some(Err(classify(action, &kube::Error::Api(status)).failure)),
        Err(error) => Some(Err(classify(action, &error).failure)),
    }
}

/// The types of a group's version, without parts of types and what is no object.
fn discovered(api_version: &str, resources: &[APIResource]) -> Vec<ApiType> {
    let can = |resource: &APIResource, verb: &str| resource.verbs.iter().any(|known| known == verb);
    let whole = resources.iter().filter(|resource| !resource.name.contains('/'));
    whole
        .filter(|resource| can(resource, "list") && can(resource, "delete"))
        .map(|resource| ApiType {
            api_version: api_version.to_owned().into(),
            kind: resource.kind.clone().into(),
            plural: resource.name.clone().into(),
            namespaced: resource.namespaced,
        })
        .collect()
}

/// Items of a list do not say what they are.
fn with_type(mut item: Json, api: &ApiType) -> Json {
    item["apiVersion"] = api.api_version.as_ref().into();
    item["kind"] = api.kind.as_ref().into();
    item
}

fn refused(failure: Failure) -> Refusal {
    Refusal { failure, conflicts: Vec::new() }
}

/// A request that cannot be written down: an impossible name.
fn broken(action: &str, error: &kube::core::request::Error) -> Failure {
    own(Class::Invalid, action, error.to_string())
}

/// An answer that did not come in time.
fn silent(action: &str) -> Failure {
    own(Class::UnknownOutcome, action, format!("no answer within {} seconds", ANSWER.as_secs()))
}
