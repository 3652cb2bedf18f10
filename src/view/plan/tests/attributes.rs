//! Every kind of attribute that differs.

use super::*;

#[test]
fn hashes_are_shown_by_their_beginnings_unless_everything_is_asked_for() {
    let (old, new) = ("0123456789abcdef".repeat(4), "fedcba9876543210".repeat(4));
    let key = |hash: &str| json!(format!("c.example.com/bootstrap/{hash}/node.sh"));
    let change = || {
        vec![change(
            "bucket-object/node.sh",
            Action::Update,
            Reason::File,
            vec![attribute("key", key(&old), key(&new))],
        )]
    };
    let short = body(&document(change()), TextStyle::default());
    assert!(short.contains("bootstrap/01234567.../node.sh") && !short.contains(&old), "{short}");
    let long = body(&document(change()), TextStyle { verbose: true, ..TextStyle::default() });
    assert!(long.contains(&old) && long.contains(&new), "{long}");
}

#[test]
fn drift_is_distinguished_from_what_the_file_asks_for() {
    let drift = change(
        "target-group/api",
        Action::Update,
        Reason::Drift,
        vec![drifted(attribute(
            "health_check",
            json!({"protocol": "TCP", "interval": 30, "healthy": 2, "unhealthy": 2}),
            json!({"protocol": "TCP", "interval": 10, "healthy": 2, "unhealthy": 2}),
        ))],
    );
    let both = change(
        "autoscaling-group/nodes-workers",
        Action::Update,
        Reason::FileAndDrift,
        vec![
            AttributeChange { origin: DifferenceOrigin::Both, ..attribute("desired", json!(5), json!(4)) },
            attribute("max", json!(2), json!(4)),
            drifted(attribute(
                "tags",
                json!({"Name": "mine", "team": "chat"}),
                json!({"Name": "workers", "team": "chat"}),
            )),
        ],
    );
    insta::assert_snapshot!(shown(vec![drift, both]));
}

#[test]
fn sets_show_what_joins_and_what_leaves() {
    let rules = change(
        "security-group-rules/masters",
        Action::Update,
        Reason::Drift,
        vec![drifted(attribute(
            "ingress",
            json!([rule("tcp", "22", "0.0.0.0/0", ""), rule("tcp", "6443", "sg-0aaa", "api")]),
            json!([rule("tcp", "6443", "sg-0aaa", "api"), rule("tcp", "10250", "sg-0bbb", "kubelet")]),
        ))],
    );
    let table = change(
        "route-table/main",
        Action::Update,
        Reason::File,
        vec![
            attribute(
                "routes",
                json!([]),
                json!([{"destination": "0.0.0.0/0", "target": pending("internet-gateway/main", "id")}]),
            ),
            attribute("subnets", json!(["subnet-0a", "subnet-0b"]), json!(["subnet-0a"])),
        ],
    );
    insta::assert_snapshot!(shown(vec![rules, table]));
}

#[test]
fn policies_are_compared_as_documents() {
    let before = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}}"#;
    let after = r#"{"Statement":[{"Action":["s3:GetObject"],"Effect":"Allow","Resource":["arn:aws:s3:::b/n/*"]}],"Version":"2012-10-17"}"#;
    let extra = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;
    let role = change(
        "role/nodes",
        Action::Update,
        Reason::Drift,
        vec![drifted(attribute("policies", json!({"nodes": before, "extra": extra}), json!({"nodes": after})))],
    );
    insta::assert_snapshot!(shown(vec![role]));
}

#[test]
fn long_texts_show_the_lines_that_differ() {
    let script = |hash: &str| {
        let lines: Vec<String> = (1..=12).map(|n| format!("step {n}")).collect();
        format!("#!/bin/sh\n{}\nfetch {hash}\n{}\n", lines.join("\n"), lines.join("\n"))
    };
    let template = change(
        "launch-template/nodes-workers",
        Action::Update,
        Reason::File,
        vec![
            attribute("image", json!("ami-0a1b2c3d4e5f60718"), json!("ami-0fffffffffffffff8")),
            attribute("user_data", json!(script("aaaa")), json!(script("bbbb"))),
        ],
    );
    insta::assert_snapshot!(shown(vec![template]));
}

#[test]
fn a_pair_that_does_not_fit_stands_on_two_lines() {
    let record = change(
        "record/api",
        Action::Update,
        Reason::File,
        vec![attribute(
            "target",
            json!("chat-api-0123456789abcdef.elb.us-east-1.amazonaws.com"),
            pending("load-balancer/api", "dns_name"),
        )],
    );
    insta::assert_snapshot!(shown(vec![record]));
}
