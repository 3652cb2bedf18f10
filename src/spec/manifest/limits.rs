//! Limits of the API server for objects of any type: names, labels, annotations, sizes.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value as Json};

use crate::limits::kubernetes as limits;

/// Returns the problem of an object, as the end of a sentence about it; `None` for a valid object.
pub(super) fn problem(manifest: &Json) -> Option<String> {
    let metadata = &manifest["metadata"];
    name(manifest).or_else(|| labels(&metadata["labels"])).or_else(|| annotations(&metadata["annotations"])).or_else(
        || match manifest["kind"].as_str() {
            Some(kind @ ("ConfigMap" | "Secret")) if manifest["apiVersion"] == "v1" => data(kind, manifest),
            _ => None,
        },
    )
}

fn name(manifest: &Json) -> Option<String> {
    let text = |field: &Json| field.as_str().unwrap_or_default().to_owned();
    let version = text(&manifest["apiVersion"]);
    let group = version.split_once('/').map_or("", |(group, _)| group);
    let name = text(&manifest["metadata"]["name"]);
    let good = limits::is_name(group, &text(&manifest["kind"]), &name);
    (!good).then(|| format!("whose name {name:?} Kubernetes does not take"))
}

fn labels(labels: &Json) -> Option<String> {
    texts("label", labels).or_else(|| {
        let wrong = |(key, value): (&String, &Json)| {
            if !limits::is_key(key) {
                return Some(format!("with a label {key:?}, whose key Kubernetes does not take"));
            }
            let value = value.as_str().unwrap_or_default();
            (!limits::is_value(value))
                .then(|| format!("whose label {key} has a value that Kubernetes does not take: {value:?}"))
        };
        labels.as_object()?.iter().find_map(wrong)
    })
}

fn annotations(annotations: &Json) -> Option<String> {
    texts("annotation", annotations).or_else(|| {
        let all = annotations.as_object()?;
        if let Some(key) = all.keys().find(|key| !limits::is_key(&key.to_lowercase())) {
            return Some(format!("with an annotation {key:?}, whose key Kubernetes does not take"));
        }
        let bytes: usize = all.iter().map(|(key, value)| key.len() + value.as_str().unwrap_or_default().len()).sum();
        (bytes > limits::ANNOTATIONS)
            .then(|| format!("with {bytes} bytes of annotations; {} are the most", limits::ANNOTATIONS))
    })
}

fn data(kind: &str, manifest: &Json) -> Option<String> {
    let mut bytes = 0;
    for field in ["data", "stringData", "binaryData"] {
        if let Some(problem) = texts("key", &manifest[field]) {
            return Some(problem);
        }
        let Some(all) = manifest[field].as_object() else { continue };
        if let Some(key) = all.keys().find(|key| !limits::is_data_key(key)) {
            return Some(format!("with a key {key:?}, which Kubernetes does not take"));
        }
        let is_encoded = field == "binaryData" || (kind == "Secret" && field == "data");
        match size(all, is_encoded) {
            Ok(size) => bytes += size,
            Err(key) => return Some(format!("whose key {key} is not in base64, as `{field}` has to be")),
        }
    }
    (bytes > limits::DATA).then(|| format!("with {bytes} bytes of data; {} are the most", limits::DATA))
}

/// Returns the size of the values in bytes, or the key of a value that is not encoded.
fn size(all: &Map<String, Json>, is_encoded: bool) -> Result<usize, &String> {
    let mut bytes = 0;
    for (key, value) in all {
        let text = value.as_str().unwrap_or_default();
        bytes += if is_encoded {
            let plain: String = text.split_whitespace().collect();
            STANDARD.decode(plain).map_err(|_| key)?.len()
        } else {
            text.len()
        };
    }
    Ok(bytes)
}

/// Finds the first value that is not a text: YAML reads `1.0` and `yes` as something else. Values are never shown.
fn texts(what: &str, values: &Json) -> Option<String> {
    let all = values.as_object()?;
    let (key, value) = all.iter().find(|(_, value)| !value.is_string() && !value.is_null())?;
    let found = match value {
        Json::Bool(_) => "a boolean",
        Json::Number(_) => "a number",
        _ => "neither text nor number",
    };
    Some(format!("whose {what} {key} is {found}, and has to be a text: write it in quotes"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn map(metadata: &Json, more: &Json) -> Json {
        let mut manifest = json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata });
        for (key, value) in more.as_object().into_iter().flatten() {
            manifest[key] = value.clone();
        }
        manifest
    }

    #[test]
    fn what_kubernetes_takes_is_no_problem() {
        let metadata =
            json!({ "name": "a.b", "labels": { "example.com/A": "" }, "annotations": { "A/b": "any: text\n" } });
        assert_eq!(problem(&map(&metadata, &json!({ "data": { "a.yaml": "x", "e": null } }))), None);
    }

    #[test]
    fn what_it_refuses_is_reported() {
        let long = "a".repeat(300 * 1024);
        let large = "a".repeat(1024 * 1024 + 1);
        for (metadata, more, reported) in [
            (json!({ "name": "A" }), json!({}), "whose name \"A\""),
            (json!({ "name": "a", "labels": { "a": 1.0 } }), json!({}), "whose label a is a number"),
            (json!({ "name": "a", "labels": { "a": true } }), json!({}), "whose label a is a boolean"),
            (json!({ "name": "a", "labels": { "a b": "" } }), json!({}), "with a label \"a b\""),
            (json!({ "name": "a", "labels": { "a": "x/y" } }), json!({}), "whose label a has a value"),
            (json!({ "name": "a", "annotations": { "a": 1 } }), json!({}), "whose annotation a is a number"),
            (json!({ "name": "a", "annotations": { "a": long } }), json!({}), "bytes of annotations"),
            (json!({ "name": "a" }), json!({ "data": { "a": 1 } }), "whose key a is a number"),
            (json!({ "name": "a" }), json!({ "data": { "a/b": "" } }), "with a key \"a/b\""),
            (json!({ "name": "a" }), json!({ "data": { "a": large } }), "bytes of data"),
            (json!({ "name": "a" }), json!({ "binaryData": { "a": "?" } }), "whose key a is not in base64"),
        ] {
            let found = problem(&map(&metadata, &more)).unwrap_or_default();
            assert!(found.contains(reported), "{found} has no {reported}");
        }
    }

    #[test]
    fn a_value_that_may_be_secret_is_not_repeated() {
        let secret =
            json!({ "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "a" }, "data": { "k": "hunter2!" } });
        let reported = problem(&secret).unwrap_or_default();
        assert!(reported.contains("key k") && !reported.contains("hunter2"), "{reported}");
    }
}
