//! The nodes and the control plane, as the API server reports them.

use k8s_openapi::api::apps::v1::{Deployment, StatefulSet};
use k8s_openapi::api::core::v1::{Node, Pod};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::KubernetesProvider;
use super::client::ListQuery;
use super::trouble;
use super::typed::label;
use crate::engine::Failure;
use crate::health::{ControlPlaneState, NodeState, PodState};
use crate::resource::{CLUSTER_TAG, ClusterNode, DEFAULT_NAMESPACE, GROUP_TAG, KubernetesState, WorkloadPods};

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
        let nodes = connection.read::<Node>(ListQuery::ALL);
        let (nodes, pods) = tokio::try_join!(nodes, connection.read::<Pod>(ListQuery::within(SYSTEM)))?;
        let lasting = pods.iter().filter(|pod| lasts(pod));
        let (control_plane, rest): (Vec<_>, Vec<_>) =
            lasting.partition(|pod| label(&pod.metadata, "tier") == Some(TIER));
        let system = rest.into_iter().filter_map(|found| Some(pod(workload(&found.metadata)?, found)));
        let component = |found: &Pod| label(&found.metadata, "component").unwrap_or_default().to_owned();
        let control_plane = control_plane.into_iter().map(|found| pod(&component(found), found));
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
    /// Returns the nodes, and the pods of the Deployments and stateful sets of the cluster file; `None` while the cluster has no
    /// API. Makes three calls.
    ///
    /// # Errors
    /// Returns an error if the API does not answer, or refuses the caller.
    pub async fn state(&self) -> Result<Option<KubernetesState>, Failure> {
        let Some(connection) = self.connect().await? else { return Ok(None) };
        let ours = format!("{CLUSTER_TAG}={}", self.cluster);
        let nodes = connection.read::<Node>(ListQuery::ALL);
        let deployments = connection.read::<Deployment>(ListQuery::ALL.labelled(&ours));
        let sets = connection.read::<StatefulSet>(ListQuery::ALL.labelled(&ours));
        let (nodes, deployments, sets) = tokio::try_join!(nodes, deployments, sets)?;
        let deployments = deployments.iter().map(|found| {
            let ready = found.status.as_ref().and_then(|status| status.ready_replicas);
            pods_of(&found.metadata, ready, found.spec.as_ref().and_then(|spec| spec.replicas))
        });
        let sets = sets.iter().map(|found| {
            let ready = found.status.as_ref().and_then(|status| status.ready_replicas);
            pods_of(&found.metadata, ready, found.spec.as_ref().and_then(|spec| spec.replicas))
        });
        let mut state = KubernetesState {
            nodes: nodes.iter().map(cluster_node).collect(),
            workloads: deployments.chain(sets).collect(),
        };
        state.nodes.sort();
        state.workloads.sort();
        Ok(Some(state))
    }

    /// Returns the number of nodes of a group that take pods: ready, and known to the cloud controller. `None` without an API.
    ///
    /// # Errors
    /// Returns an error if the API does not answer, or refuses the caller.
    pub async fn schedulable(&self, group: &str) -> Result<Option<usize>, Failure> {
        let Some(connection) = self.connect().await? else { return Ok(None) };
        let nodes = connection.read::<Node>(ListQuery::ALL.labelled(&format!("{GROUP_TAG}={group}"))).await?;
        Ok(Some(nodes.iter().map(node).filter(|node| node.initialized && node.trouble.is_none()).count()))
    }
}

fn cluster_node(found: &Node) -> ClusterNode {
    let NodeState { instance, trouble, initialized, .. } = node(found);
    let info = found.status.as_ref().and_then(|status| status.node_info.as_ref());
    let kubelet = info.map(|info| info.kubelet_version.trim_start_matches('v').to_owned());
    ClusterNode { instance, kubelet, ready: initialized && trouble.is_none() }
}

fn pods_of(metadata: &ObjectMeta, ready: Option<i32>, wanted: Option<i32>) -> WorkloadPods {
    let count = |number: Option<i32>| number.and_then(|number| usize::try_from(number).ok());
    WorkloadPods {
        namespace: metadata.namespace.clone().unwrap_or_else(|| DEFAULT_NAMESPACE.to_owned()),
        name: metadata.name.clone().unwrap_or_default(),
        ready: count(ready).unwrap_or_default(),
        // The API server fills in the default, one.
        wanted: count(wanted).unwrap_or(1),
    }
}

/// Returns `true` if a pod is neither completed nor being deleted.
fn lasts(pod: &Pod) -> bool {
    let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref());
    pod.metadata.deletion_timestamp.is_none() && !matches!(phase, Some("Succeeded" | "Failed"))
}

/// Returns the name of a pod's workload: kubeadm's label, or the common one.
fn workload(metadata: &ObjectMeta) -> Option<&str> {
    ["k8s-app", "app.kubernetes.io/name"].iter().find_map(|name| label(metadata, name))
}

pub(super) fn node(node: &Node) -> NodeState {
    let conditions = node.status.as_ref().and_then(|status| status.conditions.as_ref());
    let trouble = match conditions.into_iter().flatten().find(|condition| condition.type_ == "Ready") {
        Some(ready) if ready.status == "True" => None,
        Some(ready) => {
            let why = ready.message.as_deref().unwrap_or("the kubelet does not say why");
            Some(format!("not ready: {why}"))
        }
        None => Some("not ready: it has not reported".to_owned()),
    };
    let spec = node.spec.as_ref();
    // `aws:///us-east-1a/i-0123456789abcdef0`.
    let provider_id = spec.and_then(|spec| spec.provider_id.as_deref()).unwrap_or_default();
    let instance = provider_id.rsplit('/').next().unwrap_or_default().to_owned();
    let mut taints = spec.and_then(|spec| spec.taints.as_ref()).into_iter().flatten();
    let initialized = taints.all(|taint| taint.key != UNINITIALIZED);
    NodeState { name: node.metadata.name.clone().unwrap_or_default(), instance, trouble, initialized }
}

fn pod(component: &str, pod: &Pod) -> PodState {
    let conditions = pod.status.as_ref().and_then(|status| status.conditions.as_ref());
    let mut conditions = conditions.into_iter().flatten();
    let ready = conditions.any(|condition| condition.type_ == "Ready" && condition.status == "True");
    let unwell = || trouble::trouble(pod).unwrap_or_else(|| "not ready".to_owned());
    let node = pod.spec.as_ref().and_then(|spec| spec.node_name.clone()).unwrap_or_default();
    PodState { component: component.to_owned(), node, trouble: (!ready).then(unwell) }
}
