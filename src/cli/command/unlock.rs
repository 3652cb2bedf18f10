//! `quorate unlock`: removing the lease of a run that does not end.

use clap::Args;
use serde_json::json;

use crate::cli::connect::open_cluster;
use crate::cli::file::ShownDiagnostics;
use crate::cli::run::prompt::ask;
use crate::cli::run::run_lock::right_account;
use crate::cli::{ApiWait, CliError, ClusterContext, Exit, Session};
use crate::state::{Lease, LeaseHolder, LeaseStatus};
use crate::view::FORMAT;
use crate::words;

/// Remove the lease of a run that does not end
///
/// The lease of a dead run expires within a minute, and the next run takes over by itself. Use this command for a run that
/// hangs and cannot be stopped where it runs. Without its lease, the run starts nothing new; changes that it has begun
/// continue.
#[derive(Debug, Clone, Args)]
pub struct UnlockArgs {
    /// Remove the lease without confirmation
    #[arg(short, long)]
    yes: bool,
}

impl UnlockArgs {
    pub(super) async fn run(self, session: &Session) -> Result<Exit, CliError> {
        let context = open_cluster(session, ShownDiagnostics::Errors, ApiWait::Destroying).await?;
        unlock(&context, self.yes).await
    }
}

/// Removes the lease after a confirmation.
pub(in crate::cli) async fn unlock(context: &ClusterContext<'_>, yes: bool) -> Result<Exit, CliError> {
    right_account(context).await?;
    let lease = context.interrupt.or(Lease::inspect(context.store.as_ref(), context.name())).await?;
    let Some(lease) = lease.map_err(CliError::state("reading the lease"))? else {
        report(context, None)?;
        context.ui.text(&format!("No run holds the lease of {}.\n", context.name()));
        return Ok(Exit::Done);
    };
    context.ui.text(&described(context, &lease));
    context.ui.warning(consequence(&lease));
    if !yes {
        ask(context, "\nRemove the lease? Only `yes` is accepted: ", "yes", "--yes").await?;
    }
    let removed = Lease::remove(context.store.as_ref(), context.name(), &lease.holder.run).await;
    if !removed.map_err(CliError::state("removing the lease"))? {
        return Err(CliError::refused(
            "the run has ended, or another run has taken the lease meanwhile: nothing was removed",
            "run `quorate unlock` again to see which run holds it now",
        ));
    }
    report(context, Some(&lease.holder))?;
    context.ui.text("The lease is removed. The next run takes over.\n");
    Ok(Exit::Done)
}

fn described(context: &ClusterContext<'_>, lease: &LeaseStatus) -> String {
    let LeaseHolder { operation, who, host, pid, since, .. } = &lease.holder;
    format!(
        "`{operation}` by {who} on {host} (process {pid}) holds the lease of {}.\nIt began at {} and renewed the lease {} ago.\n",
        context.name(),
        words::moment(*since),
        words::count(usize::try_from(lease.age.as_secs()).unwrap_or(usize::MAX), "second"),
    )
}

fn consequence(lease: &LeaseStatus) -> &'static str {
    if lease.is_expired {
        "the lease has expired: the next run takes over without this command"
    } else {
        "that run is alive. Stop it where it runs, if that is possible: without its lease it starts nothing new, but \
         changes that it has begun continue beside those of the next run"
    }
}

fn report(context: &ClusterContext<'_>, holder: Option<&LeaseHolder>) -> Result<(), CliError> {
    context.ui.json(&json!({
        "format": FORMAT, "cluster": context.name(), "sandbox": context.sandbox, "removed": holder.is_some(),
        "holder": holder,
    }))
}
