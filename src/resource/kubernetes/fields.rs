//! Manifests as fields: one attribute for each leaf, so that a difference is shown as a field and not as a whole document.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value as Json;
use sha2::{Digest, Sha256};

use crate::engine::{Attributes, Value};

/// A step from an object to one of its fields.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FieldStep {
    /// A step to the field of this name.
    Field(String),
    /// A step to the list item with this key: a container's name, a port's number.
    Item(String),
}

/// The path from an object to one of its fields, written `spec.template.spec.containers[chat].image`.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FieldPath(pub Vec<FieldStep>);

/// Lists whose items have names, and the field that contains the name. Server-side apply merges them item by item; every
/// other list is one value.
const KEYED: &[(&str, &[&str])] = &[
    ("containers", &["name"]),
    ("env", &["name"]),
    ("ephemeralContainers", &["name"]),
    ("imagePullSecrets", &["name"]),
    ("initContainers", &["name"]),
    ("topologySpreadConstraints", &["topologyKey", "whenUnsatisfiable"]),
    ("volumeDevices", &["devicePath"]),
    ("volumeMounts", &["mountPath"]),
    ("volumes", &["name"]),
];

/// Maps that are one value: the manager that sets a key of one owns, and replaces, the whole map.
/// (`x-kubernetes-map-type: atomic` in the API's own schema.)
const ATOMS: &[&str] = &[
    "configMapKeyRef",
    "fieldRef",
    "labelSelector",
    "namespaceSelector",
    "nodeSelector",
    "podSelector",
    "resourceFieldRef",
    "scopeSelector",
    "secretKeyRef",
    "selector",
];

/// The fields of `metadata` that the server sets.
const BOOKKEEPING: &[&str] = &[
    "creationTimestamp",
    "deletionGracePeriodSeconds",
    "deletionTimestamp",
    "generation",
    "managedFields",
    "resourceVersion",
    "selfLink",
    "uid",
];

/// Returns the key of an item in the list of this name; `None` if the list is one value.
pub fn item_key(list: &str, item: &Json) -> Option<String> {
    let text = |name: &str| match &item[name] {
        Json::String(text) => Some(text.clone()),
        Json::Number(number) => Some(number.to_string()),
        _ => None,
    };
    if list == "ports" {
        let port = text("containerPort").or_else(|| text("port"))?;
        return Some(format!("{port}/{}", text("protocol").unwrap_or_else(|| "TCP".to_owned())));
    }
    let (_, keys) = KEYED.iter().find(|(name, _)| *name == list)?;
    let parts: Vec<String> = keys.iter().map(|key| text(key)).collect::<Option<_>>()?;
    Some(parts.join(","))
}

/// Returns `true` if the map of this name is one value.
pub fn is_atom(name: &str) -> bool {
    ATOMS.contains(&name)
}

/// Returns every leaf of a manifest with its path, without the fields that the server sets.
pub fn leaves(manifest: &Json) -> Vec<(FieldPath, &Json)> {
    let mut found = Vec::new();
    let Json::Object(members) = manifest else { return found };
    for (name, member) in members.iter().filter(|(name, _)| *name != "status") {
        let mut path = FieldPath(vec![FieldStep::Field(name.clone())]);
        match member {
            Json::Object(metadata) if name == "metadata" => {
                for (name, member) in metadata.iter().filter(|(name, _)| !BOOKKEEPING.contains(&name.as_str())) {
                    path.0.push(FieldStep::Field(name.clone()));
                    walk(name, member, &mut path, &mut found);
                    path.0.pop();
                }
            }
            _ => walk(name, member, &mut path, &mut found),
        }
    }
    found
}

fn walk<'a>(name: &str, value: &'a Json, path: &mut FieldPath, found: &mut Vec<(FieldPath, &'a Json)>) {
    match value {
        Json::Null => {}
        Json::Object(members) if !members.is_empty() && !is_atom(name) => {
            for (name, member) in members {
                path.0.push(FieldStep::Field(name.clone()));
                walk(name, member, path, found);
                path.0.pop();
            }
        }
        Json::Array(items) if !items.is_empty() => {
            let Some(keys) = items.iter().map(|item| item_key(name, item)).collect::<Option<Vec<_>>>() else {
                found.push((path.clone(), value));
                return;
            };
            for (key, item) in keys.into_iter().zip(items) {
                path.0.push(FieldStep::Item(key));
                walk("", item, path, found);
                path.0.pop();
            }
        }
        leaf => found.push((path.clone(), leaf)),
    }
}

/// Converts a manifest to attributes.
///
/// The values of environment variables and of secrets are compared by fingerprints: many variables contain secrets, and
/// plans have many readers. Fingerprints are never shown: they would allow guessing. A key of a secret becomes two
/// attributes, its existence and its value, because only the first is recorded.
pub fn attributes(manifest: &Json) -> Attributes {
    let is_secret = manifest["apiVersion"] == "v1" && manifest["kind"] == "Secret";
    let mut attributes = Attributes::new();
    for (path, leaf) in leaves(manifest) {
        match (leaf, path.0.as_slice()) {
            (Json::String(text), [FieldStep::Field(data), FieldStep::Field(key)]) if is_secret && data == "data" => {
                attributes.insert(format!("data[{key}].key"), Value::Text(key.clone()));
                attributes.insert(format!("data[{key}].value"), Value::Text(fingerprint(text)));
            }
            (Json::String(text), _) if path.is_variable() => {
                attributes.insert(path.to_string(), Value::Text(fingerprint(text)));
            }
            _ => _ = attributes.insert(path.to_string(), value(leaf)),
        }
    }
    attributes
}

/// Returns a part of a hash that is long enough to detect changes.
fn fingerprint(text: &str) -> String {
    format!("({})", hex::encode(&Sha256::digest(text)[..4]))
}

impl FieldPath {
    /// Returns `true` if the path leads to the value of an environment variable.
    fn is_variable(&self) -> bool {
        let named = |step: &FieldStep, name: &str| matches!(step, FieldStep::Field(field) if field == name);
        match self.0.as_slice() {
            [.., list, FieldStep::Item(_), value] => named(list, "env") && named(value, "value"),
            _ => false,
        }
    }
}

/// Converts a leaf to a value. A number that is not whole becomes text: attributes have no such numbers.
fn value(leaf: &Json) -> Value {
    match leaf {
        Json::Null => Value::Text(String::new()),
        Json::Bool(yes) => Value::Bool(*yes),
        Json::Number(number) => number.as_i64().map_or_else(|| Value::Text(number.to_string()), Value::Integer),
        Json::String(text) => Value::Text(text.clone()),
        Json::Array(items) => Value::List(items.iter().map(value).collect()),
        Json::Object(members) => {
            let members: BTreeMap<String, Value> =
                members.iter().map(|(name, member)| (name.clone(), value(member))).collect();
            Value::Map(members)
        }
    }
}

impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, step) in self.0.iter().enumerate() {
            match step {
                FieldStep::Field(name) if !is_plain(name) => write!(f, "[{name}]")?,
                FieldStep::Field(name) if number == 0 => f.write_str(name)?,
                FieldStep::Field(name) => write!(f, ".{name}")?,
                FieldStep::Item(key) => write!(f, "[{key}]")?,
            }
        }
        Ok(())
    }
}

/// Returns `true` if a name can follow a dot: label keys often contain dots themselves.
fn is_plain(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "_-$".contains(c))
}

#[cfg(test)]
#[allow(clippy::panic, reason = "tests")]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_leaf_is_an_attribute_under_its_own_path() {
        let manifest = json!({
            "kind": "Deployment",
            "metadata": { "name": "chat", "uid": "1", "labels": { "app.kubernetes.io/name": "chat" } },
            "spec": { "replicas": 2, "template": { "spec": { "containers": [{
                "name": "chat",
                "args": ["start", "now"],
                "env": [{ "name": "PORT", "value": "4000" }],
                "ports": [{ "containerPort": 4000 }],
                "resources": {},
            }] } } },
            "status": { "replicas": 1 },
        });
        let names: Vec<String> = attributes(&manifest).into_keys().collect();
        let container = "spec.template.spec.containers[chat]";
        assert_eq!(
            names,
            [
                "kind".to_owned(),
                "metadata.labels[app.kubernetes.io/name]".to_owned(),
                "metadata.name".to_owned(),
                "spec.replicas".to_owned(),
                format!("{container}.args"),
                format!("{container}.env[PORT].name"),
                format!("{container}.env[PORT].value"),
                format!("{container}.name"),
                format!("{container}.ports[4000/TCP].containerPort"),
                format!("{container}.resources"),
            ]
        );
    }

    #[test]
    fn a_port_is_called_the_same_before_and_after_defaulting() {
        let before = json!({ "spec": { "ports": [{ "port": 80 }] } });
        let after = json!({ "spec": { "ports": [{ "port": 80, "protocol": "TCP", "targetPort": 80 }] } });
        let after = attributes(&after);
        assert!(attributes(&before).keys().all(|name| after.contains_key(name)));
    }

    #[test]
    fn a_variable_is_shown_as_a_fingerprint() {
        let manifest =
            |value: &str| json!({ "spec": { "env": [{ "name": "TOKEN", "value": value }], "value": value } });
        let reported = format!("{:?}", attributes(&manifest("hunter2")));
        assert_eq!(reported.matches("hunter2").count(), 1, "a field of the same name elsewhere is shown: {reported}");
        assert_ne!(
            attributes(&manifest("a"))["spec.env[TOKEN].value"],
            attributes(&manifest("b"))["spec.env[TOKEN].value"]
        );
    }

    #[test]
    fn a_secret_is_shown_by_its_keys() {
        let manifest = json!({ "apiVersion": "v1", "kind": "Secret", "data": { "tls.key": "aHVudGVyMg==" } });
        let reported = attributes(&manifest);
        assert_eq!(reported["data[tls.key].key"], Value::Text("tls.key".to_owned()));
        assert!(
            reported.contains_key("data[tls.key].value") && !format!("{reported:?}").contains("aHVudGVyMg"),
            "{reported:?}"
        );
    }

    #[test]
    fn a_selector_is_one_value() {
        let manifest = json!({ "spec": { "selector": { "app": "chat", "team": "them" } } });
        let reported = attributes(&manifest);
        let Some(Value::Map(selector)) = reported.get("spec.selector") else { panic!("{reported:?}") };
        assert_eq!(selector.len(), 2, "a label that somebody adds is a difference");
    }

    #[test]
    fn a_list_without_keys_is_one_value() {
        let manifest = json!({ "spec": { "ports": [{ "name": "no number" }], "rules": [1, 2] } });
        let names: Vec<String> = attributes(&manifest).into_keys().collect();
        assert_eq!(names, ["spec.ports", "spec.rules"]);
    }
}
