//! `access`: who may reach the Kubernetes API for a while.

use ipnet::Ipv4Net;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::Flow;
use super::begin::right_account;
use super::wait::{account, patiently};
use crate::cli::error::CliError;
use crate::cli::{Exit, Origin};
use crate::resource::{Admission, Bearer, Grant};
use crate::view::access::{Document, Entry};
use crate::view::{self, FORMAT};
use crate::words;

/// A range with fewer fixed bits than this is wide: it holds strangers.
const NARROW: u8 = 16;

/// Which grants are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// Those that this person asked for on this machine.
    Mine,
    /// Those of a range.
    Range(Ipv4Net),
    /// All.
    All,
}

/// Lets a range in for a while. Needs no lease: a rule is made in one call, and a run goes on meanwhile.
pub async fn open_access(
    flow: &Flow<'_>,
    origin: Origin,
    lasting: SignedDuration,
    wide: bool,
) -> Result<Exit, CliError> {
    right_account(flow).await?;
    let range = flow.interrupt.or(origin.find()).await??;
    if range.prefix_len() < NARROW && !wide {
        return Err(CliError::refused(
            format!("{range} holds more than 65,536 addresses, so nothing was opened"),
            "name a smaller range, or say --wide as well",
        ));
    }
    let admission = admission(flow).await?;
    if admission.is_open(&range) {
        tell(flow, &json!({ "range": range, "until": null }))?;
        flow.ui.text(&format!("{range} may reach the API of {} for good; nothing was changed.\n", flow.name()));
        return Ok(Exit::Done);
    }
    let now = Timestamp::now();
    let wanted = Grant::new(range, now + lasting, Bearer::Person(person(flow)));
    let grant = if let Some(standing) = longer(&admission, &wanted, now) {
        standing.clone()
    } else {
        let made = flow.interrupt.or(patiently(flow, || flow.cloud.gate().grant(&wanted))).await?;
        made.map_err(CliError::cloud("opening the API"))?;
        wanted
    };
    tell(flow, &json!({ "range": range, "until": grant.until }))?;
    let until = words::moment(grant.until);
    flow.ui.text(&format!("{range} may reach the API of {} until {until}.\n", flow.name()));
    flow.ui
        .note("that takes seconds. The masters close it when its time is over; `quorate access close` closes it now.");
    Ok(Exit::Done)
}

/// A grant that somebody has for the same range, with a later end. A run's own ends with the run.
fn longer<'a>(admission: &'a Admission, wanted: &Grant, now: Timestamp) -> Option<&'a Grant> {
    let lasts = |grant: &&Grant| {
        grant.range == wanted.range && matches!(grant.bearer, Bearer::Person(_)) && grant.until >= wanted.until
    };
    admission.running(now).find(lasts)
}

/// Shows who may reach the API.
pub async fn list_access(flow: &Flow<'_>) -> Result<Exit, CliError> {
    let admission = admission(flow).await?;
    let now = Timestamp::now();
    let document = Document::new(flow.heading(account(flow).await?), &admission, now);
    flow.ui.document(&document, |style| view::access::text(&document, now, style))?;
    Ok(Exit::Done)
}

/// Takes grants away.
pub async fn close_access(flow: &Flow<'_>, which: Which) -> Result<Exit, CliError> {
    right_account(flow).await?;
    let admission = admission(flow).await?;
    let me = Grant::new(Ipv4Net::default(), Timestamp::UNIX_EPOCH, Bearer::Person(person(flow))).bearer;
    let meant = |grant: &Grant| match which {
        Which::Mine => grant.bearer == me,
        Which::Range(range) => grant.range == range,
        Which::All => true,
    };
    let (closed, left): (Vec<Grant>, Vec<Grant>) = admission.grants.into_iter().partition(meant);
    if !closed.is_empty() {
        let gone = flow.interrupt.or(patiently(flow, || flow.cloud.gate().revoke(&closed))).await?;
        gone.map_err(CliError::cloud("closing the API"))?;
    }
    let now = Timestamp::now();
    let entries = |grants: &[Grant]| grants.iter().map(|grant| Entry::new(grant, now)).collect::<Vec<_>>();
    tell(flow, &json!({ "closed": entries(&closed), "left": entries(&left) }))?;
    for grant in &closed {
        flow.ui.text(&format!("{} may no longer reach the API of {}.\n", grant.range, flow.name()));
    }
    if closed.is_empty() {
        flow.ui.text("There was nothing to close.\n");
    }
    if !left.is_empty() {
        flow.ui.note("others are let in for a while, too: `quorate access list` shows them, `quorate access close --all` closes all");
    }
    Ok(Exit::Done)
}

/// Who may come in.
async fn admission(flow: &Flow<'_>) -> Result<Admission, CliError> {
    let found = flow.interrupt.or(patiently(flow, || flow.cloud.gate().admission())).await?;
    found.map_err(CliError::cloud("asking who may reach the API"))?.ok_or_else(|| CliError::no_api(flow.name()))
}

/// Who asks, as a grant says it.
fn person(flow: &Flow<'_>) -> String {
    format!("{} on {}", flow.holder.who, flow.holder.host)
}

/// Prints what was done: under its format for programs; for people, that it is only the sandbox.
fn tell(flow: &Flow<'_>, done: &serde_json::Value) -> Result<(), CliError> {
    let mut document = json!({ "format": FORMAT, "cluster": flow.name(), "sandbox": flow.sandbox });
    if let (Some(document), Some(done)) = (document.as_object_mut(), done.as_object()) {
        document.extend(done.clone());
    }
    flow.ui.json(&document)?;
    flow.say_sandbox();
    Ok(())
}
