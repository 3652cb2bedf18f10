#![allow(clippy::panic, clippy::unwrap_used, reason = "tests")]

use proptest::prelude::*;
use serde_json::json;

use super::*;

fn plan(changes: &serde_json::Value) -> Plan {
    let plan = json!({ "mode": "apply", "serial": 7, "changes": changes, "unchanged": 3 });
    serde_json::from_value(plan).unwrap()
}

fn change(address: &str, before: &str, after: &str) -> serde_json::Value {
    json!({
        "address": address, "action": "update", "reason": { "kind": "file" }, "id": "i-1", "needs": [], "loses_data": false,
        "attributes": [{ "name": "size", "before": before, "after": after, "origin": "file", "action": "update" }],
    })
}

fn moment(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn target() -> PlanTarget {
    PlanTarget {
        cluster: "chat.example.com".to_owned(),
        account: "123456789012".to_owned(),
        region: "us-east-1".to_owned(),
        state: "s3://state".to_owned(),
        lineage: Some("lineage".to_owned()),
        sandbox: false,
    }
}

fn saved() -> SavedPlan {
    let changes = plan(&json!([change("subnet/a", "1", "2"), change("subnet/b", "1", "2")]));
    let hidden = HiddenValues { salt: "00".to_owned(), hash: "11".to_owned() };
    SavedPlan::new(changes, target(), json!({ "upgrade": {} }), Some(hidden), moment("2026-11-30T10:00:00Z"))
}

fn record(serial: u64) -> ClusterRecord {
    let now = moment("2026-11-30T11:00:00Z");
    let first = ClusterRecord::first("chat.example.com", "123456789012", "us-east-1", "run-1", now);
    ClusterRecord { lineage: "lineage".to_owned(), serial, ..first }
}

#[test]
fn a_saved_plan_is_valid_for_a_day_and_for_one_release() {
    let saved = saved();
    for valid in ["2026-11-30T09:55:00Z", "2026-11-30T10:00:00Z", "2026-12-01T10:00:00Z"] {
        assert_eq!(saved.check_age(moment(valid)), Ok(()), "{valid}");
    }
    let expired = saved.check_age(moment("2026-12-01T10:00:01Z")).unwrap_err().to_string();
    assert_eq!(expired, "it was made at 2026-11-30 10:00:00 UTC, more than a day ago");
    let future = saved.check_age(moment("2026-11-30T09:54:59Z")).unwrap_err();
    assert!(matches!(future, SavedPlanError::Future { .. }));
    let other = SavedPlan { quorate: "0.0.1".to_owned(), ..saved };
    assert!(matches!(other.check_age(moment("2026-11-30T10:00:00Z")), Err(SavedPlanError::Release { .. })));
}

#[test]
fn a_saved_plan_is_for_one_cluster_in_one_place() {
    let saved = saved();
    assert_eq!(saved.check_target(&target()), Ok(()));
    let others = [
        PlanTarget { cluster: "x".to_owned(), ..target() },
        PlanTarget { account: "x".to_owned(), ..target() },
        PlanTarget { region: "x".to_owned(), ..target() },
        PlanTarget { state: "x".to_owned(), ..target() },
        PlanTarget { sandbox: true, ..target() },
    ];
    let messages: Vec<String> = others.iter().map(|other| saved.check_target(other).unwrap_err().to_string()).collect();
    insta::assert_snapshot!(messages.join("\n"), @r"
    it is for the cluster chat.example.com, and this is x
    it is for the account 123456789012, and this is x
    it is for the region us-east-1, and this is x
    it is for the state in s3://state, and this is x
    it is for a cluster in AWS, and this is the sandbox
    ");
}

#[test]
fn a_saved_plan_is_for_one_record() {
    let saved = saved();
    assert_eq!(saved.check_record(Some(&record(7))), Ok(()));
    let used = ClusterRecord { applied_plan: Some(saved.saved_plan.clone()), ..record(8) };
    let other_lineage = ClusterRecord { lineage: "other".to_owned(), ..record(7) };
    assert!(matches!(saved.check_record(Some(&used)), Err(SavedPlanError::Used { .. })));
    assert!(matches!(saved.check_record(Some(&record(8))), Err(SavedPlanError::RecordChanged { .. })));
    assert!(matches!(saved.check_record(Some(&other_lineage)), Err(SavedPlanError::RecordChanged { .. })));
    assert!(matches!(saved.check_record(None), Err(SavedPlanError::RecordGone { planned: 7 })));
    let mut first = saved;
    first.plan.serial = 0;
    first.target.lineage = None;
    assert_eq!(first.check_record(None), Ok(()));
    assert!(matches!(first.check_record(Some(&record(1))), Err(SavedPlanError::RecordChanged { .. })));
}

#[test]
fn every_difference_to_the_saved_changes_is_named() {
    let saved = saved();
    assert_eq!(saved.check_changes(&saved.plan), Ok(()));
    let mut later = saved.plan.clone();
    (later.serial, later.unchanged) = (9, 12);
    assert_eq!(saved.check_changes(&later), Ok(()), "the changes are compared, and nothing else");
    let mut reordered = change("subnet/d", "1", "2");
    let original = reordered.clone();
    reordered["needs"] = json!(["vpc/vpc"]);
    let of = |changes: serde_json::Value| SavedPlan { plan: plan(&changes), ..saved.clone() };
    let before = of(json!([
        change("subnet/a", "1", "2"),
        change("subnet/b", "1", "2"),
        change("subnet/c", "1", "2"),
        original.clone()
    ]));
    let now = plan(&json!([
        change("subnet/a", "5", "2"),
        change("subnet/b", "1", "3"),
        reordered.clone(),
        change("vpc/vpc", "1", "2")
    ]));
    let SavedPlanError::Changes { differences } = before.check_changes(&now).unwrap_err() else {
        panic!("another error")
    };
    insta::assert_snapshot!(differences.join("\n"), @r"
    subnet/a: `size` of the live object changed since
    subnet/b: `size` would get another value
    subnet/c: it needs no change any more
    vpc/vpc: the plan does not contain this change
    ");
    let before = of(json!([original]));
    let SavedPlanError::Changes { differences } = before.check_changes(&plan(&json!([reordered]))).unwrap_err() else {
        panic!("another error")
    };
    assert_eq!(differences, ["subnet/d: the reason or the order of the change is another one"], "alone, it is named");
}

#[test]
fn a_file_that_is_no_saved_plan_is_refused_with_a_reason() {
    let text = String::from_utf8(saved().to_bytes().unwrap()).unwrap();
    assert_eq!(SavedPlan::from_bytes(text.as_bytes()).unwrap().target, target());
    let newer = text.replacen("\"format\": 1", "\"format\": 2", 1);
    assert_eq!(SavedPlan::from_bytes(newer.as_bytes()), Err(SavedPlanError::Newer { format: 2, known: 1 }));
    let unknown = text.replacen("\"quorate\"", "\"extra\": 1, \"quorate\"", 1);
    for wrong in ["", "{}", "name = \"chat\"", "{\"format\": 1}", &text[..text.len() / 2], &unknown] {
        assert!(matches!(SavedPlan::from_bytes(wrong.as_bytes()), Err(SavedPlanError::Invalid { .. })), "{wrong}");
    }
    let large = vec![b' '; LARGEST + 1];
    assert!(matches!(SavedPlan::from_bytes(&large), Err(SavedPlanError::Invalid { .. })));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// Damage of any kind is an error or another plan, never a panic; and what is parsed is written as it was.
    #[test]
    fn any_damage_to_a_file_has_an_answer(edits in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4), cut in any::<prop::sample::Index>()) {
        let mut bytes = saved().to_bytes().unwrap();
        for (place, byte) in edits {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        if cut.index(4) == 0 {
            bytes.truncate(cut.index(bytes.len()));
        }
        if let Ok(parsed) = SavedPlan::from_bytes(&bytes) {
            let again = SavedPlan::from_bytes(&parsed.to_bytes().unwrap()).unwrap();
            prop_assert_eq!(&again, &parsed);
            let _ = parsed.check_changes(&saved().plan);
            let _ = parsed.check_target(&target());
            let _ = parsed.check_age(moment("2026-11-30T10:00:00Z"));
            let _ = parsed.check_record(Some(&record(7)));
        }
    }
}
