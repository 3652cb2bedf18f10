//! The target of a request path.

use serde_json::Value as Json;

use super::http::HttpRequest;
use super::schema::{KindSchema, SchemaRefusal};

/// The key of an object: plural, namespace (empty if it has none), name.
pub(super) type ObjectKey = (String, String, String);

/// The target of a path.
#[derive(Clone)]
pub(super) struct RequestTarget {
    pub(super) schema: &'static KindSchema,
    pub(super) namespace: String,
    pub(super) name: String,
    labels: Vec<(String, String)>,
    /// The node of the pods that are requested.
    node: Option<String>,
}

impl RequestTarget {
    /// `/apis/apps/v1/namespaces/chat/deployments/chat`
    pub(super) fn of(request: &HttpRequest, mut types: impl Iterator<Item = &'static KindSchema>) -> Option<Self> {
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
        let selected = |field| request.query.get("fieldSelector").and_then(|selector| selector.strip_prefix(field));
        let (field, node) = (selected("metadata.name="), selected("spec.nodeName="));
        Some(Self {
            schema: types.find(|known| known.api.api_version == version && known.api.plural == plural)?,
            namespace: namespace.to_owned(),
            name: field.unwrap_or(name).to_owned(),
            node: node.map(str::to_owned),
            labels: labels.map(|(key, value)| (key.to_owned(), value.to_owned())).collect(),
        })
    }

    pub(super) fn key(&self) -> ObjectKey {
        (self.schema.api.plural.to_string(), self.namespace.clone(), self.name.clone())
    }

    pub(super) fn matches(&self, key: &ObjectKey, object: &Json) -> bool {
        let labels = &object["metadata"]["labels"];
        key.0 == self.schema.api.plural
            && (self.namespace.is_empty() || key.1 == self.namespace)
            && (self.name.is_empty() || key.2 == self.name)
            && self.node.as_ref().is_none_or(|node| object["spec"]["nodeName"] == node.as_str())
            && self.labels.iter().all(|(name, value)| labels[name] == value.as_str())
    }

    pub(super) fn missing(&self) -> SchemaRefusal {
        (404, "NotFound", format!("{} \"{}\" not found", self.schema.api, self.name))
    }
}
