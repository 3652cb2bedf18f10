#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::*;
use crate::engine::Action;
use crate::resource::{KINDS, PermissionCheck, RefusedBy, calls};

fn target(cluster: &str) -> PolicyTarget {
    PolicyTarget {
        cluster: cluster.to_owned(),
        region: "us-east-1".to_owned(),
        account: "111122223333".to_owned(),
        bucket: "state.chat.poeticoding.com".to_owned(),
        root: cluster.to_owned(),
    }
}

fn policy(purposes: &[RunPurpose], cluster: &str) -> LeastPolicy {
    LeastPolicy::new(&NeededActions::of_purposes(purposes, &|_| true), &target(cluster))
}

const ALL: [RunPurpose; 3] = [RunPurpose::Plan, RunPurpose::Apply, RunPurpose::Destroy];

/// An evaluation of policies that follows IAM's rules for what these policies use: `Allow`, wildcards, `StringEquals`.
fn allows(documents: &[String], action: &str, resource: &str, keys: &[(String, String)]) -> bool {
    let list = |value: &Json| -> Vec<String> {
        match value {
            Json::Array(items) => items.iter().map(|item| item.as_str().unwrap().to_owned()).collect(),
            other => vec![other.as_str().unwrap().to_owned()],
        }
    };
    let statements = documents.iter().flat_map(|document| {
        let document: Json = serde_json::from_str(document).unwrap();
        document["Statement"].as_array().unwrap().clone()
    });
    statements.into_iter().any(|statement| {
        let meets =
            |key: &str, allowed: &Json| keys.iter().any(|(known, value)| known == key && list(allowed).contains(value));
        let conditions = statement["Condition"].as_object().cloned().unwrap_or_default();
        assert!(conditions.keys().all(|operator| operator == "StringEquals"));
        let mut wanted = conditions.values().filter_map(Json::as_object).flatten();
        list(&statement["Action"]).iter().any(|allowed| allowed == action)
            && list(&statement["Resource"]).iter().any(|pattern| matches(pattern, resource))
            && wanted.all(|(key, allowed)| meets(key, allowed))
    })
}

fn matches(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((start, rest)) => text.strip_prefix(start).is_some_and(|text| {
            rest.is_empty() || (0..=text.len()).any(|from| text.get(from..).is_some_and(|text| matches(rest, text)))
        }),
    }
}

fn is_allowed(documents: &[String], check: &PermissionCheck, action: &str) -> bool {
    let everything = ["arn:aws:ec2:us-east-1:111122223333:example/1".to_owned()];
    let resources = if check.resources.is_empty() { &everything[..] } else { &check.resources };
    resources.iter().any(|resource| allows(documents, action, resource, &check.keys))
}

#[test]
fn a_policy_allows_what_the_runs_need_and_nothing_of_another_cluster() {
    for purposes in [&ALL[..1], &ALL[1..2], &ALL[2..], &ALL[..]] {
        let own = policy(purposes, "chat.poeticoding.com");
        let (documents, strangers) = (own.documents(), policy(purposes, "shop.poeticoding.com").documents());
        let needed: Vec<&str> = NeededActions::of_purposes(purposes, &|_| true).actions().collect();
        let mut checked: Vec<&str> = Vec::new();
        for check in own.checks("111122223333") {
            for action in &check.actions {
                assert!(is_allowed(&documents, &check, action), "{action}: {check:?}");
                let is_of_cluster = check.resources.iter().any(|resource| resource.contains("chat.poeticoding.com/"))
                    || check.keys.iter().any(|(key, _)| key.starts_with("aws:ResourceTag/"));
                assert!(!is_of_cluster || !is_allowed(&strangers, &check, action), "{action}: {check:?}");
                checked.push(action);
            }
        }
        checked.sort_unstable();
        checked.dedup();
        assert_eq!(checked, needed, "every action is checked");
    }
}

#[test]
fn only_reads_and_creations_are_for_all_objects() {
    for (statement, _) in policy(&ALL, "chat.poeticoding.com").statements() {
        let is_wide = statement.resources() == ["*"] && statement.conditions().keys().count() == 0;
        let is_narrow =
            |action: &&str| !["Describe", "List", "Get"].iter().any(|verb| action.contains(&format!(":{verb}")));
        let changing: Vec<_> = statement.actions().iter().filter(|action| is_wide && is_narrow(action)).collect();
        assert!(
            changing.iter().all(|action| action.starts_with("route53:")),
            "{changing:?} change objects of others too"
        );
    }
}

#[test]
fn a_plan_needs_no_change_and_each_purpose_fits_in_few_documents() {
    let of = |purpose| -> Vec<&str> { NeededActions::of_purposes(&[purpose], &|_| true).actions().collect() };
    let verbs = ["Describe", "Get", "List"];
    let reads =
        |action: &&str| verbs.iter().any(|verb| action.split_once(':').is_some_and(|(_, name)| name.starts_with(verb)));
    assert!(of(RunPurpose::Plan).iter().all(reads), "{:?}", of(RunPurpose::Plan));
    let lengths = ALL.map(|purpose| policy(&[purpose], "chat.poeticoding.com").documents());
    for documents in &lengths {
        assert!(documents.iter().all(|document| document.len() <= 6_144));
    }
    // Only a file that has every kind of object needs a second document for an apply.
    assert_eq!(lengths.map(|documents| documents.len()), [1, 2, 1]);
    let long = "a".repeat(60) + "." + &"b".repeat(60) + ".example.com";
    let documents = policy(&ALL, &long).documents();
    assert!(documents.iter().all(|document| document.len() <= 6_144) && documents.len() <= 2, "{}", documents.len());
}

#[test]
fn a_cluster_without_a_key_needs_no_import_but_may_delete_one() {
    let needed = NeededActions::of_purposes(&[RunPurpose::Apply], &|kind| kind != "key-pair");
    let actions: Vec<&str> = needed.actions().collect();
    assert!(!actions.contains(&"ec2:ImportKeyPair") && actions.contains(&"ec2:DeleteKeyPair"));
}

#[test]
fn every_kind_has_calls_for_each_change() {
    for kind in KINDS {
        let calls = calls(kind.name).unwrap();
        for actions in [calls.read, calls.create, calls.update, calls.delete] {
            let mut sorted = actions.to_vec();
            sorted.sort_unstable();
            sorted.dedup();
            assert_eq!(sorted.len(), actions.len(), "{}", kind.name);
            assert!(actions.iter().all(|action| action.split_once(':').is_some()), "{}", kind.name);
        }
        assert!(!calls.of(Action::Replace).is_empty());
    }
}

#[test]
fn a_missing_permission_names_the_changes_that_need_it() {
    use crate::analysis::tests::{EXAMPLES, cluster, first_plan};
    let plan = first_plan(&cluster(EXAMPLES[5].1)).plan;
    let needed = NeededActions::of_plan(RunPurpose::Apply, &plan);
    let refused = BTreeMap::from([
        ("ec2:CreateVpc".to_owned(), RefusedBy::NoPolicy),
        ("ec2:DescribeVpcs".to_owned(), RefusedBy::DenyingPolicy),
    ]);
    let permissions = PlanPermissions::new("arn:aws:iam::111122223333:user/alvise", &needed, &refused);
    let missing: Vec<_> = permissions
        .missing
        .iter()
        .map(|missing| (missing.action.as_str(), missing.denied, missing.objects.len()))
        .collect();
    assert_eq!(missing, [("ec2:CreateVpc", false, 1), ("ec2:DescribeVpcs", true, 0)]);
    assert!(!needed.actions().any(|action| action == "ec2:DeleteVpc"), "a first plan deletes nothing");
}
