//! Letting go of what controllers made outside of the cluster, before the cluster itself goes.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::time::Instant;

use super::Kubernetes;
use super::client::{Connection, Pods, Query};
use super::place::{Json, Place};
use crate::engine::{Failure, Note};
use crate::resource::ApiType;

static SERVICES: ApiType = ApiType::known("v1", "Service", "services", true);
static CLAIMS: ApiType = ApiType::known("v1", "PersistentVolumeClaim", "persistentvolumeclaims", true);
static VOLUMES: ApiType = ApiType::known("v1", "PersistentVolume", "persistentvolumes", false);
static PODS: ApiType = ApiType::known("v1", "Pod", "pods", true);
/// Who made the volumes that are the cluster's own.
const DRIVER: &str = "ebs.csi.aws.com";
/// How long controllers may take. What they leave behind is found by its mark all the same.
pub(super) const PATIENCE: Duration = Duration::from_mins(5);
/// How long between two looks.
const PAUSE: Duration = Duration::from_secs(3);

/// What is asked to go: a namespace and a name.
type Names = BTreeSet<(String, String)>;

impl Kubernetes {
    /// Removes every service of type `LoadBalancer` and every claim of a volume that the cluster's own driver made, or
    /// would make, and waits until their controllers are through with them. A claim that a pod still uses is not waited
    /// for: it goes with the pod. One that holds a volume of another kind is left alone: what it leads to outlives the
    /// cluster.
    ///
    /// # Errors
    /// When the API does not answer, or does not let us.
    pub async fn release(&self, note: Note<'_>) -> Result<(), Failure> {
        let Some(connection) = self.connect().await? else { return Ok(()) };
        let services = balanced(&connection.list(&SERVICES, Query::ALL).await?);
        let all = connection.list(&CLAIMS, Query::ALL).await?;
        let claims = made_here(&all, &connection.list(&VOLUMES, Query::ALL).await?);
        let others = all.len() - claims.len();
        if others > 0 {
            note(format!("{others} claims hold volumes that {DRIVER} did not make: these are left alone"));
        }
        remove(connection, &SERVICES, &services).await?;
        remove(connection, &CLAIMS, &claims).await?;
        let used = used(&connection.list(&PODS, Query::ALL).await?);
        let free: Names = claims.difference(&used).cloned().collect();
        wait(connection, &services, &free, note).await
    }
}

/// Waits until none of these is left, or patience ends.
async fn wait(connection: &Connection, services: &Names, claims: &Names, note: Note<'_>) -> Result<(), Failure> {
    let until = Instant::now() + PATIENCE;
    let mut said = String::new();
    while !(services.is_empty() && claims.is_empty()) {
        let services: Vec<_> =
            names(&connection.list(&SERVICES, Query::ALL).await?).intersection(services).cloned().collect();
        let claims: Vec<_> =
            names(&connection.list(&CLAIMS, Query::ALL).await?).intersection(claims).cloned().collect();
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

async fn remove(connection: &Connection, api: &ApiType, names: &Names) -> Result<(), Failure> {
    for (namespace, name) in names {
        let place = Place { api: api.clone(), namespace: Some(namespace.clone()), name: name.clone() };
        match connection.delete(&place, None, Pods::GoFirst).await {
            Err(failure) if failure.class == crate::engine::Class::Gone => {}
            removed => removed?,
        }
    }
    Ok(())
}

/// The services that a load balancer outside stands for.
fn balanced(services: &[Json]) -> Names {
    services.iter().filter(|service| service["spec"]["type"] == "LoadBalancer").filter_map(name).collect()
}

/// The claims that have no volume yet, or one that the cluster's own driver made.
fn made_here(claims: &[Json], volumes: &[Json]) -> Names {
    let is_ours = |volume: &&Json| volume["spec"]["csi"]["driver"] == DRIVER;
    let ours: BTreeSet<&str> =
        volumes.iter().filter(is_ours).filter_map(|volume| volume["metadata"]["name"].as_str()).collect();
    let free = |claim: &&Json| claim["spec"]["volumeName"].as_str().is_none_or(|volume| ours.contains(volume));
    claims.iter().filter(free).filter_map(name).collect()
}

fn names(objects: &[Json]) -> Names {
    objects.iter().filter_map(name).collect()
}

fn name(object: &Json) -> Option<(String, String)> {
    let text = |field: &str| object["metadata"][field].as_str().map(str::to_owned);
    text("namespace").zip(text("name"))
}

/// The claims that pods use.
fn used(pods: &[Json]) -> Names {
    let claims = |pod: &Json| {
        let namespace = pod["metadata"]["namespace"].as_str().unwrap_or_default().to_owned();
        let volumes = pod["spec"]["volumes"].as_array().cloned().unwrap_or_default();
        let claim = |volume: Json| volume["persistentVolumeClaim"]["claimName"].as_str().map(str::to_owned);
        volumes.into_iter().filter_map(claim).map(|claim| (namespace.clone(), claim)).collect::<Vec<_>>()
    };
    pods.iter().flat_map(claims).collect()
}
