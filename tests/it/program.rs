//! The program as a user runs it: a process, a directory, an exit code. In the sandbox.

use std::path::Path;
use std::process::{Command, Output};

/// Returns a directory with the tutorial's cluster file.
pub(crate) fn desk() -> tempfile::TempDir {
    let desk = tempfile::tempdir().expect("a directory can be made");
    copy("cluster.hcl", &desk.path().join("cluster.hcl"));
    desk
}

fn copy(file: &str, to: &Path) {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/tutorial").join(file);
    std::fs::copy(from, to).expect("the example can be copied");
}

pub(crate) fn quorate(directory: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_quorate"))
        .args(arguments)
        .current_dir(directory)
        .env("QUORATE_SANDBOX", "1")
        .output()
        .expect("quorate runs")
}

pub(crate) fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("text is UTF-8")
}

pub(crate) fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("text is UTF-8")
}

#[track_caller]
pub(crate) fn exits(output: &Output, code: i32) {
    assert_eq!(output.status.code(), Some(code), "\n{}\n{}", out(output), err(output));
}

#[test]
fn hcl_and_toml_give_the_same_plan_byte_for_byte() {
    let (hcl, toml) = (desk(), tempfile::tempdir().expect("a directory can be made"));
    copy("toml/cluster.toml", &toml.path().join("cluster.toml"));
    for arguments in [&["plan"][..], &["plan", "--verbose"], &["plan", "--json"]] {
        let (one, other) = (quorate(hcl.path(), arguments), quorate(toml.path(), arguments));
        exits(&one, 0);
        assert!(out(&one).len() > 500, "{}", out(&one));
        assert_eq!(out(&one), out(&other), "{arguments:?}");
    }
}

#[test]
fn without_a_terminal_and_without_yes_nothing_changes() {
    let desk = desk();
    for command in ["apply", "destroy"] {
        quorate(desk.path(), &["apply", "--yes"]);
        let before = out(&quorate(desk.path(), &["show", "--json"]));
        std::fs::write(desk.path().join("cluster.hcl"), edited()).expect("the file can be written");
        let asked = quorate(desk.path(), &[command]);
        exits(&asked, 4);
        assert!(err(&asked).contains("--yes"), "{}", err(&asked));
        assert_eq!(out(&quorate(desk.path(), &["show", "--json"])), before, "{command}");
    }
}

fn edited() -> String {
    let file = include_str!("../../examples/tutorial/cluster.hcl");
    file.replace("count = 2", "count = 4")
}

#[test]
fn the_exit_code_shows_whether_something_differs() {
    let desk = desk();
    exits(&quorate(desk.path(), &["plan", "--detailed-exitcode"]), 2);
    exits(&quorate(desk.path(), &["apply", "--yes"]), 0);
    exits(&quorate(desk.path(), &["plan", "--detailed-exitcode"]), 0);
    exits(&quorate(desk.path(), &["sandbox", "set", "target-group/api", "health_check.interval=30"]), 0);
    let drifted = quorate(desk.path(), &["plan", "--detailed-exitcode"]);
    exits(&drifted, 2);
    assert!(out(&drifted).contains("health_check.interval  30 -> 10"), "{}", out(&drifted));
}

#[test]
fn an_error_is_reported_with_its_place_and_changes_nothing() {
    let desk = desk();
    std::fs::write(desk.path().join("cluster.hcl"), "name = \"chat\"\nmastres {}\n").expect("the file can be written");
    let wrong = quorate(desk.path(), &["apply", "--yes"]);
    exits(&wrong, 64);
    assert!(err(&wrong).contains("cluster.hcl:2:1") && err(&wrong).contains("masters"), "{}", err(&wrong));
    assert!(!desk.path().join(".quorate").exists(), "nothing was made");
    exits(&quorate(desk.path(), &["plann"]), 64);
}

#[test]
fn a_pipe_gets_plain_text_and_a_program_gets_json_alone() {
    let desk = desk();
    let plain = quorate(desk.path(), &["plan"]);
    assert!(!plain.stdout.contains(&0x1b) && !plain.stderr.contains(&0x1b), "no colour in a pipe");
    assert!(out(&plain).lines().all(|line| line.chars().count() <= 80), "{}", out(&plain));
    let applied = quorate(desk.path(), &["apply", "--yes", "--json"]);
    exits(&applied, 0);
    let document: serde_json::Value = serde_json::from_slice(&applied.stdout).expect("stdout is one document");
    assert_eq!(document["format"], 1);
    assert!(!err(&applied).contains("created"), "{}", err(&applied));
}

#[test]
fn show_has_machines_and_lists_objects_on_request() {
    let desk = desk();
    let empty = quorate(desk.path(), &["show"]);
    exits(&empty, 0);
    assert!(out(&empty).contains("Nothing of this cluster exists."), "{}", out(&empty));
    exits(&quorate(desk.path(), &["apply", "--yes"]), 0);
    exits(&quorate(desk.path(), &["sandbox", "fail-zone", "us-east-1d"]), 0);
    let shown = quorate(desk.path(), &["show"]);
    exits(&shown, 0);
    let text = out(&shown);
    assert!(text.contains("master a") && text.contains("missing") && text.contains("running"), "{text}");
    assert!(text.contains("not known: simulated machines run no Kubernetes"), "{text}");
    assert!(text.contains("62 objects") && !text.contains("vpc/main"), "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    let all = quorate(desk.path(), &["show", "--all"]);
    assert!(out(&all).contains("vpc/main"), "{}", out(&all));
    let json: serde_json::Value =
        serde_json::from_slice(&quorate(desk.path(), &["show", "--json"]).stdout).expect("stdout is one document");
    assert_eq!((&json["object_count"], &json["objects"]), (&serde_json::json!(62), &serde_json::Value::Null));
    assert_eq!(json["machines"].as_array().map(Vec::len), Some(5));
}

#[test]
fn every_screen_of_the_sandbox_is_marked() {
    let desk = desk();
    for arguments in [&["plan"][..], &["apply", "--yes"], &["show"], &["destroy", "--yes", "--delete-data"]] {
        let output = quorate(desk.path(), arguments);
        exits(&output, 0);
        assert!(out(&output).contains("SANDBOX"), "{arguments:?}: {}", out(&output));
    }
}

/// Changes outside of Quorate, and the only object that the plan then names.
const MANUAL_CHANGES: &[(&[&str], &str)] = &[
    (&["set", "vpc/main", "tags.Name=renamed"], "vpc/main"),
    (&["set", "security-group-rules/masters", "ingress-=0"], "security-group-rules/masters"),
    (&["set", "security-group-rules/masters", OPEN_TO_THE_WORLD], "security-group-rules/masters"),
    (&["set", "role/nodes", BACKDOOR], "role/nodes"),
    (&["set", "target-group/api", "health_check.interval=30"], "target-group/api"),
    (&["set", "autoscaling-group/nodes-workers", "desired=1"], "autoscaling-group/nodes-workers"),
    (&["set", "volume/etcd-b", "tags.Name=somebody's"], "volume/etcd-b"),
];
const OPEN_TO_THE_WORLD: &str = r#"ingress+={"protocol":"tcp","ports":"22","peer":"0.0.0.0/0","description":""}"#;
const BACKDOOR: &str =
    r#"policies.backdoor={"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;

#[test]
fn manual_changes_are_shown_as_drift_and_corrected() {
    let desk = desk();
    exits(&quorate(desk.path(), &["apply", "--yes"]), 0);
    for (change, address) in MANUAL_CHANGES {
        let min = ["sandbox", "set", "autoscaling-group/nodes-workers", "min=1"];
        if change.contains(&"desired=1") {
            exits(&quorate(desk.path(), &min), 0);
        }
        exits(&quorate(desk.path(), &[&["sandbox"], *change].concat()), 0);
        let planned = quorate(desk.path(), &["plan", "--json"]);
        let document: serde_json::Value = serde_json::from_slice(&planned.stdout).expect("a plan is JSON");
        let changes = document["plan"]["changes"].as_array().expect("a plan has changes");
        let named: Vec<_> = changes.iter().map(|change| (&change["address"], &change["reason"]["kind"])).collect();
        assert_eq!(named, [(&serde_json::json!(address), &serde_json::json!("drift"))], "{change:?}");
        exits(&quorate(desk.path(), &["apply", "--yes"]), 0);
        exits(&quorate(desk.path(), &["plan", "--detailed-exitcode"]), 0);
    }
}

/// Everything below a directory, as text.
fn contents(directory: &Path) -> String {
    let entries = std::fs::read_dir(directory).expect("a directory can be read");
    let texts = entries.map(|entry| {
        let path = entry.expect("a directory can be read").path();
        if path.is_dir() { contents(&path) } else { std::fs::read_to_string(&path).unwrap_or_default() }
    });
    texts.collect()
}

#[test]
fn what_another_tool_keeps_under_the_clusters_name_survives_a_destroy() {
    let desk = desk();
    let file = include_str!("../../examples/tutorial/cluster.hcl");
    let local = file.replace("s3://state.chat.poeticoding.com", "file:./state");
    std::fs::write(desk.path().join("cluster.hcl"), local).expect("the file can be written");
    let theirs = desk.path().join(".quorate/sandbox-state/chat.poeticoding.com/pki/private/ca");
    std::fs::create_dir_all(&theirs).expect("a directory can be made");
    std::fs::write(theirs.join("key"), "theirs").expect("the file can be written");
    exits(&quorate(desk.path(), &["destroy", "--yes", "--delete-data"]), 0);
    exits(&quorate(desk.path(), &["apply", "--yes"]), 0);
    exits(&quorate(desk.path(), &["destroy", "--yes", "--delete-data"]), 0);
    assert!(theirs.join("key").exists(), "it is not ours");
}

/// Returns the secret text of a key file: its longest lines.
fn key_lines(pem: &str) -> Vec<&str> {
    let (key, _) = pem.split_once("-----END PRIVATE KEY-----").expect("a private key");
    key.lines().filter(|line| !line.starts_with("-----")).collect()
}

#[test]
fn nothing_of_a_private_key_or_a_token_leaves_the_bucket() {
    let desk = desk();
    let mut messages = String::new();
    for arguments in [
        &["apply", "--yes"][..],
        &["plan", "--verbose"],
        &["show", "--all", "--json"],
        &["sandbox", "status"],
        &["sandbox", "remove", "secret/join-token"],
        &["plan", "--json"],
        &["apply", "--yes", "--json"],
    ] {
        let output = quorate(desk.path(), arguments);
        exits(&output, 0);
        messages += &(out(&output) + &err(&output));
    }
    let kept = desk.path().join(".quorate/sandbox");
    let cluster = kept.join("s3/state.chat.poeticoding.com/chat.poeticoding.com");
    for file in ["cloud.json", "s3/state.chat.poeticoding.com/chat.poeticoding.com/state.json"] {
        messages += &std::fs::read_to_string(kept.join(file)).expect("the file can be read");
    }
    assert!(messages.contains("secret/cluster-ca") && !messages.contains("PRIVATE KEY"));
    let read = |file: &str| std::fs::read_to_string(cluster.join("pki").join(file)).expect("the secret is there");
    for file in ["cluster-ca.pem", "etcd-ca.pem", "front-proxy-ca.pem", "service-account.pem"] {
        assert!(key_lines(&read(file)).iter().all(|line| !messages.contains(line)), "{file}");
    }
    let token = read("join-token");
    assert!(token.split('.').all(|part| !messages.contains(part.trim_end())), "the token");
    assert!(!read("join.pem").contains("PRIVATE"));
}

#[test]
fn a_secret_of_a_service_is_nowhere_in_the_record() {
    let desk = desk();
    let file = include_str!("../../examples/tutorial/cluster.hcl");
    let service = "service \"chat\" {\n  image = \"chat:1\"\n  port = 4000\n  env = { KEY = var.key }\n}\n";
    std::fs::write(desk.path().join("cluster.hcl"), format!("variable \"key\" {{}}\n{file}\n{service}"))
        .expect("the file can be written");
    let applied = quorate(desk.path(), &["apply", "--yes", "--var", "key=TOPSECRET123"]);
    exits(&applied, 0);
    let kept = contents(&desk.path().join(".quorate"));
    assert!(kept.contains("chat.poeticoding.com"), "the record is among what was read");
    assert!(!(kept + &out(&applied) + &err(&applied)).contains("TOPSECRET123"));
}

#[cfg(target_os = "linux")]
#[test]
fn output_that_cannot_be_written_is_an_error() {
    let desk = desk();
    exits(&quorate(desk.path(), &["apply", "--yes"]), 0);
    for arguments in [&["plan"][..], &["show", "--json"], &["kubeconfig", "--output", "-"], &["version"]] {
        let full = std::fs::File::create("/dev/full").expect("the device is there");
        let reported = Command::new(env!("CARGO_BIN_EXE_quorate"))
            .args(arguments)
            .current_dir(desk.path())
            .env("QUORATE_SANDBOX", "1")
            .stdout(full)
            .output()
            .expect("quorate runs");
        exits(&reported, 1);
        assert!(err(&reported).contains("the output could not be written"), "{arguments:?}: {}", err(&reported));
    }
}

#[cfg(unix)]
#[test]
fn a_command_that_changes_nothing_ends_with_the_first_signal_even_while_it_reads() {
    use std::io::Write;
    use std::process::Stdio;
    let desk = desk();
    let mut reading = Command::new(env!("CARGO_BIN_EXE_quorate"))
        .args(["plan", "--sandbox", "--var-file", "/dev/stdin"])
        .current_dir(desk.path())
        .stdin(Stdio::piped())
        .spawn()
        .expect("quorate runs");
    // More than a pipe holds: who got rid of it knows that it is being read.
    let comments = "# nothing\n".repeat(50_000);
    reading.stdin.as_mut().expect("it is piped").write_all(comments.as_bytes()).expect("it is read");
    let asked = Command::new("kill").arg(reading.id().to_string()).status().expect("kill runs");
    assert!(asked.success());
    let ended = reading.wait().expect("it ends");
    assert_eq!(std::os::unix::process::ExitStatusExt::signal(&ended), Some(15), "{ended}");
}

#[test]
fn what_is_wrong_with_add_ons_is_found_with_the_rest_of_the_file() {
    let desk = desk();
    let path = |name: &str| desk.path().join(name);
    let file = include_str!("../../examples/tutorial/cluster.hcl");
    let addon = |name: &str| format!("addon \"{name}\" {{\n  manifest = \"{name}.yaml\"\n}}\n");
    let text = format!("{file}\n{}{}", addon("metrics"), addon("missing"));
    std::fs::write(path("cluster.hcl"), &text).expect("the file can be written");
    let manifest = "apiVersion: v1\nkind: Gadget\nmetadata:\n  name: a\n---\na: [1\n";
    std::fs::write(path("metrics.yaml"), manifest).expect("the file can be written");
    let checked = quorate(desk.path(), &["check"]);
    exits(&checked, 64);
    let reported = err(&checked);
    for wanted in ["Q0601", "Q0602", "Q0603", "metrics.yaml:2:1", "`metrics`", "`missing`", "has 3 errors"] {
        assert!(reported.contains(wanted), "{wanted}: {reported}");
    }
    let json = out(&quorate(desk.path(), &["check", "--json"]));
    let json: serde_json::Value = serde_json::from_str(&json).expect("it is JSON");
    let codes: Vec<&str> =
        json["diagnostics"].as_array().into_iter().flatten().filter_map(|d| d["code"].as_str()).collect();
    assert_eq!(codes, ["Q0411", "Q0603", "Q0602", "Q0601"]);
    // They are checked whatever else is wrong.
    std::fs::write(path("wrong.hcl"), text.replace("chat.poeticoding.com", "chat")).expect("the file can be written");
    let reported = err(&quorate(desk.path(), &["check", "--file", "wrong.hcl"]));
    assert!(reported.contains("Q0601") && reported.contains("metrics.yaml:2:1"), "{reported}");
    // Who removes the cluster needs no manifest.
    exits(&quorate(desk.path(), &["destroy", "--yes"]), 0);
}

/// The flags that a new cluster file needs.
const NEW: [&str; 5] = ["init", "--name", "chat.example.com", "--zones", "us-east-1a,us-east-1b,us-east-1c"];

#[test]
fn a_new_cluster_file_is_checked_and_planned_as_it_was_written() {
    for file in ["cluster.hcl", "cluster.toml"] {
        let desk = tempfile::tempdir().expect("a directory can be made");
        let written =
            quorate(desk.path(), &[&NEW[..], &["--file", file, "--tag", "team=chat", "--nodes", "2-4"]].concat());
        exits(&written, 0);
        assert!(out(&written).starts_with(&format!("{file}: chat.example.com with 3 masters")), "{}", out(&written));
        let checked = quorate(desk.path(), &["check"]);
        exits(&checked, 0);
        assert_eq!(err(&checked), "", "no warning");
        let planned = quorate(desk.path(), &["plan"]);
        exits(&planned, 0);
        assert!(out(&planned).contains("us-east-1c"), "{}", out(&planned));
        let before = std::fs::read_to_string(desk.path().join(file)).expect("the file is there");
        let again = quorate(desk.path(), &NEW);
        exits(&again, 4);
        assert!(err(&again).contains("--force"), "{}", err(&again));
        assert_eq!(std::fs::read_to_string(desk.path().join(file)).expect("the file is there"), before);
        exits(&quorate(desk.path(), &[&NEW[..], &["--force", "--masters", "5"]].concat()), 0);
        assert!(std::fs::read_to_string(desk.path().join(file)).expect("the file is there").contains("count = 5"));
        let files: Vec<_> =
            std::fs::read_dir(desk.path()).expect("a directory").map(|it| it.expect("a file").file_name()).collect();
        assert!(files.iter().all(|name| name == file || name == ".quorate"), "{files:?}");
    }
}

#[test]
fn a_new_cluster_file_with_a_wrong_value_is_not_written() {
    let desk = tempfile::tempdir().expect("a directory can be made");
    for (arguments, code, told) in [
        (&["init"][..], 64, "--name and --zones are missing"),
        (&["init", "--name", "chat.example.com"], 64, "--zones is missing"),
        (&[&NEW[..], &["--masters", "4"]].concat(), 64, "--masters: 4 masters"),
        (&[&NEW[..], &["--size", "t3.meduim"]].concat(), 64, "--size: "),
        (&[&NEW[..], &["--nodes", "0"]].concat(), 64, "--nodes: "),
        (&[&NEW[..], &["--file", "cluster.yaml"]].concat(), 64, "neither .hcl nor .toml"),
        (&[&NEW[..], &["--file", "missing/cluster.hcl"]].concat(), 1, "cannot be written"),
        (&["init", "--from-kops", "missing.yaml"], 64, "missing.yaml cannot be read"),
    ] {
        let refused = quorate(desk.path(), arguments);
        exits(&refused, code);
        assert!(err(&refused).contains(told), "{arguments:?}: {}", err(&refused));
        assert_eq!(out(&refused), "", "{arguments:?}");
    }
    std::fs::write(desk.path().join("kops.yaml"), "kind: Cluster\nspec: [1\n").expect("the file can be written");
    let refused = quorate(desk.path(), &["init", "--from-kops", "kops.yaml"]);
    exits(&refused, 64);
    assert!(err(&refused).contains("kops.yaml:2:") || err(&refused).contains("kops.yaml:3:"), "{}", err(&refused));
    assert!(!desk.path().join("cluster.hcl").exists(), "nothing was written");
}

#[test]
fn a_new_cluster_file_can_be_printed_alone_or_in_json() {
    let desk = tempfile::tempdir().expect("a directory can be made");
    let printed = quorate(desk.path(), &[&NEW[..], &["--stdout"]].concat());
    exits(&printed, 0);
    assert!(out(&printed).starts_with("# The cluster chat.example.com"), "{}", out(&printed));
    assert_eq!(out(&quorate(desk.path(), &[&NEW[..], &["--file", "-"]].concat())), out(&printed));
    let json = quorate(desk.path(), &[&NEW[..], &["--stdout", "--json"]].concat());
    let json: serde_json::Value = serde_json::from_slice(&json.stdout).expect("stdout is one document");
    assert_eq!((&json["format"], &json["file"]), (&1.into(), &serde_json::Value::Null));
    assert_eq!(json["text"], out(&printed));
    assert!(!desk.path().join("cluster.hcl").exists());
}

#[test]
fn a_cluster_of_kops_becomes_a_file_that_names_what_it_does_not_have() {
    let desk = tempfile::tempdir().expect("a directory can be made");
    let export = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/kops/private.yaml");
    let written = quorate(desk.path(), &["init", "--from-kops", export]);
    exits(&written, 0);
    assert!(err(&written).contains("spec.networking.calico"), "{}", err(&written));
    let file = std::fs::read_to_string(desk.path().join("cluster.hcl")).expect("the file is there");
    assert!(file.contains("#   spec.networking.calico:"), "{file}");
    exits(&quorate(desk.path(), &["check"]), 0);
    let input = std::fs::File::open(export).expect("the export is there");
    let printed = Command::new(env!("CARGO_BIN_EXE_quorate"))
        .args(["init", "--from-kops", "-", "--stdout", "--json", "--name", "other.example.com"])
        .current_dir(desk.path())
        .stdin(input)
        .output()
        .expect("quorate runs");
    exits(&printed, 0);
    let json: serde_json::Value = serde_json::from_slice(&printed.stdout).expect("stdout is one document");
    assert_eq!(json["name"], "other.example.com");
    assert!(json["differences"].as_array().is_some_and(|differences| differences.len() > 20), "{json}");
}
