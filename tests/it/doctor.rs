//! `quorate doctor` on moto, and in the sandbox.

use std::collections::BTreeMap;

use quorate::cli::Exit;
use serde_json::Value;

use crate::moto::MotoServer;
use crate::program::{desk, err, exits, out, quorate};
use crate::stage::{CommandRun, MotoStage, TUTORIAL};
use crate::wire::TestWire;

/// Returns the status of each area.
fn statuses(document: &str) -> BTreeMap<String, String> {
    let document: Value = serde_json::from_str(document).expect("stdout is one document");
    let checks = document["checks"].as_array().expect("there are checks");
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    checks.iter().map(|check| (text(&check["area"]), text(&check["status"]))).collect()
}

#[track_caller]
fn assert_all(run: &CommandRun, wanted: &[(&str, &str)]) {
    let found = statuses(&run.out);
    for (area, status) in wanted {
        assert_eq!(found.get(*area).map(String::as_str), Some(*status), "{area}: {}", run.out);
    }
}

const READY: [(&str, &str); 8] = [
    ("credentials", "ok"),
    ("account", "ok"),
    ("clock", "ok"),
    ("zones", "ok"),
    ("sizes", "ok"),
    ("images", "ok"),
    ("bucket", "ok"),
    ("lease", "ok"),
];

#[tokio::test]
async fn on_aws_an_account_is_ready_before_and_after_the_first_apply() {
    let Some(moto) = MotoServer::start() else { return };
    moto.seed();
    let private = format!("{TUTORIAL}\ndns {{\n  public = false\n}}\n");
    let mut stage = MotoStage::new(TestWire::to(moto.endpoint()), &private).await;
    let before = moto.inventory();
    let checked = stage.doctor().await.must(Exit::Done);
    assert_all(&checked, &READY);
    assert_all(&checked, &[("hosted-zone", "skipped"), ("delegation", "skipped")]);
    assert!(checked.out.contains("does not exist: `quorate apply` creates it"), "{}", checked.out);
    assert_eq!(moto.inventory(), before, "nothing was changed");
    stage.apply().await.must(Exit::Done);
    let checked = stage.doctor().await.must(Exit::Done);
    assert_all(&checked, &READY);
    assert!(checked.out.contains("belongs to the account"), "{}", checked.out);
    // The domain of the test's account is not delegated to moto, whether the DNS is reachable from here or not.
    stage.edit(TUTORIAL);
    let checked = stage.doctor().await;
    assert_all(&checked, &[("hosted-zone", "ok")]);
    assert_ne!(statuses(&checked.out)["delegation"], "ok", "{}", checked.out);
    // Another account, and sizes and zones that the region does not have.
    stage.edit(&format!("account = \"999999999999\"\n{}", private.replace("us-east-1f", "us-east-1z")));
    let checked = stage.doctor().await.must(Exit::Differs);
    assert_all(&checked, &[("credentials", "ok"), ("account", "failed"), ("zones", "failed")]);
}

#[test]
fn in_the_sandbox_the_same_checks_are_made() {
    let desk = desk();
    let checked = quorate(desk.path(), &["doctor"]);
    exits(&checked, 0);
    assert!(
        out(&checked).contains("SANDBOX") && out(&checked).contains("state.chat.poeticoding.com"),
        "{}",
        out(&checked)
    );
    let json = quorate(desk.path(), &["doctor", "--json"]);
    exits(&json, 0);
    let found = statuses(&out(&json));
    assert_eq!((found["zones"].as_str(), found["clock"].as_str()), ("ok", "skipped"), "{found:?}");
    let file = include_str!("../../examples/tutorial/cluster.hcl");
    let wrong = file.replace("us-east-1f", "us-east-1z").replace("t3.medium", "t3.metal");
    std::fs::write(desk.path().join("cluster.hcl"), wrong).expect("the file can be written");
    let checked = quorate(desk.path(), &["doctor", "--json"]);
    exits(&checked, 2);
    let found = statuses(&out(&checked));
    assert_eq!((found["zones"].as_str(), found["sizes"].as_str()), ("failed", "failed"), "{found:?}");
    assert_eq!(err(&checked), "");
}
