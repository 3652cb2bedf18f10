//! Custom types, which are not part of Kubernetes: discovery on a server.

use super::client::{ApiConnection, ListQuery, MANAGER};
use super::object_ref::{JsonObject, ObjectRef};
use crate::engine::Failure;
use crate::resource::{API_TYPES, ApiType};

static DEFINITIONS: ApiType =
    ApiType::known("apiextensions.k8s.io/v1", "CustomResourceDefinition", "customresourcedefinitions", false);

/// Returns the type of a manifest; `None` if the server does not have it.
pub(super) async fn of(connection: &ApiConnection, manifest: &JsonObject) -> Result<Option<ApiType>, Failure> {
    let text = |name: &str| manifest[name].as_str().unwrap_or_default();
    let (api_version, kind) = (text("apiVersion"), text("kind"));
    if let Some(known) = ApiType::find(api_version, kind) {
        return Ok(Some(known.clone()));
    }
    Ok(connection.types_of(api_version).await?.into_iter().find(|api| api.kind == kind))
}

/// Returns the type at the start of an identifier, `rooms.example.com default/lobby`: a built-in type, or one whose
/// definition the server has. The definition has the name of the type.
pub(super) async fn named(connection: &ApiConnection, id: &str) -> Result<Option<ApiType>, Failure> {
    let Some((name, _)) = id.split_once(' ') else { return Ok(None) };
    if let Some(known) = API_TYPES.iter().find(|known| known.to_string() == name) {
        return Ok(Some(known.clone()));
    }
    let definition = ObjectRef { api: DEFINITIONS.clone(), namespace: None, name: name.to_owned() };
    let there = connection.get(&definition).await?;
    Ok(there.and_then(|definition| ApiType::defined(&definition).into_iter().next()))
}

/// Lists the objects with these labels of a type that is served in several versions: each in the version in which it was
/// applied, so that it can be compared with its manifest.
pub(super) async fn list(
    connection: &ApiConnection,
    versions: &[ApiType],
    labels: &str,
) -> Result<Vec<(ApiType, Vec<JsonObject>)>, Failure> {
    let Some(stored) = versions.first() else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for object in connection.list(stored, ListQuery::ALL.labelled(labels)).await? {
        let other = versions.iter().skip(1).find(|version| is_applied_as(&object, version));
        let place = other.and_then(|version| ObjectRef::of(version, &object));
        match place {
            Some(place) => {
                let converted = connection.get(&place).await?;
                found.push((place.api, converted.into_iter().collect()));
            }
            None => found.push((stored.clone(), vec![object])),
        }
    }
    Ok(found)
}

/// Returns `true` if our manifest of an object was of this version.
fn is_applied_as(object: &JsonObject, version: &ApiType) -> bool {
    let managers = object["metadata"]["managedFields"].as_array().into_iter().flatten();
    let mut ours = managers.filter(|entry| entry["manager"] == MANAGER);
    ours.any(|entry| entry["apiVersion"] == version.api_version.as_ref())
}
