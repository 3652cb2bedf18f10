//! Commands, sessions and console output, with the answers of AWS.

use aws_smithy_types::base64;
use serde_json::{Value as Json, json};

use super::waiting::cluster;
use crate::cloud::{MachineAccess, ScriptOutput};

const SENT: &str = r#"{"Command":{"CommandId":"11111111-2222-3333-4444-555555555555"}}"#;

fn invocation(status: &str, details: &str, out: &str) -> String {
    json!({ "Status": status, "StatusDetails": details, "StandardOutputContent": out, "StandardErrorContent": "" })
        .to_string()
}

fn console(text: &str) -> String {
    let output = base64::encode(text);
    format!(
        "<GetConsoleOutputResponse><instanceId>i-1</instanceId><output>{output}</output></GetConsoleOutputResponse>"
    )
}

#[tokio::test(start_paused = true)]
async fn a_script_is_sent_once_and_waited_for() {
    let cluster = cluster().await;
    cluster.calls.answer("SendCommand", [SENT.to_owned()]);
    cluster.calls.refuse("GetCommandInvocation", "InvocationDoesNotExist");
    let answers = [
        invocation("Pending", "Pending", ""),
        invocation("InProgress", "InProgress", ""),
        invocation("Success", "Success", "one\ntwo\n"),
    ];
    cluster.calls.answer("GetCommandInvocation", answers);
    let output = cluster.aws.run_script("i-1", "journalctl").await.unwrap();
    assert_eq!(output, Some(ScriptOutput { out: "one\ntwo\n".to_owned(), err: String::new() }));
    let calls = cluster.calls.take();
    assert_eq!(calls.iter().filter(|call| *call == "SendCommand").count(), 1, "{calls:?}");
    assert_eq!(calls.len(), 5, "{calls:?}");
    let sent: Json = serde_json::from_str(&cluster.calls.take_bodies()[0]).unwrap();
    assert_eq!(sent["DocumentName"], "AWS-RunShellScript");
    assert_eq!(sent["InstanceIds"], json!(["i-1"]));
    assert_eq!(sent["Parameters"]["commands"], json!(["journalctl"]));
}

#[tokio::test(start_paused = true)]
async fn a_machine_that_is_not_connected_is_no_error() {
    let cluster = cluster().await;
    cluster.calls.refuse("SendCommand", "InvalidInstanceId");
    assert_eq!(cluster.aws.run_script("i-1", "journalctl").await.unwrap(), None);
    cluster.calls.answer("SendCommand", [SENT.to_owned()]);
    cluster.calls.answer("GetCommandInvocation", [invocation("TimedOut", "Delivery Timed Out", "")]);
    assert_eq!(cluster.aws.run_script("i-1", "journalctl").await.unwrap(), None);
    cluster.calls.refuse("StartSession", "TargetNotConnected");
    assert!(cluster.aws.start_session("i-1").await.unwrap().is_none());
}

#[tokio::test(start_paused = true)]
async fn a_command_that_is_never_delivered_is_not_waited_for_for_ever() {
    let cluster = cluster().await;
    cluster.calls.answer("SendCommand", [SENT.to_owned()]);
    cluster.calls.answer("GetCommandInvocation", [invocation("Pending", "Pending", "")]);
    assert_eq!(cluster.aws.run_script("i-1", "journalctl").await.unwrap(), None);
    assert!(cluster.calls.take().len() < 60);
}

#[tokio::test(start_paused = true)]
async fn a_missing_permission_is_an_error_that_names_it() {
    let cluster = cluster().await;
    cluster.calls.refuse("SendCommand", "AccessDeniedException");
    let failure = cluster.aws.run_script("i-1", "journalctl").await.unwrap_err();
    assert_eq!((failure.service.as_str(), failure.action.as_str()), ("ssm", "SendCommand"));
}

#[tokio::test(start_paused = true)]
async fn a_session_has_the_endpoint_that_started_it_and_hides_its_token() {
    let cluster = cluster().await;
    let answer = r#"{"SessionId":"ada-1","TokenValue":"secret","StreamUrl":"wss://ssmmessages/x"}"#;
    cluster.calls.answer("StartSession", [answer.to_owned()]);
    let session = cluster.aws.start_session("i-1").await.unwrap().unwrap();
    assert_eq!((session.id.as_str(), session.region.as_str()), ("ada-1", "us-east-1"));
    assert_eq!(session.endpoint, "http://127.0.0.1:9");
    assert!(!format!("{session:?}").contains("secret"));
    let answer: Json = serde_json::from_str(session.answer.reveal()).unwrap();
    assert_eq!(answer, json!({ "SessionId": "ada-1", "TokenValue": "secret", "StreamUrl": "wss://ssmmessages/x" }));
    cluster.calls.answer("TerminateSession", [r#"{"SessionId":"ada-1"}"#.to_owned()]);
    cluster.aws.end_session("ada-1").await.unwrap();
    assert_eq!(cluster.calls.take(), ["StartSession", "TerminateSession"]);
}

#[tokio::test(start_paused = true)]
async fn a_machine_without_the_latest_console_output_gives_the_earlier_one() {
    let cluster = cluster().await;
    cluster.calls.refuse("GetConsoleOutput", "UnsupportedOperation");
    cluster.calls.answer("GetConsoleOutput", [console("booted\n")]);
    assert_eq!(cluster.aws.console_output("i-1").await.unwrap(), "booted\n");
    assert_eq!(cluster.calls.take(), ["GetConsoleOutput", "GetConsoleOutput"]);
}
