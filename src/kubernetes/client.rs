//! The connection to one API server: requests for manifests, with answers or classified failures.

use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::APIResource;
use kube::Client;
use kube::api::{DeleteParams, GetParams, ListParams, Patch, PatchParams, Preconditions};
use kube::core::Request;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::access::ApiAccess;
use super::failure::{ApiRefusal, CONNECT, classify, own, retry_after};
use super::object_ref::{JsonObject, ObjectRef};
use super::typed::{ReadType, api};
use crate::engine::{ChangeCounter, Failure, FailureClass};
use crate::resource::ApiType;

/// The field manager of the fields that Quorate sets.
pub(super) const MANAGER: &str = "quorate";
/// The field manager that holds fields that Quorate gives up, until another manager sets them.
pub(super) const HEIR: &str = "quorate-handover";
/// Number of objects in one page of a list.
const PAGE: u32 = 500;
/// Maximum number of attempts of a request that the server asks to retry.
const ATTEMPTS: u32 = 4;
/// Maximum pause after such an answer, in seconds.
const LONGEST_PAUSE: u64 = 30;
/// Maximum time to wait for an answer.
pub(super) const ANSWER: Duration = Duration::from_mins(1);

/// A connection. Clones share it.
#[derive(Clone)]
pub(super) struct ApiConnection {
    pub(super) client: Client,
    server: String,
    /// Number of requests that have changed objects, or may have.
    pub(super) changes: Arc<ChangeCounter>,
}

/// The mode of an apply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ApplyMode {
    /// A real apply; fields of other managers stay theirs.
    Real,
    /// A real apply that takes over the fields of the manifest from other managers.
    Forced,
    /// A dry run that takes over the fields of other managers.
    DryRun,
    /// A dry run; fields of other managers stay theirs.
    PoliteDryRun,
    /// A real apply; the fields of the manifest are held for another manager.
    HandedOver,
}

/// The condition for an object that has created pods (a deployment) to count as removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum GoneCondition {
    /// Its pods are gone.
    GoFirst,
    /// The object is gone; its pods are removed after it.
    GoAfterwards,
}

/// The objects of a type that are requested.
#[derive(Debug, Clone, Copy)]
pub(super) struct ListQuery<'a> {
    namespace: Option<&'a str>,
    labels: Option<&'a str>,
    fields: Option<&'a str>,
    extent: ListExtent,
}

impl<'a> ListQuery<'a> {
    /// All objects.
    pub(super) const ALL: Self = Self { namespace: None, labels: None, fields: None, extent: ListExtent::Whole };

    /// Selects the objects in a namespace.
    pub(super) fn within(namespace: &'a str) -> Self {
        Self { namespace: Some(namespace), ..Self::ALL }
    }

    /// Selects the objects with these labels.
    pub(super) fn labelled(self, labels: &'a str) -> Self {
        Self { labels: Some(labels), ..self }
    }

    /// Selects the objects with these fields.
    pub(super) fn selecting(self, fields: &'a str) -> Self {
        Self { fields: Some(fields), ..self }
    }

    /// Requests their metadata only: names, labels and owners without the content.
    pub(super) fn names(self) -> Self {
        Self { extent: ListExtent::Names, ..self }
    }

    fn params(self) -> ListParams {
        let params = ListParams {
            label_selector: self.labels.map(str::to_owned),
            field_selector: self.fields.map(str::to_owned),
            ..ListParams::default()
        };
        params.limit(PAGE)
    }
}

impl std::fmt::Debug for ApiConnection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection").field("server", &self.server).finish_non_exhaustive()
    }
}

impl ApiConnection {
    /// Returns a connection that is opened with the first request.
    pub(super) fn new(access: &ApiAccess) -> Result<Self, Failure> {
        let client = Client::try_from(access.config()?).map_err(|error| classify(CONNECT, &error).failure)?;
        Ok(Self { client, server: access.server.clone(), changes: Arc::default() })
    }

    /// Checks that the server takes requests, by its own readiness check, which includes etcd.
    pub(super) async fn is_ready(&self) -> Result<(), Failure> {
        self.text("/readyz").await.map(|_| ())
    }

    /// Returns the text at a path that is no object, such as `/metrics`.
    pub(super) async fn text(&self, path: &str) -> Result<String, Failure> {
        let action = format!("get {path}");
        let request = Request::new(path).list(&ListParams::default()).map_err(|error| broken(&action, &error))?;
        match tokio::time::timeout(ANSWER, self.client.request_text(request)).await {
            Ok(Ok(text)) => Ok(text),
            Ok(Err(error)) => Err(classify(&action, &error).failure),
            Err(_) => Err(silent(&action)),
        }
    }

    /// Returns one object, if it exists.
    pub(super) async fn get(&self, place: &ObjectRef) -> Result<Option<JsonObject>, Failure> {
        match self.send(&format!("get {place}"), &place.collection(), &RequestVerb::Get(&place.name)).await {
            Ok(found) => Ok(Some(found)),
            Err(refusal) if refusal.failure.class == FailureClass::Gone => Ok(None),
            Err(refusal) => Err(refusal.failure),
        }
    }

    /// Lists the objects of a query. Returns none if the server does not have the type.
    pub(super) async fn list(&self, api: &ApiType, query: ListQuery<'_>) -> Result<Vec<JsonObject>, Failure> {
        let path = api.path(query.namespace);
        let mut found = Vec::new();
        let mut params = query.params();
        loop {
            let mut page = match self.send(&format!("list {api}"), &path, &query.extent.of(&params)).await {
                Err(refusal) if refusal.failure.class == FailureClass::Gone && found.is_empty() => return Ok(found),
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

    /// The objects of one of Kubernetes' own types that are asked for.
    pub(super) async fn read<K: ReadType>(&self, query: ListQuery<'_>) -> Result<Vec<K>, Failure> {
        let api = api::<K>();
        let found = self.list(&api, query).await?;
        found.iter().map(|object| typed(&api, object)).collect()
    }

    /// Applies the fields that the manifest sets to the object.
    pub(super) async fn apply(
        &self,
        place: &ObjectRef,
        manifest: &JsonObject,
        how: ApplyMode,
    ) -> Result<JsonObject, ApiRefusal> {
        let manager = if how == ApplyMode::HandedOver { HEIR } else { MANAGER };
        let mut params = PatchParams::apply(manager).validation_strict();
        params.force = matches!(how, ApplyMode::Forced | ApplyMode::DryRun | ApplyMode::HandedOver);
        params.dry_run = matches!(how, ApplyMode::DryRun | ApplyMode::PoliteDryRun);
        let verb = RequestVerb::Patch(&place.name, &params, Patch::Apply(manifest));
        let applied = self.send(&format!("apply {place}"), &place.collection(), &verb).await;
        if params.dry_run {
            return applied;
        }
        self.changes.count(&applied.as_ref().map_err(|refusal| refusal.failure.clone()));
        applied
    }

    /// Returns every type of the server whose objects can be listed and deleted, by discovery: one call for each
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

    /// Returns the API versions of all groups but the core group, those that the server prefers first: one call.
    pub(super) async fn versions(&self) -> Result<Vec<String>, Failure> {
        let groups = self.client.list_api_groups().await.map_err(|error| classify("discover types", &error).failure)?;
        let mut found = Vec::new();
        for group in groups.groups {
            let versions = group.preferred_version.into_iter().chain(group.versions);
            for version in versions.map(|version| version.group_version) {
                if !found.contains(&version) {
                    found.push(version);
                }
            }
        }
        Ok(found)
    }

    /// Returns the types of an API version; none if the server does not have it.
    pub(super) async fn types_of(&self, api_version: &str) -> Result<Vec<ApiType>, Failure> {
        match self.client.list_api_group_resources(api_version).await {
            Ok(found) => Ok(discovered(api_version, &found.resources)),
            Err(error) => match classify("discover types", &error).failure {
                failure if failure.class == FailureClass::Gone => Ok(Vec::new()),
                failure => Err(failure),
            },
        }
    }

    /// Starts the deletion of an object, and of what it created. With a uid: only of that very object.
    pub(super) async fn delete(
        &self,
        place: &ObjectRef,
        uid: Option<&str>,
        pods: GoneCondition,
    ) -> Result<(), Failure> {
        let mut params = match pods {
            GoneCondition::GoFirst => DeleteParams::foreground(),
            GoneCondition::GoAfterwards => DeleteParams::background(),
        };
        if let Some(uid) = uid {
            params.preconditions = Some(Preconditions { resource_version: None, uid: Some(uid.to_owned()) });
        }
        let verb = RequestVerb::Delete(&place.name, &params);
        let deleted = self.send(&format!("delete {place}"), &place.collection(), &verb).await;
        let deleted = deleted.map(drop).map_err(|refusal| refusal.failure);
        self.changes.count(&deleted);
        deleted
    }

    /// Sends a request, and retries it if the server asks for that.
    async fn send(&self, action: &str, path: &str, verb: &RequestVerb<'_>) -> Result<JsonObject, ApiRefusal> {
        let request = Request::new(path);
        let mut attempt = 1;
        loop {
            let request = match verb {
                RequestVerb::Get(name) => request.get(name, &GetParams::default()),
                RequestVerb::List(params) => request.list(params),
                RequestVerb::ListNames(params) => request.list_metadata(params),
                RequestVerb::Patch(name, params, body) => request.patch(name, params, body),
                RequestVerb::Delete(name, params) => request.delete(name, params),
            };
            let request = request.map_err(|error| refused(broken(action, &error)))?;
            let answer = tokio::time::timeout(ANSWER, self.client.request::<JsonObject>(request)).await;
            let error = match answer {
                Ok(Ok(answer)) => return Ok(answer),
                Ok(Err(error)) => error,
                Err(_) => return Err(refused(silent(action))),
            };
            match retry_after(&error) {
                Some(seconds) if attempt < ATTEMPTS && seconds <= LONGEST_PAUSE => {
                    tokio::time::sleep(Duration::from_secs(seconds)).await;
                    attempt += 1;
                }
                _ => return Err(classify(action, &error)),
            }
        }
    }
}

/// The request for a path.
enum RequestVerb<'a> {
    Get(&'a str),
    List(&'a ListParams),
    ListNames(&'a ListParams),
    Patch(&'a str, &'a PatchParams, Patch<&'a JsonObject>),
    Delete(&'a str, &'a DeleteParams),
}

/// The part of each object that a list returns.
#[derive(Debug, Clone, Copy)]
enum ListExtent {
    /// Everything.
    Whole,
    /// Its metadata.
    Names,
}

impl ListExtent {
    fn of(self, params: &ListParams) -> RequestVerb<'_> {
        match self {
            Self::Whole => RequestVerb::List(params),
            Self::Names => RequestVerb::ListNames(params),
        }
    }
}

/// Returns the types of an API version, without subresources and types that are not objects.
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

/// Converts an object of a list to a type.
pub(super) fn typed<T: DeserializeOwned>(api: &ApiType, object: &JsonObject) -> Result<T, Failure> {
    T::deserialize(object).map_err(|error| {
        let name = object["metadata"]["name"].as_str().unwrap_or_default();
        own(FailureClass::Invalid, &format!("list {api}"), format!("the {} {name} cannot be read: {error}", api.kind))
    })
}

/// Adds the type to an item of a list, which does not contain it.
fn with_type(mut item: JsonObject, api: &ApiType) -> JsonObject {
    item["apiVersion"] = api.api_version.as_ref().into();
    item["kind"] = api.kind.as_ref().into();
    item
}

fn refused(failure: Failure) -> ApiRefusal {
    ApiRefusal { failure, conflicts: Vec::new() }
}

/// Returns the failure for a request that cannot be built: an invalid name.
pub(super) fn broken(action: &str, error: &kube::core::request::Error) -> Failure {
    own(FailureClass::Invalid, action, error.to_string())
}

/// Returns the failure for an answer that did not arrive in time.
pub(super) fn silent(action: &str) -> Failure {
    own(FailureClass::UnknownOutcome, action, format!("no answer within {} seconds", ANSWER.as_secs()))
}
