//! Services from a block in the file to objects on two clouds.

use serde_json::json;

use super::*;
use crate::cli::command::show::show;
use crate::cli::composite_provider::{ApiWait, CompositeProvider};
use crate::cloud::CloudProvider;
use crate::kubernetes::{ApiAccess, KubernetesProvider};
use crate::spec::NetworkPlugin;
use crate::testkit::fake::FakeApi;

const SERVICES: &str = r#"
service "chat" {
  image     = "chat:1"
  replicas  = 2
  port      = 4000
  namespace = "talk"
  env       = { PORT = "4000" }
  nlb {
    port = 80
  }
}
"#;

fn with_services() -> String {
    format!("{FILE}{SERVICES}")
}

/// Returns a user with a Kubernetes API beside the simulated account.
async fn two_clouds() -> (SandboxUser, FakeApi) {
    let api = FakeApi::start().await;
    api.ready_at_once();
    api.machines("workers", 9);
    let user = SandboxUser::new();
    let cloud = Some(clouds(&user, api.access(), ApiWait::UntilReady));
    (SandboxUser { cloud, text: with_services(), ..user }, api)
}

/// Returns the simulated account, and a Kubernetes API on it that is not connected yet.
fn clouds(user: &SandboxUser, access: ApiAccess, wait: ApiWait) -> Arc<dyn CloudProvider> {
    let kubernetes = KubernetesProvider::new("chat.poeticoding.com", Arc::new(access));
    let base = Arc::new(user.sandbox.clone());
    Arc::new(CompositeProvider::new(base, kubernetes, NetworkPlugin::Routes, wait))
}

/// Makes the API unreachable, as the next command would find it.
fn silence(user: &mut SandboxUser, api: FakeApi) {
    let nobody = api.access();
    drop(api);
    user.cloud = Some(clouds(user, nobody, ApiWait::UntilReady));
}

#[tokio::test]
async fn show_has_the_pods_of_services_while_the_api_answers() {
    let (mut user, api) = two_clouds().await;
    let (exit, out) = user.apply(YES).await;
    assert_eq!(exit.unwrap(), Exit::Done, "{out}");
    user.with(async |context| show(context, false).await).await.unwrap();
    let out = user.out.read();
    assert!(out.contains("talk/chat  2/2   80"), "{out}");
    assert!(out.contains("joining"), "no machine is a node: {out}");
    silence(&mut user, api);
    user.with(async |context| show(context, false).await).await.unwrap();
    let out = user.out.read();
    assert!(out.contains("talk/chat  -     80") && !out.contains("joining"), "{out}");
    assert!(out.contains("- not known: the Kubernetes API does not answer ("), "{out}");
}

/// A new cluster whose API does not answer yet is no error: its Kubernetes objects are deferred, and reported in one
/// line.
#[tokio::test]
async fn without_a_wait_the_objects_of_a_new_cluster_are_deferred() {
    let api = FakeApi::start().await;
    let nobody = api.access();
    drop(api);
    let mut user = SandboxUser { text: with_services(), ..SandboxUser::new() };
    user.cloud = Some(clouds(&user, nobody, ApiWait::Never));
    let (exit, out) = user.apply(YES).await;
    let messages = user.err.read();
    assert_eq!(exit.unwrap(), Exit::Partly, "{out}{messages}");
    let words = out.split_whitespace().collect::<Vec<_>>().join(" ");
    let (_, deferred) = words.split_once("Deferred: ").unwrap();
    assert!(deferred.contains("The Kubernetes API does not answer yet"), "{deferred}");
    assert!(deferred.contains("--no-wait does not wait for it: the next `quorate apply` makes them."), "{deferred}");
    assert!(!out.contains("Not done") && !messages.contains("failed"), "{out}{messages}");
    let record = user.with(async |context| context.store.get("chat.poeticoding.com/state.json").await).await;
    let record: serde_json::Value = serde_json::from_slice(&record.unwrap().unwrap().bytes).unwrap();
    assert_eq!(record["in_progress"], serde_json::Value::Null, "the run has ended");

    // The next apply makes what is missing, and nothing else.
    let api = FakeApi::start().await;
    api.ready_at_once();
    api.machines("workers", 9);
    user.cloud = Some(clouds(&user, api.access(), ApiWait::UntilReady));
    let (exit, out) = user.apply(YES).await;
    assert_eq!(exit.unwrap(), Exit::Done, "{out}{}", user.err.read());
    assert_eq!(user.plan().await.0.unwrap(), Exit::Done);
}

#[tokio::test(start_paused = true)]
async fn in_the_sandbox_services_are_planned_kept_changed_and_removed() {
    let mut user = SandboxUser { text: with_services(), ..SandboxUser::new() };
    let (exit, out) = user.plan().await;
    assert_eq!(exit.unwrap(), Exit::Differs);
    insta::assert_snapshot!("services_are_planned_with_the_rest", out);
    assert_eq!(user.apply(YES).await.0.unwrap(), Exit::Done);
    assert_eq!(user.plan().await.0.unwrap(), Exit::Done);

    user.text = with_services().replace("chat:1", "chat:2");
    let (exit, out) = user.plan().await;
    assert_eq!(exit.unwrap(), Exit::Differs);
    insta::assert_snapshot!("another_image_is_one_line", out);
    assert_eq!(user.apply(YES).await.0.unwrap(), Exit::Done);

    user.text = FILE.to_owned();
    let (exit, out) = user.apply(YES).await;
    assert_eq!(exit.unwrap(), Exit::Done, "{out}{}", user.err.read());
    let (plan, names) = out.split_once("\nReached by name:").unwrap();
    insta::assert_snapshot!("a_service_leaves_with_all_that_is_its_own", plan);
    assert!(!names.contains("service "), "{names}");
}

#[tokio::test(start_paused = true)]
async fn a_domain_may_be_the_clusters_own_name_or_another_one_in_its_zone() {
    for domain in ["chat.poeticoding.com", "www.chat.poeticoding.com", "talk.poeticoding.com"] {
        let port = format!("port = 80\n    domain = \"{domain}\"");
        let user = SandboxUser { text: with_services().replace("port = 80", &port), ..SandboxUser::new() };
        let before = user.sandbox.inventory().unwrap();
        let (exit, out) = user.apply(YES).await;
        assert_eq!(exit.unwrap(), Exit::Done, "{out}{}", user.err.read());
        let (exit, out) = user.plan().await;
        assert_eq!(exit.unwrap(), Exit::Done, "{domain}: {out}");
        let (exit, out) = user.destroy(true).await;
        assert_eq!(exit.unwrap(), Exit::Done, "{out}");
        assert_eq!(user.sandbox.inventory().unwrap(), before, "{domain}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_variable_holds_is_never_written_into_the_record() {
    let mut user =
        SandboxUser { text: with_services().replace("PORT = \"4000\"", "TOKEN = \"hunter2\""), ..SandboxUser::new() };
    assert_eq!(user.apply(YES).await.0.unwrap(), Exit::Done);
    let record =
        user.with(async |context| context.store.get("chat.poeticoding.com/state.json").await).await.unwrap().unwrap();
    let record = String::from_utf8(record.bytes).unwrap();
    assert!(record.contains("deployment/chat") && !record.contains("hunter2"));
    assert_eq!(user.plan().await.0.unwrap(), Exit::Done, "and it is no difference");
    user.text = user.text.replace("hunter2", "hunter3");
    let (exit, out) = user.plan().await;
    assert_eq!(exit.unwrap(), Exit::Differs, "another value is noticed");
    assert!(out.contains("env[TOKEN].value") && !out.contains("hunter"), "and shown by its fingerprint alone: {out}");
}

#[tokio::test]
async fn aws_and_kubernetes_are_one_plan() {
    let (mut user, api) = two_clouds().await;
    let (exit, out) = user.apply(YES).await;
    assert_eq!(exit.unwrap(), Exit::Done, "{out}{}", user.err.read());
    let deployment = api.get("Deployment", "talk", "chat").unwrap();
    assert_eq!(deployment["spec"]["replicas"], 2);
    assert_eq!(api.get("Service", "talk", "chat").unwrap()["spec"]["ports"][0]["nodePort"], 30_000);
    assert_eq!(user.plan().await.0.unwrap(), Exit::Done, "after an apply the plan is empty");

    api.edit("kubectl-scale", "Deployment", "talk", "chat", &json!({ "spec": { "replicas": 5 } }));
    let (exit, out) = user.plan().await;
    assert_eq!(exit.unwrap(), Exit::Differs);
    assert!(out.contains("spec.replicas  5 -> 2"), "{out}");
    assert!(user.err.read().contains("kubectl-scale"));

    user.text = FILE.to_owned();
    let (exit, out) = user.apply(YES).await;
    assert_eq!(exit.unwrap(), Exit::Done, "{out}{}", user.err.read());
    assert!(api.get("Deployment", "talk", "chat").is_none() && api.get("Namespace", "", "talk").is_none());
}

#[tokio::test]
async fn an_api_that_does_not_answer_leaves_the_rest_of_the_plan() {
    let (mut user, api) = two_clouds().await;
    assert_eq!(user.apply(YES).await.0.unwrap(), Exit::Done);
    drop(api);
    tokio::task::yield_now().await;
    let (exit, out) = user.plan().await;
    let messages = user.err.read().split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(exit.unwrap(), Exit::Done, "{out}");
    assert!(
        messages.contains("the Kubernetes API does not answer") && messages.contains("as the last apply left them"),
        "{messages}"
    );
    user.text = with_services().replace("count = 2", "count = 3").replace("chat:1", "chat:2");
    let (exit, out) = user.plan().await;
    assert_eq!(exit.unwrap(), Exit::Differs);
    assert!(out.contains("chat:2") && out.contains("autoscaling-group/nodes-workers"), "{out}");
}

#[tokio::test]
async fn an_empty_field_is_no_difference_to_the_record_either() {
    let (mut user, api) = two_clouds().await;
    let agent = "apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: agent }\nspec:\n  minReadySeconds: 0\n  \
                 selector: { matchLabels: { app: agent } }\n  template:\n    metadata: { labels: { app: agent } }\n    \
                 spec: { hostNetwork: false, containers: [{ name: agent, image: 'agent:1' }] }\n";
    std::fs::write(user.directory.path().join("agent.yaml"), agent).unwrap();
    user.text = format!("{FILE}addon \"agent\" {{\n manifest = \"agent.yaml\"\n}}\n");
    let (exit, out) = user.apply(YES).await;
    assert_eq!(exit.unwrap(), Exit::Done, "{out}{}", user.err.read());
    // Recorded as the server returned it.
    assert_eq!(user.plan().await.0.unwrap(), Exit::Done);
    assert_eq!(user.apply(YES).await.0.unwrap(), Exit::Done);
    silence(&mut user, api);
    tokio::task::yield_now().await;
    let (exit, out) = user.plan().await;
    assert_eq!(exit.unwrap(), Exit::Done, "{out}{}", user.err.read());
}

#[tokio::test]
async fn an_api_that_stops_to_answer_while_it_is_asked_leaves_the_rest_of_the_plan() {
    let (mut user, api) = two_clouds().await;
    assert_eq!(user.apply(YES).await.0.unwrap(), Exit::Done);
    // Lost answers, more of them than it is asked.
    for _ in 0..12 {
        api.fail_next("/deployments/chat", 0, json!(null));
    }
    user.text = with_services().replace("count = 2", "count = 3");
    let (exit, out) = user.plan().await;
    let messages = user.err.read().split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(exit.unwrap(), Exit::Differs, "{messages}");
    assert!(
        out.contains("autoscaling-group/nodes-workers") && messages.contains("API does not answer"),
        "{out}{messages}"
    );
}

#[tokio::test]
async fn an_api_that_shuts_us_out_is_given_up_soon_with_the_way_in_and_destroy_needs_none() {
    let (mut user, api) = two_clouds().await;
    let before = user.sandbox.inventory().unwrap();
    let (exit, out) = user.apply(YES).await;
    assert_eq!(exit.unwrap(), Exit::Done, "{out}{}", user.err.read());
    silence(&mut user, api);
    tokio::task::yield_now().await;
    user.err.read();
    user.text = with_services().replace("chat:1", "chat:2");
    // No task waits for the network any more: from here on, time passes by itself.
    tokio::time::pause();
    let begun = tokio::time::Instant::now();
    let (exit, _) = user.apply(YES).await;
    let messages = user.err.read().split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(exit.unwrap(), Exit::Error, "{messages}");
    assert!(messages.contains("add its public address to `api.allow`"), "{messages}");
    assert!(begun.elapsed() < Duration::from_mins(4), "{:?}", begun.elapsed());

    let (exit, out) = user.destroy(true).await;
    assert_eq!(exit.unwrap(), Exit::Done, "{out}{}", user.err.read());
    assert_eq!(user.sandbox.inventory().unwrap(), before);
}

#[tokio::test]
async fn what_kubernetes_would_not_take_refuses_the_plan() {
    let (mut user, api) = two_clouds().await;
    let theirs = json!({ "apiVersion": "v1", "kind": "Service", "metadata": { "name": "theirs", "namespace": "default" },
                         "spec": { "type": "NodePort", "ports": [{ "port": 80, "nodePort": 30_000 }] } });
    api.put("them", theirs);
    user.text = with_services().replace("  namespace = \"talk\"\n", "");
    let (exit, out) = user.apply(YES).await;
    assert_eq!(exit.unwrap_err().exit(), Exit::Refused, "{out}");
    let messages = out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(messages.contains("provided port is already allocated"), "{out}");
    assert!(api.get("Deployment", "default", "chat").is_none());
}

#[tokio::test]
async fn a_destroy_needs_no_api_that_answers() {
    let (mut user, api) = two_clouds().await;
    let before = user.sandbox.inventory().unwrap();
    let (exit, out) = user.apply(YES).await;
    assert_eq!(exit.unwrap(), Exit::Done, "{out}{}", user.err.read());
    silence(&mut user, api);
    // No task waits for the network any more: from here on, time passes by itself.
    tokio::time::pause();
    let (exit, out) = user.destroy(true).await;
    assert_eq!(exit.unwrap(), Exit::Done, "{out}{}", user.err.read());
    assert_eq!(user.sandbox.inventory().unwrap(), before);
}
