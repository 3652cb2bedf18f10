//! The address of a cluster's API, and the credentials for it.

use std::fmt;

use kube::Config;
use kube::config::AuthInfo;

use super::failure::{CONNECT, own};
use crate::engine::{BoxFuture, Failure, FailureClass};

/// Connection timeout. A blocked address does not answer at all.
const CONNECT_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(5);

/// The address of a cluster's API, and the credentials for it.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiAccess {
    /// The server's URL, for example `https://api.chat.poeticoding.com`.
    pub server: String,
    /// The name that the server's certificate is checked for, where it is not the URL's.
    pub tls_server_name: Option<String>,
    /// The certificate of the authority that signed the server's: PEM.
    pub ca: String,
    /// The client's certificate: PEM. Empty for a server that asks for none.
    pub certificate: String,
    /// The client's private key: PEM.
    pub key: String,
}

/// Provides access to a cluster's API. Called only when the API is needed: before the first apply there is none.
pub trait ClientAccess: Send + Sync {
    /// Returns the access; `None` while the cluster has no API.
    fn access(&self) -> BoxFuture<'_, Result<Option<ApiAccess>, Failure>>;
}

impl ClientAccess for ApiAccess {
    fn access(&self) -> BoxFuture<'_, Result<Option<ApiAccess>, Failure>> {
        Box::pin(std::future::ready(Ok(Some(self.clone()))))
    }
}

impl fmt::Debug for ApiAccess {
    /// Shows the address, never the credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Access").field("server", &self.server).finish_non_exhaustive()
    }
}

impl ApiAccess {
    /// Converts the access to kube's configuration.
    pub(super) fn config(&self) -> Result<Config, Failure> {
        let wrong = |what: &str| own(FailureClass::Fatal, CONNECT, format!("{what} to {} cannot be used", self.server));
        let mut config = Config::new(self.server.parse().map_err(|_| wrong("the address"))?);
        config.connect_timeout = Some(CONNECT_TIMEOUT);
        // The engine retries by class, and reports it.
        config.default_retry = false;
        config.tls_server_name.clone_from(&self.tls_server_name);
        if !self.ca.is_empty() {
            let blocks = pem_blocks(&self.ca).ok_or_else(|| wrong("the authority's certificate"))?;
            config.root_cert = Some(blocks);
        }
        if !self.certificate.is_empty() {
            config.auth_info = AuthInfo {
                client_certificate_data: Some(encoded(&self.certificate)),
                client_key_data: Some(encoded(&self.key).into()),
                ..AuthInfo::default()
            };
        }
        Ok(config)
    }
}

fn encoded(text: &str) -> String {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.encode(text)
}

/// Returns the DER content of each PEM block.
fn pem_blocks(text: &str) -> Option<Vec<Vec<u8>>> {
    let blocks: Vec<_> = pem::parse_many(text).ok()?.into_iter().map(pem::Pem::into_contents).collect();
    (!blocks.is_empty()).then_some(blocks)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn access() -> ApiAccess {
        ApiAccess {
            server: "https://api.example.com".to_owned(),
            tls_server_name: Some("api.internal.example.com".to_owned()),
            ca: "-----BEGIN CERTIFICATE-----\nAQID\nBA==\n-----END CERTIFICATE-----\n".to_owned(),
            certificate: "certificate".to_owned(),
            key: "the very secret key".to_owned(),
        }
    }

    #[test]
    fn a_key_is_never_shown() {
        let shown = format!("{:?}", access());
        assert!(shown.contains("api.example.com") && !shown.contains("secret"), "{shown}");
    }

    #[test]
    fn the_server_is_checked_under_its_inner_name() {
        let config = access().config().unwrap();
        assert_eq!(config.tls_server_name.as_deref(), Some("api.internal.example.com"));
        assert_eq!(config.root_cert, Some(vec![vec![1, 2, 3, 4]]));
        assert!(!config.default_retry);
    }

    #[test]
    fn an_authority_that_is_no_certificate_is_refused() {
        let broken = ApiAccess { ca: "not a certificate".to_owned(), ..access() };
        assert!(broken.config().unwrap_err().message.contains("authority"));
    }
}
