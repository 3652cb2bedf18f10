//! Where this machine's connections come from: the address that the API's gate has to know.

use std::net::{Ipv4Addr, Ipv6Addr};

use clap::Args;
use ipnet::Ipv4Net;

use super::Environment;
use super::error::CliError;
use crate::aws;
use crate::engine::Failure;

/// What names the address where nobody can be asked for it.
const VARIABLE: &str = "QUORATE_ADDRESS";

/// Where connections come from in the sandbox (RFC 5737).
const SIMULATED: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);

/// Where connections come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// From addresses that somebody named.
    Named(Ipv4Net),
    /// From this machine: AWS is asked which address that is.
    Here,
}

/// How a run that needs the Kubernetes API gets to it where `api.allow` shuts this machine out.
#[derive(Debug, Clone, Args)]
pub(super) struct Entry {
    /// The public address of this machine [default: asked of AWS; env: QUORATE_ADDRESS]
    #[allow(clippy::doc_markdown, reason = "the help shows the text as it stands")]
    #[arg(long, value_name = "CIDR", value_parser = range, conflicts_with = "no_access")]
    address: Option<Ipv4Net>,
    /// Do not open the API to this machine during the run, even if `api.allow` does not contain its address
    #[arg(long)]
    no_access: bool,
}

impl Entry {
    /// Whom the run lets in; nothing if nobody.
    pub(super) fn origin(&self, environment: &Environment) -> Result<Option<Origin>, CliError> {
        if self.no_access { Ok(None) } else { Origin::of(self.address, environment).map(Some) }
    }
}

impl Origin {
    /// As the command line says, else the environment.
    ///
    /// # Errors
    /// When the environment names no range of addresses.
    pub fn of(named: Option<Ipv4Net>, environment: &Environment) -> Result<Self, CliError> {
        if let Some(range) = named {
            return Ok(Self::Named(range));
        }
        let Some(text) = environment.get(VARIABLE) else { return Ok(Self::Here) };
        range(text).map(Self::Named).map_err(|message| CliError::Usage {
            message: format!("{VARIABLE}: {message}"),
            hint: format!("unset {VARIABLE}, and AWS is asked for this machine's address"),
        })
    }

    /// The same where nobody has to be asked: a simulated machine has an address of those that are kept for examples.
    pub(super) fn simulated(self) -> Self {
        match self {
            Self::Named(range) => Self::Named(range),
            Self::Here => Self::Named(Ipv4Net::from(SIMULATED)),
        }
    }

    /// The addresses.
    pub(super) async fn find(self) -> Result<Ipv4Net, CliError> {
        match self {
            Self::Named(range) => Ok(range),
            Self::Here => aws::public_address().await.map(Ipv4Net::from).map_err(|failure| unknown(&failure)),
        }
    }
}

fn unknown(failure: &Failure) -> CliError {
    CliError::refused(
        format!("nobody could tell this machine's public address: {}, {}", failure.service, failure.message),
        format!("name it with --address 203.0.113.7, or in {VARIABLE}"),
    )
}

/// Addresses as people write them: one, or a range.
pub(super) fn range(text: &str) -> Result<Ipv4Net, String> {
    let address = text.split('/').next().unwrap_or_default();
    if address.parse::<Ipv6Addr>().is_ok() {
        return Err(format!("`{text}` is IPv6, and the API's load balancer has IPv4 addresses alone"));
    }
    let text = if text.contains('/') { text.to_owned() } else { format!("{text}/32") };
    let range: Ipv4Net = text.parse().map_err(|_| {
        format!("`{address}` is no address; one looks like `203.0.113.7`, a range of them like `203.0.113.0/24`")
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
        for (wrong, said) in [
            ("203.0.113.7/24", "`203.0.113.0/24`, or `203.0.113.7/32`"),
            ("2001:db8::1", "IPv4"),
            ("2001:db8::/32", "IPv4"),
            ("home", "203.0.113.7"),
            ("203.0.113.7/33", "looks like"),
            ("", "looks like"),
        ] {
            let error = range(wrong).unwrap_err();
            assert!(error.contains(said), "{wrong}: {error}");
        }
    }

    #[test]
    fn the_command_line_wins_over_the_environment() {
        let variables = vec![(VARIABLE.to_owned(), "198.51.100.1".to_owned())];
        let environment = Environment { variables, ..Environment::default() };
        let named = range("203.0.113.7").unwrap();
        assert_eq!(Origin::of(Some(named), &environment).unwrap(), Origin::Named(named));
        assert_eq!(Origin::of(None, &environment).unwrap(), Origin::Named(range("198.51.100.1").unwrap()));
        assert_eq!(Origin::of(None, &Environment::default()).unwrap(), Origin::Here);
        let variables = vec![(VARIABLE.to_owned(), "home".to_owned())];
        let wrong = Origin::of(None, &Environment { variables, ..Environment::default() }).unwrap_err();
        assert_eq!(wrong.exit(), crate::cli::Exit::Usage);
    }
}
