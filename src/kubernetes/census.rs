//! The nodes and the control plane, as the API server reports them.

use super::KubernetesProvider;
use super::client::ListQuery;
use super::object_ref::JsonObject;
use super::progress::condition;
use super::trouble;
use crate::engine::Failure;
use crate::health::{ControlPlaneState, NodeState, PodState};
use crate::resource::{ApiType, GROUP_TAG};

static NODES: ApiType = ApiType::known("v1", "Node", "nodes", false);
static PODS: ApiType = ApiType::known("v1", "Pod", "pods", true);
/// The namespace of the control plane, whose pods kubeadm labels.
const SYSTEM: &str = "kube-system";
const TIER: &str = "control-plane";
/// The taint of a node that the cloud controller manager has not initialized yet.
const UNINITIALIZED: &str = "node.cloudprovider.kubernetes.io/uninitialized";

impl KubernetesProvider {
    /// Returns the nodes and the control plane; `None` while the cluster has no API. Makes two calls.
    ///
    /// # Errors
    /// Returns an error if the API does not answer, or refuses the caller.
    pub async fn census(&self) -> Result<Option<ControlPlaneState>, Failure> {
        let Some(connection) = self.connect().await? else { return Ok(None) };
        let (nodes, pods) = tokio::try_join!(
            connection.list(&NODES, ListQuery::ALL),
            connection.list(&PODS, ListQuery::within(SYSTEM))
        )?;
        let lasting = pods.iter().filter(|pod| lasts(pod));
        let (control_plane, rest): (Vec<&JsonObject>, Vec<&JsonObject>) =
            lasting.partition(|pod| pod["metadata"]["labels"]["tier"] == TIER);
        let system = rest.into_iter().filter_map(|found| Some(pod(workload(found)?, found)));
        let control_plane =
            control_plane.into_iter().map(|found| pod(&found["metadata"]["labels"]["component"], found));
        let mut census = ControlPlaneState {
            nodes: nodes.iter().map(node).collect(),
            pods: control_plane.collect(),
            system: system.collect(),
        };
        census.nodes.sort_by(|one, other| one.name.cmp(&other.name));
        for pods in [&mut census.pods, &mut census.system] {
            pods.sort_by(|one, other| (&one.node, &one.component).cmp(&(&other.node, &other.component)));
        }
        Ok(Some(census))
    }
}

impl KubernetesProvider {
    /// Returns the number of nodes of a group that take pods: ready, and known to the cloud controller. `None` without an API.
    ///
    /// # Errors
    /// Returns an error if the API does not answer, or refuses the caller.
    pub async fn schedulable(&self, group: &str) -> Result<Option<usize>, Failure> {
        let Some(connection) = self.connect().await? else { return Ok(None) };
        let nodes = connection.list(&NODES, ListQuery::ALL.labelled(&format!("{GROUP_TAG}={group}"))).await?;
        Ok(Some(nodes.iter().map(node).filter(|node| node.initialized && node.trouble.is_none()).count()))
    }
}

/// Returns `true` if a pod is neither completed nor being deleted.
fn lasts(pod: &JsonObject) -> bool {
    !pod["metadata"]["deletionTimestamp"].is_string()
        && !matches!(pod["status"]["phase"].as_str(), Some("Succeeded" | "Failed"))
}

/// Returns the name of a pod's workload: kubeadm's label, or the common one.
fn workload(pod: &JsonObject) -> Option<&JsonObject> {
    let labels = &pod["metadata"]["labels"];
    ["k8s-app", "app.kubernetes.io/name"].iter().map(|label| &labels[*label]).find(|name| name.is_string())
}

fn node(node: &JsonObject) -> NodeState {
    let ready = condition(node, "Ready");
    let trouble = match ready {
        Some(ready) if ready["status"] == "True" => None,
        Some(ready) => Some(format!("not ready: {}", describe(&ready["message"], "the kubelet does not say why"))),
        None => Some("not ready: it has not reported".to_owned()),
    };
    // `aws:///us-east-1a/i-0123456789abcdef0`.
    let provider_id = node["spec"]["providerID"].as_str().unwrap_or_default();
    let instance = provider_id.rsplit('/').next().unwrap_or_default().to_owned();
    let taints = node["spec"]["taints"].as_array().into_iter().flatten();
    let initialized = taints.into_iter().all(|taint| taint["key"] != UNINITIALIZED);
    NodeState { name: text(&node["metadata"]["name"]), instance, trouble, initialized }
}

fn pod(component: &JsonObject, pod: &JsonObject) -> PodState {
    let ready = condition(pod, "Ready").is_some_and(|ready| ready["status"] == "True");
    let unwell = || trouble::trouble(pod).unwrap_or_else(|| "not ready".to_owned());
    PodState { component: text(component), node: text(&pod["spec"]["nodeName"]), trouble: (!ready).then(unwell) }
}

fn text(value: &JsonObject) -> String {
    describe(value, "")
}

fn describe(value: &JsonObject, otherwise: &str) -> String {
    value.as_str().unwrap_or(otherwise).to_owned()
}
