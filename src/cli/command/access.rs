//! `quorate access`

use clap::{Args, Subcommand};
use ipnet::Ipv4Net;
use jiff::SignedDuration;

use super::kubeconfig::duration;
use crate::cli::file::Told;
use crate::cli::flow::{self, Which};
use crate::cli::origin::range;
use crate::cli::{CliError, Errand, Exit, Origin, Session};
use crate::resource::LONGEST_GRANT;

/// Open the Kubernetes API to somebody for a while
///
/// The API answers only to the addresses of `api.allow` in the cluster file. A grant lets others in beside them, and
/// carries its own end: the masters take it away then, whatever becomes of this machine.
#[derive(Debug, Clone, Args)]
pub struct Arguments {
    #[command(subcommand)]
    deed: Deed,
}

#[derive(Debug, Clone, Subcommand)]
enum Deed {
    /// Let this machine in, or others
    ///
    /// Let in before, the same addresses get a later end. Reaching the API is not yet being allowed anything there:
    /// `quorate kubeconfig` says as whom.
    Open {
        /// For how long, at most a day
        #[arg(long = "for", value_name = "DURATION", value_parser = lasting, default_value = "2h")]
        lasting: SignedDuration,
        /// Let this address or range in [default: this machine's public address, also `QUORATE_ADDRESS`]
        #[arg(long, value_name = "CIDR", value_parser = range)]
        address: Option<Ipv4Net>,
        /// Allow a range of more than 65,536 addresses, such as 0.0.0.0/0
        #[arg(long)]
        wide: bool,
    },
    /// Show who may reach the API, and until when
    List,
    /// Take grants away: those that you asked for on this machine
    Close {
        /// Take this address's or range's away, whoever asked for it
        #[arg(long, value_name = "CIDR", value_parser = range, conflicts_with = "all")]
        address: Option<Ipv4Net>,
        /// Take all of them away. A running `quorate apply` lets itself in again
        #[arg(long)]
        all: bool,
    },
}

/// How long somebody may be let in for.
fn lasting(text: &str) -> Result<SignedDuration, String> {
    let lasting = duration(text)?;
    if lasting <= LONGEST_GRANT {
        return Ok(lasting);
    }
    let hours = LONGEST_GRANT.as_hours();
    Err(format!(
        "{hours} hours are the most; who needs the API for longer belongs into `api.allow` in the cluster file"
    ))
}

impl Arguments {
    pub(super) async fn run(self, session: &Session) -> Result<Exit, CliError> {
        let ground = session.ground(Told::Errors, Errand::Stay).await?;
        let flow = ground.flow(session);
        match self.deed {
            Deed::Open { lasting, address, wide } => {
                let origin = Origin::of(address, &session.environment)?;
                let origin = if session.is_sandbox() { origin.simulated() } else { origin };
                flow::open_access(&flow, origin, lasting, wide).await
            }
            Deed::List => flow::list_access(&flow).await,
            Deed::Close { all: true, .. } => flow::close_access(&flow, Which::All).await,
            Deed::Close { address: Some(range), .. } => flow::close_access(&flow, Which::Range(range)).await,
            Deed::Close { .. } => flow::close_access(&flow, Which::Mine).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_let_in_for_ever() {
        assert_eq!(lasting("1d"), Ok(SignedDuration::from_hours(24)));
        assert!(lasting("25h").is_err_and(|error| error.contains("api.allow")));
        assert!(lasting("0s").is_err());
    }
}
