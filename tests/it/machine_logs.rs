//! `quorate logs` on moto, and what the sandbox answers.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

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

/// The journal of a machine of moto.
struct MachineJournal(tempfile::TempDir);

impl MachineJournal {
    fn new(entries: &[&str]) -> Self {
        let journal = Self(tempfile::tempdir().expect("a directory can be made"));
        std::fs::write(journal.file("journal"), "").expect("it is ours");
        journal.add(entries);
        journal
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Adds entries: the unit, and the line.
    fn add(&self, entries: &[&str]) {
        let mut file = std::fs::File::options().append(true).open(self.file("journal")).expect("it is there");
        let lines: String = entries.iter().flat_map(|entry| [*entry, "\n"]).collect();
        file.write_all(lines.as_bytes()).expect("it is ours");
    }

    /// Waits until the journal was read this many times in total.
    fn wait_for_reads(&self, reads: usize) {
        let begun = std::time::Instant::now();
        while self.reads() < reads {
            assert!(begun.elapsed() < PATIENCE, "read {} times", self.reads());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn reads(&self) -> usize {
        std::fs::read_to_string(self.file("calls")).unwrap_or_default().lines().count()
    }
}

/// Time for a line to arrive: a log is asked for every five seconds.
const PATIENCE: Duration = Duration::from_mins(1);

/// `quorate logs --follow` as a process.
struct FollowedLog {
    process: Child,
    lines: Receiver<String>,
    err: ChildStderr,
}

impl FollowedLog {
    fn start(directory: &Path, moto: &MotoServer) -> Self {
        let program = env!("CARGO_BIN_EXE_quorate");
        let mut command = Command::new(if cfg!(target_os = "linux") { "env" } else { program });
        if cfg!(target_os = "linux") {
            // A shell starts what runs in its background with Ctrl-C ignored, and these tests may be that.
            command.args(["--default-signal=INT", program]);
        }
        command.args(["logs", "master-a", "--unit", "kubelet", "--lines", "2", "--follow"]).current_dir(directory);
        moto.serve(&mut command);
        let mut process = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("quorate runs");
        let out = BufReader::new(process.stdout.take().expect("it is piped"));
        let err = process.stderr.take().expect("it is piped");
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || {
            out.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)).ok();
        });
        Self { process, lines, err }
    }

    /// Returns the next lines, which must come.
    fn next(&self, count: usize) -> Vec<String> {
        let line = |_| self.lines.recv_timeout(PATIENCE).expect("a line comes");
        (0..count).map(line).collect()
    }

    /// Waits for the end. Returns how it ended, the lines that were left, and the messages.
    fn end(mut self) -> (ExitStatus, Vec<String>, String) {
        let waits = Instant::now();
        let ended = loop {
            if let Some(ended) = self.process.try_wait().expect("it is ours") {
                break ended;
            }
            if waits.elapsed() > PATIENCE {
                self.process.kill().expect("it is ours");
            }
            std::thread::sleep(Duration::from_millis(50));
        };
        let mut messages = String::new();
        self.err.read_to_string(&mut messages).expect("text is UTF-8");
        (ended, self.lines.iter().collect(), messages)
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_followed_log_has_each_new_line_once_until_it_is_interrupted() {
    let journal = MachineJournal::new(&["kubelet one", "kubelet two", "containerd other", "kubelet three"]);
    let Some(moto) = MotoServer::with_machine(journal.0.path()) else { return };
    MotoStage::new(TestWire::to(moto.endpoint()), TUTORIAL).await.apply().await.must(Exit::Done);
    let desk = desk();
    let log = FollowedLog::start(desk.path(), &moto);
    assert_eq!(log.next(2), ["two", "three"], "the last two of the unit");
    journal.add(&["kubelet four", "containerd another", "kubelet five"]);
    assert_eq!(log.next(2), ["four", "five"]);
    // Without new lines there is no new cursor: the old one is used again.
    journal.wait_for_reads(journal.reads() + 2);
    journal.add(&["kubelet six"]);
    assert_eq!(log.next(1), ["six"]);
    let asked = Command::new("kill").args(["-INT", &log.process.id().to_string()]).status().expect("kill runs");
    assert!(asked.success());
    let (ended, left, messages) = log.end();
    assert_eq!(std::os::unix::process::ExitStatusExt::signal(&ended), Some(2), "{ended}");
    assert_eq!((left, messages.as_str()), (vec![], ""));
    let calls = std::fs::read_to_string(journal.file("calls")).expect("the journal was read");
    assert!(calls.lines().next().is_some_and(|first| first.contains("--lines=2 ")), "{calls}");
    assert!(calls.lines().skip(1).all(|later| later.contains("--after-cursor=s=test;i=")), "{calls}");
}

#[tokio::test]
async fn a_followed_log_ends_with_an_error_when_its_machine_is_no_longer_connected() {
    let journal = MachineJournal::new(&["kubelet one"]);
    let Some(moto) = MotoServer::with_machine(journal.0.path()) else { return };
    MotoStage::new(TestWire::to(moto.endpoint()), TUTORIAL).await.apply().await.must(Exit::Done);
    let desk = desk();
    let log = FollowedLog::start(desk.path(), &moto);
    assert_eq!(log.next(1), ["one"]);
    std::fs::write(journal.file("disconnected"), "").expect("it is ours");
    let (ended, left, messages) = log.end();
    assert_eq!((ended.code(), left), (Some(1), vec![]), "{messages}");
    assert!(messages.contains("is no longer connected to Systems Manager"), "{messages}");
    assert!(messages.contains("`quorate show` lists the machines"), "{messages}");
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
