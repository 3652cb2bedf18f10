//! The questions of `quorate init`, as a user answers them.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};

use clap::Parser;

use crate::cli::{CliArgs, Exit, Interrupt, OutputOptions, ProcessEnvironment, PromptInput, Session, Ui};
use crate::spec::{Cluster, Scale, parse};

/// Runs the command in a directory with these answers. Returns the exit code, and what was written to stdout and stderr.
async fn run(directory: &Path, flags: &[&str], answers: &[&str]) -> (Exit, String, String) {
    let arguments = CliArgs::try_parse_from([&["quorate", "init"], flags].concat()).unwrap();
    let (out, err) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Mutex::new(Vec::new())));
    let answers = PromptInput::Script(answers.iter().map(|answer| (*answer).to_owned()).collect());
    let session = Session {
        globals: arguments.globals,
        ui: Ui::captured(OutputOptions::default(), answers, out.clone(), err.clone()),
        interrupt: Interrupt::default(),
        environment: ProcessEnvironment { directory: directory.to_owned(), ..ProcessEnvironment::default() },
    };
    let exit = crate::cli::run(arguments.command, &session).await;
    let text = |stream: &Mutex<Vec<u8>>| String::from_utf8(stream.lock().unwrap().clone()).unwrap();
    (exit, text(&out), text(&err))
}

fn written(directory: &Path) -> Cluster {
    let text = std::fs::read_to_string(directory.join("cluster.hcl")).unwrap();
    parse("cluster.hcl", &text, &BTreeMap::new()).cluster.unwrap()
}

#[tokio::test]
async fn a_question_is_asked_until_its_answer_is_valid() {
    let directory = tempfile::tempdir().unwrap();
    let answers = [
        "",
        "chat",
        "chat.example.com",
        "us-east-1",
        "us-east-1a, us-east-1b,us-east-1c",
        "4",
        "5",
        "",
        "x",
        "0",
        "2-4",
        "m7g.huge",
        "m7g.large",
        "",
    ];
    let (exit, out, err) = run(directory.path(), &[], &answers).await;
    assert_eq!(exit, Exit::Done, "{out}{err}");
    let cluster = written(directory.path());
    assert_eq!((cluster.masters.zones.len(), cluster.masters.size.as_str()), (5, "t3.medium"));
    assert_eq!(cluster.nodes["workers"].scale, Scale::Range { min: 2, max: 4 });
    assert_eq!(cluster.nodes["workers"].size.as_str(), "m7g.large");
    assert_eq!(cluster.state.to_string(), "s3://state.chat.example.com");
    for wrong in
        ["has no dot", "is not an availability zone", "even number", "not a number of nodes", "no nodes", "huge"]
    {
        assert!(err.contains(wrong), "{wrong}: {err}");
    }
}

#[tokio::test]
async fn what_flags_say_is_not_asked_and_without_an_answer_nothing_is_written() {
    let directory = tempfile::tempdir().unwrap();
    let (exit, out, err) = run(directory.path(), &["--name", "chat.example.com"], &["us-east-1a"]).await;
    assert_eq!(exit, Exit::Refused, "{out}{err}");
    assert!(!err.contains("Name of the cluster") && err.contains("nothing was written"), "{err}");
    assert!(!directory.path().join("cluster.hcl").exists());
    let flags = ["--name", "chat.example.com", "--zones", "us-east-1a,us-east-1b"];
    let (exit, out, err) = run(directory.path(), &flags, &[]).await;
    assert_eq!(exit, Exit::Done, "{out}{err}");
    assert_eq!(written(directory.path()).zones.len(), 2);
}
