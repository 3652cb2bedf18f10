//! The documents of a manifest, each with its type.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value as Json, json};

use crate::blueprint::BlueprintProblem;
use crate::resource::ApiType;
use crate::spec::{read_yaml, unfolded};

/// A type that an add-on of the file defines, and the name of that add-on.
pub(super) struct CustomDefinition {
    pub(super) addon: String,
    api: ApiType,
}

/// A document of a known type.
pub(super) struct AddonDocument {
    pub(super) api: ApiType,
    /// The add-on that defines its type, if any.
    pub(super) defined_by: Option<String>,
    pub(super) manifest: Json,
}

/// Parses the documents of a manifest.
pub(super) fn read(addon: &str, text: &str) -> Result<Vec<Json>, BlueprintProblem> {
    let documents = read_yaml(text).map_err(|error| {
        let line = text[..error.place.start].matches('\n').count() + 1;
        unreadable(addon, format!("line {line}: {error}"))
    })?;
    Ok(documents.into_iter().flat_map(unfolded).filter(|document| !document.is_null()).collect())
}

/// Returns the types that the documents of an add-on define.
pub(super) fn definitions(addon: &str, documents: &[Json]) -> Vec<CustomDefinition> {
    let made = documents.iter().filter(|document| document["kind"] == "CustomResourceDefinition");
    let types = made.flat_map(ApiType::defined);
    types.map(|api| CustomDefinition { addon: addon.to_owned(), api }).collect()
}

/// Returns a document with its type, in the form in which an API server returns it.
pub(super) fn typed(
    addon: &str,
    mut manifest: Json,
    definitions: &[CustomDefinition],
) -> Result<AddonDocument, BlueprintProblem> {
    let text = |field: &Json| field.as_str().unwrap_or_default().to_owned();
    let (api_version, kind) = (text(&manifest["apiVersion"]), text(&manifest["kind"]));
    let custom = definitions.iter().find(|known| known.api.api_version == api_version && known.api.kind == kind);
    let known = ApiType::find(&api_version, &kind);
    let Some(api) = known.or_else(|| custom.map(|definition| &definition.api)).cloned() else {
        return Err(BlueprintProblem::AddonType { addon: addon.to_owned(), what: format!("{kind} of {api_version}") });
    };
    if manifest["metadata"]["name"].as_str().is_none_or(str::is_empty) {
        return Err(unreadable(addon, format!("a {kind} has no metadata.name")));
    }
    settle(&mut manifest, &api);
    let defined_by = custom.filter(|_| known.is_none()).map(|definition| definition.addon.clone());
    Ok(AddonDocument { api, defined_by, manifest })
}

/// Adds the values that an API server would assume: the default namespace, and encoded secret values.
fn settle(manifest: &mut Json, api: &ApiType) {
    if !api.namespaced {
        // Charts give a namespace to everything.
        manifest["metadata"].as_object_mut().and_then(|metadata| metadata.remove("namespace"));
    } else if manifest["metadata"]["namespace"].is_null() {
        manifest["metadata"]["namespace"] = "default".into();
    }
    if api.kind == "Secret" {
        encode(manifest);
    }
}

/// Encodes plain values of a secret as the server stores them: otherwise a key that leaves the file would stay there.
fn encode(secret: &mut Json) {
    let plain = secret.as_object_mut().and_then(|secret| secret.remove("stringData"));
    let Some(Json::Object(plain)) = plain else { return };
    let encoded: Map<String, Json> =
        plain.into_iter().filter_map(|(key, value)| Some((key, STANDARD.encode(value.as_str()?).into()))).collect();
    match secret["data"].as_object_mut() {
        Some(data) => data.extend(encoded),
        None => secret["data"] = json!(encoded),
    }
}

fn unreadable(addon: &str, why: String) -> BlueprintProblem {
    BlueprintProblem::AddonUnreadable { addon: addon.to_owned(), why }
}
