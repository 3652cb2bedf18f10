//! `quorate access`

use clap::{Args, Subcommand};
use ipnet::Ipv4Net;
use jiff::SignedDuration;

use super::kubeconfig::duration;
use crate::cli::client_origin::range;
use crate::cli::file::ShownDiagnostics;
use crate::cli::flow::{self, GrantFilter};
use crate::cli::{ApiWait, CliError, ClientOrigin, Exit, Session};
use crate::resource::LONGEST_GRANT;

/// Open the Kubernetes API to an address for a limited time
///
/// The API accepts connections only from the ranges of `api.allow` in the cluster file. A temporary rule allows another
/// range until it expires. The masters remove expired rules, even if this machine is switched off.
#[derive(Debug, Clone, Args)]
pub struct AccessArgs {
    #[command(subcommand)]
    action: AccessAction,
}

#[derive(Debug, Clone, Subcommand)]
enum AccessAction {
    /// Allow this machine's address, or another range
    ///
    /// If a rule for the same range exists, its end is extended. This opens the network only: `quorate kubeconfig`
    /// sets up the credentials.
    Open {
        /// Duration of the rule, at most a day
        #[arg(long = "for", value_name = "DURATION", value_parser = lasting, default_value = "2h")]
        lasting: SignedDuration,
        /// The address or range to allow [default: this machine's public address; env: QUORATE_ADDRESS]
        #[allow(clippy::doc_markdown, reason = "the help shows the text as it stands")]
        #[arg(long, value_name = "CIDR", value_parser = range)]
        address: Option<Ipv4Net>,
        /// Allow a range of more than 65,536 addresses, such as 0.0.0.0/0
        #[arg(long)]
        wide: bool,
    },
    /// List the ranges that may reach the API, and when each expires
    List,
    /// Remove the temporary rules that you created on this machine
    Close {
        /// Remove the rule of this address or range, whoever created it
        #[arg(long, value_name = "CIDR", value_parser = range, conflicts_with = "all")]
        address: Option<Ipv4Net>,
        /// Remove all temporary rules. A running `quorate apply` creates its own again
        #[arg(long)]
        all: bool,
    },
}

/// Parses the duration of a temporary rule.
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

impl AccessArgs {
    pub(super) async fn run(self, session: &Session) -> Result<Exit, CliError> {
        let ground = session.open_cluster(ShownDiagnostics::Errors, ApiWait::Stay).await?;
        let flow = ground.flow(session);
        match self.action {
            AccessAction::Open { lasting, address, wide } => {
                let origin = ClientOrigin::of(address, &session.environment)?;
                let origin = if session.is_sandbox() { origin.simulated() } else { origin };
                flow::open_access(&flow, origin, lasting, wide).await
            }
            AccessAction::List => flow::list_access(&flow).await,
            AccessAction::Close { all: true, .. } => flow::close_access(&flow, GrantFilter::All).await,
            AccessAction::Close { address: Some(range), .. } => {
                flow::close_access(&flow, GrantFilter::Range(range)).await
            }
            AccessAction::Close { .. } => flow::close_access(&flow, GrantFilter::Mine).await,
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
