//! The nodes and the control plane, as the API server tells them.

use super::Kubernetes;
use super::client::Connection;
use super::place::Json;
use super::rollout::condition;
use super::trouble;
use crate::engine::Failure;
use crate::health::{Census, Node, Pod};
use crate::resource::ApiType;

static NODES: ApiType = ApiType::known("v1", "Node", "nodes", false);
static PODS: ApiType = ApiType::known("v1", "Pod", "pods", true);
/// Where the control plane is, and how kubeadm labels its pods.
const SYSTEM: &str = "kube-system";
const TIER: &str = "control-plane";

impl Kubernetes {
    /// Who is there; nothing while the cluster has no API. Two calls.
    ///
    /// # Errors
    /// When the API does not answer, or not to us.
    pub async fn census(&self) -> Result<Option<Census>, Failure> {
        let Some(connection) = self.connect().await? else { return Ok(None) };
        let (nodes, pods) = tokio::try_join!(connection.list(&NODES, ""), control_plane(connection))?;
        let mut census = Census { nodes: nodes.iter().map(node).collect(), pods };
        census.nodes.sort_by(|one, other| one.name.cmp(&other.name));
        census.pods.sort_by(|one, other| (&one.node, &one.component).cmp(&(&other.node, &other.component)));
        Ok(Some(census))
    }
}

async fn control_plane(connection: &Connection) -> Result<Vec<Pod>, Failure> {
    let pods = connection.list_in(&PODS, SYSTEM).await?;
    Ok(pods.iter().filter(|pod| pod["metadata"]["labels"]["tier"] == TIER).map(pod).collect())
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
    Node { name: text(&node["metadata"]["name"]), instance, trouble }
}

fn pod(pod: &Json) -> Pod {
    let ready = condition(pod, "Ready").is_some_and(|ready| ready["status"] == "True");
    let unwell = || trouble::trouble(pod).unwrap_or_else(|| "not ready".to_owned());
    Pod {
        component: text(&pod["metadata"]["labels"]["component"]),
        node: text(&pod["spec"]["nodeName"]),
        trouble: (!ready).then(unwell),
    }
}

fn text(value: &Json) -> String {
    words(value, "")
}

fn words(value: &Json, otherwise: &str) -> String {
    value.as_str().unwrap_or(otherwise).to_owned()
}
