//! Access of the program itself to a cluster's API: with AWS permissions alone, and a certificate that is not stored.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use jiff::SignedDuration;

use super::ClusterSecrets;
use super::error::CliError;
use crate::cloud::{CloudProvider, KnownBalancer};
use crate::engine::{BoxFuture, Failure, FailureClass, ObjectStore};
use crate::kubernetes::{ApiAccess, CONNECT, ClientAccess};
use crate::resource::{API, DnsRecord, LoadBalancer, Resource, internal_api};
use crate::state::{self, ClusterRecord};

/// Lifetime of a run's certificate.
const LIFETIME: SignedDuration = SignedDuration::from_hours(1);

/// Access to the API of one cluster with AWS permissions.
pub struct ByAws {
    /// The cluster's name.
    cluster: String,
    /// The cloud, which knows the API's load balancer and the caller.
    cloud: Arc<dyn CloudProvider>,
    /// The store of the record, which contains the API's address.
    store: Arc<dyn ObjectStore>,
    /// The secrets, which contain the authority that signs the certificate.
    secrets: ClusterSecrets,
    /// `true` if the record did not contain the address when this run read it.
    is_unrecorded: AtomicBool,
}

impl ClientAccess for ByAws {
    fn access(&self) -> BoxFuture<'_, Result<Option<ApiAccess>, Failure>> {
        Box::pin(async move {
            let Some(server) = self.address().await? else { return Ok(None) };
            let client = self.secrets.administrator(self.cloud.as_ref(), LIFETIME).await.map_err(failure)?;
            Ok(Some(ApiAccess {
                server,
                tls_server_name: Some(internal_api(&self.cluster)),
                ca: client.authority,
                certificate: client.certificate,
                key: client.key.expose().to_owned(),
            }))
        })
    }
}

impl ByAws {
    /// Returns the access to a cluster's API.
    pub fn new(
        cluster: impl Into<String>,
        cloud: Arc<dyn CloudProvider>,
        store: Arc<dyn ObjectStore>,
        secrets: ClusterSecrets,
    ) -> Self {
        Self { cluster: cluster.into(), cloud, store, secrets, is_unrecorded: AtomicBool::new(false) }
    }

    /// Returns the address of the API; `None` if it does not exist yet.
    async fn address(&self) -> Result<Option<String>, Failure> {
        if !self.is_unrecorded.load(Ordering::Relaxed) {
            let recorded = api_address(&self.store, &self.cluster).await.map_err(failure)?;
            if recorded.is_some() {
                return Ok(recorded);
            }
            // A run records the address only at its end.
            self.is_unrecorded.store(true, Ordering::Relaxed);
        }
        // The first apply creates the API before it records the address.
        match self.cloud.known_balancer().await {
            KnownBalancer::Created(name) => Ok(Some(format!("https://{name}"))),
            KnownBalancer::Absent => Ok(None),
            KnownBalancer::Unknown => self.balancer().await,
        }
    }

    /// Returns the address of the API's load balancer, or `None` if it does not exist yet.
    async fn balancer(&self) -> Result<Option<String>, Failure> {
        let found = self.cloud.find(&LoadBalancer::address(API)).await?;
        let name = found.iter().find_map(|live| live.outputs.get("dns_name")).filter(|name| !name.is_empty());
        Ok(name.map(|name| format!("https://{name}")))
    }
}

/// Converts an error to the failure that the engine reports.
fn failure(error: CliError) -> Failure {
    match error {
        CliError::Cloud { source, .. } => *source,
        other => Failure::own(FailureClass::Fatal, CONNECT, other.to_string()),
    }
}

/// Returns the URL of a cluster's API, or `None` if it has not been applied yet.
pub(super) async fn api_address(store: &Arc<dyn ObjectStore>, cluster: &str) -> Result<Option<String>, CliError> {
    let mut journal = state::open(Arc::clone(store), cluster);
    let record = journal.load().await.map_err(CliError::state("reading the record"))?;
    Ok(record.and_then(|record| address(&record, cluster)))
}

/// Returns the URL of the API of the cluster in a record.
pub(super) fn address(record: &ClusterRecord, cluster: &str) -> Option<String> {
    let balancer = record.objects.get(&LoadBalancer::address(API))?;
    if record.objects.contains_key(&DnsRecord::address(API)) {
        return Some(format!("https://{API}.{cluster}"));
    }
    balancer.outputs.get("dns_name").map(|name| format!("https://{name}"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use std::collections::{BTreeMap, BTreeSet};

    use jiff::Timestamp;

    use super::*;
    use crate::engine::RecordedObject;

    #[test]
    fn the_api_is_at_its_own_name_or_at_its_load_balancers() {
        let mut record =
            ClusterRecord::first("c.example.com", "123456789012", "us-east-1", "run", Timestamp::UNIX_EPOCH);
        assert_eq!(address(&record, "c.example.com"), None);
        let outputs = BTreeMap::from([("dns_name".to_owned(), "api-1.elb.amazonaws.com".to_owned())]);
        let recorded =
            RecordedObject { id: String::new(), attributes: BTreeMap::new(), outputs, needs: BTreeSet::new() };
        record.objects.insert(LoadBalancer::address(API), recorded.clone());
        assert_eq!(address(&record, "c.example.com").unwrap(), "https://api-1.elb.amazonaws.com");
        record.objects.insert(DnsRecord::address(API), recorded);
        assert_eq!(address(&record, "c.example.com").unwrap(), "https://api.c.example.com");
    }
}
