//! Removal of objects that controllers created outside of the cluster, before the cluster itself is removed.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::time::Instant;

use super::KubernetesProvider;
use super::client::{ApiConnection, GoneCondition, ListQuery};
use super::object_ref::{JsonObject, ObjectRef};
use crate::engine::{Failure, ProgressNote};
use crate::resource::ApiType;

static SERVICES: ApiType = ApiType::known("v1", "Service", "services", true);
static CLAIMS: ApiType = ApiType::known("v1", "PersistentVolumeClaim", "persistentvolumeclaims", true);
static VOLUMES: ApiType = ApiType::known("v1", "PersistentVolume", "persistentvolumes", false);
static PODS: ApiType = ApiType::known("v1", "Pod", "pods", true);
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
        let services = balanced(&connection.list(&SERVICES, ListQuery::ALL).await?);
        let all = connection.list(&CLAIMS, ListQuery::ALL).await?;
        let claims = made_here(&all, &connection.list(&VOLUMES, ListQuery::ALL).await?);
        let others = all.len() - claims.len();
        if others > 0 {
            note(format!("{others} claims hold volumes that {DRIVER} did not make: these are left alone"));
        }
        remove(connection, &SERVICES, &services).await?;
        remove(connection, &CLAIMS, &claims).await?;
        let used = used(&connection.list(&PODS, ListQuery::ALL).await?);
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
    let until = Instant::now() + PATIENCE;
    let mut said = String::new();
    while !(services.is_empty() && claims.is_empty()) {
        let services: Vec<_> =
            names(&connection.list(&SERVICES, ListQuery::ALL).await?).intersection(services).cloned().collect();
        let claims: Vec<_> =
            names(&connection.list(&CLAIMS, ListQuery::ALL).await?).intersection(claims).cloned().collect();
        let left: Vec<String> = services
            .iter()
            .map(|(namespace, name)| format!("service {namespace}/{name}"))
            .chain(claims.iter().map(|(namespace, name)| format!("claim {namespace}/{name}")))
            .collect();
        if left.is_empty() || Instant::now() >= until {
            return Ok(());
        }
        let now = format!("controllers remove what they made for {}", left.join(", "));
        if now != said {
            note(now.clone());
            said = now;
        }
        tokio::time::sleep(PAUSE).await;
    }
    Ok(())
}

async fn remove(connection: &ApiConnection, api: &ApiType, names: &NamespacedNames) -> Result<(), Failure> {
    for (namespace, name) in names {
        let place = ObjectRef { api: api.clone(), namespace: Some(namespace.clone()), name: name.clone() };
        match connection.delete(&place, None, GoneCondition::GoFirst).await {
            Err(failure) if failure.class == crate::engine::FailureClass::Gone => {}
            removed => removed?,
        }
    }
    Ok(())
}

/// Returns the services with a load balancer outside of the cluster.
fn balanced(services: &[JsonObject]) -> NamespacedNames {
    services.iter().filter(|service| service["spec"]["type"] == "LoadBalancer").filter_map(name).collect()
}

/// Returns the claims that have no volume yet, or one that the cluster's own driver created.
fn made_here(claims: &[JsonObject], volumes: &[JsonObject]) -> NamespacedNames {
    let is_ours = |volume: &&JsonObject| volume["spec"]["csi"]["driver"] == DRIVER;
    let ours: BTreeSet<&str> =
        volumes.iter().filter(is_ours).filter_map(|volume| volume["metadata"]["name"].as_str()).collect();
    let free = |claim: &&JsonObject| claim["spec"]["volumeName"].as_str().is_none_or(|volume| ours.contains(volume));
    claims.iter().filter(free).filter_map(name).collect()
}

fn names(objects: &[JsonObject]) -> NamespacedNames {
    objects.iter().filter_map(name).collect()
}

fn name(object: &JsonObject) -> Option<(String, String)> {
    let text = |field: &str| object["metadata"][field].as_str().map(str::to_owned);
    text("namespace").zip(text("name"))
}

/// Returns the claims that pods use.
fn used(pods: &[JsonObject]) -> NamespacedNames {
    let claims = |pod: &JsonObject| {
        let namespace = pod["metadata"]["namespace"].as_str().unwrap_or_default().to_owned();
        let volumes = pod["spec"]["volumes"].as_array().cloned().unwrap_or_default();
        let claim = |volume: JsonObject| volume["persistentVolumeClaim"]["claimName"].as_str().map(str::to_owned);
        volumes.into_iter().filter_map(claim).map(|claim| (namespace.clone(), claim)).collect::<Vec<_>>()
    };
    pods.iter().flat_map(claims).collect()
}
