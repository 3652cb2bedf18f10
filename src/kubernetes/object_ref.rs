//! The place of an object in the Kubernetes API.

use std::fmt;

use serde_json::Value;

use crate::resource::ApiType;

/// A manifest, or an object as the API returns it.
pub(super) type JsonObject = Value;

/// The place of one object: its type, its namespace, its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ObjectRef {
    pub(super) api: ApiType,
    pub(super) namespace: Option<String>,
    pub(super) name: String,
}

impl ObjectRef {
    /// Returns the place in a manifest of this type; `None` if it has no name.
    pub(super) fn of(api: &ApiType, manifest: &JsonObject) -> Option<Self> {
        let text = |name: &str| manifest["metadata"][name].as_str().map(str::to_owned);
        let namespace =
            if api.namespaced { Some(text("namespace").unwrap_or_else(|| "default".to_owned())) } else { None };
        Some(Self { api: api.clone(), namespace, name: text("name")? })
    }

    /// Parses an identifier that [`Display`](fmt::Display) wrote; `api` is the type that it begins with.
    pub(super) fn parse(api: &ApiType, id: &str) -> Option<Self> {
        let (_, rest) = id.split_once(' ')?;
        let (namespace, name) = match rest.split_once('/') {
            Some((namespace, name)) if api.namespaced => (Some(namespace.to_owned()), name),
            _ => (None, rest),
        };
        Some(Self { api: api.clone(), namespace, name: name.to_owned() })
    }

    /// Returns its namespace and its name, `chat/web`; for a type without namespaces its name.
    pub(super) fn name(&self) -> String {
        match &self.namespace {
            Some(namespace) => format!("{namespace}/{}", self.name),
            None => self.name.clone(),
        }
    }

    /// Returns the path of its collection.
    pub(super) fn collection(&self) -> String {
        self.api.path(self.namespace.as_deref())
    }
}

impl fmt::Display for ObjectRef {
    /// `deployments.apps chat/web`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.api, self.name())
    }
}
