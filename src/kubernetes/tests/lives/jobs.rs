//! Jobs that have to succeed before the pods of a service are replaced.

use super::*;

/// The job and the deployment of a version of the program; the deployment waits for the job.
fn version(number: u32) -> Vec<Object> {
    let image = format!("chat:{number}");
    let container = json!({ "name": "migrate", "image": image, "args": ["migrate"] });
    let job = json!({
        "apiVersion": "batch/v1", "kind": "Job",
        "metadata": { "name": format!("chat-migrate-{number}"), "namespace": "default" },
        "spec": { "backoffLimit": 0, "activeDeadlineSeconds": 600,
                  "template": { "spec": { "restartPolicy": "Never", "containers": [container] } } },
    });
    let mut chat = chat();
    chat["spec"]["template"]["spec"]["containers"][0]["image"] = image.into();
    let mut chat = object("deployment/chat", chat);
    chat.depends_on.insert("job/chat/migrate".parse().unwrap());
    vec![object("job/chat/migrate", job), chat]
}

fn end(api: &FakeApi, job: &str, condition: &str) {
    let status = json!({
        "spec": { "selector": { "matchLabels": { "batch.kubernetes.io/job-name": job } } },
        "status": { "conditions": [{ "type": condition, "status": "True", "message": "Job has reached the specified backoff limit" }] },
    });
    api.edit("kube-controller-manager", "Job", "default", job, &status);
}

async fn image(life: &ClusterLife) -> String {
    let chat = life.api.get("Deployment", "default", "chat").await.unwrap();
    chat["spec"]["template"]["spec"]["containers"][0]["image"].as_str().unwrap().to_owned()
}

async fn is_there(life: &ClusterLife, job: &str) -> bool {
    life.api.get("Job", "default", job).await.is_some()
}

/// Applies a plan, and ends a job as soon as it is there.
async fn carry_out_and_end(life: &mut ClusterLife, wanted: &[Object], job: &str, condition: &str) -> Outcome {
    let prepared = life.plan(PlanMode::Apply, wanted).await;
    let (api, options) = (life.api.pretended(), ApplyOptions::default());
    let (outcome, ()) = tokio::join!(
        engine::apply(&life.cloud, &ResourceKinds, &prepared, &life.record, &options, &NoListener),
        async {
            until(|| api.get("Job", "default", job).is_some()).await;
            end(api, job, condition);
        }
    );
    life.record.clone_from(&outcome.recorded);
    outcome
}

#[tokio::test]
async fn a_job_that_fails_keeps_the_pods_and_runs_again_with_the_next_apply() {
    let mut life = ClusterLife::pretended().await;
    life.settle(&version(1)).await;
    assert_eq!(lines(&life.plan(PlanMode::Apply, &version(1)).await), Vec::<String>::new(), "a job runs once");
    life.api.pretended().ready_on_report();
    let changes = lines(&life.plan(PlanMode::Apply, &version(2)).await);
    assert!(changes.contains(&"Replace job/chat/migrate (File)".to_owned()), "{changes:?}");
    life.api.pretended().put(
        "kubelet",
        json!({ "apiVersion": "v1", "kind": "Pod", "metadata": { "name": "chat-migrate-2-x", "namespace": "default",
                "labels": { "batch.kubernetes.io/job-name": "chat-migrate-2" } },
                "spec": { "containers": [{ "name": "migrate", "image": "chat:2" }] } }),
    );
    life.api.pretended().set_log("chat-migrate-2-x", "connecting\ncolumn \"room\" exists already\n");
    let outcome = carry_out_and_end(&mut life, &version(2), "chat-migrate-2", "Failed").await;
    assert_eq!((outcome.failed.len(), image(&life).await.as_str()), (1, "chat:1"), "{outcome:?}");
    let message = &outcome.failed[0].1.message;
    assert!(message.starts_with("the job failed: Job has reached the specified backoff limit"), "{message}");
    assert!(message.contains("The pods of its service were not changed. Correct the cause"), "{message}");
    assert!(message.ends_with("Its last lines are:\nconnecting\ncolumn \"room\" exists already"), "{message}");
    assert!(is_there(&life, "chat-migrate-1").await && is_there(&life, "chat-migrate-2").await);

    // Nothing in the file has changed, but its cause may be gone.
    life.api.pretended().ready_at_once();
    life.settle(&version(2)).await;
    assert_eq!(image(&life).await, "chat:2");
    assert!(!is_there(&life, "chat-migrate-1").await && is_there(&life, "chat-migrate-2").await);
}

#[tokio::test]
async fn a_job_that_runs_when_an_apply_is_stopped_is_waited_for_by_the_next_one() {
    let mut life = ClusterLife::pretended().await;
    life.settle(&version(1)).await;
    life.api.pretended().ready_on_report();
    let prepared = life.plan(PlanMode::Apply, &version(2)).await;
    let options = ApplyOptions::default();
    let (outcome, ()) = tokio::join!(
        engine::apply(&life.cloud, &ResourceKinds, &prepared, &life.record, &options, &NoListener),
        async {
            until(|| life.api.pretended().get("Job", "default", "chat-migrate-2").is_some()).await;
            options.stop.cancel();
        }
    );
    life.record.clone_from(&outcome.recorded);
    assert_eq!(image(&life).await, "chat:1");
    let outcome = carry_out_and_end(&mut life, &version(2), "chat-migrate-2", "Failed").await;
    assert_eq!((outcome.failed.len(), image(&life).await.as_str()), (1, "chat:1"), "{outcome:?}");
    life.api.pretended().ready_at_once();
    life.settle(&version(2)).await;
    assert_eq!(image(&life).await, "chat:2");
}

#[tokio::test]
async fn after_a_job_that_failed_the_file_can_go_back_or_on() {
    for next in [1, 3] {
        let mut life = ClusterLife::pretended().await;
        life.settle(&version(1)).await;
        life.api.pretended().ready_on_report();
        carry_out_and_end(&mut life, &version(2), "chat-migrate-2", "Failed").await;
        assert_eq!(image(&life).await, "chat:1");
        life.api.pretended().ready_at_once();
        life.settle(&version(next)).await;
        assert_eq!(image(&life).await, format!("chat:{next}"));
        assert!(is_there(&life, &format!("chat-migrate-{next}")).await && !is_there(&life, "chat-migrate-2").await);
    }
}

#[tokio::test]
async fn a_job_starts_after_the_end_of_the_one_that_a_stopped_apply_left() {
    let mut life = ClusterLife::pretended().await;
    life.settle(&version(1)).await;
    life.api.pretended().ready_on_report();
    let prepared = life.plan(PlanMode::Apply, &version(2)).await;
    let options = ApplyOptions::default();
    let (outcome, ()) = tokio::join!(
        engine::apply(&life.cloud, &ResourceKinds, &prepared, &life.record, &options, &NoListener),
        async {
            until(|| life.api.pretended().get("Job", "default", "chat-migrate-2").is_some()).await;
            options.stop.cancel();
        }
    );
    life.record.clone_from(&outcome.recorded);
    let prepared = life.plan(PlanMode::Apply, &version(3)).await;
    let api = life.api.pretended();
    api.take_requests();
    let options = ApplyOptions::default();
    let (outcome, ()) = tokio::join!(
        engine::apply(&life.cloud, &ResourceKinds, &prepared, &life.record, &options, &NoListener),
        async {
            let is_waited_for = |request: &String| request.ends_with("/jobs/chat-migrate-2");
            until(|| api.take_requests().iter().any(is_waited_for)).await;
            assert_eq!(api.get("Job", "default", "chat-migrate-3"), None, "the one before it still runs");
            api.ready_at_once();
            end(api, "chat-migrate-2", "Failed");
        }
    );
    assert_eq!(outcome.failed, []);
    life.record.clone_from(&outcome.recorded);
    assert_eq!(lines(&life.plan(PlanMode::Apply, &version(3)).await), Vec::<String>::new());
    assert!(!is_there(&life, "chat-migrate-2").await && is_there(&life, "chat-migrate-3").await);
}
