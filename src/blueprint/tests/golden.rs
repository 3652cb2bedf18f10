//! Snapshots of every object, for people to read.

use std::fmt::Write;

use insta::{assert_snapshot, with_settings};
use serde_json::json;

use super::clusters::{all, example, ha, lay_out, object, objects, text, tutorial, value_text};
use crate::engine::{Object, Value};
use crate::resource::{AutoScalingGroup, LaunchTemplate, LoadBalancer, Role, TargetGroup, is_kubernetes};

/// Attributes that have snapshots of their own.
const ELSEWHERE: [&str; 3] = ["user_data", "trust", "policies"];

/// AWS's objects as text: an attribute a line, references as `${…}`, hashes of contents left out. The tests of
/// `kubernetes` hold its manifests.
fn drawn(objects: &[Object]) -> String {
    let mut out = String::new();
    for object in objects.iter().filter(|object| !is_kubernetes(object.address.kind())) {
        writeln!(out, "{}", object.address).unwrap();
        if let Some(lane) = &object.lane {
            writeln!(out, "  in lane {lane}").unwrap();
        }
        for address in &object.depends_on {
            writeln!(out, "  after {address}").unwrap();
        }
        for (name, value) in object.attributes.iter().filter(|(name, _)| !ELSEWHERE.contains(&name.as_str())) {
            attribute(&mut out, 1, name, value);
        }
        writeln!(out).unwrap();
    }
    out
}

fn attribute(out: &mut String, depth: usize, name: &str, value: &Value) {
    let indent = "  ".repeat(depth);
    match value {
        Value::Bool(value) => writeln!(out, "{indent}{name}: {value}").unwrap(),
        Value::Integer(value) => writeln!(out, "{indent}{name}: {value}").unwrap(),
        Value::Text(_) | Value::Pending(_) => writeln!(out, "{indent}{name}: {}", value_text(value).unwrap()).unwrap(),
        Value::List(items) => {
            writeln!(out, "{indent}{name}:{}", if items.is_empty() { " none" } else { "" }).unwrap();
            for item in items {
                match item {
                    Value::Map(fields) => {
                        let fields =
                            fields.iter().map(|(name, value)| format!("{name} {}", value_text(value).unwrap()));
                        writeln!(out, "{indent}  - {}", fields.collect::<Vec<_>>().join(", ")).unwrap();
                    }
                    item => writeln!(out, "{indent}  - {}", value_text(item).unwrap()).unwrap(),
                }
            }
        }
        Value::Map(items) => {
            writeln!(out, "{indent}{name}:").unwrap();
            for (name, value) in items {
                attribute(out, depth + 1, name, value);
            }
        }
    }
}

/// Asserts snapshots without the hashes of scripts, which change with every edit of them.
macro_rules! assert_drawn {
    ($name:expr, $text:expr) => {{
        let text = masked(&$text);
        with_settings!({ omit_expression => true }, { assert_snapshot!($name, text) });
    }};
}

/// Returns the text with every SHA-256 written `<sha256>`.
fn masked(text: &str) -> String {
    let mut out = String::new();
    let mut word = String::new();
    for character in text.chars().chain(['\n']) {
        if character.is_ascii_hexdigit() {
            word.push(character);
            continue;
        }
        out.push_str(if word.len() == 64 { "<sha256>" } else { &word });
        word.clear();
        out.push(character);
    }
    out
}

#[test]
fn the_tutorials_cluster() {
    assert_drawn!("tutorial", drawn(&objects(tutorial())));
}

#[test]
fn the_ha_cluster() {
    assert_drawn!("ha", drawn(&objects(ha())));
}

#[test]
fn every_example_can_be_built() {
    for (name, text) in [
        ("minimal", include_str!("../../../examples/minimal/cluster.hcl")),
        ("phoenix-chat", include_str!("../../../examples/phoenix-chat/cluster.hcl")),
        ("nginx", include_str!("../../../examples/nginx/cluster.hcl")),
        ("web", include_str!("../../../examples/web/cluster.hcl")),
    ] {
        assert!(!objects(example(name, text)).is_empty(), "{name}");
    }
}

const BALANCED: &str = r#"
name  = "chat.poeticoding.com"
state = "s3://state.chat.poeticoding.com"
zones = ["us-east-1d", "us-east-1f"]
masters { size = "t3.medium" }
nodes "workers" {
  count = 2
  size  = "t3.medium"
}
service "game" {
  image    = "game:1"
  replicas = 3
  port     = 7000
  ports    = { play = "7777/udp", dns = "53/tcp+udp", metrics = "9090" }
  nlb {
    port   = 80
    sticky = true
    allow  = ["203.0.113.0/24", "198.51.100.0/24"]
    listener "play" {
      port   = 7777
      target = "play"
    }
    listener "dns" {
      port   = 53
      target = "dns"
    }
    listener "more" { port = 8080 }
  }
}
service "web" {
  image    = "web:1"
  replicas = 2
  port     = 8080
  nlb {
    port               = 443
    protocol           = "TLS"
    certificate        = "arn:aws:acm:us-east-1:111122223333:certificate/12345678-1234-1234-1234-123456789012"
    preserve_client_ip = true
    internal           = true
    cross_zone         = false
    domain             = "web.poeticoding.com"
  }
}
"#;

/// Snapshot of everything between a client and a pod: check who else can connect.
#[test]
fn services_behind_load_balancers() {
    let kinds = ["load-balancer", "target-group", "listener", "record", "security-group-rules"];
    let of_services = |object: &Object| {
        let name = object.address.name();
        kinds.contains(&object.address.kind()) && name != "api" && name != "masters"
    };
    let front: Vec<_> = objects(example("balanced", BALANCED)).into_iter().filter(of_services).collect();
    assert_drawn!("balanced", drawn(&front));
}

#[test]
fn another_scheme_is_another_load_balancer_with_target_groups_of_its_own() {
    let names = |internal: &str| {
        let objects = objects(example("balanced", &BALANCED.replace("internal           = true", internal)));
        let balancer = all::<LoadBalancer>(&objects)["service-web"].name.clone();
        (balancer, all::<TargetGroup>(&objects)["service-web"].name.clone())
    };
    let (inside, outside) = (names("internal = true"), names("internal = false"));
    assert_ne!(inside.0, outside.0);
    assert_ne!(inside.1, outside.1, "AWS lets no two load balancers share one");
}

#[test]
fn own_address_ranges() {
    let mut cluster = tutorial();
    cluster["network"] = json!({
        "cidr": "10.0.0.0/16",
        "subnets": { "us-east-1d": "10.0.16.0/20", "us-east-1f": "10.0.240.0/20" },
        "pods": "10.128.0.0/10",
        "services": "10.64.0.0/16",
        "plugin": "none",
    });
    let kinds = ["vpc", "subnet", "security-group-rules"];
    let network: Vec<_> = objects(cluster).into_iter().filter(|o| kinds.contains(&o.address.kind())).collect();
    assert_drawn!("own_address_ranges", drawn(&network));
}

#[test]
fn arm64_nodes_beside_x86_masters() {
    let mut cluster = tutorial();
    cluster["nodes"]["workers"]["size"] = json!("t4g.medium");
    let blueprint = lay_out(cluster);
    let templates = all::<LaunchTemplate>(&blueprint.objects);
    assert_eq!(templates["nodes-workers"].image, "ami-000000000000000a6");
    assert_eq!(templates["masters-a"].image, "ami-0000000000000086a");
    assert_eq!(blueprint.pins.images.len(), 2, "both images are recorded");
}

/// Snapshot of another architecture: other images, and the same boot files to the byte.
#[test]
fn what_differs_on_arm64() {
    let mut cluster = tutorial();
    let x86 = objects(cluster.clone());
    cluster["masters"]["size"] = json!("t4g.medium");
    cluster["nodes"]["workers"]["size"] = json!("t4g.medium");
    let mut out = String::new();
    for (before, after) in x86.iter().zip(&objects(cluster)) {
        assert_eq!(before.address, after.address);
        for (name, value) in before.attributes.iter().filter(|(name, value)| after.attributes[*name] != **value) {
            let (value, other) = (value_text(value).unwrap(), value_text(&after.attributes[name]).unwrap());
            writeln!(out, "{}: {name}: {value} -> {other}", before.address).unwrap();
        }
        if let Some(payload) = &before.payload {
            assert_eq!(payload.0, after.payload.as_ref().unwrap().0, "{}", before.address);
            writeln!(out, "{}: the same bytes", before.address).unwrap();
        }
    }
    assert_drawn!("arm64", out);
}

#[test]
fn a_range_leaves_the_count_to_an_autoscaler() {
    let mut cluster = tutorial();
    cluster["nodes"]["workers"]["scale"] = json!({ "range": { "min": 3, "max": 9 } });
    let objects = objects(cluster);
    let group = &all::<AutoScalingGroup>(&objects)["nodes-workers"];
    assert_eq!((group.min, group.max, group.desired), (3, 9, None));
    let attributes = &object(&objects, "autoscaling-group/nodes-workers").attributes;
    assert!(!attributes.contains_key("desired"), "an attribute that is absent is never compared");
}

#[test]
fn an_ssh_key_and_who_may_use_it() {
    let mut cluster = tutorial();
    cluster["ssh"] = json!({
        "allow": ["203.0.113.7/32"],
        "public_key": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJk alvise@laptop",
    });
    let kinds = ["key-pair", "launch-template", "security-group-rules"];
    let with_key: Vec<_> = objects(cluster).into_iter().filter(|o| kinds.contains(&o.address.kind())).collect();
    assert_drawn!("ssh", drawn(&with_key));
}

#[test]
fn every_policy() {
    let objects = objects(tutorial());
    let mut out = String::new();
    for (name, role) in all::<Role>(&objects) {
        writeln!(out, "role/{name}: trust\n{}\n", pretty(&role.trust)).unwrap();
        for (policy, document) in &role.policies {
            writeln!(out, "role/{name}: {policy}\n{}\n", pretty(&text(document))).unwrap();
        }
    }
    assert_drawn!("policies", out);
}

/// Snapshot of differences in the partitions of China and `GovCloud`.
#[test]
fn identities_in_other_partitions() {
    let mut out = String::new();
    for (region, partition) in [("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov")] {
        let mut cluster = tutorial();
        let moved = cluster.to_string().replace("us-east-1", region);
        cluster = serde_json::from_str(&moved).unwrap();
        let objects = objects(cluster);
        for (name, role) in all::<Role>(&objects) {
            let policies: String = role.policies.values().map(text).collect();
            assert!(policies.contains(&format!("arn:{partition}:")), "{name} in {region}");
            assert!(!policies.contains("arn:aws:"), "{name} in {region}");
            assert!(!policies.contains("amazonaws"), "no name of an endpoint stands in a policy");
            writeln!(out, "{region}: role/{name}: trust\n{}\n", pretty(&role.trust)).unwrap();
            if name == "nodes" {
                writeln!(out, "{region}: role/{name}: policies\n{}\n", pretty(&policies)).unwrap();
            }
        }
    }
    assert_drawn!("partitions", out);
}

fn pretty(json: &str) -> String {
    serde_json::to_string_pretty(&serde_json::from_str::<serde_json::Value>(json).unwrap()).unwrap()
}

#[test]
fn user_data_and_settings() {
    let objects = objects(tutorial());
    let mut out = String::new();
    let templates = all::<LaunchTemplate>(&objects);
    for name in ["masters-a", "nodes-workers"] {
        writeln!(out, "=== user data of {name}\n{}", text(&templates[name].user_data)).unwrap();
    }
    for name in ["masters-a", "masters-b", "masters-c", "nodes-workers"] {
        let payload = object(&objects, &format!("bucket-object/{name}")).payload.clone().unwrap();
        writeln!(out, "=== settings of {name}\n{}", String::from_utf8(payload.0.to_vec()).unwrap()).unwrap();
    }
    assert_drawn!("user_data", out);
}
