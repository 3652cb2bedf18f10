#![allow(clippy::panic, clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::spec::parse;

fn file(zones: &[&str], masters: &str, more: &str) -> Cluster {
    let zones: Vec<String> = zones.iter().map(|letter| format!("\"us-east-1{letter}\"")).collect();
    let text = format!(
        "name = \"c.example.com\"\nstate = \"file:./s\"\nzones = [{}]\n{more}\nmasters {{\n {masters}\n size = \"t3.medium\"\n}}\n\
         nodes \"w\" {{\n count = 1\n size = \"t3.medium\"\n}}\n",
        zones.join(", ")
    );
    let parsed = parse("cluster.hcl", &text, &BTreeMap::new());
    parsed.cluster.clone().unwrap_or_else(|_| panic!("{}", parsed.render(false, 80)))
}

/// Returns the letters of the masters' zones after each file, with the pins carried on as in the record.
fn lives(files: &[Cluster]) -> Vec<String> {
    let mut pins = Pins::default();
    let mut all = Vec::new();
    for file in files {
        let resolved = resolved(file, &pins).unwrap();
        pins = Pins::default().resolve(&resolved, &pins);
        all.push(resolved.masters.zones.iter().map(|zone| &zone.as_str()[9..]).collect());
    }
    all
}

fn zones(lists: &[&[&str]]) -> Vec<String> {
    lives(&lists.iter().map(|list| file(list, "count = 3", "")).collect::<Vec<_>>())
}

#[test]
fn the_order_of_zones_moves_no_master() {
    assert_eq!(zones(&[&["a", "b", "c"], &["c", "a", "b"]]), ["abc", "abc"]);
    assert_eq!(zones(&[&["a", "b", "c"], &["d", "a", "b", "c"]]), ["abc", "abc"], "a zone in front");
}

#[test]
fn only_the_master_of_a_zone_that_goes_moves() {
    assert_eq!(zones(&[&["a", "b", "c"], &["a", "c"]]), ["abc", "aac"]);
    assert_eq!(zones(&[&["a", "b", "c"], &["d", "c", "a"]]), ["abc", "adc"]);
}

#[test]
fn a_master_that_is_new_goes_where_the_fewest_are() {
    let grown = [file(&["a", "b", "c"], "count = 1", ""), file(&["c", "b", "a"], "count = 3", "")];
    assert_eq!(lives(&grown), ["a", "acb"]);
}

#[test]
fn zones_that_the_file_gives_win_and_move_no_more_than_they_must() {
    let given = |list: &str| file(&["a", "b", "c"], &format!("zones = [{list}]"), "");
    let a_b_c = file(&["a", "b", "c"], "count = 3", "");
    let ordered = given("\"us-east-1c\", \"us-east-1a\", \"us-east-1b\"");
    let doubled = given("\"us-east-1c\", \"us-east-1c\", \"us-east-1a\"");
    assert_eq!(lives(&[a_b_c, ordered, doubled]), ["abc", "abc", "acc"]);
}

#[test]
fn masters_that_stay_together_are_named() {
    let first = resolved(&file(&["a", "b"], "count = 3", ""), &Pins::default()).unwrap();
    assert_eq!(notes(&first), [], "two zones cannot do better: `check` warns");
    let pins = Pins::default().resolve(&first, &Pins::default());
    let more = resolved(&file(&["a", "b", "c"], "count = 3", ""), &pins).unwrap();
    let [note] = &notes(&more)[..] else { panic!("{:?}", notes(&more)) };
    assert!(
        note.to_string().starts_with("the loss of us-east-1a loses the quorum: the masters a and c stay"),
        "{note}"
    );
}

fn refusals(before: &str, after: &str) -> String {
    let zones = ["a", "b", "c"];
    let first = resolved(&file(&zones, "count = 3", before), &Pins::default()).unwrap();
    let pins = Pins::default().resolve(&first, &Pins::default()).reached(false);
    resolved(&file(&zones, "count = 3", after), &pins).map_or_else(|refused| refused.to_string(), |_| String::new())
}

#[test]
fn the_network_of_a_living_cluster_stays_as_it_is() {
    for (setting, value) in [("pods", "10.96.0.0/12"), ("services", "10.64.0.0/16"), ("plugin", "none")] {
        let text = refusals("", &format!("network {{\n {setting} = \"{value}\"\n}}"));
        assert!(text.starts_with(&format!("`network.{setting}` cannot be changed from ")), "{text}");
        assert!(text.contains("Put it back, or build another cluster"), "{text}");
    }
}

#[test]
fn kubernetes_goes_up_one_minor_version_at_a_time() {
    let version = |minor: u32| format!("kubernetes = \"1.{minor}\"");
    assert_eq!(refusals(&version(34), &version(35)), "");
    assert_eq!(refusals(&version(35), &version(35)), "");
    let skipped = "`kubernetes` cannot be changed from 1.34 to 1.36 on a living cluster: Kubernetes goes up one minor version \
                   at a time. Apply 1.35 first, then 1.36";
    assert_eq!(refusals(&version(34), &version(36)), skipped);
    let back = "`kubernetes` cannot be changed from 1.35 to 1.34 on a living cluster: Kubernetes does not go back to an older \
                version. Keep 1.35";
    assert_eq!(refusals(&version(35), &version(34)), back);
}

#[test]
fn an_upgrade_that_did_not_come_to_its_end_is_finished_first() {
    let version = |minor| KubernetesVersion { major: 1, minor };
    let pins =
        Pins { kubernetes: Some(PinnedVersion { reached: version(34), wanted: version(35) }), ..Pins::default() };
    let asked = |minor: u32| {
        let file = file(&["a"], "count = 1", &format!("kubernetes = \"1.{minor}\""));
        resolved(&file, &pins).map(|resolved| resolved.kubernetes).map_err(|refused| refused.to_string())
    };
    assert_eq!(asked(35), Ok(version(35)));
    assert!(asked(36).unwrap_err().contains("the upgrade to 1.35 is not finished"));
    assert!(asked(34).unwrap_err().contains("does not go back"));
}

#[test]
fn a_newer_release_upgrades_no_cluster_by_itself() {
    let old = KubernetesVersion { major: 1, minor: 35 };
    let at =
        |version| Pins { kubernetes: Some(PinnedVersion { reached: version, wanted: version }), ..Pins::default() };
    let resolved = resolved(&file(&["a"], "count = 1", ""), &at(old)).unwrap();
    assert_eq!(resolved.kubernetes, old);
    assert_eq!(notes(&resolved), [BlueprintNote::NewerVersion { version: old }]);
    let ended = super::resolved(&file(&["a"], "count = 1", ""), &at(KubernetesVersion { major: 1, minor: 33 }));
    assert!(ended.unwrap_err().to_string().contains("Write `kubernetes = \"1.34\"`"));
}

#[test]
fn what_the_record_lost_is_read_from_what_there_is() {
    let volume = |member: &str, zone: &str| Live {
        address: EbsVolume::address(&format!("etcd-{member}")),
        id: format!("vol-{member}"),
        attributes: [("zone".to_owned(), Value::Text(zone.to_owned()))].into(),
        outputs: BTreeMap::new(),
        phase: crate::engine::ObjectPhase::Ready,
        proven: true,
        created: None,
        members: Vec::new(),
    };
    let pins = Pins::default().recover(None, &[volume("a", "us-east-1c"), volume("b", "us-east-1b")]);
    let resolved = resolved(&file(&["a", "b", "c"], "count = 3", ""), &pins).unwrap();
    let zones: Vec<&str> = resolved.masters.zones.iter().map(Zone::as_str).collect();
    assert_eq!(zones, ["us-east-1c", "us-east-1b", "us-east-1a"]);
}

proptest! {
    #[test]
    fn whatever_zones_come_and_go_a_master_moves_only_when_its_zone_does(
        lists in prop::collection::vec(prop::sample::subsequence(vec!["a", "b", "c", "d", "e", "f"], 1..=5), 2..6),
        turns in prop::collection::vec(any::<prop::sample::Index>(), 6),
    ) {
        let lists: Vec<Vec<&str>> = lists.iter().zip(&turns).map(|(list, turn)| {
            let mut list = list.clone();
            let by = turn.index(list.len());
            list.rotate_left(by);
            list
        }).collect();
        let placed = zones(&lists.iter().map(Vec::as_slice).collect::<Vec<_>>());
        for (at, list) in lists.iter().enumerate() {
            let known: BTreeSet<&str> = list.iter().copied().collect();
            prop_assert!(placed[at].chars().all(|zone| known.contains(zone.to_string().as_str())));
            if at > 0 {
                for (was, is) in placed[at - 1].chars().zip(placed[at].chars()) {
                    prop_assert!(was == is || !known.contains(was.to_string().as_str()), "{was} -> {is} in {list:?}");
                }
            }
        }
    }
}

#[test]
fn new_masters_and_a_new_version_are_two_applies() {
    let of = |masters: u32, version: &str| {
        file(&["a", "b", "c"], &format!("count = {masters}"), &format!("kubernetes = \"{version}\""))
    };
    let mut pins = Pins::default().resolve(&of(1, "1.35"), &Pins::default()).reached(false);
    let error = resolved(&of(3, "1.36"), &pins).unwrap_err().to_string();
    assert!(error.contains("Apply Kubernetes 1.36 first, then the new masters"), "{error}");
    for one_step in [of(1, "1.36"), of(3, "1.36")] {
        let resolved = resolved(&one_step, &pins).unwrap();
        pins = Pins::default().resolve(&resolved, &pins).reached(false);
    }
    assert_eq!(pins.masters.len(), 3);
}

#[test]
fn the_volumes_of_one_pod_do_not_become_those_of_several_and_a_stateful_set_stays_one() {
    let of = |replicas: u32| {
        let service = format!(
            "service \"queue\" {{\nimage = \"queue:1\"\nreplicas = {replicas}\nvolume \"data\" {{\npath = \"/data\"\ngib = 1\n}}\n}}"
        );
        file(&["a", "b", "c"], "count = 3", &service)
    };
    let alone = Pins::default().resolve(&of(1), &Pins::default());
    let error = resolved(&of(3), &alone).unwrap_err().to_string();
    assert!(error.starts_with("`replicas` cannot be changed from 1 to 3 on a living cluster"), "{error}");
    assert!(error.contains("the service queue") && error.contains("copy the data"), "{error}");
    let several = Pins::default().resolve(&of(3), &Pins::default());
    assert!(resolved(&of(1), &several).unwrap().services["queue"].volume_per_pod);
    assert!(!resolved(&of(1), &alone).unwrap().services["queue"].volume_per_pod);
    let older = Pins::default().recover(Some(&of(1)), &[]);
    assert!(resolved(&of(3), &older).is_err(), "a record of a release that had no stateful sets");
}
