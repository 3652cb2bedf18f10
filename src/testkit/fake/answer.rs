//! A request and its answer.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use serde_json::{Value as Json, json};

use super::http::{HttpReply, HttpRequest};
use super::merge;
use super::schema::SchemaRefusal;
use super::state::ServerState;
use super::target::RequestTarget;

/// Answers a request.
pub(super) fn answer(shared: &Arc<Mutex<ServerState>>, request: &HttpRequest) -> HttpReply {
    let mut state = shared.lock().expect("no test panicked");
    let reply = reply(shared, &mut state, request);
    state.answered();
    reply
}

fn reply(shared: &Arc<Mutex<ServerState>>, state: &mut ServerState, request: &HttpRequest) -> HttpReply {
    state.requests.push(format!("{} {}", request.method, request.path));
    if let Some(at) = state.failures.iter().position(|(path, ..)| request.path.contains(path.as_str())) {
        let (_, status, document) = state.failures.remove(at);
        return if status == 0 { HttpReply::Nothing } else { HttpReply::Json(status, document) };
    }
    if request.path == "/readyz" {
        return HttpReply::Json(200, json!("ok"));
    }
    if request.path == "/metrics" {
        return HttpReply::Text(state.metrics.clone());
    }
    if let Some(pod) = request.path.strip_suffix("/log").and_then(|path| path.rsplit('/').next()) {
        return HttpReply::Text(state.logs.get(pod).cloned().unwrap_or_default());
    }
    if let Some(reported) = discovery(&request.path, state) {
        return HttpReply::Json(200, reported);
    }
    let Some(target) = RequestTarget::of(request, state.types()) else {
        return failed((404, "NotFound", "the server could not find the requested resource".to_owned()));
    };
    let answered = match request.method.as_str() {
        "GET" if request.query.get("watch").is_some_and(|watch| watch == "true") => return state.watch(target),
        "GET" if target.name.is_empty() => Ok(state.list(&target)),
        "GET" => state.get(&target).map_err(ErrorAnswer::from),
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
            deleted.map_err(ErrorAnswer::from)
        }
        _ => Err(ErrorAnswer::Refused((405, "MethodNotAllowed", "the server does not allow this method".to_owned()))),
    };
    match answered {
        Ok(document) => HttpReply::Json(200, document),
        Err(ErrorAnswer::Refused(refused)) => failed(refused),
        Err(ErrorAnswer::Document(code, document)) => HttpReply::Json(code, document),
    }
}

/// Returns the list of types.
fn discovery(path: &str, state: &ServerState) -> Option<Json> {
    let resources = |version: &str| -> Vec<Json> {
        let known = state.types().filter(|schema| schema.api.api_version == version);
        known
            .map(|schema| {
                let api = &schema.api;
                json!({ "name": api.plural, "kind": api.kind, "namespaced": api.namespaced, "singularName": "",
                        "verbs": ["get", "list", "watch", "patch", "delete"] })
            })
            .collect()
    };
    let versions: BTreeSet<&str> = state.types().map(|schema| schema.api.api_version.as_ref()).collect();
    if path == "/apis" {
        let groups = versions.iter().filter_map(|version| Some((version, version.split_once('/')?))).map(
            |(full, (group, version))| {
                let version = json!({ "groupVersion": full, "version": version });
                json!({ "name": group, "versions": [version], "preferredVersion": version })
            },
        );
        return Some(json!({ "kind": "APIGroupList", "apiVersion": "v1", "groups": groups.collect::<Vec<_>>() }));
    }
    let version = path.strip_prefix("/apis/").or_else(|| path.strip_prefix("/api/"))?;
    let resources = versions.contains(version).then(|| resources(version))?;
    Some(json!({ "kind": "APIResourceList", "apiVersion": "v1", "groupVersion": version, "resources": resources }))
}

/// An answer other than success.
pub(super) enum ErrorAnswer {
    Refused(SchemaRefusal),
    Document(u16, Json),
}

impl From<SchemaRefusal> for ErrorAnswer {
    fn from(refused: SchemaRefusal) -> Self {
        Self::Refused(refused)
    }
}

pub(super) fn refuse(code: u16, reason: &'static str, message: &str) -> Result<Json, ErrorAnswer> {
    Err(ErrorAnswer::Refused((code, reason, message.to_owned())))
}

fn failed((code, reason, message): SchemaRefusal) -> HttpReply {
    HttpReply::Json(code, status(code, reason, &message, &json!(null)))
}

fn status(code: u16, reason: &str, message: &str, details: &Json) -> Json {
    json!({ "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": message, "reason": reason, "details": details, "code": code })
}

/// Returns the document of status 409 for a refused apply.
pub(super) fn conflict(conflicts: &[merge::MergeConflict], api_version: &str) -> Json {
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

/// Returns the refusal to create an object in a namespace that is being deleted.
pub(super) fn leaving(target: &RequestTarget) -> Json {
    let (name, namespace) = (&target.name, &target.namespace);
    let message = format!(
        "{} \"{name}\" is forbidden: unable to create new content in namespace {namespace} because it is being terminated",
        target.schema.api
    );
    let cause = json!({ "reason": "NamespaceTerminating", "field": "metadata.namespace",
                        "message": format!("namespace {namespace} is being terminated") });
    status(403, "Forbidden", &message, &json!({ "causes": [cause] }))
}
