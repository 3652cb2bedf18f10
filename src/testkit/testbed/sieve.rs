//! Fields that Quorate applies and older servers do not know.

use serde_json::Value as Json;

use crate::testkit::skip;

/// Fields by name, with the first minor version that has them.
const FIELDS: [(&str, u32); 4] =
    [("lifecycle", 30), ("loadBalancerClass", 24), ("matchLabelKeys", 27), ("unhealthyPodEvictionPolicy", 26)];

/// Returns the part of a manifest that a server of this minor version knows; `None` if it does not know its type.
pub(super) fn sieve(minor: u32, mut manifest: Json) -> Option<Json> {
    let since = match (manifest["apiVersion"].as_str()?, manifest["kind"].as_str()?) {
        ("policy/v1", _) | ("batch/v1", "CronJob") => 21,
        ("autoscaling/v2", _) => 23,
        _ => 0,
    };
    if minor < since {
        let (kind, version) = (&manifest["kind"], &manifest["apiVersion"]);
        skip(&format!("{kind} of {version}: the server is 1.{minor}, and has it since 1.{since}"));
        return None;
    }
    strip(minor, &mut manifest);
    if minor < 21 {
        // It compares lists by keys that it does not fill in first.
        let ports = manifest.pointer_mut("/spec/ports").and_then(Json::as_array_mut);
        for port in ports.into_iter().flatten().filter_map(Json::as_object_mut) {
            port.entry("protocol").or_insert_with(|| "TCP".into());
        }
    }
    Some(manifest)
}

/// Removes unknown fields at any depth, with a note.
fn strip(minor: u32, value: &mut Json) {
    match value {
        Json::Object(members) => {
            for (name, since) in FIELDS.iter().filter(|(_, since)| minor < *since) {
                if members.remove(*name).is_some() {
                    skip(&format!("{name}: the server is 1.{minor}, and has all of it since 1.{since}"));
                }
            }
            members.values_mut().for_each(|member| strip(minor, member));
        }
        Json::Array(items) => items.iter_mut().for_each(|item| strip(minor, item)),
        _ => {}
    }
}
