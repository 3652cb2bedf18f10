//! The types of objects that are read. What is applied stays JSON: a dry run compares every field of it.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use k8s_openapi::{ClusterResourceScope, Metadata, NamespaceResourceScope, Resource, ResourceScope};
use serde::de::DeserializeOwned;

use super::object_ref::JsonObject;
use crate::resource::ApiType;

/// The scope of a type.
pub(super) trait ReadScope: ResourceScope {
    /// `true` if the objects of the type are in namespaces.
    const NAMESPACED: bool;
}

impl ReadScope for NamespaceResourceScope {
    const NAMESPACED: bool = true;
}

impl ReadScope for ClusterResourceScope {
    const NAMESPACED: bool = false;
}

/// One of Kubernetes' own types.
pub(super) trait ReadType: Resource<Scope: ReadScope> + Metadata<Ty = ObjectMeta> + DeserializeOwned {}

impl<K: Resource<Scope: ReadScope> + Metadata<Ty = ObjectMeta> + DeserializeOwned> ReadType for K {}

/// A type's names in the API.
pub(super) fn api<K: ReadType>() -> ApiType {
    ApiType::known(K::API_VERSION, K::KIND, K::URL_PATH_SEGMENT, <K::Scope as ReadScope>::NAMESPACED)
}

/// An object in its type; nothing for one of another type.
pub(super) fn as_type<K: ReadType>(object: &JsonObject) -> Option<K> {
    let is = |field: &str, wanted: &str| object[field].as_str() == Some(wanted);
    if !is("apiVersion", K::API_VERSION) || !is("kind", K::KIND) {
        return None;
    }
    K::deserialize(object).ok()
}

/// A label's value.
pub(super) fn label<'a>(metadata: &'a ObjectMeta, name: &str) -> Option<&'a str> {
    metadata.labels.as_ref()?.get(name).map(String::as_str)
}
