//! The public address of this machine.

use std::net::Ipv4Addr;
use std::time::Duration;

use super::http::{HttpDocument, get};
use crate::engine::Failure;

/// A service of AWS that returns the address alone, over IPv4.
const SERVICE: HttpDocument<'_> = HttpDocument {
    url: "https://checkip.amazonaws.com/",
    action: "ask for this machine's address",
    timeout: Duration::from_secs(5),
    max_bytes: 64,
};

/// Returns the public address that this machine's connections come from, read from AWS by one call without credentials.
///
/// # Errors
/// Returns an error if there is no answer in time, or one that is not a public IPv4 address.
pub async fn public_address() -> Result<Ipv4Addr, Failure> {
    read(&get(SERVICE).await?)
}

/// Returns the address in an answer.
fn read(answer: &[u8]) -> Result<Ipv4Addr, Failure> {
    let text = std::str::from_utf8(answer).ok().map(str::trim);
    let address = text.and_then(|text| text.parse::<Ipv4Addr>().ok());
    address
        .filter(|address| is_public(*address))
        .ok_or_else(|| SERVICE.failure("the answer is no public IPv4 address".to_owned()))
}

fn is_public(address: Ipv4Addr) -> bool {
    !(address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_unspecified()
        || address.is_broadcast()
        || address.is_multicast())
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
