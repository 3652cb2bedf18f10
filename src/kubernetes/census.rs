//! The nodes and the control plane, as the API server tells them.

use super::Kubernetes;
use super::client::Query;
use super::place::Json;
use super::progress::condition;
use super::trouble;
use crate::engine::Failure;
use crate::health::{Census, Node, Pod};
use crate::resource::{ApiType, GROUP_TAG};

static NODES: ApiType = ApiType::known("v1", "Node", "nodes", false);
static PODS: ApiType = ApiType::known("v1", "Pod", "pods", true);
/// Where the control plane is, and how kubeadm labels its pods.
const SYSTEM: &str = "kube-system";
const TIER: &str = "control-plane";
/// The taint of a node that the cloud controller manager has not looked at yet.
const UNINITIALIZED: &str = "node.cloudprovider.kubernetes.io/uninitialized";

impl Kubernetes {
    /// Who is there; nothing while the cluster has no API. Two calls.
    ///
    /// # Errors
    /// When the API does not answer, or not to us.
    pub async fn census(&self) -> Result<Option<Census>, Failure> {
        let Some(connection) = self.connect().await? else { return Ok(None) };
        let (nodes, pods) =
            tokio::try_join!(connection.list(&NODES, Query::ALL), connection.list(&PODS, Query::within(SYSTEM)))?;
        let lasting = pods.iter().filter(|pod| lasts(pod));
        let (control_plane, rest): (Vec<&Json>, Vec<&Json>) =
            lasting.partition(|pod| pod["metadata"]["labels"]["tier"] == TIER);
        let system = rest.into_iter().filter_map(|found| Some(pod(workload(found)?, found)));
        let control_plane =
            control_plane.into_iter().map(|found| pod(&found["metadata"]["labels"]["component"], found));
        let mut census =
            Census { nodes: nodes.iter().map(node).collect(), pods: control_plane.collect(), system: system.collect() };
        census.nodes.sort_by(|one, other| one.name.cmp(&other.name));
        for pods in [&mut census.pods, &mut census.system] {
            pods.sort_by(|one, other| (&one.node, &one.component).cmp(&(&other.node, &other.component)));
        }
        Ok(Some(census))
    }
}

impl Kubernetes {
    /// How many nodes of a group take pods: ready, and known to the cloud controller. Nothing while the cluster has no API.
    ///
    /// # Errors
    /// When the API does not answer, or not to us.
    pub async fn schedulable(&self, group: &str) -> Result<Option<usize>, Failure> {
        let Some(connection) = self.connect().await? else { return Ok(None) };
        let nodes = connection.list(&NODES, Query::ALL.labelled(&format!("{GROUP_TAG}={group}"))).await?;
        Ok(Some(nodes.iter().map(node).filter(|node| node.initialized && node.trouble.is_none()).count()))
    }
}

/// Whether a pod is to go on: neither through with its work nor on its way out.
fn lasts(pod: &Json) -> bool {
    !pod["metadata"]["deletionTimestamp"].is_string()
        && !matches!(pod["status"]["phase"].as_str(), Some("Succeeded" | "Failed"))
}

/// The name of what a pod belongs to: kubeadm's label, or the common one.
fn workload(pod: &Json) -> Option<&Json> {
    let labels = &pod["metadata"]["labels"];
    ["k8s-app", "app.kubernetes.io/name"].iter().map(|label| &labels[*label]).find(|name| name.is_string())
}

fn node(node: &Json) -> Node {
    let ready = condition(node, "Ready");
    let trouble = match ready {
        Some(ready) if ready["status"] == "True" => None,
        Some(ready) => Some(format!("not ready: {}", words(&ready["message"], "the kubelet does not say why"))),
        None => Some("not ready: it has not reported".to_owned()),
    };
    // `aws:///us-east-1a/i-0123456789abcdef0`.
    let provider_id = node["spec"]["providerID"].as_str().unwrap_or_default();
    let instance = provider_id.rsplit('/').next().unwrap_or_default().to_owned();
    let taints = node["spec"]["taints"].as_array().into_iter().flatten();
    let initialized = taints.into_iter().all(|taint| taint["key"] != UNINITIALIZED);
    Node { name: text(&node["metadata"]["name"]), instance, trouble, initialized }
}

fn pod(component: &Json, pod: &Json) -> Pod {
    let ready = condition(pod, "Ready").is_some_and(|ready| ready["status"] == "True");
    let unwell = || trouble::trouble(pod).unwrap_or_else(|| "not ready".to_owned());
    Pod { component: text(component), node: text(&pod["spec"]["nodeName"]), trouble: (!ready).then(unwell) }
}

fn text(value: &Json) -> String {
    words(value, "")
}

fn words(value: &Json, otherwise: &str) -> String {
    value.as_str().unwrap_or(otherwise).to_owned()
}
