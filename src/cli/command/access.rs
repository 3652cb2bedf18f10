//! `quorate access`: temporary rules for the Kubernetes API.

use clap::{Args, Subcommand};
use ipnet::Ipv4Net;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::kubeconfig::duration;
use crate::cli::client_origin::range;
use crate::cli::connect::open_cluster;
use crate::cli::file::ShownDiagnostics;
use crate::cli::run::run_lock::right_account;
use crate::cli::run::wait::{account, patiently};
use crate::cli::{ApiWait, CliError, ClientOrigin, ClusterContext, Exit, Session};
use crate::resource::{AccessGrant, AllowList, Grantee, LONGEST_GRANT};
use crate::view::access::{AccessDocument, GrantEntry};
use crate::view::{self, FORMAT};
use crate::words;

/// The shortest prefix length that needs no `--wide`: a wider range contains addresses of strangers.
const NARROW: u8 = 16;

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
        /// Remove the rule of this address or range, also if another user created it
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
    Err(format!("the maximum is {hours} hours; for permanent access, add the range to `api.allow` in the cluster file"))
}

impl AccessArgs {
    pub(super) async fn run(self, session: &Session) -> Result<Exit, CliError> {
        let context = open_cluster(session, ShownDiagnostics::Errors, ApiWait::UntilReady).await?;
        match self.action {
            AccessAction::Open { lasting, address, wide } => {
                let origin = ClientOrigin::of(address, &session.environment)?;
                let origin = if session.is_sandbox() { origin.simulated() } else { origin };
                open_access(&context, origin, lasting, wide).await
            }
            AccessAction::List => list_access(&context).await,
            AccessAction::Close { all: true, .. } => close_access(&context, GrantFilter::All).await,
            AccessAction::Close { address: Some(range), .. } => close_access(&context, GrantFilter::Range(range)).await,
            AccessAction::Close { .. } => close_access(&context, GrantFilter::Mine).await,
        }
    }
}

/// The grants that a command is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli) enum GrantFilter {
    /// Grants that this user created on this machine.
    Mine,
    /// Grants of a range.
    Range(Ipv4Net),
    /// All grants.
    All,
}

/// Opens the API to a range for a limited time. Needs no lease: a rule is created in one call, while a run may continue.
pub(in crate::cli) async fn open_access(
    context: &ClusterContext<'_>,
    origin: ClientOrigin,
    lasting: SignedDuration,
    wide: bool,
) -> Result<Exit, CliError> {
    right_account(context).await?;
    let range = context.interrupt.or(origin.find()).await??;
    if range.prefix_len() < NARROW && !wide {
        return Err(CliError::refused(
            format!("{range} holds more than 65,536 addresses, so nothing was opened"),
            "use a smaller range, or pass --wide",
        ));
    }
    let admission = admission(context).await?;
    if admission.is_open(&range) {
        show(context, &json!({ "range": range, "until": null }))?;
        context
            .ui
            .text(&format!("{range} may reach the API of {} permanently; nothing was changed.\n", context.name()));
        return Ok(Exit::Done);
    }
    let now = Timestamp::now();
    let wanted = AccessGrant::new(range, now + lasting, Grantee::Person(person(context)));
    let grant = if let Some(standing) = longer(&admission, &wanted, now) {
        standing.clone()
    } else {
        let made = context.interrupt.or(patiently(context, || context.cloud.api_firewall().grant(&wanted))).await?;
        made.map_err(CliError::cloud("opening the API"))?;
        wanted
    };
    show(context, &json!({ "range": range, "until": grant.until }))?;
    let until = words::moment(grant.until);
    context.ui.text(&format!("{range} may reach the API of {} until {until}.\n", context.name()));
    context
        .ui
        .note("the rule takes effect within seconds and expires by itself; `quorate access close` removes it now.");
    Ok(Exit::Done)
}

/// Returns a person's grant for the same range with a later end. A run's own grant ends with the run.
fn longer<'a>(admission: &'a AllowList, wanted: &AccessGrant, now: Timestamp) -> Option<&'a AccessGrant> {
    let lasts = |grant: &&AccessGrant| {
        grant.range == wanted.range && matches!(grant.bearer, Grantee::Person(_)) && grant.until >= wanted.until
    };
    admission.running(now).find(lasts)
}

/// Shows the ranges that may reach the API.
pub(in crate::cli) async fn list_access(context: &ClusterContext<'_>) -> Result<Exit, CliError> {
    let admission = admission(context).await?;
    let now = Timestamp::now();
    let document = AccessDocument::new(context.heading(account(context).await?), &admission, now);
    context.ui.document(&document, |style| view::access::text(&document, now, style))?;
    Ok(Exit::Done)
}

/// Revokes grants.
pub(in crate::cli) async fn close_access(context: &ClusterContext<'_>, which: GrantFilter) -> Result<Exit, CliError> {
    right_account(context).await?;
    let admission = admission(context).await?;
    let me = AccessGrant::new(Ipv4Net::default(), Timestamp::UNIX_EPOCH, Grantee::Person(person(context))).bearer;
    let meant = |grant: &AccessGrant| match which {
        GrantFilter::Mine => grant.bearer == me,
        GrantFilter::Range(range) => grant.range == range,
        GrantFilter::All => true,
    };
    let (closed, left): (Vec<AccessGrant>, Vec<AccessGrant>) = admission.grants.into_iter().partition(meant);
    if !closed.is_empty() {
        let gone = context.interrupt.or(patiently(context, || context.cloud.api_firewall().revoke(&closed))).await?;
        gone.map_err(CliError::cloud("closing the API"))?;
    }
    let now = Timestamp::now();
    let entries = |grants: &[AccessGrant]| grants.iter().map(|grant| GrantEntry::new(grant, now)).collect::<Vec<_>>();
    show(context, &json!({ "closed": entries(&closed), "left": entries(&left) }))?;
    for grant in &closed {
        context.ui.text(&format!("{} may no longer reach the API of {}.\n", grant.range, context.name()));
    }
    if closed.is_empty() {
        context.ui.text("There was nothing to close.\n");
    }
    if !left.is_empty() {
        context.ui.note(
            "other temporary rules exist: `quorate access list` shows them, `quorate access close --all` \
            removes all",
        );
    }
    Ok(Exit::Done)
}

/// Returns the ranges that may reach the API.
async fn admission(context: &ClusterContext<'_>) -> Result<AllowList, CliError> {
    let found = context.interrupt.or(patiently(context, || context.cloud.api_firewall().admission())).await?;
    found.map_err(CliError::cloud("asking who may reach the API"))?.ok_or_else(|| CliError::no_api(context.name()))
}

/// Returns the caller's name for a grant.
fn person(context: &ClusterContext<'_>) -> String {
    format!("{} on {}", context.holder.who, context.holder.host)
}

/// Prints the result: with its format version for programs; for people, a note that it is only the sandbox.
fn show(context: &ClusterContext<'_>, done: &serde_json::Value) -> Result<(), CliError> {
    let mut document = json!({ "format": FORMAT, "cluster": context.name(), "sandbox": context.sandbox });
    if let (Some(document), Some(done)) = (document.as_object_mut(), done.as_object()) {
        document.extend(done.clone());
    }
    context.ui.json(&document)?;
    context.show_sandbox_notice();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_access_is_without_an_end() {
        assert_eq!(lasting("1d"), Ok(SignedDuration::from_hours(24)));
        assert!(lasting("25h").is_err_and(|error| error.contains("api.allow")));
        assert!(lasting("0s").is_err());
    }
}
