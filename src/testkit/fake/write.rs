//! Requests that change something.

use serde_json::Value as Json;

use super::answer::{ErrorAnswer, conflict, leaving, refuse};
use super::http::HttpRequest;
use super::schema::SchemaRefusal;
use super::state::{FakeObject, ServerState};
use super::target::{ObjectKey, RequestTarget};
use super::{defaults, merge};

impl ServerState {
    pub(super) fn apply(&mut self, target: &RequestTarget, request: &HttpRequest) -> Result<Json, ErrorAnswer> {
        if request.content_type != "application/apply-patch+yaml" {
            return refuse(415, "UnsupportedMediaType", "only server-side apply is understood");
        }
        let query = |name: &str| request.query.get(name).map(String::as_str).unwrap_or_default();
        let manifest: Json = serde_json::from_slice(&request.body)
            .map_err(|error| ErrorAnswer::Refused((400, "BadRequest", format!("error decoding patch: {error}"))))?;
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
            Err(conflicts) => return Err(ErrorAnswer::Document(409, conflict(&conflicts, api.api_version.as_ref()))),
        };
        defaults::fill(&mut object);
        self.give_ports(&target.key(), &mut object);
        target.schema.validate(&object, live)?;
        self.check_service(&target.key(), &object, live)?;
        if query("dryRun") == "All" {
            self.stamp(&mut object, live);
            return Ok(FakeObject { object, managers }.shown());
        }
        self.changes.push(format!("apply {}/{}", api.plural, target.name));
        Ok(self.store(&target.key(), object, managers))
    }

    /// Rejects objects in a namespace that does not exist, or that is being deleted.
    fn check_namespace(&self, target: &RequestTarget) -> Result<(), ErrorAnswer> {
        if !target.schema.api.namespaced {
            return Ok(());
        }
        let name = &target.namespace;
        let key = ("namespaces".to_owned(), String::new(), name.clone());
        match self.objects.get(&key) {
            None => Err(ErrorAnswer::Refused((404, "NotFound", format!("namespaces \"{name}\" not found")))),
            Some(stored) if stored.object["metadata"]["deletionTimestamp"].is_string() => match self.get(target) {
                Ok(_) => Ok(()),
                Err(_) => Err(ErrorAnswer::Document(403, leaving(target))),
            },
            Some(_) => Ok(()),
        }
    }

    pub(super) fn delete(&mut self, target: &RequestTarget, request: &HttpRequest) -> Result<Json, SchemaRefusal> {
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

    pub(super) fn remove(&mut self, key: &ObjectKey) {
        let inside: Vec<ObjectKey> = match key.0.as_str() {
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
}
