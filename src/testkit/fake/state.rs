//! The state of the server.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use super::defaults;
use super::http::HttpReply;
use super::merge::{self, FieldManagers};
use super::schema::{self, KindSchema, SchemaRefusal};
use super::target::{ObjectKey, RequestTarget};

pub(super) struct FakeObject {
    pub(super) object: Json,
    pub(super) managers: FieldManagers,
}

struct FakeWatcher {
    target: RequestTarget,
    sender: UnboundedSender<Json>,
}

/// A change by another actor.
pub(super) type OutsideChange = Box<dyn FnOnce(&mut ServerState) + Send>;

pub(super) struct ServerState {
    pub(super) objects: BTreeMap<ObjectKey, FakeObject>,
    pub(super) version: u64,
    watchers: Vec<FakeWatcher>,
    pub(super) requests: Vec<String>,
    pub(super) changes: Vec<String>,
    pub(super) ready_at_once: bool,
    pub(super) failures: Vec<(String, u16, Json)>,
    /// A change that is made once this many more requests have been answered, before the next one is read.
    pub(super) meanwhile: Option<(usize, OutsideChange)>,
    /// The metrics of the server, in the text format of Prometheus.
    pub(super) metrics: String,
    /// What the containers of each pod wrote, by the pod's name.
    pub(super) logs: BTreeMap<String, String>,
    /// The types that custom definitions have created.
    pub(super) custom: Vec<&'static KindSchema>,
}

impl ServerState {
    pub(super) fn new() -> Self {
        let mut state = Self {
            objects: BTreeMap::new(),
            version: 1,
            watchers: Vec::new(),
            requests: Vec::new(),
            changes: Vec::new(),
            ready_at_once: false,
            failures: Vec::new(),
            meanwhile: None,
            metrics: String::new(),
            logs: BTreeMap::new(),
            custom: Vec::new(),
        };
        for name in ["default", "kube-system"] {
            state.put(
                "kube-apiserver",
                json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": name } }),
            );
        }
        state
    }

    pub(super) fn get(&self, target: &RequestTarget) -> Result<Json, SchemaRefusal> {
        self.objects.get(&target.key()).map(FakeObject::shown).ok_or_else(|| target.missing())
    }

    pub(super) fn list(&self, target: &RequestTarget) -> Json {
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

    pub(super) fn watch(&mut self, target: RequestTarget) -> HttpReply {
        let (sender, receiver) = unbounded_channel();
        for (key, stored) in &self.objects {
            if target.matches(key, &stored.object) {
                let _ = sender.send(json!({ "type": "ADDED", "object": stored.shown() }));
            }
        }
        self.watchers.push(FakeWatcher { target, sender });
        HttpReply::Lines(receiver)
    }

    pub(super) fn store(&mut self, key: &ObjectKey, mut object: Json, managers: FieldManagers) -> Json {
        let before = self.objects.get(key).map(|stored| stored.object.clone());
        self.stamp(&mut object, before.as_ref());
        let (kind, new) = (object["kind"].as_str().unwrap_or_default().to_owned(), before.is_none());
        let stored = FakeObject { object, managers };
        let shown = stored.shown();
        self.objects.insert(key.clone(), stored);
        self.tell(if new { "ADDED" } else { "MODIFIED" }, key, &shown);
        if kind == "CustomResourceDefinition" {
            self.custom.extend(if new { schema::defined(&shown) } else { Vec::new() });
        }
        if self.ready_at_once
            && ["Deployment", "StatefulSet", "DaemonSet", "Job", "CustomResourceDefinition"].contains(&kind.as_str())
        {
            self.roll_out(&kind, &key.1, &key.2);
        }
        shown
    }

    /// Sets the fields of `metadata` that a server sets. The generation counts changes to the spec.
    pub(super) fn stamp(&mut self, object: &mut Json, before: Option<&Json>) {
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

    pub(super) fn tell(&mut self, event: &str, key: &ObjectKey, object: &Json) {
        let reported = json!({ "type": event, "object": object });
        self.watchers
            .retain(|watcher| !watcher.target.matches(key, object) || watcher.sender.send(reported.clone()).is_ok());
    }

    /// Returns every type.
    pub(super) fn types(&self) -> impl Iterator<Item = &'static KindSchema> {
        KindSchema::all().chain(self.custom.iter().copied())
    }

    /// Counts an answered request.
    pub(super) fn answered(&mut self) {
        match self.meanwhile.take() {
            Some((left, deed)) if left <= 1 => deed(self),
            meanwhile => self.meanwhile = meanwhile.map(|(left, deed)| (left - 1, deed)),
        }
    }

    pub(super) fn key(&self, kind: &str, namespace: &str, name: &str) -> ObjectKey {
        let schema = self.types().find(|schema| schema.api.kind == kind).expect("a kind that the fake knows");
        (schema.api.plural.to_string(), namespace.to_owned(), name.to_owned())
    }

    pub(super) fn find(&self, kind: &str, namespace: &str, name: &str) -> Option<Json> {
        self.objects.get(&self.key(kind, namespace, name)).map(FakeObject::shown)
    }

    pub(super) fn put(&mut self, manager: &str, mut object: Json) {
        let text = |name: &str| object["metadata"][name].as_str().unwrap_or_default().to_owned();
        let key = self.key(object["kind"].as_str().expect("a kind"), &text("namespace"), &text("name"));
        defaults::fill(&mut object);
        let mut managers = FieldManagers::new();
        merge::take(&mut managers, &json!({}), &object, manager);
        self.store(&key, object, managers);
    }

    pub(super) fn edit(&mut self, manager: &str, kind: &str, namespace: &str, name: &str, patch: &Json) {
        let key = self.key(kind, namespace, name);
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
            "conditions": [{ "type": "Available", "status": "True" }, { "type": "Established", "status": "True" }],
        } });
        let ended = json!({ "status": { "succeeded": 1, "conditions": [{ "type": "Complete", "status": "True" }] } });
        let status = if kind == "Job" { ended } else { status };
        let ready_at_once = std::mem::take(&mut self.ready_at_once);
        self.edit("kube-controller-manager", kind, namespace, name, &status);
        self.ready_at_once = ready_at_once;
    }
}

impl FakeObject {
    pub(super) fn shown(&self) -> Json {
        let mut shown = self.object.clone();
        let mut managed = merge::shown(&self.managers, &self.object["apiVersion"]);
        // Entries that a test has put into the object: of managers that wrote it in another API version.
        let given = self.object["metadata"]["managedFields"].as_array().cloned().unwrap_or_default();
        managed.as_array_mut().expect("it is a list").extend(given);
        shown["metadata"]["managedFields"] = managed;
        shown
    }
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
