//! Clusters that the account or the region cannot provide, and choices where the file leaves them open.

use std::collections::BTreeMap;

use insta::assert_snapshot;
use serde_json::{Value as Json, json};

use super::clusters::{all, cluster, facts, lay_out, objects, text, tutorial};
use crate::blueprint::{BlueprintError, Pins, blueprint};
use crate::resource::{DnsRecord, Facts, HostedZone, ImageFacts, LaunchTemplate};
use crate::spec::Architecture;

fn refused(json: Json, facts: &Facts) -> BlueprintError {
    blueprint(&cluster(json), facts, &Pins::default()).unwrap_err()
}

/// Facts of an account with these public zones.
fn with_zones(zones: &[(&str, &[&str])]) -> Facts {
    let zones = zones.iter().map(|(zone, ids)| ((*zone).to_owned(), ids.iter().map(|id| (*id).to_owned()).collect()));
    Facts { public_zones: zones.collect(), ..facts() }
}

#[test]
fn every_problem_is_found_at_once() {
    let mut cluster = tutorial();
    cluster["zones"] = json!(["us-east-1d", "us-east-1z"]);
    cluster["nodes"]["workers"]["size"] = json!("t9.huge");
    cluster["nodes"]["more"] = cluster["nodes"]["workers"].clone();
    cluster["masters"]["zones"] = json!(["us-east-1a"]);
    cluster["dns"]["zone"] = json!({ "existing": "chat.poeticoding.com" });
    let mut facts = facts();
    facts.images = BTreeMap::new();
    assert_snapshot!(refused(cluster, &facts), @r#"
    the zone us-east-1a has no subnet: give it a range under `network { subnets }`
    the account cannot use the zone us-east-1z; in us-east-1 it has us-east-1a, us-east-1b, us-east-1c, us-east-1d, us-east-1e and us-east-1f: name some of these under `zones`
    the region us-east-1 does not offer t9.huge instances, which the nodes "more" and the nodes "workers" use: choose another `size`
    the region us-east-1 has no Amazon Linux 2023 image for x86_64: set `image` to one of your own, or choose a `size` with other processors
    the account has no public hosted zone chat.poeticoding.com; its public zones for this name: poeticoding.com. Set another zone, or create it with `create = true`
    "#);
}

#[test]
fn a_zone_without_a_size_is_named_with_those_that_have_it() {
    let zones = |letters: &str| letters.chars().map(|letter| format!("us-east-1{letter}")).collect::<Vec<_>>();
    let offered = [("t3.medium", "abcdf"), ("t3.large", "abcdef"), ("t4g.medium", "f")];
    let offered = offered.into_iter().map(|(size, letters)| (size.to_owned(), zones(letters))).collect();
    let facts = Facts { offered, ..facts() };
    let mut cluster = tutorial();
    for place in ["/zones", "/masters/zones", "/nodes/workers/zones"] {
        *cluster.pointer_mut(place).unwrap() = json!(["us-east-1d", "us-east-1e"]);
    }
    let subnets = json!({ "us-east-1d": "172.20.32.0/19", "us-east-1e": "172.20.64.0/19" });
    cluster["network"]["subnets"] = subnets;
    cluster["masters"]["size"] = json!("t3.medium");
    cluster["nodes"]["workers"]["size"] = json!("t4g.medium");
    assert_snapshot!(refused(cluster.clone(), &facts), @r#"
    us-east-1e does not offer t3.medium instances, which the masters use; us-east-1a, us-east-1b, us-east-1c, us-east-1d and us-east-1f offer them: choose another `size`, or other `zones`
    us-east-1d and us-east-1e do not offer t4g.medium instances, which the nodes "workers" use; us-east-1f offers them: choose another `size`, or other `zones`
    "#);
    cluster["masters"]["size"] = json!("t3.large");
    cluster["nodes"]["workers"]["size"] = json!("t3.large");
    assert!(blueprint(&crate::blueprint::tests::clusters::cluster(cluster), &facts, &Pins::default()).is_ok());
}

#[test]
fn policies_that_iam_would_refuse_are_refused_in_the_plan() {
    let mut cluster = tutorial();
    cluster["state"] = json!({ "s3": { "bucket": "b".repeat(63), "prefix": "p".repeat(512) } });
    let refusal = refused(cluster, &facts()).to_string();
    assert!(refusal.starts_with("the inline policies of the role masters."), "{refusal}");
    assert!(
        refusal.contains("IAM allows 10240. ") && refusal.ends_with("choose a shorter prefix in `state`"),
        "{refusal}"
    );
}

#[test]
fn a_hosted_zone_gets_as_many_tags_as_route_53_takes() {
    let mut cluster = tutorial();
    cluster["tags"] = (0..44)
        .map(|number| (format!("tag-{number:02}"), "x".to_owned()))
        .collect::<BTreeMap<_, _>>()
        .into_iter()
        .collect();
    let objects = objects(cluster);
    let zones = all::<HostedZone>(&objects);
    assert!(!zones.is_empty());
    for zone in zones.values() {
        assert_eq!(zone.tags.len(), 10);
        assert!(zone.tags.contains_key(crate::resource::CLUSTER_TAG) && zone.tags.contains_key("tag-00"));
    }
    assert!(all::<LaunchTemplate>(&objects).values().all(|template| template.instance_tags.len() == 50));
}

#[test]
fn a_zone_of_another_domain_cannot_hold_the_names() {
    let refusal = |how: &str| {
        let mut cluster = tutorial();
        cluster["dns"]["zone"] = json!({ how: "coding.com" });
        refused(cluster, &facts()).to_string()
    };
    assert_eq!(refusal("existing"), refusal("create"));
    assert_snapshot!(refusal("create"), @"the hosted zone coding.com cannot hold api.chat.poeticoding.com: the cluster's name does not end in it");
}

#[test]
fn two_zones_of_one_name_cannot_be_distinguished() {
    let facts = with_zones(&[("poeticoding.com", &["Z1", "Z2"])]);
    assert_snapshot!(refused(tutorial(), &facts), @"the account has 2 public hosted zones with the name poeticoding.com (Z1, Z2), and it is not known which of them the domain is delegated to; delete the others");
    let pins = Pins { public_zone: Some("Z2".to_owned()), ..Pins::default() };
    let blueprint = blueprint(&cluster(tutorial()), &facts, &pins).unwrap();
    assert_eq!(text(&all::<DnsRecord>(&blueprint.objects)["api"].zone), "Z2", "but the last apply's choice holds");
}

#[test]
fn the_longest_zone_holds_the_names() {
    let facts =
        with_zones(&[("poeticoding.com", &["Z1"]), ("chat.poeticoding.com", &["Z2"]), ("t.poeticoding.com", &[])]);
    let blueprint = blueprint(&cluster(tutorial()), &facts, &Pins::default()).unwrap();
    assert_eq!(text(&all::<DnsRecord>(&blueprint.objects)["api"].zone), "Z2");
    assert_eq!(blueprint.pins.public_zone.as_deref(), Some("Z2"));
}

#[test]
fn names_stay_where_they_are_when_a_longer_zone_turns_up() {
    let facts = with_zones(&[("poeticoding.com", &["Z1"]), ("chat.poeticoding.com", &["Z2"])]);
    let pins = Pins { public_zone: Some("Z1".to_owned()), ..Pins::default() };
    let blueprint = blueprint(&cluster(tutorial()), &facts, &pins).unwrap();
    assert_eq!(text(&all::<DnsRecord>(&blueprint.objects)["api"].zone), "Z1");
    assert_eq!(blueprint.pins.public_zone, pins.public_zone);
}

#[test]
fn without_a_zone_there_is_a_note_and_no_record() {
    let blueprint = blueprint(&cluster(tutorial()), &with_zones(&[]), &Pins::default()).unwrap();
    assert!(all::<DnsRecord>(&blueprint.objects).is_empty());
    let [note] = &blueprint.notes[..] else { panic!("{:?}", blueprint.notes) };
    assert_snapshot!(note, @"no public hosted zone for chat.poeticoding.com in this account: the API has the DNS name of its load balancer");
}

#[test]
fn who_wants_no_public_names_gets_none_and_no_note() {
    let mut cluster = tutorial();
    cluster["dns"]["zone"] = json!("none");
    let blueprint = lay_out(cluster);
    assert!(all::<DnsRecord>(&blueprint.objects).is_empty());
    assert_eq!(blueprint.notes, []);
    assert_eq!(blueprint.pins.public_zone, None);
}

#[test]
fn a_zone_can_be_made_with_the_cluster() {
    let mut cluster = tutorial();
    cluster["dns"]["zone"] = json!({ "create": "chat.poeticoding.com" });
    let objects = objects(cluster);
    assert_eq!(all::<HostedZone>(&objects)["public"].name, "chat.poeticoding.com");
    assert_eq!(all::<HostedZone>(&objects)["public"].vpc, None);
    assert_eq!(text(&all::<DnsRecord>(&objects)["api"].zone), "${hosted-zone/public.id}");
}

#[test]
fn a_pinned_image_stays_when_a_newer_one_is_there() {
    let pins = Pins {
        images: BTreeMap::from([
            (Architecture::X86_64, "ami-01d".into()),
            (Architecture::Arm64, "ami-not-in-use".into()),
        ]),
        ..Pins::default()
    };
    let blueprint = blueprint(&cluster(tutorial()), &facts(), &pins).unwrap();
    assert!(all::<LaunchTemplate>(&blueprint.objects).values().all(|template| template.image == "ami-01d"));
    assert_eq!(blueprint.pins.images.len(), 1, "only what is used is kept");
}

/// Returns the facts of an account with one image of its own.
fn with_image(architecture: Architecture, root_gib: u32) -> Facts {
    let image = ImageFacts { architecture, root_device: "/dev/sda1".to_owned(), root_gib };
    Facts { own_images: BTreeMap::from([("ami-0123456789abcdef0".to_owned(), image)]), ..facts() }
}

/// Returns the tutorial's cluster with an image of its own for its nodes.
fn own_image() -> Json {
    let mut cluster = tutorial();
    cluster["nodes"]["workers"]["image"] = json!("ami-0123456789abcdef0");
    cluster
}

#[test]
fn an_image_of_the_users_own_is_used_where_it_is_named() {
    let facts = with_image(Architecture::X86_64, 8);
    let blueprint = blueprint(&cluster(own_image()), &facts, &Pins::default()).unwrap();
    let templates = all::<LaunchTemplate>(&blueprint.objects);
    let boots = |name: &str| (templates[name].image.as_str(), templates[name].root_device.as_str());
    assert_eq!(boots("nodes-workers"), ("ami-0123456789abcdef0", "/dev/sda1"));
    assert_eq!(boots("masters-a"), ("ami-0000000000000086a", "/dev/xvda"));
}

#[test]
fn with_images_for_all_no_other_is_asked_for_or_kept() {
    let mut json = own_image();
    json["masters"]["image"] = json["nodes"]["workers"]["image"].clone();
    let facts = Facts { images: BTreeMap::new(), ..with_image(Architecture::X86_64, 8) };
    let blueprint = blueprint(&cluster(json), &facts, &Pins::default()).unwrap();
    assert_eq!(blueprint.pins.images, BTreeMap::new());
}

#[test]
fn an_image_must_be_there_and_fit() {
    let refusal = |facts: &Facts| refused(own_image(), facts).to_string();
    assert_snapshot!(refusal(&facts()), @r#"the machine image ami-0123456789abcdef0 of the nodes "workers" is not available in us-east-1. An image exists in one region, and only for its owner and the accounts that it is shared with"#);
    assert_snapshot!(refusal(&with_image(Architecture::Arm64, 8)), @r#"the machine image ami-0123456789abcdef0 is for arm64, but the nodes "workers" have x86_64 processors (t3.medium)"#);
    assert_snapshot!(refusal(&with_image(Architecture::X86_64, 100)), @r#"the machine image ami-0123456789abcdef0 needs a root volume of 100 GiB, but that of the nodes "workers" has 60: set `root { gib = 100 }`"#);
}

#[test]
fn pins_survive_the_record() {
    let pins = lay_out(tutorial()).pins;
    let json = serde_json::to_string(&pins).unwrap();
    assert_snapshot!(json, @r#"{"images":{"x86_64":{"id":"ami-0000000000000086a"}},"public_zone":"Z0POETICODING","subnets":{"us-east-1d":"172.20.32.0/19","us-east-1f":"172.20.64.0/19"},"masters":{"a":"us-east-1d","b":"us-east-1f","c":"us-east-1d"},"kubernetes":{"reached":{"major":1,"minor":36},"wanted":{"major":1,"minor":36}},"release":"1.36.4","addons":{"kubernetes":{"major":1,"minor":36},"versions":{"cloud-controller-manager":"v1.36.1","csi-attacher":"v4.9.0","csi-node-driver-registrar":"v2.14.0","csi-provisioner":"v5.3.0","csi-resizer":"v1.14.0","ebs-csi-driver":"v1.46.0","livenessprobe":"v2.16.0"}},"network":{"pods":"100.96.0.0/11","services":"100.64.0.0/13","plugin":"routes"}}"#);
    assert_eq!(serde_json::from_str::<Pins>(&json).unwrap(), pins);
    assert_eq!(serde_json::from_str::<Pins>("{}").unwrap(), Pins::default());
    let older = r#"{"images":{"x86_64":"ami-01d"}}"#;
    assert_eq!(serde_json::from_str::<Pins>(older).unwrap().images[&Architecture::X86_64], "ami-01d".into());
}
