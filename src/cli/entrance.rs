//! How the program itself gets into a cluster's API: by AWS's permissions alone, with a certificate that it throws away.

use std::sync::Arc;

use jiff::SignedDuration;

use super::Vault;
use super::error::CliError;
use super::flow::api_address;
use crate::engine::{BoxFuture, Class, Failure, Store};
use crate::kubernetes::{Access, Entrance};
use crate::resource::{Cloud, RECORD_LABELS, internal_domain};

/// How long a run's certificate is good for.
const LIFETIME: SignedDuration = SignedDuration::from_hours(1);

/// The way into one cluster's API.
pub(super) struct ByAws {
    pub(super) cluster: String,
    pub(super) cloud: Arc<dyn Cloud>,
    /// Where the record is, which knows the address.
    pub(super) store: Arc<dyn Store>,
    pub(super) vault: Vault,
}

impl Entrance for ByAws {
    fn access(&self) -> BoxFuture<'_, Result<Option<Access>, Failure>> {
        Box::pin(async move {
            let address = api_address(&self.store, &self.cluster).await.map_err(failure)?;
            let Some(server) = address else { return Ok(None) };
            let client = self.vault.administrator(self.cloud.as_ref(), LIFETIME).await.map_err(failure)?;
            Ok(Some(Access {
                server,
                tls_server_name: Some(format!("{}.{}", RECORD_LABELS[0], internal_domain(&self.cluster))),
                ca: client.authority,
                certificate: client.certificate,
                key: client.key.expose().to_owned(),
            }))
        })
    }
}

/// Why there is no way in, in the engine's words.
fn failure(error: CliError) -> Failure {
    match error {
        CliError::Cloud { source, .. } => *source,
        other => Failure {
            class: Class::Fatal,
            service: "quorate".to_owned(),
            action: "connect".to_owned(),
            code: None,
            message: other.to_string(),
            request_id: None,
        },
    }
}
