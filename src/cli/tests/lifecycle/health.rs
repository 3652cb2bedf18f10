//! The health of clusters, and waiting until they are healthy.

use super::*;
use crate::kubernetes::ApiAccess;

impl SandboxUser {
    /// Returns the user with a cluster whose machines have this API.
    fn with_api(self, access: ApiAccess) -> Self {
        Self { kubernetes: Some(Arc::new(access)), ..self }
    }

    pub(super) async fn validate(&self, patience: Duration) -> (Result<Exit, CliError>, String) {
        let exit = self.with(async |context| validate(context, patience).await).await;
        (exit, self.out.read())
    }

    /// Applies, and waits for the cluster.
    async fn attended(&self) -> Result<Exit, CliError> {
        self.apply_with(ApplyRequest { consent: YES, wait: true, ..ApplyRequest::default() }).await.0
    }
}

#[tokio::test(start_paused = true)]
async fn a_simulated_cluster_is_checked_and_its_simulated_parts_are_named() {
    let user = SandboxUser::built().await;
    let (exit, out) = user.validate(Duration::ZERO).await;
    assert_eq!(exit.unwrap(), Exit::Done, "{out}");
    // The authority was made today, and ends in ten years.
    let (before, end) = out.split_once("ends on ").unwrap();
    insta::assert_snapshot!(format!("{before}ends on [date]{}", &end["2036-11-19".len()..]));
}

#[tokio::test]
async fn machines_that_report_and_an_api_that_answers_are_a_healthy_cluster() {
    let user = SandboxUser::built().await;
    let api = FakeApi::start().await;
    let user = user.with_api(api.access());
    let machines = user.machines().await;
    let (exit, out) = user.validate(Duration::ZERO).await;
    assert_eq!(exit.unwrap(), Exit::Differs);
    let messages = out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(messages.contains("has not reported yet") && messages.contains("is not a Node"), "{out}");
    assert!(messages.contains("0 of 3 masters run it"), "{out}");

    for (machine, group) in &machines {
        let status = serde_json::json!({
            "instance": machine, "role": "master", "name": "a", "step": "timers", "state": "ready",
            "at": jiff::Timestamp::now(), "kubernetes": "1.36",
        });
        user.put_bytes(&format!("chat.poeticoding.com/nodes/{machine}/status.json"), &status.to_string()).await;
        api.put("kubelet", node(machine));
        if group.starts_with("masters") {
            for component in ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"] {
                api.put("kubelet", pod(machine, component));
            }
        }
    }
    for (app, at) in [("aws-cloud-controller-manager", 0), ("kube-dns", 0), ("kube-dns", 1), ("kube-proxy", 0)] {
        let mut pod = pod(&machines[at].0, app);
        pod["metadata"]["labels"] = serde_json::json!({ "k8s-app": app });
        api.put("kubelet", pod);
    }
    let (exit, out) = user.validate(Duration::ZERO).await;
    assert_eq!(exit.unwrap(), Exit::Done, "{out}");
    assert!(out.contains("3 members serve") && out.contains("The cluster is healthy"), "{out}");
    let user = SandboxUser { text: format!("{FILE}\napi {{\n  allow = [\"203.0.113.7/32\"]\n}}\n"), ..user };
    assert_eq!(user.attended().await.unwrap(), Exit::Done);
    let messages = user.err.read();
    assert!(messages.contains("the cluster is healthy. Next: `quorate kubeconfig`"), "{messages}");
}

#[tokio::test(start_paused = true)]
async fn an_apply_waits_for_its_cluster_and_shows_what_it_waits_for() {
    let user = SandboxUser::new();
    assert_eq!(user.attended().await.unwrap(), Exit::Done, "{}", user.err.read());

    // Machines that never report: what was applied stays applied, and the exit code shows the failure.
    let user = SandboxUser::new();
    let api = FakeApi::start().await;
    let access = api.access();
    drop(api);
    let user = user.with_api(access);
    assert_eq!(user.attended().await.unwrap(), Exit::Partly);
    let messages = user.err.read();
    assert!(messages.contains("waiting: ") && messages.contains("has not reported yet"), "{messages}");
    let lease = user.with(async |context| context.store.get("chat.poeticoding.com/state.lock").await).await.unwrap();
    assert_eq!(lease, None, "others may work meanwhile");

    // Nothing is left to change, and the cluster is not healthy.
    assert_eq!(user.attended().await.unwrap(), Exit::Partly);
    let messages = user.err.read().split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(messages.contains("everything is applied, but the cluster is not healthy after a minute"), "{messages}");
}

fn node(instance: &str) -> serde_json::Value {
    serde_json::json!({
        "apiVersion": "v1", "kind": "Node", "metadata": { "name": format!("ip-{instance}") },
        "spec": { "providerID": format!("aws:///us-east-1d/{instance}") },
        "status": { "conditions": [{ "type": "Ready", "status": "True" }] },
    })
}

fn pod(instance: &str, component: &str) -> serde_json::Value {
    serde_json::json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {
            "name": format!("{component}-{instance}"), "namespace": "kube-system",
            "labels": { "tier": "control-plane", "component": component },
        },
        "spec": { "nodeName": format!("ip-{instance}"), "containers": [{ "name": component, "image": "i:1" }] },
        "status": { "conditions": [{ "type": "Ready", "status": "True" }] },
    })
}

#[tokio::test(start_paused = true)]
async fn a_cluster_that_was_never_applied_is_reported_as_such() {
    let user = SandboxUser::new();
    let error = user.validate(Duration::ZERO).await.0.unwrap_err();
    assert_eq!(error.exit(), Exit::Error);
    assert_eq!(error.to_string(), "nothing of chat.poeticoding.com is applied yet");
}

#[tokio::test(start_paused = true)]
async fn a_lost_quorum_is_said_first_and_in_the_words_of_the_availability() {
    let user = SandboxUser::built().await;
    user.sandbox.fail_zone("us-east-1d").unwrap();
    let (exit, out) = user.validate(Duration::ZERO).await;
    assert_eq!(exit.unwrap(), Exit::Differs);
    let out = out.split_whitespace().collect::<Vec<_>>().join(" ");
    let lost = "2 of 3 masters do not run, so etcd has no quorum and the API does not answer";
    let at = |text: &str| out.find(text).unwrap_or_else(|| panic!("{text}: {out}"));
    assert!(at(lost) < at("masters-a: 0 of 1 in service"), "{out}");
}
