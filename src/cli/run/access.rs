//! `access`: temporary rules for the Kubernetes API.

use ipnet::Ipv4Net;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::CommandContext;
use super::run_lock::right_account;
use super::wait::{account, patiently};
use crate::cli::error::CliError;
use crate::cli::{ClientOrigin, Exit};
use crate::resource::{AccessGrant, AllowList, Grantee};
use crate::view::access::{AccessDocument, GrantEntry};
use crate::view::{self, FORMAT};
use crate::words;

/// The shortest prefix length that needs no `--wide`: a wider range contains addresses of strangers.
const NARROW: u8 = 16;

/// The grants that a command is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GrantFilter {
    /// Grants that this user created on this machine.
    Mine,
    /// Grants of a range.
    Range(Ipv4Net),
    /// All grants.
    All,
}

/// Opens the API to a range for a limited time. Needs no lease: a rule is created in one call, while a run may continue.
pub async fn open_access(
    context: &CommandContext<'_>,
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
pub async fn list_access(context: &CommandContext<'_>) -> Result<Exit, CliError> {
    let admission = admission(context).await?;
    let now = Timestamp::now();
    let document = AccessDocument::new(context.heading(account(context).await?), &admission, now);
    context.ui.document(&document, |style| view::access::text(&document, now, style))?;
    Ok(Exit::Done)
}

/// Revokes grants.
pub async fn close_access(context: &CommandContext<'_>, which: GrantFilter) -> Result<Exit, CliError> {
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
async fn admission(context: &CommandContext<'_>) -> Result<AllowList, CliError> {
    let found = context.interrupt.or(patiently(context, || context.cloud.api_firewall().admission())).await?;
    found.map_err(CliError::cloud("asking who may reach the API"))?.ok_or_else(|| CliError::no_api(context.name()))
}

/// Returns the caller's name for a grant.
fn person(context: &CommandContext<'_>) -> String {
    format!("{} on {}", context.holder.who, context.holder.host)
}

/// Prints the result: with its format version for programs; for people, a note that it is only the sandbox.
fn show(context: &CommandContext<'_>, done: &serde_json::Value) -> Result<(), CliError> {
    let mut document = json!({ "format": FORMAT, "cluster": context.name(), "sandbox": context.sandbox });
    if let (Some(document), Some(done)) = (document.as_object_mut(), done.as_object()) {
        document.extend(done.clone());
    }
    context.ui.json(&document)?;
    context.show_sandbox_notice();
    Ok(())
}
