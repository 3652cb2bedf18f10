//! Requests without credentials to public services, by the HTTP client of the SDK.

use std::time::Duration;

use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::{Connector, tls};
use aws_smithy_runtime_api::client::http::HttpConnector;
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::byte_stream::ByteStream;

use crate::engine::{Failure, FailureClass, chain};

/// Maximum number of redirects that are followed.
const REDIRECTS: usize = 3;

/// A public document that is read by one request.
#[derive(Debug, Clone, Copy)]
pub struct HttpDocument<'a> {
    /// The URL.
    pub url: &'a str,
    /// The action for messages, for example `read this machine's address`.
    pub action: &'a str,
    /// Maximum time to wait for it.
    pub timeout: Duration,
    /// Maximum size in bytes.
    pub max_bytes: usize,
}

/// Returns the content of a document. Follows redirects.
///
/// # Errors
/// Returns an error if it does not arrive in time, is too large, or the server refuses it.
pub async fn get(document: HttpDocument<'_>) -> Result<Vec<u8>, Failure> {
    let late = || document.failure(format!("no answer within {} seconds", document.timeout.as_secs()));
    tokio::time::timeout(document.timeout, document.follow()).await.unwrap_or_else(|_| Err(late()))
}

impl HttpDocument<'_> {
    async fn follow(&self) -> Result<Vec<u8>, Failure> {
        let connector = Connector::builder().tls_provider(tls::Provider::Rustls(CryptoMode::Ring)).build();
        let mut url = self.url.to_owned();
        for _ in 0..=REDIRECTS {
            let request = HttpRequest::get(&url).map_err(|error| self.failure(chain(&error)))?;
            let answer = connector.call(request).await.map_err(|error| self.failure(chain(&error)))?;
            let status = answer.status().as_u16();
            if (300..400).contains(&status)
                && let Some(location) = answer.headers().get("location")
            {
                // A relative one would need a URL parser; the services that are asked send absolute ones.
                location.clone_into(&mut url);
                continue;
            }
            if !answer.status().is_success() {
                return Err(self.failure(format!("the answer was HTTP {status}")));
            }
            let body = ByteStream::new(answer.into_body()).collect().await;
            let bytes = body.map_err(|error| self.failure(chain(&error)))?.into_bytes();
            if bytes.len() > self.max_bytes {
                return Err(self.failure(format!("the answer is larger than {} bytes", self.max_bytes)));
            }
            return Ok(bytes.to_vec());
        }
        Err(self.failure(format!("more than {REDIRECTS} redirects")))
    }

    /// Returns the failure of the request.
    pub(super) fn failure(&self, message: String) -> Failure {
        Failure { service: self.url.to_owned(), ..Failure::own(FailureClass::Unavailable, self.action, message) }
    }
}
