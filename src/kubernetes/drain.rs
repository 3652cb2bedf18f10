//! Draining a machine: no pod starts there, and those that are there are evicted.

use k8s_openapi::api::core::v1::{Node, Pod};
use kube::Api;
use kube::api::EvictParams;
use serde_json::json;

use super::KubernetesProvider;
use super::client::{ANSWER, ApiConnection, ApplyMode, ListQuery, silent};
use super::failure::{budget_refusal, classify};
use super::object_ref::ObjectRef;
use super::typed::api;
use crate::engine::{Failure, FailureClass};
use crate::resource::DrainProgress;
use crate::words;

/// The annotation of a pod that the kubelet has read from a file.
const STATIC_POD: &str = "kubernetes.io/config.mirror";

impl KubernetesProvider {
    /// Lets no further pod start on a machine, and evicts those that could run elsewhere, as far as their disruption budgets
    /// allow it. A machine without a Node is drained, and so is one of a cluster whose API this run has not reached.
    ///
    /// # Errors
    /// Returns an error if the API does not answer, or refuses the caller.
    pub async fn drain(&self, machine: &str) -> Result<DrainProgress, Failure> {
        if !self.is_connected() {
            return Ok(DrainProgress::Done);
        }
        let connection = self.connection().await?;
        let nodes = connection.read::<Node>(ListQuery::ALL).await?;
        let Some(node) = nodes.iter().find(|node| is_machine(node, machine)) else { return Ok(DrainProgress::Done) };
        let name = node.metadata.name.as_deref().unwrap_or_default();
        cordon(connection, node, name).await?;
        let on_node = format!("spec.nodeName={name}");
        let pods = connection.read::<Pod>(ListQuery::ALL.selecting(&on_node)).await?;
        let pods: Vec<&Pod> = pods.iter().filter(|pod| is_movable(pod)).collect();
        let mut blocked = Vec::new();
        for pod in pods.iter().filter(|pod| pod.metadata.deletion_timestamp.is_none()) {
            blocked.extend(evict(connection, pod).await?);
        }
        Ok(match blocked.as_slice() {
            [] if pods.is_empty() => DrainProgress::Done,
            [] => DrainProgress::Moving(words::count(pods.len(), "pod")),
            [first, rest @ ..] => {
                let others = if rest.is_empty() { String::new() } else { format!(" (and {} more)", rest.len()) };
                DrainProgress::Blocked(format!("{first}{others}"))
            }
        })
    }
}

/// Returns `true` if this is the Node of a machine: `aws:///us-east-1a/i-0123`.
fn is_machine(node: &Node, machine: &str) -> bool {
    let provider = node.spec.as_ref().and_then(|spec| spec.provider_id.as_deref());
    provider.and_then(|id| id.rsplit('/').next()) == Some(machine)
}

async fn cordon(connection: &ApiConnection, node: &Node, name: &str) -> Result<(), Failure> {
    if node.spec.as_ref().and_then(|spec| spec.unschedulable) == Some(true) {
        return Ok(());
    }
    let place = ObjectRef { api: api::<Node>(), namespace: None, name: name.to_owned() };
    let cordoned = json!({
        "apiVersion": "v1", "kind": "Node", "metadata": { "name": name }, "spec": { "unschedulable": true },
    });
    connection.apply(&place, &cordoned, ApplyMode::Forced).await.map_err(|refusal| refusal.failure)?;
    Ok(())
}

/// Returns `true` if a pod could run elsewhere: no static pod, none of a `DaemonSet`, and none that has ended.
fn is_movable(pod: &Pod) -> bool {
    let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref());
    let is_static = pod.metadata.annotations.as_ref().is_some_and(|all| all.contains_key(STATIC_POD));
    let mut owners = pod.metadata.owner_references.iter().flatten();
    !is_static && !matches!(phase, Some("Succeeded" | "Failed")) && !owners.any(|owner| owner.kind == "DaemonSet")
}

/// Evicts a pod. Returns the reason if a disruption budget does not allow it now.
async fn evict(connection: &ApiConnection, pod: &Pod) -> Result<Option<String>, Failure> {
    let namespace = pod.metadata.namespace.as_deref().unwrap_or_default();
    let name = pod.metadata.name.as_deref().unwrap_or_default();
    let action = format!("evict {namespace}/{name}");
    let pods: Api<Pod> = Api::namespaced(connection.client.clone(), namespace);
    match tokio::time::timeout(ANSWER, pods.evict(name, &EvictParams::default())).await {
        Err(_) => Err(silent(&action)),
        Ok(Ok(_)) => {
            connection.changes.count(&Ok(()));
            Ok(None)
        }
        Ok(Err(error)) => {
            if let Some(reason) = budget_refusal(&error) {
                return Ok(Some(format!("the pod {namespace}/{name} is not evicted: {reason}")));
            }
            let failure = classify(&action, &error).failure;
            if failure.class == FailureClass::Gone { Ok(None) } else { Err(failure) }
        }
    }
}
