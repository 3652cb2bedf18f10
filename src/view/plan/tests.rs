//! Every kind of change, as a user sees it.
#![allow(clippy::unwrap_used, reason = "tests")]

mod attributes;
mod markdown;
mod reference;
mod schema;

use serde_json::json;

use super::sample::{attribute, change, document, new, pending, rule};
use super::*;
use crate::engine::{Action, AttributeChange, DifferenceOrigin, Plan, Reason};
use crate::view::json;

fn shown(changes: Vec<Change>) -> String {
    body(&document(changes), TextStyle::default())
}

fn by(action: Action, attribute: AttributeChange) -> AttributeChange {
    AttributeChange { action, ..attribute }
}

fn drifted(attribute: AttributeChange) -> AttributeChange {
    AttributeChange { origin: DifferenceOrigin::Drift, ..attribute }
}

fn first_apply() -> Vec<Change> {
    let create = |address: &str, attributes| change(address, Action::Create, Reason::New, attributes);
    let mut changes = vec![
        create("vpc/main", vec![new("cidr", json!("172.20.0.0/16")), new("dns_support", json!(true))]),
        create("internet-gateway/main", vec![new("vpc", pending("vpc/main", "id"))]),
        create("bucket/state", vec![new("name", json!("state.chat.poeticoding.com"))]),
        create("load-balancer/api", vec![new("scheme", json!("internet-facing"))]),
        create("autoscaling-group/nodes-workers", vec![new("min", json!(3)), new("max", json!(9))]),
        create(
            "security-group-rules/masters",
            vec![
                new("ingress", json!([rule("all", "all", "100.96.0.0/11", "pods"), rule("tcp", "6443", "sg-1", "")])),
                new("egress", json!([rule("all", "all", "0.0.0.0/0", "")])),
            ],
        ),
        create(
            "security-group-rules/api",
            vec![
                new("ingress", json!([rule("tcp", "443", "203.0.113.7/32", "api.allow")])),
                new("egress", json!([rule("tcp", "6443", "sg-1", "")])),
            ],
        ),
    ];
    for (letter, cidr) in [("a", "172.20.32.0/19"), ("d", "172.20.64.0/19"), ("f", "172.20.96.0/19")] {
        changes.push(create(&format!("subnet/us-east-1{letter}"), vec![new("cidr", json!(cidr))]));
    }
    for letter in ["a", "b", "c"] {
        changes.push(create(&format!("autoscaling-group/masters-{letter}"), vec![new("desired", json!(1))]));
        changes.push(create(
            &format!("volume/etcd-{letter}"),
            vec![new("gib", json!(20)), new("volume_type", json!("gp3"))],
        ));
        changes.push(create(
            &format!("launch-template/masters-{letter}"),
            vec![new("image", json!("ami-0a1b2c3d4e5f60718")), new("instance_size", json!("t3.medium"))],
        ));
    }
    changes
}

#[test]
fn a_first_apply_fits_on_a_screen() {
    insta::assert_snapshot!(text(&document(first_apply()), TextStyle::default()));
}

#[test]
fn many_equal_creations_wrap() {
    let names = (0..40).map(|n| format!("security-group/service-number-{n:02}"));
    let changes = names.map(|name| change(&name, Action::Create, Reason::New, Vec::new())).collect();
    let shown = shown(changes);
    assert!(shown.lines().all(|line| line.chars().count() <= 80), "{shown}");
}

#[test]
fn verbose_shows_every_attribute_of_what_is_created() {
    let subnet = change(
        "subnet/us-east-1a",
        Action::Create,
        Reason::New,
        vec![
            new("cidr", json!("172.20.32.0/19")),
            new("tags", json!({"Name": "us-east-1a.chat.poeticoding.com", "team": "chat"})),
            new("vpc", pending("vpc/main", "id")),
        ],
    );
    let template = change(
        "launch-template/masters-a",
        Action::Create,
        Reason::New,
        vec![
            new("security_groups", json!([pending("security-group/masters", "id")])),
            new(
                "user_data",
                json!({"$pending": ["#!/bin/sh\nfetch s3://", {"address": "bucket/state", "output": "name"}, "/node.sh\n"]}),
            ),
        ],
    );
    let style = TextStyle { verbose: true, ..TextStyle::default() };
    insta::assert_snapshot!(body(&document(vec![subnet, template]), style));
}

fn dangers() -> Vec<Change> {
    let mut volume = change("volume/etcd-c", Action::Delete, Reason::NotInFile, Vec::new());
    volume.loses_data = true;
    let mut encrypted = change(
        "volume/etcd-a",
        Action::Replace,
        Reason::File,
        vec![by(Action::Replace, attribute("encrypted", json!(false), json!(true)))],
    );
    encrypted.loses_data = true;
    let mut roll = change(
        "autoscaling-group/masters-a",
        Action::Roll,
        Reason::File,
        vec![
            by(Action::Roll, attribute("machines", json!("1"), pending("launch-template/masters-a", "generation"))),
            attribute("version", json!("1"), pending("launch-template/masters-a", "version")),
        ],
    );
    roll.lane = Some("masters".to_owned());
    let fixed = Reason::Fixed {
        attribute: "cidr".to_owned(),
        instead: "destroy the cluster and apply again, or give the new one another name".to_owned(),
    };
    vec![
        volume,
        encrypted,
        roll,
        change(
            "vpc/main",
            Action::Refuse,
            fixed,
            vec![by(Action::Refuse, attribute("cidr", json!("172.20.0.0/16"), json!("10.0.0.0/16")))],
        ),
        change("record/api", Action::Refuse, Reason::Foreign, Vec::new()),
        change(
            "secret/cluster-ca",
            Action::Refuse,
            Reason::Lost { instead: "remove the delete marker of its key".to_owned() },
            Vec::new(),
        ),
        change("subnet/us-east-1f", Action::Delete, Reason::NotInFile, Vec::new()),
        change("subnet/us-east-1a", Action::Delete, Reason::Duplicate { kept: "subnet-0fff".to_owned() }, Vec::new()),
        change(
            "load-balancer/api",
            Action::Replace,
            Reason::File,
            vec![
                by(Action::Replace, attribute("scheme", json!("internal"), json!("internet-facing"))),
                attribute("cross_zone", json!(false), json!(true)),
            ],
        ),
        change(
            "launch-template/masters-a",
            Action::Update,
            Reason::File,
            vec![attribute("instance_size", json!("t3.medium"), json!("t3.large"))],
        ),
        change("key-pair/admin", Action::Adopt, Reason::Unrecorded, Vec::new()),
        change("subnet/us-east-1d", Action::Create, Reason::Missing, vec![new("cidr", json!("172.20.64.0/19"))]),
        change("security-group/nodes", Action::Create, Reason::New, Vec::new()),
    ]
}

#[test]
fn the_most_dangerous_comes_first() {
    let dangers = dangers().into_iter().filter(|change| change.action != Action::Refuse).collect();
    insta::assert_snapshot!(text(&document(dangers), TextStyle::default()));
}

#[test]
fn a_plan_that_is_refused_shows_what_stops_it_and_the_rest_on_demand() {
    let short = text(&document(dangers()), TextStyle::default());
    insta::assert_snapshot!(short);
    let verbose = TextStyle { verbose: true, ..TextStyle::default() };
    let long = text(&document(dangers()), verbose);
    assert!(long.contains("Loses data\n") && long.contains("Adopt"), "{long}");
}

#[test]
fn a_refused_change_shows_its_reason_and_not_its_dependents() {
    let group = |name: &str| {
        let reason = Reason::Needed {
            instead: "masters of a living cluster cannot be taken away from it, only added".to_owned(),
        };
        let address = format!("autoscaling-group/masters-{name}");
        change(&address, Action::Refuse, reason, vec![attribute("version", json!("1"), json!("2"))])
    };
    let shown = body(&document(vec![group("b"), group("c")]), TextStyle::default());
    assert!(shown.matches("masters of a living").count() == 1 && !shown.contains("version"), "{shown}");
}

#[test]
fn equal_changes_stand_together() {
    let changes = ["a", "b", "c"]
        .map(|letter| {
            let attributes = vec![attribute("instance_size", json!("t3.medium"), json!("t3.large"))];
            change(&format!("launch-template/masters-{letter}"), Action::Update, Reason::File, attributes)
        })
        .to_vec();
    insta::assert_snapshot!(shown(changes));
}

#[test]
fn a_destroy_lists_every_object_by_name() {
    let mut changes: Vec<Change> = ["subnet/us-east-1a", "subnet/us-east-1d", "vpc/main"]
        .map(|address| change(address, Action::Delete, Reason::Destroy, Vec::new()))
        .to_vec();
    for letter in ["a", "b"] {
        let mut volume = change(&format!("volume/etcd-{letter}"), Action::Delete, Reason::Destroy, Vec::new());
        volume.loses_data = true;
        changes.push(volume);
    }
    let mut document = document(changes);
    document.plan.mode = PlanMode::Destroy;
    document.summary.unchanged = 0;
    document.heading.sandbox = true;
    insta::assert_snapshot!(text(&document, TextStyle::default()));
}

#[test]
fn a_refresh_goes_from_what_was_applied_to_what_is() {
    let changes = vec![
        change("volume/etcd-a", Action::Update, Reason::Drift, vec![drifted(attribute("gib", json!(40), json!(20)))]),
        change("subnet/us-east-1d", Action::Create, Reason::Missing, vec![new("cidr", json!("172.20.64.0/19"))]),
        change("subnet/us-east-1f", Action::Adopt, Reason::Unrecorded, Vec::new()),
    ];
    let mut document = document(changes);
    document.plan.mode = PlanMode::Refresh;
    insta::assert_snapshot!(body(&document, TextStyle::default()));
}

#[test]
fn an_empty_plan_is_reported_as_empty() {
    let empty = |mode| {
        let plan = Plan { mode, serial: 7, changes: Vec::new(), unchanged: 81, held: BTreeSet::new() };
        body(&PlanDocument::new(super::sample::heading(), plan), TextStyle::default())
    };
    insta::assert_snapshot!([PlanMode::Apply, PlanMode::Destroy, PlanMode::Refresh].map(empty).concat());
}

#[test]
fn colour_adds_nothing_but_escape_codes() {
    let plain = text(&document(first_apply()), TextStyle::default());
    let colored = text(&document(first_apply()), TextStyle { color: true, ..TextStyle::default() });
    assert_ne!(plain, colored);
    assert_eq!(anstream::adapter::strip_str(&colored).to_string(), plain);
    assert!(!plain.contains('\u{1b}'));
}

#[test]
fn every_section_has_its_colour() {
    let style = TextStyle { color: true, verbose: true, ..TextStyle::default() };
    let colored = text(&document(dangers()), style);
    insta::assert_snapshot!(colored.replace('\u{1b}', "^"));
}

#[test]
fn the_text_comes_from_the_json_alone() {
    let document = document(first_apply());
    let again: PlanDocument = serde_json::from_str(&json(&document).unwrap()).unwrap();
    assert_eq!(text(&again, TextStyle::default()), text(&document, TextStyle::default()));
}

#[test]
fn the_json_is_versioned() {
    let mut document = document(vec![change("vpc/main", Action::Delete, Reason::NotInFile, Vec::new())]);
    document.heading.sandbox = true;
    insta::assert_snapshot!(json(&document).unwrap());
}

#[test]
fn control_characters_from_the_cloud_do_not_reach_the_terminal() {
    let evil = "\u{1b}[2J\u{7}";
    let changes = vec![change(
        "subnet/us-east-1a",
        Action::Update,
        Reason::Drift,
        vec![
            attribute("tags", json!({evil: evil}), json!({"Name": "x"})),
            attribute("text", json!(format!("a\n{evil}\n")), json!("b\n")),
        ],
    )];
    let shown = shown(changes);
    assert!(shown.chars().all(|c| c == '\n' || !c.is_control()), "{shown:?}");
}

#[test]
fn traffic_between_zones_costs_and_the_plan_shows_it() {
    let balancer = |action, before| {
        let cross = attribute("cross_zone", before, json!(true));
        let subnets = attribute("subnets", json!(["subnet-1", "subnet-2"]), json!(["subnet-1", "subnet-2"]));
        change("load-balancer/service-chat", action, Reason::New, vec![cross, subnets])
    };
    let messages = shown(vec![balancer(Action::Create, json!(null))]);
    assert!(
        messages.contains("Cost: about 0.01 USD for each GB and direction that load-balancer/service-chat"),
        "{messages}"
    );
    assert!(messages.lines().all(|line| line.chars().count() <= 80), "{messages}");
    assert!(shown(vec![balancer(Action::Update, json!(false))]).contains("Cost: "));
    assert!(!shown(vec![balancer(Action::Update, json!(true))]).contains("Cost: "), "it cost that before");
    let api = change("load-balancer/api", Action::Create, Reason::New, vec![new("cross_zone", json!(true))]);
    assert!(!shown(vec![api]).contains("Cost: "), "nobody can choose otherwise");
}

#[test]
fn who_may_come_in_is_named_once_with_all_that_is_open_and_an_autoscaler_with_its_range() {
    let rule = |peer: &str, ports: &str| json!({"protocol": "tcp", "ports": ports, "peer": peer, "description": "x"});
    let rules =
        new("ingress", json!([rule("0.0.0.0/0", "80"), rule("203.0.113.7/32", "22"), rule("0.0.0.0/0", "443")]));
    let shown = body(
        &document(vec![
            change("security-group-rules/web", Action::Create, Reason::New, vec![rules]),
            change(
                "horizontal-pod-autoscaler/web",
                Action::Create,
                Reason::New,
                vec![new("spec.maxReplicas", json!(10)), new("spec.minReplicas", json!(2))],
            ),
            change(
                "listener/web",
                Action::Create,
                Reason::New,
                vec![
                    new("protocol", json!("TLS")),
                    new("port", json!(443)),
                    new("certificate", json!("arn:aws:acm:us-east-1:123456789012:certificate/0a1b")),
                ],
            ),
        ]),
        TextStyle { width: 120, ..TextStyle::default() },
    );
    assert!(shown.contains("open to 0.0.0.0/0 (tcp 443, tcp 80) and 203.0.113.7/32 (tcp 22)"), "{shown}");
    assert!(shown.contains("2 to 10 pods") && shown.contains("TLS 443, certificate/0a1b"), "{shown}");
}

#[test]
fn the_page_lists_every_section_with_its_signs() {
    use Action::{Adopt, Create, Delete, Refuse, Replace, Roll, Update, Wait};
    let page = include_str!("../../../docs/commands.md");
    for section in SECTIONS {
        let row = page.lines().find(|line| line.contains(&format!(" | {} | ", section.name())));
        assert!(row.is_some(), "docs/commands.md lacks the section `{}`", section.name());
        let row = row.unwrap_or_default();
        for action in [Refuse, Delete, Replace, Roll, Update, Create, Adopt, Wait] {
            let change = change("vpc/main", action, Reason::File, Vec::new());
            if section.holds(&change, PlanMode::Apply) {
                let sign = section::sign(action, PlanMode::Apply).0.trim();
                assert!(row.contains(&format!("`{sign}`")), "{row} is not marked `{sign}`");
            }
        }
    }
}
