//! Confirmations before anything is changed, and refusals.

use super::*;

#[tokio::test(start_paused = true)]
async fn without_a_terminal_nothing_is_changed() {
    let user = SandboxUser::new();
    let before = user.sandbox.inventory().unwrap();
    let error = user.apply(Consent::default()).await.0.unwrap_err();
    assert_eq!(error.exit(), Exit::Refused);
    assert!(error.to_string().contains("not a terminal"), "{error}");
    assert_eq!(user.sandbox.inventory().unwrap(), before);
}

#[tokio::test(start_paused = true)]
async fn only_yes_is_yes() {
    for answer in ["y", "Yes", "YES", "", "no"] {
        let user = SandboxUser { answers: Some(vec![answer]), ..SandboxUser::new() };
        let error = user.apply(Consent::default()).await.0.unwrap_err();
        assert_eq!(error.exit(), Exit::Refused, "{answer}");
    }
    let user = SandboxUser { answers: Some(vec!["yes"]), ..SandboxUser::new() };
    assert_eq!(user.apply(Consent::default()).await.0.unwrap(), Exit::Done);
}

#[tokio::test(start_paused = true)]
async fn a_destroy_wants_the_name() {
    let mut user = SandboxUser::built().await;
    let before = user.sandbox.inventory().unwrap().len();
    user.answers = Some(vec!["yes"]);
    assert_eq!(user.destroy(false).await.0.unwrap_err().exit(), Exit::Refused);
    assert_eq!(user.sandbox.inventory().unwrap().len(), before);
    user.answers = Some(vec!["chat.poeticoding.com"]);
    assert_eq!(user.destroy(false).await.0.unwrap(), Exit::Done);
}

#[tokio::test(start_paused = true)]
async fn data_is_lost_only_when_it_is_asked_for() {
    let volume = "service \"db\" {\n image = \"postgres:17\"\n port = 5432\n volume \"data\" {\n  gib = 5\n  path = \"/d\"\n }\n}\n";
    let mut user = SandboxUser { text: format!("{FILE}{volume}"), ..SandboxUser::new() };
    assert_eq!(user.apply(YES).await.0.unwrap(), Exit::Done);
    user.text = FILE.to_owned();
    let (exit, out) = user.apply(YES).await;
    assert_eq!(exit.unwrap_err().exit(), Exit::Refused, "{out}");
    assert!(out.contains("Loses data"), "{out}");
    let consent = Consent { yes: true, delete_data: true };
    let (exit, out) = user.apply(consent).await;
    assert_eq!(exit.unwrap(), Exit::Done, "{out}{}", user.err.read());
}

#[tokio::test(start_paused = true)]
async fn masters_are_not_taken_away_under_etcd() {
    let mut user = SandboxUser::built().await;
    user.text = FILE.replace("count = 3", "count = 1");
    let (exit, out) = user.apply(Consent { yes: true, delete_data: true }).await;
    assert_eq!(exit.unwrap_err().exit(), Exit::Refused, "{out}");
    let messages = out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        messages.contains("masters of a living cluster cannot be removed") && !messages.contains("desired"),
        "{out}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_flag_that_destroys_without_a_question_takes_no_data() {
    let mut user = SandboxUser::built().await;
    let before = user.sandbox.inventory().unwrap();
    let (exit, _) = user.destroy_with(YES).await;
    assert_eq!(exit.unwrap_err().exit(), Exit::Refused);
    assert_eq!(user.sandbox.inventory().unwrap(), before);
    user.options.json = true;
    let (exit, out) = user.destroy_with(YES).await;
    assert_eq!(exit.unwrap_err().exit(), Exit::Refused);
    let json: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(json["summary"]["loses_data"][0], "volume/etcd-a", "a refused plan is shown all the same");
    let (exit, out) = user.destroy(true).await;
    assert_eq!(exit.unwrap(), Exit::Done);
    let json: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(json["left"], serde_json::json!([]));
}

#[tokio::test(start_paused = true)]
async fn another_account_is_refused_before_even_a_lease_is_written_there() {
    let mut user = SandboxUser::built().await;
    let before = user.keys().await;
    user.text = format!("account = \"210987654321\"\n{FILE}");
    let serial = user.with(async |context| context.store.get("chat.poeticoding.com/state.json").await).await.unwrap();
    let error = user.apply(YES).await.0.unwrap_err();
    assert_eq!(error.exit(), Exit::Refused);
    assert_eq!(user.keys().await, before);
    assert_eq!(
        user.with(async |context| context.store.get("chat.poeticoding.com/state.json").await)
            .await
            .unwrap()
            .map(|s| s.etag),
        serial.map(|s| s.etag)
    );
}

#[tokio::test(start_paused = true)]
async fn another_account_is_refused() {
    let mut user = SandboxUser::new();
    user.text = format!("account = \"210987654321\"\n{FILE}");
    let error = user.plan().await.0.unwrap_err();
    assert_eq!(error.exit(), Exit::Refused);
    assert!(error.to_string().contains("210987654321"), "{error}");
}
