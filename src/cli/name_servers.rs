//! The name servers of a domain, as the DNS of this machine returns them.
//!
//! The system's own lookup returns addresses only, so this asks the configured resolvers itself: one question in one
//! datagram (RFC 1035).

use std::collections::BTreeSet;
use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::time::Duration;

/// The file with the addresses of resolvers.
const RESOLVERS: &str = "/etc/resolv.conf";
/// Maximum time to wait for one answer.
const PATIENCE: Duration = Duration::from_secs(2);
/// The type of a record with a name server.
const NS: u16 = 2;
/// The class of the internet.
const INTERNET: u16 = 1;
/// The response code of a name that does not exist.
const NO_SUCH_NAME: u8 = 3;
/// Maximum number of pointers in one name: an answer could point to itself.
const MOST_POINTERS: usize = 32;

/// Returns the name servers of a domain: lower case, without a final dot. None if the domain has no name servers of its
/// own.
///
/// # Errors
/// Returns the reason why no resolver answered.
pub(super) async fn name_servers(domain: &str) -> Result<BTreeSet<String>, String> {
    let domain = domain.to_owned();
    let asked = tokio::task::spawn_blocking(move || {
        let configured = std::fs::read_to_string(RESOLVERS).map_err(|error| format!("{RESOLVERS}: {error}"))?;
        let mut reason = format!("{RESOLVERS} has no name server");
        for resolver in resolvers(&configured) {
            match ask(resolver, &domain) {
                Ok(servers) => return Ok(servers),
                Err(error) => reason = format!("{}: {error}", resolver.ip()),
            }
        }
        Err(reason)
    });
    asked.await.unwrap_or_else(|error| Err(error.to_string()))
}

/// Returns the addresses of the resolvers, in order.
fn resolvers(configured: &str) -> Vec<SocketAddr> {
    let addresses = configured.lines().filter_map(|line| line.trim().strip_prefix("nameserver")?.trim().parse().ok());
    addresses.map(|address: IpAddr| SocketAddr::new(address, 53)).collect()
}

fn ask(resolver: SocketAddr, domain: &str) -> io::Result<BTreeSet<String>> {
    let local: SocketAddr = if resolver.is_ipv4() { ([0, 0, 0, 0], 0).into() } else { ([0_u16; 8], 0).into() };
    let socket = UdpSocket::bind(local)?;
    socket.set_read_timeout(Some(PATIENCE))?;
    // Only datagrams of this resolver arrive.
    socket.connect(resolver)?;
    let id = fastrand::u16(..);
    socket.send(&question(id, domain))?;
    let mut buffer = [0; 4096];
    let length = socket.recv(&mut buffer)?;
    answered(&buffer[..length], id)
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "the answer could not be read"))
}

/// Returns a request for the name servers of a domain.
fn question(id: u16, domain: &str) -> Vec<u8> {
    // Recursion desired, one question.
    let mut bytes = [id.to_be_bytes(), [1, 0], [0, 1], [0, 0], [0, 0], [0, 0]].concat();
    for label in domain.split('.').filter(|label| !label.is_empty()) {
        bytes.push(u8::try_from(label.len()).unwrap_or(u8::MAX));
        bytes.extend(label.as_bytes());
    }
    bytes.push(0);
    bytes.extend([NS.to_be_bytes(), INTERNET.to_be_bytes()].concat());
    bytes
}

/// Returns the name servers in an answer; `None` if it is not a complete answer to the request.
fn answered(bytes: &[u8], id: u16) -> Option<BTreeSet<String>> {
    let [is_answer, is_cut] = [bytes.get(2)? & 0x80 != 0, bytes.get(2)? & 0x02 != 0];
    let code = bytes.get(3)? & 0x0f;
    if number(bytes, 0)? != id || !is_answer || is_cut {
        return None;
    }
    match code {
        0 => {}
        NO_SUCH_NAME => return Some(BTreeSet::new()),
        _ => return None,
    }
    let (questions, answers) = (number(bytes, 4)?, number(bytes, 6)?);
    let mut at = 12;
    for _ in 0..questions {
        at = name(bytes, at)?.1 + 4;
    }
    let mut servers = BTreeSet::new();
    for _ in 0..answers {
        at = name(bytes, at)?.1;
        let (kind, length) = (number(bytes, at)?, usize::from(number(bytes, at + 8)?));
        at += 10;
        if kind == NS {
            servers.insert(name(bytes, at)?.0);
        }
        at += length;
    }
    Some(servers)
}

fn number(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes([*bytes.get(at)?, *bytes.get(at + 1)?]))
}

/// Returns the name at an offset, and the offset after it. A name may end with a pointer to an earlier one.
fn name(bytes: &[u8], start: usize) -> Option<(String, usize)> {
    let (mut labels, mut at, mut end) = (Vec::new(), start, None);
    for _ in 0..MOST_POINTERS * 4 {
        let length = usize::from(*bytes.get(at)?);
        match length {
            0 => return Some((labels.join("."), end.unwrap_or(at + 1))),
            0xc0.. => {
                end.get_or_insert(at + 2);
                at = usize::from(number(bytes, at)? & 0x3fff);
            }
            _ => {
                let label = bytes.get(at + 1..at + 1 + length)?;
                labels.push(String::from_utf8_lossy(label).to_ascii_lowercase());
                at += 1 + length;
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    /// An answer with these records, whose names point to the question.
    fn answer(id: u16, flags: [u8; 2], servers: &[&[u8]]) -> Vec<u8> {
        let mut bytes = question(id, "example.com");
        bytes[2..4].copy_from_slice(&flags);
        bytes[7] = u8::try_from(servers.len()).unwrap();
        for server in servers {
            bytes.extend([0xc0, 12, 0, 2, 0, 1, 0, 0, 0, 60, 0, u8::try_from(server.len()).unwrap()]);
            bytes.extend(*server);
        }
        bytes
    }

    #[test]
    fn the_name_servers_of_an_answer_are_read_with_their_pointers() {
        let bytes = answer(7, [0x81, 0x80], &[b"\x02NS\x04test\x00", b"\x03ns2\xc0\x0c"]);
        let servers: Vec<String> = answered(&bytes, 7).unwrap().into_iter().collect();
        assert_eq!(servers, ["ns.test", "ns2.example.com"]);
    }

    #[test]
    fn a_name_without_servers_is_told_from_an_answer_that_is_none() {
        assert_eq!(answered(&answer(7, [0x81, 0x83], &[]), 7), Some(BTreeSet::new()));
        assert_eq!(answered(&answer(7, [0x81, 0x80], &[]), 7), Some(BTreeSet::new()));
        assert_eq!(answered(&answer(7, [0x81, 0x82], &[]), 7), None, "the server failed");
        assert_eq!(answered(&answer(7, [0x83, 0x80], &[]), 7), None, "cut off");
        assert_eq!(answered(&answer(7, [0x81, 0x80], &[]), 8), None, "of another question");
        assert_eq!(answered(&question(7, "example.com"), 7), None, "no answer");
    }

    #[test]
    fn no_bytes_are_read_beyond_an_answer_and_no_pointer_is_followed_for_ever() {
        let bytes = answer(7, [0x81, 0x80], &[b"\x02ns\x04test\x00"]);
        for length in 0..bytes.len() {
            assert_eq!(answered(&bytes[..length], 7), None, "{length}");
        }
        let pointed = u8::try_from(question(7, "example.com").len() + 12).unwrap();
        assert_eq!(answered(&answer(7, [0x81, 0x80], &[&[0xc0, pointed]]), 7), None);
    }

    #[test]
    fn resolvers_are_those_of_the_system() {
        let configured = "# a comment\nsearch example.com\nnameserver 10.0.0.2\n nameserver ::1\nnameserver x\n";
        let found: Vec<String> = resolvers(configured).iter().map(ToString::to_string).collect();
        assert_eq!(found, ["10.0.0.2:53", "[::1]:53"]);
    }
}
