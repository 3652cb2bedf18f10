//! Manifests as objects of the engine.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::fields;
use crate::engine::{Address, Attributes, Object, Payload};
use crate::resource::{CLUSTER_TAG, OBJECT_TAG};

/// The label that names the program which manages an object.
pub const MANAGED_BY: &str = "app.kubernetes.io/managed-by";
/// The annotation with the location of an object: a copy, or one that was restored at another location, is not ours.
pub const PLACE_TAG: &str = "quorate.dev/place";
/// The namespace of objects that name none.
pub const DEFAULT_NAMESPACE: &str = "default";

/// Returns the object of a manifest, marked as this cluster's: by a label, by which it is found and pruned, and by
/// annotations with its address and its location, because an address can be longer than a label.
///
/// The attributes are compared and shown; the payload is sent.
pub fn manifest_object(cluster: &str, address: Address, mut manifest: Json) -> Object {
    let place = manifest_place(&manifest);
    let metadata = &mut manifest["metadata"];
    for (name, key, value) in [
        ("labels", CLUSTER_TAG, cluster.to_owned()),
        ("labels", MANAGED_BY, "quorate".to_owned()),
        ("annotations", OBJECT_TAG, address.to_string()),
        ("annotations", PLACE_TAG, place),
    ] {
        if !metadata[name].is_object() {
            metadata[name] = json!({});
        }
        metadata[name][key] = value.into();
    }
    let object =
        Object { address, attributes: Attributes::new(), depends_on: BTreeSet::new(), lane: None, payload: None };
    with_manifest(object, &manifest)
}

/// Returns the same object with another manifest.
pub fn with_manifest(object: Object, manifest: &Json) -> Object {
    let payload = Payload(Arc::from(manifest.to_string().into_bytes()));
    Object { attributes: fields(manifest), payload: Some(payload), ..object }
}

/// Returns the address that a manifest, or an object from the API, is marked with; `None` if it has no mark, or the mark of
/// an object at another location.
pub fn marked(cluster: &str, object: &Json) -> Option<Address> {
    let metadata = &object["metadata"];
    let here = metadata["annotations"][PLACE_TAG].as_str().is_none_or(|marked| marked == manifest_place(object));
    if metadata["labels"][CLUSTER_TAG] != cluster || !here {
        return None;
    }
    metadata["annotations"][OBJECT_TAG].as_str()?.parse().ok()
}

/// Returns the location of an object: `Deployment.apps chat`, or `Deployment.apps site/chat` outside the default namespace.
pub fn manifest_place(object: &Json) -> String {
    let text = |value: &Json| value.as_str().unwrap_or_default().to_owned();
    let group = text(&object["apiVersion"]).split_once('/').map(|(group, _)| format!(".{group}")).unwrap_or_default();
    let namespace = text(&object["metadata"]["namespace"]);
    let within =
        if namespace.is_empty() || namespace == DEFAULT_NAMESPACE { String::new() } else { format!("{namespace}/") };
    format!("{}{group} {within}{}", text(&object["kind"]), text(&object["metadata"]["name"]))
}

/// Returns the manifest of an object; `None` if it has none.
pub fn manifest_of(object: &Object) -> Option<Json> {
    serde_json::from_slice(&object.payload.as_ref()?.0).ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::engine::Value;

    #[test]
    fn an_object_carries_its_owner() {
        let manifest = json!({ "kind": "Service", "metadata": { "name": "chat", "labels": { "app": "chat" } } });
        let object = manifest_object("chat.example.com", Address::new("service", "chat"), manifest);
        let text = |name: &str| object.attributes.get(name).and_then(Value::as_text);
        assert_eq!(text("metadata.labels[quorate.dev/cluster]"), Some("chat.example.com"));
        assert_eq!(text("metadata.annotations[quorate.dev/object]"), Some("service/chat"));
        assert_eq!(text("metadata.labels.app"), Some("chat"));
        assert_eq!(manifest_of(&object).unwrap()["metadata"]["labels"]["app"], "chat");
    }

    #[test]
    fn a_copy_is_not_the_object() {
        let manifest = json!({ "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": "chat" } });
        let object = manifest_object("chat.example.com", Address::new("deployment", "chat"), manifest);
        let mut reported = manifest_of(&object).unwrap();
        reported["metadata"]["namespace"] = "default".into();
        assert_eq!(marked("chat.example.com", &reported), Some(Address::new("deployment", "chat")));
        assert_eq!(marked("other.example.com", &reported), None);
        for (field, value) in [("name", "chat-copy"), ("namespace", "restored")] {
            let mut copy = reported.clone();
            copy["metadata"][field] = value.into();
            assert_eq!(marked("chat.example.com", &copy), None, "{field}");
        }
        reported["kind"] = "StatefulSet".into();
        assert_eq!(marked("chat.example.com", &reported), None);
    }
}
