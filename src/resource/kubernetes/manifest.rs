//! A manifest as an object of the engine.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::fields;
use crate::engine::{Address, Object, Payload};
use crate::resource::{CLUSTER_TAG, OBJECT_TAG};

/// The object that a manifest describes, marked as this cluster's: by a label, by which it is found and pruned, and by an
/// annotation, as an address is longer than a label may be.
///
/// The attributes are what is compared and shown; the payload is what is sent.
pub fn manifest_object(cluster: &str, address: Address, mut manifest: Json) -> Object {
    let metadata = &mut manifest["metadata"];
    for (name, key, value) in [
        ("labels", CLUSTER_TAG, cluster.to_owned()),
        ("labels", "app.kubernetes.io/managed-by", "quorate".to_owned()),
        ("annotations", OBJECT_TAG, address.to_string()),
    ] {
        if !metadata[name].is_object() {
            metadata[name] = json!({});
        }
        metadata[name][key] = value.into();
    }
    Object {
        address,
        attributes: fields(&manifest),
        depends_on: BTreeSet::new(),
        lane: None,
        payload: Some(Payload(Arc::from(manifest.to_string().into_bytes()))),
    }
}

/// The manifest of an object; nothing if it has none.
pub fn manifest_of(object: &Object) -> Option<Json> {
    serde_json::from_slice(&object.payload.as_ref()?.0).ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::engine::Value;

    #[test]
    fn an_object_says_whose_it_is() {
        let manifest = json!({ "kind": "Service", "metadata": { "name": "chat", "labels": { "app": "chat" } } });
        let object = manifest_object("chat.example.com", Address::new("service", "chat"), manifest);
        let text = |name: &str| object.attributes.get(name).and_then(Value::as_text);
        assert_eq!(text("metadata.labels[quorate.dev/cluster]"), Some("chat.example.com"));
        assert_eq!(text("metadata.annotations[quorate.dev/object]"), Some("service/chat"));
        assert_eq!(text("metadata.labels.app"), Some("chat"));
        assert_eq!(manifest_of(&object).unwrap()["metadata"]["labels"]["app"], "chat");
    }
}
