//! `quorate logs` on moto, and what the sandbox answers.

use std::sync::atomic::{AtomicBool, Ordering};

use quorate::cli::{Exit, LogRequest};

use crate::moto::MotoServer;
use crate::program::{desk, err, exits, out, quorate};
use crate::stage::{MotoStage, TUTORIAL};
use crate::wire::{CannedAnswer, TestWire, WireFate};

/// The output of a script on a machine: moto runs none.
const JOURNAL: CannedAnswer = CannedAnswer {
    status: 200,
    headers: &[],
    body: r#"{"Status":"Success","StatusDetails":"Success","StandardErrorContent":"","StandardOutputContent":"2026-11-22T20:00:01+0000 ip-1 kubelet[9]: started\n-- cursor: s=0f;i=2a\n"}"#,
};

/// The answer about a machine whose agent is not connected; moto accepts any.
const NOT_CONNECTED: CannedAnswer =
    CannedAnswer { status: 400, headers: &[], body: r#"{"__type":"InvalidInstanceId","message":""}"# };

fn request(machine: &str) -> LogRequest {
    LogRequest::new(machine, "kubelet", 5).expect("a unit")
}

#[tokio::test]
async fn the_log_of_a_machine_comes_from_its_journal_or_from_its_console() {
    let Some(moto) = MotoServer::start() else { return };
    let wire = TestWire::to(moto.endpoint());
    let mut stage = MotoStage::new(wire.clone(), TUTORIAL).await;
    let run = stage.logs(request("master-a"), false).await.must(Exit::Error);
    assert!(run.err.contains("has no machines yet"), "{}", run.err);
    stage.apply().await.must(Exit::Done);

    wire.decide(
        |_, action| {
            if action == "ssm:GetCommandInvocation" { WireFate::Answer(JOURNAL) } else { WireFate::Pass }
        },
    );
    let run = stage.logs(request("master-a"), false).await.must(Exit::Done);
    assert_eq!(run.out, "2026-11-22T20:00:01+0000 ip-1 kubelet[9]: started\n");
    assert_eq!(run.err, "");
    let run = stage.logs(request("master-a"), true).await.must(Exit::Done);
    let document: serde_json::Value = serde_json::from_str(&run.out).expect("one document");
    assert_eq!((&document["source"], &document["unit"]), (&"journal".into(), &"kubelet".into()));
    assert_eq!((&document["machine"], document["lines"].as_array().map(Vec::len)), (&"master a".into(), Some(1)));

    wire.decide(|_, action| if action == "ssm:SendCommand" { WireFate::Answer(NOT_CONNECTED) } else { WireFate::Pass });
    let run = stage.logs(request("master-a"), false).await.must(Exit::Done);
    let note = run.err.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(note.contains("this is the console output of i-") && note.contains("not connected"), "{note}");
    assert_eq!(run.out.lines().count(), 5, "{}", run.out);
    assert!(!run.out.contains('\u{1b}') && !run.out.contains('\r'), "{:?}", run.out);

    // Without the permissions, Systems Manager is not asked.
    stage.edit(&format!("{TUTORIAL}\nssm = false\n"));
    wire.take_log();
    let run = stage.logs(request("masters-a"), false).await.must(Exit::Done);
    assert!(run.err.contains("`ssm = false`"), "{}", run.err);
    assert!(!wire.take_log().iter().any(|call| call.starts_with("ssm:")));
    assert_eq!(run.out.lines().count(), 5);

    for (machine, message) in [("master-z", "has no machine `master-z`"), ("workers", "is the name of 2 machines")] {
        let run = stage.logs(request(machine), false).await.must(Exit::Usage);
        let messages = run.err.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(messages.contains(message) && messages.contains("(workers, us-east-1"), "{messages}");
    }
}

/// The answer to a change that a policy forbids.
const DENIED: CannedAnswer = CannedAnswer {
    status: 403,
    headers: &[],
    body: "<Response><Errors><Error><Code>UnauthorizedOperation</Code><Message>no</Message></Error></Errors></Response>",
};

/// The report of a machine that did not start up.
const FAILED: CannedAnswer = CannedAnswer {
    status: 200,
    headers: &[("etag", "\"1\""), ("last-modified", "Sun, 22 Nov 2026 20:00:00 GMT")],
    body: r#"{"step":"join","state":"failed","at":"2026-11-22T20:00:00Z"}"#,
};

#[tokio::test]
async fn an_apply_that_failed_quotes_the_machines_that_did_not_start_up() {
    let Some(moto) = MotoServer::start() else { return };
    let wire = TestWire::to(moto.endpoint());
    let mut stage = MotoStage::new(wire.clone(), TUTORIAL).await;
    stage.apply().await.must(Exit::Done);
    stage.edit(&format!("{TUTORIAL}\ntags = {{ team = \"chat\" }}\n"));
    let has_failed = AtomicBool::new(false);
    wire.decide(move |_, action| {
        if action == "ec2:CreateTags" {
            has_failed.store(true, Ordering::SeqCst);
            return WireFate::Answer(DENIED);
        }
        let is_report = action.starts_with("s3:GET") && action.contains("/status.json");
        if is_report && has_failed.load(Ordering::SeqCst) { WireFate::Answer(FAILED) } else { WireFate::Pass }
    });
    let run = stage.apply().await.must(Exit::Partly);
    let (_, quoted) = run.err.split_once("failed in the step join").expect("the machines are named");
    assert_eq!(quoted.matches("the last lines of the console output of i-").count(), 3, "{}", run.err);
    assert_eq!(run.err.matches("failed in the step join").count(), 5, "{}", run.err);
}

#[test]
fn machines_of_the_sandbox_are_simulated() {
    let desk = desk();
    exits(&quorate(desk.path(), &["apply", "--yes"]), 0);
    for arguments in [&["logs", "master-a"][..], &["shell", "master-a"]] {
        let refused = quorate(desk.path(), arguments);
        exits(&refused, 1);
        assert!(err(&refused).contains("simulated") && out(&refused).is_empty(), "{}", err(&refused));
    }
}

#[test]
fn arguments_are_refused_before_any_call() {
    let desk = desk();
    for arguments in [
        &["logs", "master-a", "--unit", "kubelet; reboot"][..],
        &["logs", "master-a", "--unit", "$(id)"],
        &["logs", "master-a", "--lines", "0"],
        &["logs", "master-a", "--follow", "--json"],
        &["shell", "master-a", "--json"],
        &["logs"],
    ] {
        exits(&quorate(desk.path(), arguments), 64);
    }
}
