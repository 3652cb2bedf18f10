//! What the server holds, and what it answers.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use serde_json::{Value as Json, json};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use super::defaults;
use super::http::{Reply, Request};
use super::merge::{self, Managers};
use super::schema::{Refused, Schema};

/// Where an object is: plural, namespace (empty if it has none), name.
type Key = (String, String, String);

struct Stored {
    object: Json,
    managers: Managers,
}

struct Watcher {
    target: Target,
    sender: UnboundedSender<Json>,
}

/// What a path leads to.
#[derive(Clone)]
struct Target {
    schema: &'static Schema,
    namespace: String,
    name: String,
    labels: Vec<(String, String)>,
}

pub(super) struct State {
    objects: BTreeMap<Key, Stored>,
    version: u64,
    watchers: Vec<Watcher>,
    pub(super) changes: Vec<String>,
    pub(super) ready_at_once: bool,
    pub(super) failures: Vec<(String, u16, Json)>,
}

/// Answers a request.
pub(super) fn answer(shared: &Arc<Mutex<State>>, request: &Request) -> Reply {
    let mut state = shared.lock().expect("no test panicked");
    if let Some(at) = state.failures.iter().position(|(path, ..)| request.path.contains(path.as_str())) {
        let (_, status, document) = state.failures.remove(at);
        return if status == 0 { Reply::Nothing } else { Reply::Json(status, document) };
    }
    if request.path == "/readyz" {
        return Reply::Json(200, json!("ok"));
    }
    let Some(target) = Target::of(request) else {
        return failed((404, "NotFound", "the server could not find the requested resource".to_owned()));
    };
    let answered = match request.method.as_str() {
        "GET" if request.query.get("watch").is_some_and(|watch| watch == "true") => return state.watch(target),
        "GET" if target.name.is_empty() => Ok(state.list(&target)),
        "GET" => state.get(&target).map_err(Answer::from),
        "PATCH" => state.apply(&target, request),
        "DELETE" => {
            let deleted = state.delete(&target, request);
            if deleted.is_ok() {
                let shared = Arc::clone(shared);
                let key = target.key();
                // What is deleted in the foreground is gone a moment later.
                tokio::spawn(async move {
                    tokio::task::yield_now().await;
                    shared.lock().expect("no test panicked").remove(&key);
                });
            }
            deleted.map_err(Answer::from)
        }
        _ => Err(Answer::Refused((405, "MethodNotAllowed", "the server does not allow this method".to_owned()))),
    };
    match answered {
        Ok(document) => Reply::Json(200, document),
        Err(Answer::Refused(refused)) => failed(refused),
        Err(Answer::Document(code, document)) => Reply::Json(code, document),
    }
}

/// An answer that is no yes.
enum Answer {
    Refused(Refused),
    Document(u16, Json),
}

impl From<Refused> for Answer {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}

fn refuse(code: u16, reason: &'static str, message: &str) -> Result<Json, Answer> {
    Err(Answer::Refused((code, reason, message.to_owned())))
}

fn failed((code, reason, message): Refused) -> Reply {
    Reply::Json(code, status(code, reason, &message, &json!(null)))
}

fn status(code: u16, reason: &str, message: &str, details: &Json) -> Json {
    json!({ "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": message, "reason": reason, "details": details, "code": code })
}

impl Target {
    /// `/apis/apps/v1/namespaces/chat/deployments/chat`
    fn of(request: &Request) -> Option<Self> {
        let mut steps = request.path.trim_matches('/').split('/');
        let version = match steps.next()? {
            "api" => steps.next()?.to_owned(),
            "apis" => format!("{}/{}", steps.next()?, steps.next()?),
            _ => return None,
        };
        let steps: Vec<&str> = steps.collect();
        let (namespace, plural, name) = match steps.as_slice() {
            ["namespaces", namespace, plural] => (*namespace, *plural, ""),
            ["namespaces", namespace, plural, name] => (*namespace, *plural, *name),
            [plural] => ("", *plural, ""),
            [plural, name] => ("", *plural, *name),
            _ => return None,
        };
        let labels = request.query.get("labelSelector").map(String::as_str).unwrap_or_default();
        let labels = labels.split(',').filter_map(|pair| pair.split_once('='));
        let field = request.query.get("fieldSelector").and_then(|field| field.strip_prefix("metadata.name="));
        Some(Self {
            schema: Schema::find(&version, plural)?,
            namespace: namespace.to_owned(),
            name: field.unwrap_or(name).to_owned(),
            labels: labels.map(|(key, value)| (key.to_owned(), value.to_owned())).collect(),
        })
    }

    fn key(&self) -> Key {
        (self.schema.api.plural.to_string(), self.namespace.clone(), self.name.clone())
    }

    fn matches(&self, key: &Key, object: &Json) -> bool {
        let labels = &object["metadata"]["labels"];
        key.0 == self.schema.api.plural
            && (self.namespace.is_empty() || key.1 == self.namespace)
            && (self.name.is_empty() || key.2 == self.name)
            && self.labels.iter().all(|(name, value)| labels[name] == value.as_str())
    }

    fn missing(&self) -> Refused {
        (404, "NotFound", format!("{} \"{}\" not found", self.schema.api, self.name))
    }
}

impl State {
    pub(super) fn new() -> Self {
        let mut state = Self {
            objects: BTreeMap::new(),
            version: 1,
            watchers: Vec::new(),
            changes: Vec::new(),
            ready_at_once: false,
            failures: Vec::new(),
        };
        for name in ["default", "kube-system"] {
            state.put(
                "kube-apiserver",
                json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": name } }),
            );
        }
        state
    }

    fn get(&self, target: &Target) -> Result<Json, Refused> {
        self.objects.get(&target.key()).map(Stored::shown).ok_or_else(|| target.missing())
    }

    fn list(&self, target: &Target) -> Json {
        let items = self.objects.iter().filter(|(key, stored)| target.matches(key, &stored.object));
        let items: Vec<Json> = items
            .map(|(_, stored)| {
                let mut item = stored.shown();
                // Items of a list do not say what they are.
                item.as_object_mut().expect("it is an object").retain(|name, _| name != "apiVersion" && name != "kind");
                item
            })
            .collect();
        json!({ "kind": "List", "apiVersion": "v1", "metadata": { "resourceVersion": self.version.to_string() }, "items": items })
    }

    fn watch(&mut self, target: Target) -> Reply {
        let (sender, receiver) = unbounded_channel();
        for (key, stored) in &self.objects {
            if target.matches(key, &stored.object) {
                let _ = sender.send(json!({ "type": "ADDED", "object": stored.shown() }));
            }
        }
        self.watchers.push(Watcher { target, sender });
        Reply::Lines(receiver)
    }

    fn apply(&mut self, target: &Target, request: &Request) -> Result<Json, Answer> {
        if request.content_type != "application/apply-patch+yaml" {
            return refuse(415, "UnsupportedMediaType", "only server-side apply is understood");
        }
        let query = |name: &str| request.query.get(name).map(String::as_str).unwrap_or_default();
        let manifest: Json = serde_json::from_slice(&request.body)
            .map_err(|error| Answer::Refused((400, "BadRequest", format!("error decoding patch: {error}"))))?;
        let api = &target.schema.api;
        if manifest["kind"] != api.kind.as_ref() || manifest["apiVersion"] != api.api_version.as_ref() {
            return refuse(400, "BadRequest", "the patch is for another kind");
        }
        if manifest["metadata"]["name"] != target.name.as_str() {
            return refuse(400, "BadRequest", "metadata.name does not match the path");
        }
        target.schema.check_types(&manifest, &target.name)?;
        self.check_namespace(target)?;
        let before = self.objects.get(&target.key()).map(|stored| (stored.object.clone(), stored.managers.clone()));
        let live = before.as_ref().map(|(object, _)| object);
        let managers = before.as_ref().map(|(_, managers)| managers.clone()).unwrap_or_default();
        let force = query("force") == "true";
        let merged = merge::apply(live, &managers, &manifest, query("fieldManager"), force);
        let (mut object, managers) = match merged {
            Ok(merged) => merged,
            Err(conflicts) => return Err(Answer::Document(409, conflict(&conflicts, api.api_version.as_ref()))),
        };
        defaults::fill(&mut object);
        target.schema.validate(&object, live)?;
        self.check_node_ports(target, &object)?;
        if query("dryRun") == "All" {
            self.stamp(&mut object, live);
            return Ok(Stored { object, managers }.shown());
        }
        self.changes.push(format!("apply {}/{}", api.plural, target.name));
        Ok(self.store(&target.key(), object, managers))
    }

    /// Nothing is made in a namespace that is not there, or that is on its way out.
    fn check_namespace(&self, target: &Target) -> Result<(), Refused> {
        if !target.schema.api.namespaced {
            return Ok(());
        }
        let key = ("namespaces".to_owned(), String::new(), target.namespace.clone());
        match self.objects.get(&key) {
            None => Err((404, "NotFound", format!("namespaces \"{}\" not found", target.namespace))),
            Some(_) => Ok(()),
        }
    }

    fn check_node_ports(&self, target: &Target, object: &Json) -> Result<(), Refused> {
        let ports = |object: &Json| -> Vec<i64> {
            object["spec"]["ports"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(|port| port["nodePort"].as_i64())
                .collect()
        };
        let wanted = ports(object);
        let taken = self.objects.iter().filter(|(key, _)| **key != target.key() && key.0 == "services");
        match taken.flat_map(|(_, stored)| ports(&stored.object)).find(|port| wanted.contains(port)) {
            Some(port) => Err((
                422,
                "Invalid",
                format!(
                    "Service \"{}\" is invalid: spec.ports[0].nodePort: Invalid value: {port}: provided port is already allocated",
                    target.name
                ),
            )),
            None => Ok(()),
        }
    }

    fn delete(&mut self, target: &Target, request: &Request) -> Result<Json, Refused> {
        let options: Json = serde_json::from_slice(&request.body).unwrap_or_default();
        let Some(stored) = self.objects.get_mut(&target.key()) else { return Err(target.missing()) };
        let uid = &stored.object["metadata"]["uid"];
        if options["preconditions"]["uid"].is_string() && options["preconditions"]["uid"] != *uid {
            return Err((409, "Conflict", "the UID in the precondition does not match the UID in record".to_owned()));
        }
        stored.object["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z".into();
        self.changes.push(format!("delete {}/{}", target.schema.api.plural, target.name));
        let shown = stored.shown();
        self.tell("MODIFIED", &target.key(), &shown);
        Ok(shown)
    }

    fn remove(&mut self, key: &Key) {
        let inside: Vec<Key> = match key.0.as_str() {
            "namespaces" => self.objects.keys().filter(|other| other.1 == key.2).cloned().collect(),
            _ => Vec::new(),
        };
        for key in inside.iter().chain([key]) {
            if let Some(stored) = self.objects.remove(key) {
                self.version += 1;
                self.tell("DELETED", key, &stored.shown());
            }
        }
    }

    fn store(&mut self, key: &Key, mut object: Json, managers: Managers) -> Json {
        let before = self.objects.get(key).map(|stored| stored.object.clone());
        self.stamp(&mut object, before.as_ref());
        let (kind, new) = (object["kind"].as_str().unwrap_or_default().to_owned(), before.is_none());
        let stored = Stored { object, managers };
        let shown = stored.shown();
        self.objects.insert(key.clone(), stored);
        self.tell(if new { "ADDED" } else { "MODIFIED" }, key, &shown);
        if self.ready_at_once && (kind == "Deployment" || kind == "DaemonSet") {
            self.roll_out(&kind, &key.1, &key.2);
        }
        shown
    }

    /// Writes what a server writes into `metadata`. The generation counts changes to what is wanted.
    fn stamp(&mut self, object: &mut Json, before: Option<&Json>) {
        self.version += 1;
        let metadata = |name: &str| before.map(|before| before["metadata"][name].clone());
        let uid = metadata("uid").unwrap_or_else(|| format!("00000000-0000-4000-8000-{:012x}", self.version).into());
        let generation = metadata("generation").and_then(|generation| generation.as_u64()).unwrap_or(0);
        let moved = before.is_none_or(|before| before["spec"] != object["spec"]);
        object["metadata"]["uid"] = uid;
        object["metadata"]["creationTimestamp"] = "2026-01-01T00:00:00Z".into();
        object["metadata"]["resourceVersion"] = self.version.to_string().into();
        object["metadata"]["generation"] = (generation + u64::from(moved)).into();
    }

    fn tell(&mut self, event: &str, key: &Key, object: &Json) {
        let told = json!({ "type": event, "object": object });
        self.watchers
            .retain(|watcher| !watcher.target.matches(key, object) || watcher.sender.send(told.clone()).is_ok());
    }

    fn key(kind: &str, namespace: &str, name: &str) -> Key {
        let schema = super::schema::Schema::of_kind(kind).expect("a kind that the fake knows");
        (schema.api.plural.to_string(), namespace.to_owned(), name.to_owned())
    }

    pub(super) fn find(&self, kind: &str, namespace: &str, name: &str) -> Option<Json> {
        self.objects.get(&Self::key(kind, namespace, name)).map(Stored::shown)
    }

    pub(super) fn put(&mut self, manager: &str, mut object: Json) {
        let text = |name: &str| object["metadata"][name].as_str().unwrap_or_default().to_owned();
        let key = Self::key(object["kind"].as_str().expect("a kind"), &text("namespace"), &text("name"));
        defaults::fill(&mut object);
        let mut managers = Managers::new();
        merge::take(&mut managers, &json!({}), &object, manager);
        self.store(&key, object, managers);
    }

    pub(super) fn edit(&mut self, manager: &str, kind: &str, namespace: &str, name: &str, patch: &Json) {
        let key = Self::key(kind, namespace, name);
        let stored = self.objects.remove(&key).expect("it is there");
        let mut object = stored.object.clone();
        merge_patch(&mut object, patch);
        let mut managers = stored.managers.clone();
        merge::take(&mut managers, &stored.object, &object, manager);
        self.objects.insert(key.clone(), stored);
        self.store(&key, object, managers);
    }

    pub(super) fn roll_out(&mut self, kind: &str, namespace: &str, name: &str) {
        let object = self.find(kind, namespace, name).expect("it is there");
        let wanted = object["spec"]["replicas"].as_u64().unwrap_or(1);
        let status = json!({ "status": {
            "observedGeneration": object["metadata"]["generation"],
            "replicas": wanted, "updatedReplicas": wanted, "readyReplicas": wanted, "availableReplicas": wanted,
            "desiredNumberScheduled": wanted, "updatedNumberScheduled": wanted, "numberAvailable": wanted,
            "conditions": [{ "type": "Available", "status": "True" }],
        } });
        let ready_at_once = std::mem::take(&mut self.ready_at_once);
        self.edit("kube-controller-manager", kind, namespace, name, &status);
        self.ready_at_once = ready_at_once;
    }
}

impl Stored {
    fn shown(&self) -> Json {
        let mut shown = self.object.clone();
        shown["metadata"]["managedFields"] = merge::shown(&self.managers, &self.object["apiVersion"]);
        shown
    }
}

/// A refused apply, as the document of status 409.
fn conflict(conflicts: &[merge::Conflict], api_version: &str) -> Json {
    let causes: Vec<Json> = conflicts
        .iter()
        .map(|(field, manager)| {
            json!({ "reason": "FieldManagerConflict", "field": format!(".{field}"),
                    "message": format!("conflict with \"{manager}\" using {api_version}") })
        })
        .collect();
    let message = format!("Apply failed with {} conflict(s)", causes.len());
    status(409, "Conflict", &message, &json!({ "causes": causes }))
}

fn merge_patch(object: &mut Json, patch: &Json) {
    match patch {
        Json::Object(members) => {
            if !object.is_object() {
                *object = json!({});
            }
            for (name, value) in members {
                if value.is_null() {
                    object.as_object_mut().expect("it is an object").remove(name);
                } else {
                    merge_patch(&mut object[name.as_str()], value);
                }
            }
        }
        other => *object = other.clone(),
    }
}
