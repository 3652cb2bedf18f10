//! The manifests are valid for every Kubernetes version that a cluster file may name.
//!
//! The fake takes only fields that 1.36 has. 1.37 removes none of them from a type that users write. The oldest version has them
//! too, except for fields that were added or removed in between: those are few, and listed here.

use serde_json::Value as Json;

use super::manifests::{EVERYTHING, objects};
use crate::resource::manifest_of;
use crate::spec::KubernetesVersion;

/// Fields of our types that some of our versions do not have: with the first minor version that has the field, and the last.
///
/// Found by comparing the types of `k8s-openapi` version by version, from the oldest supported one to the newest.
const NOT_EVERYWHERE: [(&str, u32, u32); 3] = [
    ("schedulingGroup", 36, u32::MAX),              // PodSpec
    ("serviceAccountTokenInSecrets", 35, u32::MAX), // CSIDriverSpec
    ("workloadRef", 35, 35),                        // PodSpec
];

#[test]
fn the_list_is_about_the_versions_that_we_build() {
    let versions = KubernetesVersion::SUPPORTED.map(|version| version.to_string());
    assert_eq!(
        versions,
        ["1.34", "1.35", "1.36", "1.37"],
        "compare the types of the new version, and correct NOT_EVERYWHERE"
    );
}

#[test]
fn no_manifest_has_a_field_that_its_version_lacks() {
    for version in KubernetesVersion::SUPPORTED {
        let objects = objects(&format!("kubernetes = \"{version}\"\n{EVERYTHING}"));
        assert!(objects.len() > 30, "services and the add-ons");
        for object in objects {
            let manifest = manifest_of(&object).unwrap();
            let mut fields = Vec::new();
            collect(&manifest, &mut fields);
            for (field, since, until) in NOT_EVERYWHERE {
                let has = (since..=until).contains(&version.minor);
                assert!(has || !fields.contains(&field), "{}: {field} is not in {version}", object.address);
            }
        }
    }
}

/// Collects the names of all fields, at any depth.
fn collect<'a>(value: &'a Json, fields: &mut Vec<&'a str>) {
    match value {
        Json::Object(members) => members.iter().for_each(|(name, member)| {
            fields.push(name);
            collect(member, fields);
        }),
        Json::Array(items) => items.iter().for_each(|item| collect(item, fields)),
        _ => {}
    }
}
