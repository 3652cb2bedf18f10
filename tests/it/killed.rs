//! A command that is killed while it works in the sandbox: what it had reported as done is there, and the next one finishes.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::program::{desk, err, exits, out, quorate};

/// Starts an apply whose calls take a few milliseconds each, so that it can be killed between any two of them.
fn slow_apply(desk: &Path, log: &Path) -> Child {
    let log = fs::File::create(log).expect("the log can be written");
    Command::new(env!("CARGO_BIN_EXE_quorate"))
        .args(["apply", "--yes"])
        .current_dir(desk)
        .env("QUORATE_SANDBOX", "1")
        .env("QUORATE_SANDBOX_FAULTS", "seed=3,latency=4ms")
        .stdin(Stdio::null())
        .stdout(log.try_clone().expect("the log can be shared"))
        .stderr(log)
        .spawn()
        .expect("quorate runs")
}

/// Kills the process when the journal of the sandbox has this many lines.
fn kill_after(mut process: Child, desk: &Path, lines: usize) {
    let journal = desk.join(".quorate/sandbox/cloud.journal");
    let is_reached = || fs::read(&journal).is_ok_and(|text| text.split(|byte| *byte == b'\n').count() > lines);
    let deadline = Instant::now() + Duration::from_mins(1);
    while !is_reached() {
        assert!(Instant::now() < deadline, "the run has made too few calls");
        assert_eq!(process.try_wait().expect("it can be asked"), None, "the run has ended before {lines} calls");
        std::thread::sleep(Duration::from_millis(1));
    }
    process.kill().expect("it can be killed");
    process.wait().expect("it ends");
}

/// Returns the addresses that a run reported as created.
fn reported(log: &Path) -> BTreeSet<String> {
    let text = fs::read_to_string(log).expect("the log can be read");
    let created = text.lines().filter_map(|line| line.trim().strip_prefix("created "));
    created.filter_map(|rest| rest.split_once(" (")).map(|(address, _)| address.to_owned()).collect()
}

/// Returns the addresses that a plan creates.
fn missing(desk: &Path) -> BTreeSet<String> {
    let output = quorate(desk, &["plan", "--json"]);
    exits(&output, 0);
    let plan: serde_json::Value = serde_json::from_str(&out(&output)).expect("the plan is JSON");
    let changes = plan["plan"]["changes"].as_array().expect("the plan has changes").iter();
    let created = changes.filter(|change| change["action"] == "create");
    created.filter_map(|change| change["address"].as_str().map(str::to_owned)).collect()
}

#[test]
fn a_killed_apply_loses_nothing_that_it_reported() {
    for lines in [20, 80, 140, 200] {
        let desk = desk();
        let log = desk.path().join("log");
        kill_after(slow_apply(desk.path(), &log), desk.path(), lines);
        let (reported, missing) = (reported(&log), missing(desk.path()));
        assert!(lines < 80 || reported.len() > 3, "after {lines} calls: {reported:?}");
        assert!(reported.is_disjoint(&missing), "after {lines} calls: {:?}", reported.intersection(&missing));
        let next = quorate(desk.path(), &["apply", "--yes"]);
        exits(&next, 0);
        let after = quorate(desk.path(), &["plan"]);
        exits(&after, 0);
        assert!(out(&after).contains("No changes."), "{}{}", out(&after), err(&after));
    }
}
