//! How the program itself gets into a cluster's API: by AWS's permissions alone, with a certificate that it throws away.

use std::sync::Arc;

use jiff::SignedDuration;

use super::Vault;
use super::error::CliError;
use super::flow::api_address;
use crate::engine::{BoxFuture, Class, Failure, Store};
use crate::kubernetes::{Access, CONNECT, Entrance};
use crate::resource::{API, Cloud, LoadBalancer, Resource, internal_api};

/// How long a run's certificate is good for.
const LIFETIME: SignedDuration = SignedDuration::from_hours(1);

/// The way into one cluster's API.
pub struct ByAws {
    /// Its name.
    pub cluster: String,
    /// Where its load balancer is, and who knows the caller.
    pub cloud: Arc<dyn Cloud>,
    /// Where the record is, which knows the address.
    pub store: Arc<dyn Store>,
    /// Where the authority is that signs the certificate.
    pub vault: Vault,
}

impl Entrance for ByAws {
    fn access(&self) -> BoxFuture<'_, Result<Option<Access>, Failure>> {
        Box::pin(async move {
            let recorded = api_address(&self.store, &self.cluster).await.map_err(failure)?;
            // The first apply makes the API before it writes down where it is.
            let address = if recorded.is_some() { recorded } else { self.balancer().await? };
            let Some(server) = address else { return Ok(None) };
            let client = self.vault.administrator(self.cloud.as_ref(), LIFETIME).await.map_err(failure)?;
            Ok(Some(Access {
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
    /// The address of the API's load balancer, once it is there.
    async fn balancer(&self) -> Result<Option<String>, Failure> {
        let found = self.cloud.find(&LoadBalancer::address(API)).await?;
        let name = found.iter().find_map(|live| live.outputs.get("dns_name")).filter(|name| !name.is_empty());
        Ok(name.map(|name| format!("https://{name}")))
    }
}

/// Why there is no way in, in the engine's words.
fn failure(error: CliError) -> Failure {
    match error {
        CliError::Cloud { source, .. } => *source,
        other => Failure::own(Class::Fatal, CONNECT, other.to_string()),
    }
}
