//! Clusters and facts for tests.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value as Json, json};

use crate::blueprint::{Blueprint, Pins, blueprint};
use crate::engine::{Object, TemplatePart, TextInput, Value};
use crate::resource::{Facts, Resource, SizeFacts};
use crate::spec::{Architecture, Cluster, parse};

/// Returns the tutorial's cluster as JSON, which a test can change.
pub(super) fn tutorial() -> Json {
    example("tutorial", include_str!("../../../examples/tutorial/cluster.hcl"))
}

/// Three zones, three masters, six nodes, an open API, another region and architecture.
pub(super) fn ha() -> Json {
    example("ha", include_str!("../../../examples/ha/cluster.hcl"))
}

/// Returns the parsed cluster file of an example.
pub(super) fn example(name: &str, text: &str) -> Json {
    let parsed = parse("cluster.hcl", text, &BTreeMap::new());
    serde_json::to_value(parsed.cluster.unwrap_or_else(|_| panic!("{name}: {:?}", parsed.diagnostics))).unwrap()
}

fn network(zones: &[&str]) -> Json {
    let subnets: BTreeMap<_, _> =
        zones.iter().zip(1_u32..).map(|(zone, index)| (*zone, format!("172.20.{}.0/19", index * 32))).collect();
    json!({
        "cidr": "172.20.0.0/16",
        "subnets": subnets,
        "pods": "100.96.0.0/11",
        "services": "100.64.0.0/13",
        "plugin": "routes",
    })
}

pub(super) fn cluster(json: Json) -> Cluster {
    serde_json::from_value(json).unwrap()
}

/// Returns the facts of an account with a hosted zone for the tutorial's domain.
pub(in crate::blueprint) fn facts() -> Facts {
    let size = |architecture| SizeFacts { architecture, vcpus: 2, memory_mib: 4096 };
    Facts {
        account: "111122223333".to_owned(),
        caller: "arn:aws:iam::111122223333:user/alvise".to_owned(),
        region: "us-east-1".to_owned(),
        zones: ["a", "b", "c", "d", "e", "f"].map(|letter| format!("us-east-1{letter}")).to_vec(),
        images: BTreeMap::from([
            (Architecture::X86_64, "ami-0000000000000086a".into()),
            (Architecture::Arm64, "ami-000000000000000a6".into()),
        ]),
        sizes: BTreeMap::from([
            ("t3.medium".to_owned(), size(Architecture::X86_64)),
            ("t3.large".to_owned(), size(Architecture::X86_64)),
            ("t4g.medium".to_owned(), size(Architecture::Arm64)),
            ("m7g.large".to_owned(), size(Architecture::Arm64)),
        ]),
        own_images: BTreeMap::new(),
        offered: BTreeMap::new(),
        releases: Vec::new(),
        public_zones: BTreeMap::from([("poeticoding.com".to_owned(), vec!["Z0POETICODING".to_owned()])]),
    }
}

/// Returns the blueprint of a cluster in the account of [`facts`], in any region.
pub(super) fn lay_out(json: Json) -> Blueprint {
    let cluster = cluster(json);
    let zones = ["a", "b", "c", "d", "f"].map(|letter| format!("{}{letter}", cluster.region)).to_vec();
    let facts = Facts { region: cluster.region.clone(), zones, ..facts() };
    blueprint(&cluster, &facts, &Pins::default()).unwrap()
}

/// Returns the objects of a cluster in the account of [`facts`].
pub(super) fn objects(json: Json) -> Vec<Object> {
    lay_out(json).objects
}

/// Returns the object of an address.
pub(super) fn object<'a>(objects: &'a [Object], address: &str) -> &'a Object {
    objects.iter().find(|object| object.address.to_string() == address).unwrap_or_else(|| panic!("no {address}"))
}

/// Returns all objects of a kind, with their addresses' names.
pub(super) fn all<R: Resource>(objects: &[Object]) -> BTreeMap<String, R> {
    let of_kind = objects.iter().filter(|object| object.address.kind() == R::KIND.name);
    of_kind.map(|object| (object.address.name().to_owned(), R::from_attributes(&object.attributes).unwrap())).collect()
}

/// Returns an input as text, with its references written `${vpc/main.id}`.
pub(super) fn text(input: &TextInput) -> String {
    match input {
        TextInput::Known(text) => text.clone(),
        TextInput::Pending(template) => template
            .parts
            .iter()
            .map(|part| match part {
                TemplatePart::Literal(text) => text.clone(),
                TemplatePart::Reference(reference) => format!("${{{reference}}}"),
            })
            .collect(),
    }
}

/// Returns a value as text, likewise.
pub(super) fn value_text(value: &Value) -> Option<String> {
    match value {
        Value::Text(text) => Some(text.clone()),
        Value::Pending(template) => Some(text(&TextInput::Pending(template.clone()))),
        _ => None,
    }
}

prop_compose! {
    /// A name as the cluster file takes it: labels of lower-case letters, digits and hyphens, 63 characters at most.
    pub(super) fn any_name()(name in "[a-z0-9]([a-z0-9-]{0,28}[a-z0-9])?(\\.[a-z0-9]([a-z0-9-]{0,14}[a-z0-9])?){1,3}") -> String {
        name.chars().take(63).collect::<String>().trim_end_matches(['-', '.']).to_owned()
    }
}

/// Any cluster that a file can describe.
pub(super) fn any_cluster() -> impl Strategy<Value = Json> {
    let zones =
        prop::sample::subsequence(vec!["us-east-1a", "us-east-1b", "us-east-1c", "us-east-1d", "us-east-1f"], 1..=4);
    let masters = prop::sample::select(vec![1_usize, 3, 5]);
    let sizes = prop::sample::select(vec!["t3.medium", "t3.large", "t4g.medium"]);
    let groups = prop::collection::btree_map("[a-l]([a-z0-9-]{0,61}[a-z0-9])?", (sizes, any_scale()), 0..4);
    let dns = prop::sample::select(vec![json!("discover"), json!("none")]);
    let state = prop::sample::select(vec![
        json!({ "s3": { "bucket": "state", "prefix": "" } }),
        json!({ "s3": { "bucket": "state", "prefix": "teams/*/it's" } }),
        json!({ "directory": "state" }),
    ]);
    let nat = prop::option::of(prop::sample::select(vec!["regional", "per_zone", "shared", "none"]));
    (any_name(), zones, masters, groups, dns, state, (any_access(), nat)).prop_map(
        |(name, zones, masters, groups, dns, state, ((allow, key, plugin, tags), nat))| {
            let mut cluster = tutorial();
            cluster["name"] = json!(name);
            cluster["state"] = state;
            cluster["zones"] = json!(zones);
            cluster["network"] = network(&zones);
            cluster["network"]["plugin"] = json!(plugin);
            if let Some(nat) = nat {
                cluster["network"]["private"] = private(&zones, nat, plugin);
            }
            cluster["masters"]["zones"] = zones.iter().cycle().take(masters).copied().collect();
            cluster["nodes"] = json!({});
            for (group, (size, scale)) in groups {
                cluster["nodes"][group] =
                    json!({ "scale": scale, "size": size, "zones": zones, "root": { "gib": 20 } });
            }
            cluster["dns"]["zone"] = dns;
            cluster["api"]["allow"] = json!(allow);
            cluster["ssh"] = json!({ "allow": allow, "public_key": key });
            cluster["tags"] = json!(tags);
            cluster
        },
    )
}

/// Returns the private part of a network. Pod routes need one route table.
fn private(zones: &[&str], nat: &str, plugin: &str) -> Json {
    let nat = if nat == "per_zone" && plugin == "routes" { "regional" } else { nat };
    let range = |at: usize| format!("172.20.{}.0/24", 200 + at);
    let subnets: BTreeMap<&str, String> = zones.iter().enumerate().map(|(at, zone)| (*zone, range(at))).collect();
    json!({ "subnets": subnets, "given": zones, "nat": nat })
}

fn any_scale() -> impl Strategy<Value = Json> {
    prop_oneof![
        (1_u32..50).prop_map(|count| json!({ "count": count })),
        (0_u32..5, 5_u32..50).prop_map(|(min, max)| json!({ "range": { "min": min, "max": max } })),
    ]
}

type AccessMap = (Vec<String>, Option<String>, &'static str, BTreeMap<String, String>);

fn any_access() -> impl Strategy<Value = AccessMap> {
    let allow = prop::collection::vec((1_u8..=223).prop_map(|octet| format!("{octet}.0.0.0/8")), 0..3);
    let key = prop::option::of("ssh-ed25519 [A-Za-z0-9]{68}( someone@somewhere)?");
    let plugin = prop::sample::select(vec!["routes", "none"]);
    // A tag of the user's may even be called like one of ours.
    let tags = prop::collection::btree_map("[a-z]{1,8}|Name|quorate\\.dev/object", "[a-z]{0,8}", 0..3);
    (allow, key, plugin, tags)
}
