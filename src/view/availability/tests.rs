//! The table of failures, for every form that it can take.
#![allow(clippy::unwrap_used, reason = "tests")]

use super::*;
use crate::analysis::availability::SingleFailure;
use crate::view::json;

fn effect(outcome: FailureOutcome, part: &str, reason: &str, advice: &str) -> ServiceEffect {
    ServiceEffect { outcome, part: part.to_owned(), reason: reason.to_owned(), advice: advice.to_owned() }
}

fn failed(failure: SingleFailure, effects: Vec<ServiceEffect>) -> FailureEffects {
    let outcome = effects.iter().map(|effect| effect.outcome).max().unwrap_or(FailureOutcome::Survived);
    FailureEffects { failure, outcome, effects }
}

fn zone(letter: &str, effects: Vec<ServiceEffect>) -> FailureEffects {
    failed(SingleFailure::Zone(format!("us-east-1{letter}")), effects)
}

fn quorum() -> ServiceEffect {
    let reason = "2 of 3 masters are lost, so the API stops until the zone is back";
    effect(FailureOutcome::Stopped, "control plane", reason, "put one master in a third zone")
}

fn pod() -> ServiceEffect {
    let reason = "its only pod may be lost, and start again on other nodes after some minutes";
    effect(FailureOutcome::Interrupted, "service chat", reason, "use two replicas or more")
}

fn two_zones() -> Availability {
    let masters = ["a", "b", "c"].map(|letter| failed(SingleFailure::Master(letter.to_owned()), Vec::new()));
    let zones = [zone("d", vec![quorum(), pod()]), zone("f", vec![pod()])];
    let node = failed(SingleFailure::Node("workers".to_owned()), vec![pod()]);
    Availability { now: Vec::new(), failures: zones.into_iter().chain(masters).chain([node]).collect() }
}

fn three_zones() -> Availability {
    let zones = ["a", "d", "f"].map(|letter| zone(letter, Vec::new()));
    let node = failed(SingleFailure::Node("workers".to_owned()), vec![pod()]);
    Availability { now: Vec::new(), failures: zones.into_iter().chain([node]).collect() }
}

fn document(before: Option<Availability>, after: Option<Availability>) -> AvailabilityDocument {
    AvailabilityDocument::new(crate::view::plan::sample::heading(), PlanAvailability { before, during: None, after })
}

fn shown(document: &AvailabilityDocument) -> String {
    let shown = text(document, TextStyle::default());
    assert!(shown.lines().all(|line| line.chars().count() <= 80), "{shown}");
    shown
}

#[test]
fn each_failure_has_its_outcome_its_reason_and_a_way_out() {
    insta::assert_snapshot!(shown(&document(None, Some(two_zones()))));
}

#[test]
fn a_plan_that_changes_outcomes_shows_both() {
    insta::assert_snapshot!(shown(&document(Some(two_zones()), Some(three_zones()))));
}

#[test]
fn what_does_not_work_now_is_shown_below() {
    let reason = "2 of 3 masters do not run, so etcd has no quorum and the API does not answer";
    let now = effect(FailureOutcome::Stopped, "control plane", reason, "wait until their machines are replaced");
    let broken = Availability { now: vec![now], ..three_zones() };
    insta::assert_snapshot!(shown(&document(Some(broken), Some(three_zones()))));
}

#[test]
fn nothing_has_nothing_to_lose() {
    assert!(shown(&document(None, None)).ends_with("\nThe cluster has no machines.\n"));
}

#[test]
fn the_json_can_be_read_again() {
    let document = document(Some(two_zones()), Some(three_zones()));
    let json = json(&document).unwrap();
    assert_eq!(serde_json::from_str::<AvailabilityDocument>(&json).unwrap(), document);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["before"]["failures"][0]["failure"], serde_json::json!({ "kind": "zone", "name": "us-east-1d" }));
    assert_eq!(json["before"]["failures"][0]["effects"][0]["outcome"], "stopped");
}
