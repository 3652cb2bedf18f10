//! Access of the program itself to a cluster's API: with AWS permissions alone, and a certificate that is not stored.

use std::sync::Arc;

use jiff::SignedDuration;

use super::ClusterSecrets;
use super::error::CliError;
use super::flow::api_address;
use crate::cloud::CloudProvider;
use crate::engine::{BoxFuture, Failure, FailureClass, ObjectStore};
use crate::kubernetes::{ApiAccess, CONNECT, ClientAccess};
use crate::resource::{API, LoadBalancer, Resource, internal_api};

/// Lifetime of a run's certificate.
const LIFETIME: SignedDuration = SignedDuration::from_hours(1);

/// Access to the API of one cluster with AWS permissions.
pub struct ByAws {
    /// The cluster's name.
    pub cluster: String,
    /// The cloud, which knows the API's load balancer and the caller.
    pub cloud: Arc<dyn CloudProvider>,
    /// The store of the record, which contains the API's address.
    pub store: Arc<dyn ObjectStore>,
    /// The secrets, which contain the authority that signs the certificate.
    pub vault: ClusterSecrets,
}

impl ClientAccess for ByAws {
    fn access(&self) -> BoxFuture<'_, Result<Option<ApiAccess>, Failure>> {
        Box::pin(async move {
            let recorded = api_address(&self.store, &self.cluster).await.map_err(failure)?;
            // The first apply creates the API before it records the address.
            let address = if recorded.is_some() { recorded } else { self.balancer().await? };
            let Some(server) = address else { return Ok(None) };
            let client = self.vault.administrator(self.cloud.as_ref(), LIFETIME).await.map_err(failure)?;
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
