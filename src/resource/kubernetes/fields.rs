//! A manifest as fields: one attribute a leaf, so that what differs is a field and not a page.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value as Json;
use sha2::{Digest, Sha256};

use crate::engine::{Attributes, Value};

/// A step from an object to one of its fields.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// Into a field of this name.
    Field(String),
    /// To the item of a list that has this key: a container's name, a port's number.
    Item(String),
}

/// The way from an object to one of its fields, written `spec.template.spec.containers[chat].image`.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Path(pub Vec<Step>);

/// Lists whose items have names, and the field that holds it. Server-side apply merges them item by item; every other
/// list is one value.
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

/// Maps that are one value: who sets a key of one holds, and replaces, all of it. (`x-kubernetes-map-type: atomic` in the
/// API's own schema.)
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

/// What the server writes into `metadata` by itself.
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

/// The key of an item in the list of this name; nothing if the list is one value.
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

/// Whether the map of this name is one value.
pub fn is_atom(name: &str) -> bool {
    ATOMS.contains(&name)
}

/// Every leaf of a manifest with the way to it, without what the server writes by itself.
pub fn leaves(manifest: &Json) -> Vec<(Path, &Json)> {
    let mut found = Vec::new();
    let Json::Object(members) = manifest else { return found };
    for (name, member) in members.iter().filter(|(name, _)| *name != "status") {
        let mut path = Path(vec![Step::Field(name.clone())]);
        match member {
            Json::Object(metadata) if name == "metadata" => {
                for (name, member) in metadata.iter().filter(|(name, _)| !BOOKKEEPING.contains(&name.as_str())) {
                    path.0.push(Step::Field(name.clone()));
                    walk(name, member, &mut path, &mut found);
                    path.0.pop();
                }
            }
            _ => walk(name, member, &mut path, &mut found),
        }
    }
    found
}

fn walk<'a>(name: &str, value: &'a Json, path: &mut Path, found: &mut Vec<(Path, &'a Json)>) {
    match value {
        Json::Null => {}
        Json::Object(members) if !members.is_empty() && !is_atom(name) => {
            for (name, member) in members {
                path.0.push(Step::Field(name.clone()));
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
                path.0.push(Step::Item(key));
                walk("", item, path, found);
                path.0.pop();
            }
        }
        leaf => found.push((path.clone(), leaf)),
    }
}

/// A manifest as attributes.
///
/// The values of environment variables and of secrets are compared by their fingerprints: many a variable holds a secret,
/// wherever it came from, and plans are read by many. Nobody is shown a fingerprint: who has one can try guesses. A key of
/// a secret is two attributes, that it is there and what it holds, as the record remembers only the first.
pub fn attributes(manifest: &Json) -> Attributes {
    let is_secret = manifest["apiVersion"] == "v1" && manifest["kind"] == "Secret";
    let mut attributes = Attributes::new();
    for (path, leaf) in leaves(manifest) {
        match (leaf, path.0.as_slice()) {
            (Json::String(text), [Step::Field(data), Step::Field(key)]) if is_secret && data == "data" => {
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

/// Enough of a hash to see that something is another.
fn fingerprint(text: &str) -> String {
    let hash = Sha256::digest(text);
    format!("({:02x}{:02x}{:02x}{:02x})", hash[0], hash[1], hash[2], hash[3])
}

impl Path {
    /// Whether it leads to the value of an environment variable.
    fn is_variable(&self) -> bool {
        let named = |step: &Step, name: &str| matches!(step, Step::Field(field) if field == name);
        match self.0.as_slice() {
            [.., list, Step::Item(_), value] => named(list, "env") && named(value, "value"),
            _ => false,
        }
    }
}

/// A leaf as a value. A number that is not whole is text: attributes have no such numbers.
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

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, step) in self.0.iter().enumerate() {
            match step {
                Step::Field(name) if !is_plain(name) => write!(f, "[{name}]")?,
                Step::Field(name) if number == 0 => f.write_str(name)?,
                Step::Field(name) => write!(f, ".{name}")?,
                Step::Item(key) => write!(f, "[{key}]")?,
            }
        }
        Ok(())
    }
}

/// Whether a name can stand behind a dot: the key of a label often has dots of its own.
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
    fn a_variable_is_told_by_a_fingerprint() {
        let manifest =
            |value: &str| json!({ "spec": { "env": [{ "name": "TOKEN", "value": value }], "value": value } });
        let told = format!("{:?}", attributes(&manifest("hunter2")));
        assert_eq!(told.matches("hunter2").count(), 1, "a field of the same name elsewhere is told: {told}");
        assert_ne!(
            attributes(&manifest("a"))["spec.env[TOKEN].value"],
            attributes(&manifest("b"))["spec.env[TOKEN].value"]
        );
    }

    #[test]
    fn a_secret_is_told_by_its_keys() {
        let manifest = json!({ "apiVersion": "v1", "kind": "Secret", "data": { "tls.key": "aHVudGVyMg==" } });
        let told = attributes(&manifest);
        assert_eq!(told["data[tls.key].key"], Value::Text("tls.key".to_owned()));
        assert!(told.contains_key("data[tls.key].value") && !format!("{told:?}").contains("aHVudGVyMg"), "{told:?}");
    }

    #[test]
    fn a_selector_is_one_value() {
        let manifest = json!({ "spec": { "selector": { "app": "chat", "team": "them" } } });
        let told = attributes(&manifest);
        let Some(Value::Map(selector)) = told.get("spec.selector") else { panic!("{told:?}") };
        assert_eq!(selector.len(), 2, "a label that somebody adds is a difference");
    }

    #[test]
    fn a_list_without_keys_is_one_value() {
        let manifest = json!({ "spec": { "ports": [{ "name": "no number" }], "rules": [1, 2] } });
        let names: Vec<String> = attributes(&manifest).into_keys().collect();
        assert_eq!(names, ["spec.ports", "spec.rules"]);
    }
}
