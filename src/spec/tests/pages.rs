//! Generated files: the schema, the reference, the list of rules.

use std::fmt::Write as _;

use super::read;
use crate::spec::{Severity, reference, rules, schema};
use crate::testkit::assert_generated;

#[test]
fn the_schema_is_up_to_date() {
    let text = serde_json::to_string_pretty(schema()).unwrap() + "\n";
    assert_generated("schemas/cluster.schema.json", &text);
}

#[test]
fn the_reference_is_up_to_date() {
    assert_generated("docs/cluster-file.md", &reference::cluster_file());
}

#[test]
fn the_list_of_rules_is_up_to_date() {
    assert_generated("docs/rules.md", &reference::rules());
}

#[test]
fn codes_are_unique_and_every_rule_is_explained() {
    let mut codes: Vec<&str> = rules().map(|rule| rule.code).collect();
    let count = codes.len();
    codes.sort_unstable();
    codes.dedup();
    assert_eq!(codes.len(), count);
    for rule in rules() {
        assert!(rule.explanation.ends_with('.'), "{}", rule.code);
        assert!(!rule.title.ends_with('.'), "{}", rule.code);
        assert_eq!(crate::spec::rule(&rule.code.to_lowercase()), Some(rule));
    }
}

/// Rules whose breach is not visible in the file's text.
const OUTSIDE: [&str; 8] = ["Q0102", "Q0114", "Q0601", "Q0602", "Q0603", "Q0604", "Q0605", "Q0606"];

#[test]
fn bad_examples_are_bad_and_good_ones_good() {
    let mut failures = String::new();
    for rule in rules().filter(|rule| !OUTSIDE.contains(&rule.code)) {
        let bad = read("bad.hcl", &whole(rule.bad));
        let good = read("good.hcl", &whole(rule.good));
        if !bad.diagnostics.iter().any(|problem| problem.code == rule.code) {
            let _ = writeln!(failures, "{}: bad is not bad\n{}", rule.code, bad.render(false, 80));
        }
        if good.has_errors() || good.diagnostics.iter().any(|problem| problem.code == rule.code) {
            let _ = writeln!(failures, "{}: good is not good\n{}", rule.code, good.render(false, 80));
        }
        if rule.severity != Severity::Error && bad.has_errors() {
            let _ = writeln!(failures, "{}: no more than advice, and an error\n{}", rule.code, bad.render(false, 80));
        }
    }
    assert!(failures.is_empty(), "{failures}");
}

/// Returns a file around a rule's example, with everything that the example leaves out.
fn whole(example: &str) -> String {
    const REST: [(&str, &str); 5] = [
        ("name", "name = \"chat.poeticoding.com\"\n"),
        ("state", "state = \"s3://state.chat.poeticoding.com\"\n"),
        ("zones", "zones = [\"us-east-1a\", \"us-east-1b\", \"us-east-1c\"]\n"),
        ("masters", "masters {\n  size = \"t3.medium\"\n}\n"),
        ("nodes", "nodes \"default\" {\n  count = 2\n  size  = \"t3.large\"\n}\n"),
    ];
    let says = |name: &str| example.lines().any(|line| line.split(' ').next() == Some(name));
    let rest: String = REST.iter().filter(|(name, _)| !says(name)).map(|(_, text)| *text).collect();
    format!("{rest}\n{example}\n")
}
