//! Access to the API: the output of `kubeconfig` is used as kubectl would use it, and `openssl` checks the certificates.

use std::path::Path;
use std::process::{Command, Output};

use kube::config::Kubeconfig;
use quorate::cli::Exit;
use quorate::engine::PlanMode;

use crate::moto::MotoServer;
use crate::program::{desk, err, exits, out, quorate};
use crate::stage::{MotoStage, TUTORIAL};
use crate::wire::TestWire;

const CLUSTER: &str = "chat.poeticoding.com";

/// Runs the program with a kubeconfig and without the environment of the caller.
fn with_kubeconfig(directory: &Path, kubeconfig: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_quorate"));
    command.args(arguments).current_dir(directory).env("KUBECONFIG", kubeconfig).env("AWS_PROFILE", "");
    command
}

fn run(command: &mut Command) -> Output {
    command.output().expect("quorate runs")
}

/// Runs the program that a kubeconfig names, from a directory that has nothing to do with the cluster.
fn ask(kubeconfig: &Path, prepare: impl Fn(&mut Command)) -> (Output, Kubeconfig) {
    let read = Kubeconfig::read_from(kubeconfig).expect("a kubeconfig");
    let exec = read.auth_infos[0].auth_info.as_ref().and_then(|user| user.exec.clone()).expect("a program to ask");
    assert_eq!(exec.api_version.as_deref(), Some("client.authentication.k8s.io/v1"));
    let mut command = Command::new(exec.command.expect("a program"));
    let elsewhere = tempfile::tempdir().expect("a directory can be made");
    command.args(exec.args.expect("arguments")).current_dir(elsewhere.path()).env_remove("HOME");
    prepare(&mut command);
    (run(&mut command), read)
}

/// Checks that a client's certificate, its key, and the authority of a kubeconfig match, and that the client is this user.
fn belongs(directory: &Path, authority: &str, certificate: &str, key: &str, user: &str) {
    let keep = |name: &str, text: &str| {
        let path = directory.join(name);
        std::fs::write(&path, text).expect("the file can be written");
        path.display().to_string()
    };
    let (ca, certificate, key) = (keep("ca.pem", authority), keep("client.pem", certificate), keep("client.key", key));
    let openssl = |arguments: &[&str]| {
        let ran = Command::new("openssl").args(arguments).output().expect("the tests need the program `openssl`");
        assert!(ran.status.success(), "openssl {arguments:?}: {}", err(&ran));
        out(&ran)
    };
    openssl(&["verify", "-purpose", "sslclient", "-CAfile", &ca, &certificate]);
    assert_eq!(
        openssl(&["x509", "-noout", "-pubkey", "-in", &certificate]),
        openssl(&["pkey", "-pubout", "-in", &key])
    );
    let subject = openssl(&["x509", "-noout", "-subject", "-nameopt", "RFC2253", "-in", &certificate]);
    assert_eq!(subject.trim_end(), format!("subject=CN={user},O=system:masters"));
}

fn decoded(data: &str) -> String {
    let script = "import base64, sys; sys.stdout.write(base64.b64decode(sys.argv[1]).decode())";
    let ran = Command::new("python3").args(["-c", script, data]).output().expect("the tests need Python");
    out(&ran)
}

/// Uses a kubeconfig as kubectl does.
fn follow(desk: &Path, kubeconfig: &Path, user: &str, prepare: impl Fn(&mut Command)) {
    let (asked, read) = ask(kubeconfig, prepare);
    exits(&asked, 0);
    assert_eq!(err(&asked), "");
    let credential: serde_json::Value = serde_json::from_slice(&asked.stdout).expect("stdout is one document");
    let status = |name: &str| credential["status"][name].as_str().expect("a text").to_owned();
    let cluster = read.clusters[0].cluster.as_ref().expect("a cluster");
    let authority = decoded(cluster.certificate_authority_data.as_deref().expect("an authority"));
    belongs(desk, &authority, &status("clientCertificateData"), &status("clientKeyData"), user);
    assert_eq!(cluster.tls_server_name.as_deref(), Some("api.internal.chat.poeticoding.com"));
}

#[test]
fn a_kubeconfig_leads_to_a_certificate_of_an_hour() {
    let desk = desk();
    let kubeconfig = desk.path().join("kube/config");
    let wish =
        |arguments: &[&str]| run(with_kubeconfig(desk.path(), &kubeconfig, arguments).env("QUORATE_SANDBOX", "1"));
    let early = wish(&["kubeconfig"]);
    exits(&early, 1);
    assert!(err(&early).contains("quorate apply") && !kubeconfig.exists(), "{}", err(&early));

    exits(&quorate(desk.path(), &["apply", "--yes"]), 0);
    let written = wish(&["kubeconfig"]);
    exits(&written, 0);
    assert!(out(&written).contains("SANDBOX") && out(&written).contains(CLUSTER), "{}", out(&written));
    assert!(err(&written).contains("nothing answers"), "{}", err(&written));
    let read = Kubeconfig::read_from(&kubeconfig).expect("a kubeconfig");
    assert_eq!(read.current_context.as_deref(), Some(CLUSTER));
    let server = read.clusters[0].cluster.as_ref().and_then(|cluster| cluster.server.clone());
    assert_eq!(server.as_deref(), Some("https://api.chat.poeticoding.com"));
    assert!(!std::fs::read_to_string(&kubeconfig).expect("it is there").contains("key-data"), "no key in the file");
    follow(desk.path(), &kubeconfig, "arn:aws:iam::123456789012:user/sandbox", |_| ());

    let again = wish(&["kubeconfig", "--json"]);
    exits(&again, 0);
    let reported: serde_json::Value = serde_json::from_slice(&again.stdout).expect("stdout is one document");
    assert_eq!((&reported["files"], &reported["context"]), (&serde_json::json!([]), &serde_json::json!(CLUSTER)));
}

#[test]
fn an_administrators_certificate_is_printed_or_written_with_a_warning() {
    let desk = desk();
    exits(&quorate(desk.path(), &["apply", "--yes"]), 0);
    let printed = quorate(desk.path(), &["kubeconfig", "--admin", "18h", "--context", "breakglass", "--output", "-"]);
    exits(&printed, 0);
    assert!(err(&printed).contains("full access to the cluster"), "{}", err(&printed));
    let read = Kubeconfig::from_yaml(&out(&printed)).expect("a kubeconfig alone");
    assert_eq!(read.current_context.as_deref(), Some("breakglass"));
    let user = read.auth_infos[0].auth_info.as_ref().expect("a user");
    let certificate = decoded(user.client_certificate_data.as_deref().expect("a certificate"));
    let end = quorate::pki::end(&certificate).expect("a date").duration_since(jiff::Timestamp::now());
    assert!((17 * 60 + 58..=18 * 60).contains(&end.as_mins()), "{end:?}");
    for wrong in ["0h", "tomorrow"] {
        exits(&quorate(desk.path(), &["kubeconfig", "--admin", wrong]), 64);
    }
}

#[test]
fn a_rotated_token_is_another_one_and_no_difference_to_the_plan() {
    let desk = desk();
    let never = quorate(desk.path(), &["token", "rotate"]);
    exits(&never, 1);
    assert!(err(&never).contains("quorate apply"), "{}", err(&never));
    exits(&quorate(desk.path(), &["apply", "--yes"]), 0);
    let bucket = desk.path().join(".quorate/sandbox/s3/state.chat.poeticoding.com");
    let token = || std::fs::read_to_string(bucket.join(CLUSTER).join("pki/join-token")).expect("a token");
    let before = token();
    let rotated = quorate(desk.path(), &["token", "rotate"]);
    exits(&rotated, 0);
    let messages = out(&rotated) + &err(&rotated);
    assert!(
        token() != before && !messages.contains(token().trim_end()) && !messages.contains(before.trim_end()),
        "{messages}"
    );
    exits(&quorate(desk.path(), &["plan", "--detailed-exitcode"]), 0);
    exits(&quorate(desk.path(), &["destroy", "--yes", "--delete-data"]), 0);
    assert!(!bucket.join(CLUSTER).exists());
}

#[tokio::test]
async fn the_same_on_aws_and_a_destroy_leaves_no_version_of_a_key() {
    let Some(moto) = MotoServer::start() else { return };
    let before = moto.inventory();
    let mut stage = MotoStage::new(TestWire::to(moto.endpoint()), TUTORIAL).await;
    stage.apply().await.must(Exit::Done);
    let desk = desk();
    let kubeconfig = desk.path().join("config");
    let on_moto = |command: &mut Command| moto.serve(command);
    for arguments in [&["kubeconfig"][..], &["token", "rotate"]] {
        let mut command = with_kubeconfig(desk.path(), &kubeconfig, arguments);
        on_moto(&mut command);
        let run = run(&mut command);
        exits(&run, 0);
        let warned = err(&run).contains("the API cannot be reached from outside");
        assert_eq!(
            warned,
            arguments[0] == "kubeconfig",
            "the tutorial's file opens the API to no address: {}",
            err(&run)
        );
    }
    follow(desk.path(), &kubeconfig, "arn:aws:sts::123456789012:user/moto", on_moto);
    assert_eq!(stage.changes(PlanMode::Apply).await, Vec::<String>::new());
    stage.destroy().await.must(Exit::Done);
    assert_eq!(moto.inventory(), before);
}

#[tokio::test]
async fn a_deleted_key_is_brought_back_and_never_replaced() {
    let Some(moto) = MotoServer::start() else { return };
    let before = moto.inventory();
    let mut stage = MotoStage::new(TestWire::to(moto.endpoint()), TUTORIAL).await;
    stage.apply().await.must(Exit::Done);
    moto.tamper("key-deleted", CLUSTER);
    assert_eq!(stage.changes(PlanMode::Apply).await, ["refuse secret/cluster-ca (lost): "]);
    let refused = stage.apply().await.must(Exit::Refused);
    assert!(refused.out.contains("delete marker"), "{}", refused.out);
    moto.tamper("key-restored", CLUSTER);
    assert_eq!(stage.changes(PlanMode::Apply).await, Vec::<String>::new());

    moto.tamper("key-deleted", CLUSTER);
    stage.destroy().await.must(Exit::Done);
    assert_eq!(moto.inventory(), before);
}
