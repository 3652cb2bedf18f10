//! Types that are not Kubernetes' own: what a server says of them.

use super::client::{Connection, MANAGER, Query};
use super::place::{Json, Place};
use crate::engine::Failure;
use crate::resource::{API_TYPES, ApiType};

static DEFINITIONS: ApiType =
    ApiType::known("apiextensions.k8s.io/v1", "CustomResourceDefinition", "customresourcedefinitions", false);

/// The type of a manifest; nothing if the server does not have it.
pub(super) async fn of(connection: &Connection, manifest: &Json) -> Result<Option<ApiType>, Failure> {
    let text = |name: &str| manifest[name].as_str().unwrap_or_default();
    let (api_version, kind) = (text("apiVersion"), text("kind"));
    if let Some(known) = ApiType::find(api_version, kind) {
        return Ok(Some(known.clone()));
    }
    Ok(connection.types_of(api_version).await?.into_iter().find(|api| api.kind == kind))
}

/// The type that an identifier begins with, `rooms.example.com default/lobby`: one of Kubernetes' own, or one whose
/// definition the server has. It is called like the type.
pub(super) async fn named(connection: &Connection, id: &str) -> Result<Option<ApiType>, Failure> {
    let Some((name, _)) = id.split_once(' ') else { return Ok(None) };
    if let Some(known) = API_TYPES.iter().find(|known| known.to_string() == name) {
        return Ok(Some(known.clone()));
    }
    let definition = Place { api: DEFINITIONS.clone(), namespace: None, name: name.to_owned() };
    let there = connection.get(&definition).await?;
    Ok(there.and_then(|definition| ApiType::defined(&definition).into_iter().next()))
}

/// The objects with these labels of a type that is served in several versions: each in the version in which it was
/// applied, so that it can be compared with its manifest.
pub(super) async fn list(
    connection: &Connection,
    versions: &[ApiType],
    labels: &str,
) -> Result<Vec<(ApiType, Vec<Json>)>, Failure> {
    let Some(stored) = versions.first() else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for object in connection.list(stored, Query::ALL.labelled(labels)).await? {
        let other = versions.iter().skip(1).find(|version| is_applied_as(&object, version));
        let place = other.and_then(|version| Place::of(version, &object));
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

/// Whether our manifest of an object was of this version.
fn is_applied_as(object: &Json, version: &ApiType) -> bool {
    let managers = object["metadata"]["managedFields"].as_array().into_iter().flatten();
    let mut ours = managers.filter(|entry| entry["manager"] == MANAGER);
    ours.any(|entry| entry["apiVersion"] == version.api_version.as_ref())
}
