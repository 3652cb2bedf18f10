//! Letting go of what controllers made outside of the cluster, before the cluster itself goes.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::time::Instant;

use super::Kubernetes;
use super::client::Connection;
use super::place::{Json, Place};
use crate::engine::{Failure, Note};
use crate::resource::ApiType;

static SERVICES: ApiType = ApiType::known("v1", "Service", "services", true);
static CLAIMS: ApiType = ApiType::known("v1", "PersistentVolumeClaim", "persistentvolumeclaims", true);
static PODS: ApiType = ApiType::known("v1", "Pod", "pods", true);
/// How long controllers may take. What they leave behind is found by its mark all the same.
const PATIENCE: Duration = Duration::from_mins(5);
/// How long between two looks.
const PAUSE: Duration = Duration::from_secs(3);

/// What is asked to go: a namespace and a name.
type Names = BTreeSet<(String, String)>;

impl Kubernetes {
    /// Removes every service of type `LoadBalancer` and every claim of a volume, and waits until their controllers are
    /// through with them. A claim that a pod still uses is not waited for: it goes with the pod.
    ///
    /// # Errors
    /// When the API does not answer, or does not let us.
    pub async fn release(&self, note: Note<'_>) -> Result<(), Failure> {
        let Some(connection) = self.connect().await? else { return Ok(()) };
        let services = balanced(&connection.list(&SERVICES, "").await?);
        let claims = names(&connection.list(&CLAIMS, "").await?);
        remove(connection, &SERVICES, &services).await?;
        remove(connection, &CLAIMS, &claims).await?;
        let used = used(&connection.list(&PODS, "").await?);
        let free: Names = claims.difference(&used).cloned().collect();
        wait(connection, &services, &free, note).await
    }
}

/// Waits until none of these is left, or patience ends.
async fn wait(connection: &Connection, services: &Names, claims: &Names, note: Note<'_>) -> Result<(), Failure> {
    let until = Instant::now() + PATIENCE;
    let mut said = String::new();
    while !(services.is_empty() && claims.is_empty()) {
        let services: Vec<_> = names(&connection.list(&SERVICES, "").await?).intersection(services).cloned().collect();
        let claims: Vec<_> = names(&connection.list(&CLAIMS, "").await?).intersection(claims).cloned().collect();
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
        match connection.delete(&place, None).await {
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
