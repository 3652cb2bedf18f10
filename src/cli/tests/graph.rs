//! `quorate graph` of a file: it needs no cloud, and its pictures in the documentation stay true.

use std::path::Path;
use std::sync::{Arc, Mutex};

use clap::Parser;

use crate::cli::{CliArgs, Exit, Interrupt, OutputOptions, ProcessEnvironment, PromptInput, Session, Ui};
use crate::testkit::assert_generated;

/// Runs the command. Returns the exit code, and what was written to stdout and stderr.
async fn run(flags: &[&str], json: bool) -> (Exit, String, String) {
    let arguments = CliArgs::try_parse_from([&["quorate", "graph"], flags].concat()).unwrap();
    let (out, err) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Mutex::new(Vec::new())));
    let options = OutputOptions { json, ..OutputOptions::default() };
    let session = Session {
        globals: arguments.globals,
        ui: Ui::captured(options, PromptInput::Nobody, out.clone(), err.clone()),
        interrupt: Interrupt::default(),
        environment: ProcessEnvironment::default(),
    };
    let exit = crate::cli::run(arguments.command, &session).await;
    let text = |stream: &Mutex<Vec<u8>>| String::from_utf8(stream.lock().unwrap().clone()).unwrap();
    (exit, text(&out), text(&err))
}

fn example(name: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    root.join("examples").join(name).join("cluster.hcl").display().to_string()
}

#[tokio::test]
async fn the_pictures_of_the_documentation_are_up_to_date() {
    for name in ["tutorial", "ha"] {
        let file = example(name);
        let (exit, picture, err) = run(&["--svg", "-", "--file", &file], false).await;
        assert_eq!(exit, Exit::Done, "{err}");
        assert_generated(&format!("docs/pictures/{name}.svg"), &picture);
    }
    let (exit, chart, err) = run(&["--mermaid", "-", "--file", &example("tutorial")], false).await;
    assert_eq!(exit, Exit::Done, "{err}");
    let page = include_str!("../../../docs/graph.md");
    assert!(page.contains(&format!("```mermaid\n{chart}```")), "docs/graph.md lacks\n{chart}");
}

#[tokio::test]
async fn every_example_can_be_drawn() {
    for entry in std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("examples")).unwrap() {
        let file = entry.unwrap().path().join("cluster.hcl");
        let (exit, picture, err) = run(&["--svg", "-", "--file", &file.display().to_string()], false).await;
        assert_eq!(exit, Exit::Done, "{}: {err}", file.display());
        assert!(picture.starts_with("<svg ") && picture.ends_with("</svg>\n"), "{picture}");
    }
}

#[tokio::test]
async fn files_are_written_and_named() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name).display().to_string();
    let (svg, chart) = (path("cluster.svg"), path("cluster.mmd"));
    let flags = ["--svg", &svg, "--mermaid", &chart, "--theme", "dark", "--file", &example("tutorial")];
    let (exit, out, err) = run(&flags, true).await;
    assert_eq!(exit, Exit::Done, "{err}");
    let document: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(document["files"], serde_json::json!([svg, chart]));
    assert!(std::fs::read_to_string(&svg).unwrap().contains("#0d1117"));
    assert!(std::fs::read_to_string(&chart).unwrap().contains("flowchart"));
}

#[tokio::test]
async fn only_one_result_is_written_to_stdout() {
    for (flags, json) in [(&["--svg", "-", "--mermaid", "-"][..], false), (&["--svg", "-"], true)] {
        let (exit, out, err) = run(&[flags, &["--file", &example("tutorial")]].concat(), json).await;
        assert_eq!((exit, out.as_str()), (Exit::Usage, ""), "{err}");
        assert!(err.contains("only one result can be written to stdout"), "{err}");
    }
    assert!(CliArgs::try_parse_from(["quorate", "graph"]).is_err(), "something must be written");
}
