//! Whole lifecycles of a cluster's objects: the engine on one side, an API server on the other.

mod custom;
mod jobs;
mod outages;
mod ownership;
mod scaling;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::*;
use crate::engine::{
    self, Action, Address, ApplyOptions, ExecutablePlan, Live, NoListener, Object, Outcome, PlanInputs, PlanMode,
    Provider, Reason, RecordedObject, Value,
};
use crate::kubernetes::KubernetesProvider;
use crate::resource::{ResourceKinds, manifest_object};

const CLUSTER: &str = "chat.example.com";

/// A cluster with an API and a record.
struct ClusterLife {
    api: TestApi,
    cloud: KubernetesProvider,
    record: BTreeMap<Address, RecordedObject>,
    notes: Vec<String>,
}

impl ClusterLife {
    async fn begin() -> Self {
        Self::with(TestApi::start().await)
    }

    /// Returns a lifecycle with a fake server that the test controls, even if the tests use a real server.
    async fn pretended() -> Self {
        Self::with(TestApi::pretend().await)
    }

    fn with(api: TestApi) -> Self {
        let cloud = KubernetesProvider::new(CLUSTER, Arc::new(api.access()));
        Self { api, cloud, record: BTreeMap::new(), notes: Vec::new() }
    }

    async fn plan(&mut self, mode: PlanMode, wanted: &[Object]) -> ExecutablePlan {
        let mut live: Vec<Live> = self.cloud.observe().await.unwrap().live;
        let unseen = self.record.iter().filter(|(address, _)| live.iter().all(|live| live.address != **address));
        let unseen = unseen.map(|(address, recorded)| (address.clone(), recorded.id.clone())).collect();
        live.extend(self.cloud.recall(&unseen).await.unwrap().live);
        let dry_run = self.cloud.dry_run(wanted.to_vec(), &live).await.unwrap();
        live.extend(dry_run.conflicting);
        self.notes = dry_run.notes;
        let inputs = PlanInputs {
            mode,
            desired: dry_run.objects,
            incomplete: BTreeSet::new(),
            live,
            recorded: &self.record,
            serial: 1,
            holds_rolls: false,
            vocabulary: &ResourceKinds,
        };
        let mut prepared = engine::plan(inputs).unwrap();
        for (address, message) in &dry_run.refused {
            prepared.reject(address, message);
        }
        prepared
    }

    async fn carry_out(&mut self, prepared: &ExecutablePlan) -> Outcome {
        let options = ApplyOptions::default();
        let outcome = engine::apply(&self.cloud, &ResourceKinds, prepared, &self.record, &options, &NoListener).await;
        self.record.clone_from(&outcome.recorded);
        outcome
    }

    /// Applies a plan, and calls a closure as soon as a deployment is waited for.
    async fn carry_out_while(&mut self, prepared: &ExecutablePlan, then: impl Fn(&FakeApi)) -> Outcome {
        self.carry_out_with(prepared, &ApplyOptions::default(), then).await
    }

    async fn carry_out_with(
        &mut self,
        prepared: &ExecutablePlan,
        options: &ApplyOptions,
        then: impl Fn(&FakeApi),
    ) -> Outcome {
        let api = self.api.pretended();
        api.take_requests();
        let (outcome, ()) = tokio::join!(
            engine::apply(&self.cloud, &ResourceKinds, prepared, &self.record, options, &NoListener),
            async {
                let is_watch = |request: &String| request.ends_with("/namespaces/default/deployments");
                until(|| api.take_requests().iter().any(is_watch)).await;
                then(api);
            }
        );
        self.record.clone_from(&outcome.recorded);
        outcome
    }

    /// Applies, and checks that nothing is left to do.
    async fn settle(&mut self, wanted: &[Object]) {
        let prepared = self.plan(PlanMode::Apply, wanted).await;
        let outcome = self.carry_out(&prepared).await;
        assert_eq!(outcome.failed, []);
        assert_eq!(lines(&self.plan(PlanMode::Apply, wanted).await), Vec::<String>::new(), "the next plan is empty");
    }
}

/// Returns the changes of a plan, one per line.
fn lines(prepared: &ExecutablePlan) -> Vec<String> {
    let line = |change: &engine::Change| {
        let names: Vec<&str> = change.attributes.iter().map(|attribute| attribute.name.as_str()).collect();
        let reported = if change.action == Action::Update { format!(": {}", names.join(" ")) } else { String::new() };
        format!("{:?} {} ({:?}){reported}", change.action, change.address, change.reason)
    };
    prepared.plan.changes.iter().map(line).collect()
}

fn object(address: &str, manifest: Json) -> Object {
    manifest_object(CLUSTER, address.parse().unwrap(), manifest)
}

fn chat() -> Json {
    deployment("chat")
}

fn service() -> Object {
    let manifest = json!({
        "apiVersion": "v1", "kind": "Service", "metadata": { "name": "chat", "namespace": "default" },
        "spec": { "selector": { "app": "chat" }, "ports": [{ "port": 80, "protocol": "TCP", "targetPort": 4000 }] },
    });
    object("service/chat", manifest)
}

fn wanted(chat: Json) -> Vec<Object> {
    vec![object("deployment/chat", chat), service()]
}

#[tokio::test]
async fn after_an_apply_the_plan_is_empty_and_after_a_destroy_nothing_is_left() {
    let mut life = ClusterLife::begin().await;
    life.settle(&wanted(chat())).await;
    let prepared = life.plan(PlanMode::Destroy, &[]).await;
    assert_eq!(life.carry_out(&prepared).await.failed, []);
    assert_eq!(life.cloud.observe().await.unwrap().live, []);
    assert_eq!(life.record, BTreeMap::new());
}

#[tokio::test]
async fn another_image_is_one_changed_field() {
    let mut life = ClusterLife::begin().await;
    life.settle(&wanted(chat())).await;
    let mut newer = chat();
    newer["spec"]["template"]["spec"]["containers"][0]["image"] = "nginx:1.28".into();
    let prepared = life.plan(PlanMode::Apply, &wanted(newer.clone())).await;
    assert_eq!(lines(&prepared), ["Update deployment/chat (File): spec.template.spec.containers[chat].image"]);
    life.settle(&wanted(newer)).await;
}

#[tokio::test]
async fn a_variable_that_leaves_the_file_leaves_the_deployment() {
    let mut life = ClusterLife::begin().await;
    life.settle(&wanted(chat())).await;
    assert!(!format!("{:?}", life.record).contains("4000\""), "values of variables are not recorded");
    let mut fewer = chat();
    fewer["spec"]["template"]["spec"]["containers"][0]["env"] = json!([{ "name": "PORT", "value": "4000" }]);
    let prepared = life.plan(PlanMode::Apply, &wanted(fewer.clone())).await;
    assert_eq!(lines(&prepared), ["Update deployment/chat (File): spec.template.spec.containers[chat].env[HOST].name"]);
    life.settle(&wanted(fewer)).await;
    let env = &life.api.get("Deployment", "default", "chat").await.unwrap()["spec"]["template"]["spec"]["containers"]
        [0]["env"];
    assert_eq!(*env, json!([{ "name": "PORT", "value": "4000" }]));
}

#[tokio::test]
async fn replicas_changed_by_hand_are_drift_with_a_name_and_are_taken_back() {
    let mut life = ClusterLife::begin().await;
    life.settle(&wanted(chat())).await;
    life.api.edit("kubectl-scale", "Deployment", "default", "chat", &json!({ "spec": { "replicas": 5 } })).await;
    let prepared = life.plan(PlanMode::Apply, &wanted(chat())).await;
    assert_eq!(lines(&prepared), ["Update deployment/chat (Drift): spec.replicas"]);
    assert_eq!(prepared.plan.changes[0].attributes[0].before, Some(Value::Integer(5)));
    let note = "deployments.apps default/chat: `spec.replicas` was set by kubectl-scale; apply takes it back";
    assert_eq!(life.notes, [note]);
    life.settle(&wanted(chat())).await;
}

#[tokio::test]
async fn a_field_that_another_manager_took_since_the_plan_is_not_taken_back() {
    let mut life = ClusterLife::begin().await;
    life.settle(&wanted(chat())).await;
    let mut newer = chat();
    newer["spec"]["template"]["spec"]["containers"][0]["image"] = "nginx:1.28".into();
    let prepared = life.plan(PlanMode::Apply, &wanted(newer)).await;
    life.api.edit("kubectl-scale", "Deployment", "default", "chat", &json!({ "spec": { "replicas": 5 } })).await;
    let outcome = life.carry_out(&prepared).await;
    let (address, failure) = &outcome.failed[0];
    assert_eq!(address.to_string(), "deployment/chat");
    assert!(failure.message.contains("kubectl-scale set spec.replicas"), "{failure}");
    assert_eq!(life.api.get("Deployment", "default", "chat").await.unwrap()["spec"]["replicas"], 5);
}

#[tokio::test]
async fn what_leaves_the_file_goes_and_what_others_made_stays() {
    let mut life = ClusterLife::begin().await;
    life.settle(&wanted(chat())).await;
    let mut theirs = deployment("theirs");
    theirs["metadata"]["labels"] = json!({ "team": "them" });
    life.api.put("them", theirs.clone()).await;
    let mut of_another_cluster = deployment("neighbour");
    of_another_cluster["metadata"]["labels"] = json!({ "quorate.dev/cluster": "other.example.com" });
    of_another_cluster["metadata"]["annotations"] = json!({ "quorate.dev/object": "deployment/neighbour" });
    life.api.put("them", of_another_cluster).await;
    let prepared = life.plan(PlanMode::Apply, &[]).await;
    assert_eq!(lines(&prepared), ["Delete deployment/chat (NotInFile)", "Delete service/chat (NotInFile)"]);
    assert_eq!(life.carry_out(&prepared).await.failed, []);
    for (kind, name, stays) in [
        ("Deployment", "chat", false),
        ("Service", "chat", false),
        ("Deployment", "theirs", true),
        ("Deployment", "neighbour", true),
    ] {
        assert_eq!(life.api.get(kind, "default", name).await.is_some(), stays, "{kind} {name}");
    }
}

#[tokio::test]
async fn an_object_in_the_way_is_refused_and_left_alone() {
    let mut life = ClusterLife::begin().await;
    let mut theirs = deployment("chat");
    theirs["metadata"]["labels"] = json!({});
    theirs["spec"]["replicas"] = 7.into();
    life.api.put("them", theirs).await;
    let prepared = life.plan(PlanMode::Apply, &wanted(chat())).await;
    assert_eq!(prepared.plan.refusals().map(|change| &change.reason).collect::<Vec<_>>(), [&Reason::Foreign]);
    let outcome = life.carry_out(&prepared).await;
    assert_eq!(outcome.done, []);
    assert_eq!(life.api.get("Deployment", "default", "chat").await.unwrap()["spec"]["replicas"], 7);
}

#[tokio::test]
async fn an_object_that_came_into_the_way_since_the_plan_is_left_alone_too() {
    let mut life = ClusterLife::begin().await;
    let prepared = life.plan(PlanMode::Apply, &wanted(chat())).await;
    let mut theirs = deployment("chat");
    theirs["metadata"]["labels"] = json!({});
    life.api.put("them", theirs).await;
    let outcome = life.carry_out(&prepared).await;
    assert!(outcome.failed[0].1.message.contains("exists already"), "{:?}", outcome.failed);
}

#[tokio::test]
async fn how_the_server_writes_a_quantity_is_no_difference() {
    let mut life = ClusterLife::begin().await;
    let mut sized = chat();
    sized["spec"]["template"]["spec"]["containers"][0]["resources"] =
        json!({ "requests": { "cpu": "1000m", "memory": "1024Mi" } });
    life.settle(&wanted(sized)).await;
}

#[tokio::test]
async fn empty_fields_that_the_server_leaves_out_are_no_difference() {
    let mut life = ClusterLife::begin().await;
    let chat = |value: &str, network: bool| {
        let mut chat = chat();
        chat["spec"]["minReadySeconds"] = 0.into();
        let pod = &mut chat["spec"]["template"]["spec"];
        pod["hostNetwork"] = network.into();
        pod["volumes"] = json!([{ "name": "tmp", "emptyDir": {} }]);
        let container = &mut pod["containers"][0];
        container["env"] = json!([{ "name": "FEATURE", "value": value }]);
        container["volumeMounts"] = json!([{ "name": "tmp", "mountPath": "/tmp", "readOnly": false }]);
        chat
    };
    let service = |ready: bool| {
        let spec = json!({ "publishNotReadyAddresses": ready, "selector": { "app": "chat" },
                           "ports": [{ "port": 80, "protocol": "TCP", "targetPort": 4000 }] });
        let manifest = json!({ "apiVersion": "v1", "kind": "Service", "spec": spec,
                               "metadata": { "name": "chat", "namespace": "default" } });
        object("service/chat", manifest)
    };
    let wanted = |value: &str, yes: bool| [object("deployment/chat", chat(value, yes)), service(yes)];
    life.settle(&wanted("", false)).await;
    life.settle(&wanted("on", true)).await;
    let prepared = life.plan(PlanMode::Apply, &wanted("", false)).await;
    let pod = "spec.template.spec";
    assert_eq!(
        lines(&prepared),
        [
            format!("Update deployment/chat (File): {pod}.containers[chat].env[FEATURE].value {pod}.hostNetwork"),
            "Update service/chat (File): spec.publishNotReadyAddresses".to_owned(),
        ],
        "what is taken back to nothing is one"
    );
    life.settle(&wanted("", false)).await;
}

#[tokio::test]
async fn what_the_server_would_not_take_is_refused_in_the_plan() {
    let mut life = ClusterLife::begin().await;
    let mut broken = chat();
    broken["spec"]["template"]["spec"]["containers"][0]["imagee"] = "nginx".into();
    let prepared = life.plan(PlanMode::Apply, &wanted(broken)).await;
    let refused: Vec<_> = prepared.plan.refusals().collect();
    let [change] = refused.as_slice() else { panic!("{refused:?}") };
    assert!(matches!(&change.reason, Reason::Rejected { message } if message.contains("imagee")), "{change:?}");
}

#[tokio::test]
async fn a_namespace_goes_only_without_what_others_made_in_it() {
    let mut life = ClusterLife::begin().await;
    let namespace =
        || object("namespace/team", json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": "team" } }));
    life.settle(&[namespace()]).await;
    let mut theirs = deployment("theirs");
    theirs["metadata"] = json!({ "name": "theirs", "namespace": "team" });
    life.api.put("them", theirs).await;
    let prepared = life.plan(PlanMode::Destroy, &[]).await;
    let outcome = life.carry_out(&prepared).await;
    assert!(outcome.failed[0].1.message.contains("Deployment team/theirs"), "{:?}", outcome.failed);
    assert!(life.api.get("Deployment", "team", "theirs").await.is_some());
}

#[tokio::test]
async fn a_namespace_with_nothing_of_others_goes() {
    let mut life = ClusterLife::begin().await;
    let manifest = json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": "team" } });
    life.settle(&[object("namespace/team", manifest)]).await;
    let prepared = life.plan(PlanMode::Destroy, &[]).await;
    assert_eq!(life.carry_out(&prepared).await.failed, []);
    assert!(life.api.get("Namespace", "", "team").await.is_none());
}

#[tokio::test]
async fn an_object_that_lost_its_mark_is_remembered_and_one_made_anew_by_others_is_theirs() {
    let mut life = ClusterLife::begin().await;
    life.settle(&wanted(chat())).await;
    let unmarked = json!({ "metadata": { "labels": { "quorate.dev/cluster": null } } });
    for (kind, name) in [("Deployment", "chat"), ("Service", "chat")] {
        life.api.edit("them", kind, "default", name, &unmarked).await;
    }
    let recorded: BTreeMap<Address, String> =
        life.record.iter().map(|(address, recorded)| (address.clone(), recorded.id.clone())).collect();
    let found = life.cloud.recall(&recorded).await.unwrap().live;
    let reported: Vec<(String, bool)> = found.iter().map(|live| (live.address.to_string(), live.proven)).collect();
    assert_eq!(reported, [("deployment/chat".to_owned(), false), ("service/chat".to_owned(), false)]);
    life.settle(&wanted(chat())).await;

    let prepared = life.plan(PlanMode::Destroy, &[]).await;
    life.carry_out(&prepared).await;
    let mut theirs = chat();
    theirs["metadata"]["labels"] = json!({});
    life.api.put("them", theirs).await;
    assert_eq!(life.cloud.recall(&recorded).await.unwrap().live, []);
}

#[tokio::test]
async fn a_namespace_that_is_there_is_used_and_never_removed() {
    let mut life = ClusterLife::begin().await;
    let manifest = json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": "default" } });
    life.settle(&[object("namespace/default", manifest)]).await;
    let prepared = life.plan(PlanMode::Destroy, &[]).await;
    assert!(prepared.plan.is_empty(), "{:?}", lines(&prepared));
}

#[tokio::test]
async fn a_cluster_without_an_api_has_no_objects_and_no_notes() {
    struct NoDoor;
    impl crate::kubernetes::ClientAccess for NoDoor {
        fn access(&self) -> crate::engine::BoxFuture<'_, Result<Option<crate::kubernetes::ApiAccess>, Failure>> {
            Box::pin(std::future::ready(Ok(None)))
        }
    }
    let cloud = KubernetesProvider::new(CLUSTER, Arc::new(NoDoor));
    assert_eq!(cloud.observe().await.unwrap().live, []);
    assert_eq!(cloud.dry_run(wanted(chat()), &[]).await.unwrap().objects, wanted(chat()));
    let failure = cloud.create(&wanted(chat())[0], &engine::IdempotencyToken(String::new())).await.unwrap_err();
    assert_eq!(failure.class, engine::FailureClass::Unavailable, "until it is there");
}
