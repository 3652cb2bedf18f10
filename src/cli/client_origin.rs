//! The source address of this machine's connections: the address that the API's firewall must allow.

use std::net::{Ipv4Addr, Ipv6Addr};

use clap::Args;
use ipnet::Ipv4Net;

use super::ProcessEnvironment;
use super::error::CliError;
use crate::aws;
use crate::engine::Failure;

/// The environment variable that sets the address.
const VARIABLE: &str = "QUORATE_ADDRESS";

/// The source address of connections in the sandbox (RFC 5737).
const SIMULATED: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);

/// The source of connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientOrigin {
    /// The given range of addresses.
    Named(Ipv4Net),
    /// This machine: its address is requested from AWS.
    Here,
}

/// The options for access to the Kubernetes API of a run on a machine that `api.allow` does not contain.
#[derive(Debug, Clone, Args)]
pub(super) struct ApiEntryMode {
    /// The public address of this machine [default: queried from AWS; env: QUORATE_ADDRESS]
    #[allow(clippy::doc_markdown, reason = "the help shows the text as it stands")]
    #[arg(long, value_name = "CIDR", value_parser = range, conflicts_with = "no_access")]
    address: Option<Ipv4Net>,
    /// Do not open the API to this machine during the run, even if `api.allow` does not contain its address
    #[arg(long)]
    no_access: bool,
}

impl ApiEntryMode {
    /// Returns the origin that the run opens the API to; `None` if it does not open it.
    pub(super) fn origin(&self, environment: &ProcessEnvironment) -> Result<Option<ClientOrigin>, CliError> {
        if self.no_access { Ok(None) } else { ClientOrigin::of(self.address, environment).map(Some) }
    }
}

impl ClientOrigin {
    /// Returns the origin from the command line, otherwise from the environment.
    ///
    /// # Errors
    /// Returns an error if the environment variable is not a range of addresses.
    pub fn of(named: Option<Ipv4Net>, environment: &ProcessEnvironment) -> Result<Self, CliError> {
        if let Some(range) = named {
            return Ok(Self::Named(range));
        }
        let Some(text) = environment.get(VARIABLE) else { return Ok(Self::Here) };
        range(text).map(Self::Named).map_err(|message| CliError::Usage {
            message: format!("{VARIABLE}: {message}"),
            hint: format!("unset {VARIABLE}, and AWS is asked for this machine's address"),
        })
    }

    /// Returns the origin in the sandbox: a simulated machine has an address that is reserved for examples.
    pub(super) fn simulated(self) -> Self {
        match self {
            Self::Named(range) => Self::Named(range),
            Self::Here => Self::Named(Ipv4Net::from(SIMULATED)),
        }
    }

    /// Returns the range of addresses.
    pub(super) async fn find(self) -> Result<Ipv4Net, CliError> {
        match self {
            Self::Named(range) => Ok(range),
            Self::Here => aws::public_address().await.map(Ipv4Net::from).map_err(|failure| unknown(&failure)),
        }
    }
}

fn unknown(failure: &Failure) -> CliError {
    CliError::refused(
        format!("the public address of this machine could not be determined: {}, {}", failure.service, failure.message),
        format!("name it with --address 203.0.113.7, or in {VARIABLE}"),
    )
}

/// Parses an address, or a range of addresses in CIDR notation.
pub(super) fn range(text: &str) -> Result<Ipv4Net, String> {
    let address = text.split('/').next().unwrap_or_default();
    if address.parse::<Ipv6Addr>().is_ok() {
        return Err(format!("`{text}` is IPv6, and the API's load balancer has IPv4 addresses alone"));
    }
    let text = if text.contains('/') { text.to_owned() } else { format!("{text}/32") };
    let range: Ipv4Net = text.parse().map_err(|_| {
        format!("`{address}` is not an address or an address range; examples: `203.0.113.7`, `203.0.113.0/24`")
    })?;
    if range != range.trunc() {
        return Err(format!("`{range}` is not on its boundary: that is `{}`, or `{}/32`", range.trunc(), range.addr()));
    }
    Ok(range)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn an_address_is_a_range_of_one() {
        assert_eq!(range("203.0.113.7").unwrap().to_string(), "203.0.113.7/32");
        assert_eq!(range("203.0.113.0/24").unwrap().to_string(), "203.0.113.0/24");
    }

    #[test]
    fn what_is_no_range_is_refused_with_what_to_write() {
        for (wrong, messages) in [
            ("203.0.113.7/24", "`203.0.113.0/24`, or `203.0.113.7/32`"),
            ("2001:db8::1", "IPv4"),
            ("2001:db8::/32", "IPv4"),
            ("home", "203.0.113.7"),
            ("203.0.113.7/33", "examples: `203.0.113.7`"),
            ("", "examples: `203.0.113.7`"),
        ] {
            let error = range(wrong).unwrap_err();
            assert!(error.contains(messages), "{wrong}: {error}");
        }
    }

    #[test]
    fn the_command_line_wins_over_the_environment() {
        let variables = vec![(VARIABLE.to_owned(), "198.51.100.1".to_owned())];
        let environment = ProcessEnvironment { variables, ..ProcessEnvironment::default() };
        let named = range("203.0.113.7").unwrap();
        assert_eq!(ClientOrigin::of(Some(named), &environment).unwrap(), ClientOrigin::Named(named));
        assert_eq!(ClientOrigin::of(None, &environment).unwrap(), ClientOrigin::Named(range("198.51.100.1").unwrap()));
        assert_eq!(ClientOrigin::of(None, &ProcessEnvironment::default()).unwrap(), ClientOrigin::Here);
        let variables = vec![(VARIABLE.to_owned(), "home".to_owned())];
        let wrong =
            ClientOrigin::of(None, &ProcessEnvironment { variables, ..ProcessEnvironment::default() }).unwrap_err();
        assert_eq!(wrong.exit(), crate::cli::Exit::Usage);
    }
}
