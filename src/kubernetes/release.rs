//! Removal of objects that controllers created outside of the cluster, before the cluster itself is removed.

use std::collections::BTreeSet;
use std::time::Duration;

use k8s_openapi::api::core::v1::{PersistentVolume, PersistentVolumeClaim, Pod, Service};

use super::KubernetesProvider;
use super::client::{ApiConnection, GoneCondition, ListQuery};
use super::object_ref::ObjectRef;
use super::typed::{ReadType, api};
use crate::engine::{Failure, PollLoop, ProgressNote};

/// The driver that created the volumes of the cluster.
const DRIVER: &str = "ebs.csi.aws.com";
/// Maximum time to wait for controllers. Objects that they leave behind are still found by their mark.
pub(super) const PATIENCE: Duration = Duration::from_mins(5);
/// Pause between two polls.
const PAUSE: Duration = Duration::from_secs(3);

/// The objects to delete: namespace and name of each.
type NamespacedNames = BTreeSet<(String, String)>;

impl KubernetesProvider {
    /// Deletes every service of type `LoadBalancer` and every claim of a volume that the cluster's own driver created, or
    /// would create, and waits until their controllers are done. A claim that a pod still uses is not waited
    /// for: it is deleted with the pod. A claim of a volume of another kind is left alone: its data outlive the
    /// cluster.
    ///
    /// # Errors
    /// Returns an error if the API does not answer, or refuses the request.
    pub async fn release(&self, note: ProgressNote<'_>) -> Result<(), Failure> {
        let Some(connection) = self.connect().await? else { return Ok(()) };
        let services = balanced(&connection.read(ListQuery::ALL).await?);
        let all = connection.read(ListQuery::ALL).await?;
        let claims = made_here(&all, &connection.read(ListQuery::ALL).await?);
        let others = all.len() - claims.len();
        if others > 0 {
            note(format!("{others} claims hold volumes that {DRIVER} did not make: these are left alone"));
        }
        remove::<Service>(connection, &services).await?;
        remove::<PersistentVolumeClaim>(connection, &claims).await?;
        let used = used(&connection.read(ListQuery::ALL).await?);
        let free: NamespacedNames = claims.difference(&used).cloned().collect();
        wait(connection, &services, &free, note).await
    }
}

/// Waits until none of these objects is left, or the time limit has passed.
async fn wait(
    connection: &ApiConnection,
    services: &NamespacedNames,
    claims: &NamespacedNames,
    note: ProgressNote<'_>,
) -> Result<(), Failure> {
    let mut poll = PollLoop::every(PAUSE).lasting(PATIENCE);
    while !(services.is_empty() && claims.is_empty()) {
        let services: Vec<_> =
            names(&connection.read::<Service>(ListQuery::ALL).await?).intersection(services).cloned().collect();
        let claims: Vec<_> = names(&connection.read::<PersistentVolumeClaim>(ListQuery::ALL).await?)
            .intersection(claims)
            .cloned()
            .collect();
        let left: Vec<String> = services
            .iter()
            .map(|(namespace, name)| format!("service {namespace}/{name}"))
            .chain(claims.iter().map(|(namespace, name)| format!("claim {namespace}/{name}")))
            .collect();
        if left.is_empty() || poll.is_over() {
            return Ok(());
        }
        poll.note_change(&format!("controllers remove what they made for {}", left.join(", ")), note);
        poll.pause().await;
    }
    Ok(())
}

async fn remove<K: ReadType>(connection: &ApiConnection, names: &NamespacedNames) -> Result<(), Failure> {
    for (namespace, name) in names {
        let place = ObjectRef { api: api::<K>(), namespace: Some(namespace.clone()), name: name.clone() };
        match connection.delete(&place, None, GoneCondition::GoFirst).await {
            Err(failure) if failure.class == crate::engine::FailureClass::Gone => {}
            removed => removed?,
        }
    }
    Ok(())
}

/// Returns the services with a load balancer outside of the cluster.
fn balanced(services: &[Service]) -> NamespacedNames {
    let kind = |service: &Service| service.spec.as_ref().and_then(|spec| spec.type_.clone());
    services.iter().filter(|service| kind(service).as_deref() == Some("LoadBalancer")).filter_map(name).collect()
}

/// Returns the claims that have no volume yet, or one that the cluster's own driver created.
fn made_here(claims: &[PersistentVolumeClaim], volumes: &[PersistentVolume]) -> NamespacedNames {
    let driver = |volume: &PersistentVolume| Some(volume.spec.as_ref()?.csi.as_ref()?.driver.clone());
    let ours = volumes.iter().filter(|volume| driver(volume).as_deref() == Some(DRIVER));
    let ours: BTreeSet<&str> = ours.filter_map(|volume| volume.metadata.name.as_deref()).collect();
    let volume = |claim: &PersistentVolumeClaim| claim.spec.as_ref().and_then(|spec| spec.volume_name.clone());
    let free = |claim: &&PersistentVolumeClaim| volume(claim).is_none_or(|volume| ours.contains(volume.as_str()));
    claims.iter().filter(free).filter_map(name).collect()
}

fn names<K: ReadType>(objects: &[K]) -> NamespacedNames {
    objects.iter().filter_map(name).collect()
}

fn name<K: ReadType>(object: &K) -> Option<(String, String)> {
    let metadata = object.metadata();
    metadata.namespace.clone().zip(metadata.name.clone())
}

/// Returns the claims that pods use.
fn used(pods: &[Pod]) -> NamespacedNames {
    let claims = |pod: &Pod| {
        let namespace = pod.metadata.namespace.clone().unwrap_or_default();
        let volumes = pod.spec.iter().flat_map(|spec| &spec.volumes).flatten();
        let claims = volumes.filter_map(|volume| volume.persistent_volume_claim.as_ref());
        claims.map(|claim| (namespace.clone(), claim.claim_name.clone())).collect::<Vec<_>>()
    };
    pods.iter().flat_map(claims).collect()
}
