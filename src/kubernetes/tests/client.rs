//! Requests, and the managers of fields.

use futures_util::StreamExt;

use super::*;
use crate::engine::FailureClass;
use crate::kubernetes::client::ListQuery;
use crate::kubernetes::watch::WatchedChange;
use crate::resource::ApiType;

#[tokio::test]
async fn what_is_applied_is_there_with_its_defaults_and_keeps_them_when_applied_again() {
    let bench = TestServer::start().await;
    let chat = deployment("chat");
    assert_eq!(bench.connection.get(&place(&chat)).await.unwrap(), None);
    let made = bench.apply(&chat).await.unwrap();
    assert_eq!(made["spec"]["strategy"]["type"], "RollingUpdate");
    let again = bench.apply(&chat).await.unwrap();
    assert_eq!(again["metadata"]["generation"], 1, "nothing changed, so nothing rolls");
    assert_eq!(again["metadata"]["uid"], made["metadata"]["uid"]);
}

#[tokio::test]
async fn a_field_that_is_no_longer_applied_goes() {
    let bench = TestServer::start().await;
    let mut chat = deployment("chat");
    bench.apply(&chat).await.unwrap();
    let container = &mut chat["spec"]["template"]["spec"]["containers"][0];
    container["env"] = json!([{ "name": "PORT", "value": "4001" }]);
    let after = bench.apply(&chat).await.unwrap();
    let env = &after["spec"]["template"]["spec"]["containers"][0]["env"];
    assert_eq!(*env, json!([{ "name": "PORT", "value": "4001" }]));
    assert_eq!(after["metadata"]["generation"], 2);
}

#[tokio::test]
async fn a_field_that_another_manager_took_is_a_conflict_with_its_name() {
    let bench = TestServer::start().await;
    let chat = deployment("chat");
    bench.apply(&chat).await.unwrap();
    bench.api.edit("kubectl-scale", "Deployment", "default", "chat", &json!({ "spec": { "replicas": 5 } })).await;
    let refusal = bench.connection.apply(&place(&chat), &chat, ApplyMode::Real).await.unwrap_err();
    assert_eq!(refusal.failure.class, FailureClass::Invalid);
    let found: Vec<_> = refusal.conflicts.iter().map(|c| (c.field.as_str(), c.owner.as_str())).collect();
    assert_eq!(found, [("spec.replicas", "kubectl-scale")]);
    let forced = bench.connection.apply(&place(&chat), &chat, ApplyMode::Forced).await.unwrap();
    assert_eq!(forced["spec"]["replicas"], 2);
    bench.apply(&chat).await.expect("the field is ours again");
}

#[tokio::test]
async fn fields_of_others_that_we_do_not_set_stay() {
    let bench = TestServer::start().await;
    let chat = deployment("chat");
    bench.apply(&chat).await.unwrap();
    let theirs = json!({ "metadata": { "annotations": { "team.example.com/owner": "them" } } });
    bench.api.edit("them", "Deployment", "default", "chat", &theirs).await;
    let after = bench.apply(&chat).await.unwrap();
    assert_eq!(after["metadata"]["annotations"]["team.example.com/owner"], "them");
}

#[tokio::test]
async fn a_dry_run_returns_the_object_and_changes_nothing() {
    let bench = TestServer::start().await;
    let chat = deployment("chat");
    let reported = bench.connection.apply(&place(&chat), &chat, ApplyMode::DryRun).await.unwrap();
    assert_eq!(reported["spec"]["revisionHistoryLimit"], 10);
    assert_eq!(bench.connection.get(&place(&chat)).await.unwrap(), None);
    assert!(bench.api.get("Deployment", "default", "chat").await.is_none());
}

#[tokio::test]
async fn a_list_holds_what_carries_the_label_in_every_namespace() {
    let bench = TestServer::start().await;
    bench.apply(&json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": "other" } })).await.unwrap();
    let mut other = deployment("other");
    other["metadata"]["namespace"] = "other".into();
    let mut unmarked = deployment("unmarked");
    unmarked["metadata"]["labels"] = json!({});
    for manifest in [&deployment("chat"), &other, &unmarked] {
        bench.apply(manifest).await.unwrap();
    }
    let api = ApiType::find("apps/v1", "Deployment").unwrap();
    let found =
        bench.connection.list(api, ListQuery::ALL.labelled("quorate.dev/cluster=chat.example.com")).await.unwrap();
    let places: Vec<String> = found.iter().map(|object| place(object).to_string()).collect();
    assert_eq!(places, ["deployments.apps default/chat", "deployments.apps other/other"]);
}

#[tokio::test]
async fn only_the_very_object_is_deleted() {
    let bench = TestServer::start().await;
    let chat = deployment("chat");
    let made = bench.apply(&chat).await.unwrap();
    let error = bench.connection.delete(&place(&chat), Some("another"), GoneCondition::GoFirst).await.unwrap_err();
    assert_eq!(error.code.as_deref(), Some("Conflict"));
    bench.connection.delete(&place(&chat), made["metadata"]["uid"].as_str(), GoneCondition::GoFirst).await.unwrap();
    let patience = std::time::Duration::from_mins(1);
    crate::kubernetes::rollout::wait_gone(&bench.connection, &place(&chat), None, patience, &|_| {}).await.unwrap();
    assert_eq!(bench.connection.get(&place(&chat)).await.unwrap(), None);
    let error = bench.connection.delete(&place(&chat), None, GoneCondition::GoAfterwards).await.unwrap_err();
    assert_eq!(error.class, FailureClass::Gone);
}

#[tokio::test]
async fn a_watch_begins_with_what_is_there() {
    let bench = TestServer::start().await;
    let chat = deployment("chat");
    bench.apply(&chat).await.unwrap();
    let mut events = bench.connection.watch(&place(&chat)).await.unwrap();
    let Some(Ok(WatchedChange::There(first))) = events.next().await else { panic!("it is there") };
    assert_eq!(first["spec"]["replicas"], 2);
    bench.api.edit("kubectl-scale", "Deployment", "default", "chat", &json!({ "spec": { "replicas": 5 } })).await;
    // A real server's controllers write what they see of it in between.
    for _ in 0..20 {
        let Some(Ok(WatchedChange::There(next))) = events.next().await else { panic!("it is there") };
        if next["spec"]["replicas"] == 5 {
            return;
        }
    }
    panic!("the change never came");
}

#[tokio::test]
async fn a_server_that_asks_for_time_gets_it() {
    let bench = TestServer::fake().await;
    let busy = json!({ "kind": "Status", "code": 429, "reason": "TooManyRequests", "status": "Failure",
                       "message": "busy", "details": { "retryAfterSeconds": 1 } });
    bench.api.fail_next("/deployments", 429, busy);
    let begun = std::time::Instant::now();
    bench.apply(&deployment("chat")).await.expect("the second attempt is answered");
    assert!(begun.elapsed().as_millis() >= 1000, "the server asked for one second");
}

#[tokio::test]
async fn an_answer_that_is_lost_leaves_the_outcome_open() {
    let bench = TestServer::fake().await;
    bench.api.fail_next("/deployments", 0, Json::Null);
    let failure = bench.apply(&deployment("chat")).await.unwrap_err();
    assert_eq!(failure.class, FailureClass::UnknownOutcome, "{failure}");
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_unavailable() {
    let bench = TestServer::fake().await;
    let access = bench.api.access();
    drop(bench);
    // The server's task is gone after another task ran.
    tokio::task::yield_now().await;
    let failure = ApiConnection::new(&access).unwrap().is_ready().await.unwrap_err();
    assert_eq!(failure.class, FailureClass::Unavailable, "{failure}");
}
