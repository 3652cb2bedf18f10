//! Exports of kops and the files that they become.
#![allow(clippy::panic, clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::json;

use super::super::{Scale, WrittenDraft, parse};
use super::*;

const PUBLIC: &str = include_str!("../../../tests/kops/public.yaml");
const PRIVATE: &str = include_str!("../../../tests/kops/private.yaml");

/// Converts an export as the command does.
fn converted(text: &str, file: &str) -> (WrittenDraft, Vec<KopsDifference>) {
    let mut conversion = from_kops(text).unwrap();
    conversion.settle(file, |flag| format!("--{flag}")).unwrap();
    conversion.remark();
    (conversion.draft.write(file).unwrap(), conversion.differences)
}

fn listed(differences: &[KopsDifference]) -> String {
    let lines = differences.iter().map(|it| format!("{}\n{:4}{}", it.path, "", it.text));
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn a_cluster_that_the_file_can_express_is_converted_whole() {
    let (written, differences) = converted(PUBLIC, "cluster.hcl");
    let paths: Vec<&str> = differences.iter().map(|it| it.path.as_str()).collect();
    assert_eq!(paths, ["Cluster", "spec.configBase"], "{}", listed(&differences));
    let cluster = &written.cluster;
    assert_eq!(cluster.network.cidr.to_string(), "10.20.0.0/16");
    let subnets: Vec<String> = cluster.network.subnets.values().map(ToString::to_string).collect();
    assert_eq!(subnets, ["10.20.0.0/20", "10.20.16.0/20", "10.20.32.0/20"]);
    assert_eq!((cluster.masters.zones.len(), cluster.masters.etcd.gib, cluster.masters.root.gib), (3, 40, 50));
    assert_eq!(cluster.nodes["nodes"].scale, Scale::Range { min: 3, max: 9 });
    assert_eq!((cluster.nodes["nodes"].zones.len(), cluster.nodes["batch"].zones.len()), (3, 1));
    assert_eq!(cluster.kubernetes.to_string(), "1.35");
    insta::assert_snapshot!(written.text);
    assert_eq!(cluster, &converted(PUBLIC, "cluster.toml").0.cluster);
}

#[test]
fn what_the_file_cannot_express_is_named_and_in_its_comments() {
    let (written, differences) = converted(PRIVATE, "cluster.hcl");
    insta::assert_snapshot!("differences", listed(&differences));
    insta::assert_snapshot!("private", written.text);
    assert_eq!(written.cluster, converted(PRIVATE, "cluster.toml").0.cluster);
}

#[test]
fn what_is_no_export_of_one_cluster_on_aws_is_refused() {
    let refused = |text: &str| from_kops(text).unwrap_err().to_string();
    let cluster = |spec: &str| {
        format!("apiVersion: kops.k8s.io/v1alpha2\nkind: Cluster\nmetadata: {{name: a.b}}\nspec: {spec}\n")
    };
    let every = [
        refused("a: [1\n"),
        refused(""),
        refused("kind: Cluster\napiVersion: cluster.x-k8s.io/v1beta1\n"),
        refused("apiVersion: kops.k8s.io/v1alpha3\nkind: Cluster\n"),
        refused(&cluster("{cloudProvider: gce}")),
        refused(&cluster("{cloudProvider: {hetzner: {}}}")),
        refused(&format!("{}---\n{}", cluster("{}"), cluster("{}"))),
    ];
    insta::assert_snapshot!(every.join("\n"));
    let KopsError::Yaml(error) = from_kops("a: 1\nb: [1\n").unwrap_err() else { panic!("an error of YAML") };
    assert!(error.place.start >= 8, "{error:?}");
}

#[test]
fn a_list_and_a_cluster_without_groups_are_read_too() {
    let documents = serde_json::Value::Array(super::super::read_yaml(PUBLIC).unwrap());
    let list = json!({ "apiVersion": "v1", "kind": "List", "items": documents }).to_string();
    assert_eq!(converted(&list, "cluster.hcl").0.cluster, converted(PUBLIC, "cluster.hcl").0.cluster);
    let (alone, _) = PUBLIC.split_once("\n---\n").unwrap();
    let (written, differences) = converted(alone, "cluster.hcl");
    assert_eq!(written.cluster.nodes["workers"].scale, Scale::Count(3));
    assert!(listed(&differences).contains("kops get NAME -o yaml"));
}

#[test]
fn a_name_or_zones_that_no_file_can_have_are_errors_of_their_fields() {
    let mut conversion = from_kops(&PUBLIC.replace("shop.example.com", "shop")).unwrap();
    let problems = conversion.settle("cluster.hcl", |flag| format!("--{flag}")).unwrap_err();
    assert_eq!(problems[0].origin, "metadata.name");
    let mut conversion = from_kops(&PUBLIC.replace("zone: eu-central-1b", "zone: nowhere")).unwrap();
    let problems = conversion.settle("cluster.hcl", |flag| format!("--{flag}")).unwrap_err();
    assert_eq!(problems[0].origin, "spec.subnets", "{problems:?}");
}

#[test]
fn every_field_of_an_export_is_a_setting_or_a_difference() {
    let mut documents = super::super::read_yaml(PUBLIC).unwrap();
    for document in &mut documents {
        document["spec"]["somethingNew"] = json!({ "enabled": true });
    }
    let list = json!({ "items": documents }).to_string();
    let (_, differences) = converted(&list, "cluster.hcl");
    let new: Vec<&str> =
        differences.iter().map(|it| it.path.as_str()).filter(|path| path.ends_with("spec.somethingNew")).collect();
    assert_eq!(new.len(), 2, "one for the cluster, one for all groups: {new:?}");
}

/// The paths of all values, from the top down.
fn paths(value: &Json, at: &str) -> Vec<String> {
    let inner: Vec<(String, &Json)> = match value {
        Json::Object(fields) => fields.iter().map(|(name, value)| (name.replace('/', "~1"), value)).collect(),
        Json::Array(items) => items.iter().enumerate().map(|(index, value)| (index.to_string(), value)).collect(),
        _ => Vec::new(),
    };
    let below = inner.into_iter().flat_map(|(name, value)| paths(value, &format!("{at}/{name}")));
    std::iter::once(at.to_owned()).chain(below.collect::<Vec<_>>()).collect()
}

proptest! {
    /// Any value anywhere gives a valid file, or an error that names its field.
    #[test]
    fn a_changed_export_gives_a_valid_file_or_an_error(
        private in any::<bool>(),
        at in any::<prop::sample::Index>(),
        value in prop::sample::select(vec![
            json!(null), json!("x"), json!(""), json!(0), json!(-1), json!(4), json!(1e30), json!(true), json!([]), json!({}),
            json!(["a", 1]), json!({ "a": "b" }), json!("10.0.0.1/16"), json!("::/0"), json!("a\nb\u{7}# \"${x}\""),
        ]),
    ) {
        let mut documents = Json::Array(super::super::read_yaml(if private { PRIVATE } else { PUBLIC }).unwrap());
        let paths = paths(&documents, "");
        let path = &paths[at.index(paths.len())];
        *documents.pointer_mut(path).unwrap() = value;
        let text = json!({ "items": documents }).to_string();
        let Ok(mut conversion) = from_kops(&text) else { return Ok(()) };
        for file in ["cluster.hcl", "cluster.toml"] {
            if let Err(problems) = conversion.settle(file, |flag| format!("--{flag}")) {
                prop_assert!(problems.iter().any(|it| !it.origin.is_empty()), "{path}: {problems:?}");
                continue;
            }
            conversion.remark();
            let written = conversion.draft.write(file).unwrap();
            let parsed = parse(file, &written.text, &BTreeMap::new());
            prop_assert!(!parsed.has_errors(), "{path}: {}", parsed.render(false, 100));
        }
    }
}
