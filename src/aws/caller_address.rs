//! The public address of this machine.

use std::net::Ipv4Addr;
use std::time::Duration;

use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::{Connector, tls};
use aws_smithy_runtime_api::client::http::HttpConnector;
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::byte_stream::ByteStream;

use crate::engine::{Failure, FailureClass, chain};

/// A service of AWS that returns the address alone, over IPv4.
const SERVICE: &str = "https://checkip.amazonaws.com/";
/// Maximum time to wait for its answer.
const TIMEOUT: Duration = Duration::from_secs(5);
/// Maximum length of an answer.
const LONGEST: usize = 64;

/// Returns the public address that this machine's connections come from, read from AWS by one call without credentials.
///
/// # Errors
/// Returns an error if there is no answer in time, or one that is not a public IPv4 address.
pub async fn public_address() -> Result<Ipv4Addr, Failure> {
    let asked = tokio::time::timeout(TIMEOUT, ask()).await;
    asked.unwrap_or_else(|_| Err(failure(format!("no answer within {} seconds", TIMEOUT.as_secs()))))
}

async fn ask() -> Result<Ipv4Addr, Failure> {
    let connector = Connector::builder().tls_provider(tls::Provider::Rustls(CryptoMode::Ring)).build();
    let request = HttpRequest::get(SERVICE).map_err(|error| failure(chain(&error)))?;
    let answer = connector.call(request).await.map_err(|error| failure(chain(&error)))?;
    if !answer.status().is_success() {
        return Err(failure(format!("the answer was HTTP {}", answer.status().as_u16())));
    }
    let body = ByteStream::new(answer.into_body()).collect().await.map_err(|error| failure(chain(&error)))?;
    read(&body.into_bytes())
}

/// Returns the address in an answer.
fn read(answer: &[u8]) -> Result<Ipv4Addr, Failure> {
    let text = std::str::from_utf8(answer).ok().filter(|text| text.len() <= LONGEST).map(str::trim);
    let address = text.and_then(|text| text.parse::<Ipv4Addr>().ok());
    address
        .filter(|address| is_public(*address))
        .ok_or_else(|| failure("the answer is no public IPv4 address".to_owned()))
}

fn is_public(address: Ipv4Addr) -> bool {
    !(address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_unspecified()
        || address.is_broadcast()
        || address.is_multicast())
}

fn failure(message: String) -> Failure {
    Failure {
        service: SERVICE.to_owned(),
        ..Failure::own(FailureClass::Unavailable, "ask for this machine's address", message)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn an_address_is_taken_and_nothing_else() {
        assert_eq!(read(b"203.0.113.7\n").unwrap(), Ipv4Addr::new(203, 0, 113, 7));
        for wrong in [
            &b""[..],
            b"10.0.0.1",
            b"127.0.0.1",
            b"0.0.0.0",
            b"203.0.113.7, 10.0.0.1",
            b"<html>",
            b"\xff",
            b"2001:db8::1",
        ] {
            assert!(read(wrong).is_err(), "{wrong:?}");
        }
    }
}
