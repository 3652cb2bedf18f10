//! Waiting for rollouts, and the reasons of stalls.

use std::sync::Mutex;

use super::*;
use crate::engine::FailureClass;
use crate::kubernetes::progress::{RolloutProgress, progress};
use crate::kubernetes::rollout::{LIMIT, wait, wait_gone};

/// The messages during the wait.
#[derive(Default)]
struct RecordedNotes(Mutex<Vec<String>>);

impl RecordedNotes {
    fn note(&self, text: String) {
        self.0.lock().unwrap().push(text);
    }

    fn has(&self, part: &str) -> bool {
        self.0.lock().unwrap().iter().any(|text| text.contains(part))
    }
}

fn pod(status: &Json) -> Json {
    json!({ "apiVersion": "v1", "kind": "Pod",
            "metadata": { "name": "chat-1", "namespace": "default", "labels": { "app": "chat" } },
            "spec": { "containers": [{ "name": "chat", "image": "nginx:1.27" }] }, "status": status })
}

#[tokio::test]
async fn a_rollout_ends_when_the_last_pod_is_there() {
    let bench = TestServer::fake().await;
    let chat = deployment("chat");
    bench.apply(&chat).await.unwrap();
    let (messages, at) = (RecordedNotes::default(), place(&chat));
    let note = |text| messages.note(text);
    let (object, ()) = tokio::join!(wait(&bench.connection, &at, &note), async {
        until(|| messages.has("0 of 2 pods are ready")).await;
        bench.api.rolled_out("default", "chat");
    });
    assert_eq!(object.unwrap()["status"]["availableReplicas"], 2);
}

#[tokio::test]
async fn a_rollout_that_gives_up_shows_the_reasons_of_its_pods() {
    let bench = TestServer::fake().await;
    let chat = deployment("chat");
    bench.apply(&chat).await.unwrap();
    let pulling = "Back-off pulling image \"nginx:9\": ErrImagePull: not found";
    for (number, reason, message) in [(1, "ImagePullBackOff", pulling), (2, "ErrImagePull", "not found")] {
        let waiting = json!({ "reason": reason, "message": message });
        let status =
            json!({ "containerStatuses": [{ "name": "chat", "image": "nginx:9", "state": { "waiting": waiting } }] });
        let mut pod = pod(&status);
        pod["metadata"]["name"] = format!("chat-{number}").into();
        bench.api.put("kubelet", pod);
    }
    for (number, message) in ["Failed to pull image \"nginx:9\": not found", "Error: ErrImagePull"].iter().enumerate() {
        let involved = json!({ "kind": "Pod", "name": "chat-1", "namespace": "default" });
        bench.api.put(
            "kubelet",
            json!({ "apiVersion": "v1", "kind": "Event", "metadata": { "name": format!("{number}"), "namespace": "default" },
                    "involvedObject": involved, "type": "Warning", "reason": "Failed", "message": message,
                    "lastTimestamp": "2026-01-01T00:00:01Z" }),
        );
    }
    let (messages, at) = (RecordedNotes::default(), place(&chat));
    let note = |text| messages.note(text);
    let (end, ()) = tokio::join!(wait(&bench.connection, &at, &note), async {
        until(|| messages.has("cannot get nginx:9")).await;
        let gave_up = json!({ "status": { "observedGeneration": 1, "conditions": [
            { "type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded" },
        ] } });
        bench.api.edit("kube-controller-manager", "Deployment", "default", "chat", &gave_up);
    });
    let failure = end.unwrap_err();
    assert_eq!(failure.class, FailureClass::Fatal);
    assert_eq!(failure.message, "0 of 2 pods are ready: the container chat cannot get nginx:9: not found");
}

#[tokio::test]
async fn what_the_cluster_warns_of_is_part_of_the_reason() {
    let bench = TestServer::fake().await;
    let chat = deployment("chat");
    bench.apply(&chat).await.unwrap();
    let about = |name: &str, kind: &str| json!({ "kind": kind, "name": name, "namespace": "default" });
    let event = |name: &str, involved: Json, level: &str, reason: &str, message: &str, at: &str| {
        json!({ "apiVersion": "v1", "kind": "Event", "metadata": { "name": name, "namespace": "default" },
                "involvedObject": involved, "type": level, "reason": reason, "message": message, "lastTimestamp": at })
    };
    let set = json!({ "apiVersion": "apps/v1", "kind": "ReplicaSet",
                      "metadata": { "name": "chat-5d", "namespace": "default", "labels": { "app": "chat" } } });
    let mut stuck = pod(&json!({}));
    stuck["spec"]["volumes"] = json!([{ "name": "data", "persistentVolumeClaim": { "claimName": "chat-data" } }]);
    for object in [
        set,
        stuck,
        event(
            "1",
            about("chat-5d", "ReplicaSet"),
            "Warning",
            "FailedCreate",
            "exceeded quota: small",
            "2026-01-01T00:00:03Z",
        ),
        event(
            "2",
            about("chat-1", "Pod"),
            "Warning",
            "FailedMount",
            "secret \"web\" not found",
            "2026-01-01T00:00:02Z",
        ),
        event(
            "3",
            about("chat-data", "PersistentVolumeClaim"),
            "Warning",
            "ProvisioningFailed",
            "no such class",
            "2026-01-01T00:00:01Z",
        ),
        event("4", about("chat-1", "Pod"), "Normal", "Scheduled", "to a node", "2026-01-01T00:00:04Z"),
        event("5", about("chat-redis-1", "Pod"), "Warning", "Unhealthy", "of somebody else", "2026-01-01T00:00:05Z"),
    ] {
        bench.api.put("kube-controller-manager", object);
    }
    let gave_up = json!({ "status": { "observedGeneration": 1, "conditions": [
        { "type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded" },
    ] } });
    let (messages, at) = (RecordedNotes::default(), place(&chat));
    let note = |text| messages.note(text);
    let (end, ()) = tokio::join!(wait(&bench.connection, &at, &note), async {
        until(|| messages.has("0 of 2 pods are ready")).await;
        bench.api.edit("kube-controller-manager", "Deployment", "default", "chat", &gave_up);
    });
    assert_eq!(
        end.unwrap_err().message,
        "0 of 2 pods are ready: FailedCreate: exceeded quota: small; FailedMount: secret \"web\" not found; \
         ProvisioningFailed: no such class"
    );
}

#[test]
fn pods_that_are_held_back_on_purpose_are_no_reason_to_wait() {
    let reported = |kind: &str, strategy: Json| {
        progress(&json!({
            "apiVersion": "apps/v1", "kind": kind, "metadata": { "generation": 2 },
            "spec": { "replicas": 3, "updateStrategy": strategy },
            "status": { "observedGeneration": 2, "readyReplicas": 3, "updatedReplicas": 1,
                        "desiredNumberScheduled": 3, "numberAvailable": 3, "updatedNumberScheduled": 1 },
        }))
    };
    let rolling = json!({ "type": "RollingUpdate" });
    let on_delete = json!({ "type": "OnDelete" });
    let partition = |number: u64| json!({ "type": "RollingUpdate", "rollingUpdate": { "partition": number } });
    for kind in ["StatefulSet", "DaemonSet"] {
        assert_eq!(
            reported(kind, rolling.clone()),
            RolloutProgress::Waiting("1 of 3 pods are ready".to_owned()),
            "{kind}"
        );
        assert_eq!(reported(kind, on_delete.clone()), RolloutProgress::Done, "{kind}");
    }
    assert_eq!(reported("StatefulSet", partition(2)), RolloutProgress::Done);
    assert_eq!(reported("StatefulSet", partition(1)), RolloutProgress::Waiting("2 of 3 pods are ready".to_owned()));
}

#[tokio::test]
async fn a_used_up_quota_is_reported() {
    let bench = TestServer::fake().await;
    let chat = deployment("chat");
    bench.apply(&chat).await.unwrap();
    let full = json!({ "status": { "observedGeneration": 1, "conditions": [
        { "type": "ReplicaFailure", "status": "True", "message": "exceeded quota: small" },
    ] } });
    bench.api.edit("kube-controller-manager", "Deployment", "default", "chat", &full);
    let (messages, at) = (RecordedNotes::default(), place(&chat));
    let note = |text| messages.note(text);
    let (end, ()) = tokio::join!(wait(&bench.connection, &at, &note), async {
        until(|| messages.has("exceeded quota: small")).await;
        bench.api.rolled_out("default", "chat");
    });
    end.unwrap();
}

#[test]
fn a_daemon_set_for_machines_that_there_are_none_of_is_done_and_one_for_masters_is_not() {
    let reported = |selector: Json, observed: u64| {
        let tolerations = json!([{ "key": "node-role.kubernetes.io/control-plane", "operator": "Exists" }]);
        let pod = json!({ "nodeSelector": selector, "tolerations": tolerations });
        progress(&json!({
            "apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": { "generation": 1 },
            "spec": { "template": { "spec": pod } },
            "status": { "observedGeneration": observed, "desiredNumberScheduled": 0, "numberAvailable": 0 },
        }))
    };
    let (accelerated, masters) = (json!({ "gpu": "yes" }), json!({ "node-role.kubernetes.io/control-plane": "" }));
    assert_eq!(reported(accelerated.clone(), 1), RolloutProgress::Done);
    assert_eq!(reported(masters, 1), RolloutProgress::Waiting("no master is a node yet".to_owned()));
    assert_eq!(
        reported(accelerated, 0),
        RolloutProgress::Waiting("0 of 0 pods are ready".to_owned()),
        "the controller has not observed it"
    );
}

#[tokio::test]
async fn a_deleted_object_is_not_waited_for() {
    let bench = TestServer::fake().await;
    let failure = wait(&bench.connection, &place(&deployment("chat")), &|_| {}).await.unwrap_err();
    assert_eq!((failure.class, failure.message.as_str()), (FailureClass::Gone, "it was removed during the wait"));
}

/// Returns a deployment that is being deleted.
fn leaving(name: &str) -> Json {
    let mut leaving = deployment(name);
    leaving["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z".into();
    leaving
}

/// Returns the result of a future that needs no other event. Limited by the number of turns, not by time.
async fn ends<T>(work: impl Future<Output = T>) -> T {
    let turns = async {
        for _ in 0..100_000 {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        biased;
        done = work => done,
        () = turns => panic!("it waits for what has happened already"),
    }
}

#[tokio::test]
async fn a_removal_is_noticed_whenever_it_happens() {
    // Before the first request, between the watch and the read, and after both.
    for requests in 0..=2 {
        let bench = TestServer::fake().await;
        bench.api.put("them", leaving("chat"));
        bench.api.removed_after(requests, "Deployment", "default", "chat");
        ends(wait_gone(&bench.connection, &place(&leaving("chat")), None, LIMIT, &|_| {})).await.unwrap();
    }
}

#[tokio::test]
async fn what_is_not_on_its_way_out_is_not_waited_for() {
    let bench = TestServer::fake().await;
    bench.api.put("them", deployment("stays"));
    ends(wait_gone(&bench.connection, &place(&deployment("stays")), None, LIMIT, &|_| {})).await.unwrap();
    bench.api.put("them", leaving("chat"));
    let another = Some("another");
    ends(wait_gone(&bench.connection, &place(&leaving("chat")), another, LIMIT, &|_| {})).await.unwrap();
}

#[tokio::test]
async fn a_rollout_ends_whenever_its_last_pod_comes_and_whenever_it_is_removed() {
    // Before the first request, between watch, read and the watch of the pods, and after all of them.
    for requests in 0..=3 {
        let bench = TestServer::fake().await;
        let (chat, web) = (deployment("chat"), deployment("web"));
        bench.api.put("them", chat.clone());
        bench.api.put("them", web.clone());
        bench.api.rolled_out_after(requests, "default", "chat");
        ends(wait(&bench.connection, &place(&chat), &|_| {})).await.unwrap();
        bench.api.removed_after(requests, "Deployment", "default", "web");
        let failure = ends(wait(&bench.connection, &place(&web), &|_| {})).await.unwrap_err();
        assert_eq!((failure.class, failure.message.as_str()), (FailureClass::Gone, "it was removed during the wait"));
    }
}

#[tokio::test]
async fn what_runs_nothing_is_there_at_once() {
    let bench = TestServer::fake().await;
    let map = json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "map", "namespace": "default" },
                      "data": { "a": "1" } });
    bench.apply(&map).await.unwrap();
    wait(&bench.connection, &place(&map), &|_| {}).await.unwrap();
}
