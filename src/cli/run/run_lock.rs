//! Acquiring and releasing the lease.

use std::time::Duration;

use clap::Args;
use jiff::{SignedDuration, Timestamp};

use tokio::time::Instant;

use crate::cli::error::CliError;
use crate::cli::process;
use crate::engine::{Failure, FailureClass, PollLoop};
use crate::state::{Lease, LeaseAcquisition, LeaseHolder, StateError};

use super::ClusterContext;
use super::wait::account;

/// Lifetime of a lease that is not renewed.
const TTL: Duration = Duration::from_mins(1);

/// Interval between two attempts to acquire the lease of another run.
const LOCK_PAUSE: Duration = Duration::from_secs(3);
/// Number of attempts to acquire the lease in a new store.
const NEW_STORE: u32 = 10;

/// The location of the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli) enum RecordSource {
    /// In the store, if one exists.
    Stored,
    /// Nowhere: no store exists.
    None,
}

/// The right of this run to change the cluster.
pub(in crate::cli) enum RunLock {
    /// The run holds the lease.
    Leased {
        lease: Lease,
        /// `true` if the previous run did not finish.
        took_over: bool,
    },
    /// No store exists yet in which a lease could be kept.
    NoStore,
}

/// The wait for the lease of another run.
#[derive(Debug, Clone, Args)]
pub(in crate::cli) struct LockArgs {
    /// Maximum time to wait while another run holds the lease of the cluster; 0s does not wait
    #[arg(long, value_name = "DURATION", value_parser = timeout, default_value = "2m")]
    lock_timeout: Duration,
}

impl LockArgs {
    /// Returns the maximum time to wait.
    pub(in crate::cli) fn timeout(&self) -> Duration {
        self.lock_timeout
    }
}

fn timeout(text: &str) -> Result<Duration, String> {
    let parsed: Result<jiff::SignedDuration, _> = text.parse();
    let parsed = parsed.ok().and_then(|duration| Duration::try_from(duration).ok());
    parsed.ok_or_else(|| format!("`{text}` is not a duration; examples: `90s`, `5m`, `0s`"))
}

/// Acquires the lease. That of a dead run is taken over; that of a live run is waited for, and then an error.
pub(in crate::cli) async fn open_run(context: &ClusterContext<'_>, operation: &str) -> Result<RunLock, CliError> {
    right_account(context).await?;
    let mut poll = PollLoop::every(LOCK_PAUSE).lasting(context.lock_timeout);
    loop {
        let (holder, until) = match acquire(context, operation).await? {
            Ok(lock) => return Ok(lock),
            Err(held) => held,
        };
        if poll.is_over() {
            return Err(CliError::Held { holder: Box::new(holder), until });
        }
        poll.note_change(&waiting(&holder, context.lock_timeout), |text| context.ui.note(&text));
        // The last pause ends with the wait.
        let rest = poll.deadline().map_or(LOCK_PAUSE, |end| end.saturating_duration_since(Instant::now()));
        context.interrupt.or(tokio::time::sleep(LOCK_PAUSE.min(rest))).await?;
    }
}

/// Tries once. Returns the holder and the end of its lease, if another run holds it.
async fn acquire(
    context: &ClusterContext<'_>,
    operation: &str,
) -> Result<Result<RunLock, (LeaseHolder, Timestamp)>, CliError> {
    let holder = LeaseHolder { operation: operation.to_owned(), ..context.holder.clone() };
    let acquired = Lease::acquire(context.store.clone(), context.name(), holder, TTL, &process::has_ended);
    match context.interrupt.or(acquired).await? {
        Ok(LeaseAcquisition::Acquired { lease, took_over }) => {
            if let Some(dead) = &took_over {
                context.ui.note(&format!(
                    "the last run (`{}` by {} on {}) did not finish; this run resumes it",
                    dead.operation, dead.who, dead.host
                ));
            }
            Ok(Ok(RunLock::Leased { lease, took_over: took_over.is_some() }))
        }
        Ok(LeaseAcquisition::Held { holder, until }) => Ok(Err((holder, until))),
        Err(StateError::Store { source, .. }) if source.class == FailureClass::Gone => Ok(Ok(RunLock::NoStore)),
        Err(error) => Err(CliError::state("taking the lease")(error)),
    }
}

fn waiting(holder: &LeaseHolder, timeout: Duration) -> String {
    let LeaseHolder { operation, who, host, pid, .. } = holder;
    let most = SignedDuration::try_from(timeout).unwrap_or(SignedDuration::MAX);
    format!(
        "waiting for the lease: `{operation}` by {who} on {host} (process {pid}) works on this cluster. The wait ends after \
         {most:#} (--lock-timeout)"
    )
}

/// Acquires the lease in a bucket that was just created: S3 may not show it everywhere yet.
pub(in crate::cli) async fn lease_in_new_store(
    context: &ClusterContext<'_>,
    operation: &str,
) -> Result<RunLock, CliError> {
    for _ in 0..NEW_STORE {
        match open_run(context, operation).await? {
            RunLock::NoStore => context.interrupt.or(tokio::time::sleep(context.retry.settle)).await?,
            lock @ RunLock::Leased { .. } => return Ok(lock),
        }
    }
    Err(CliError::refused(
        format!("{} was created, but is not reachable yet", context.store.location()),
        "run the command again in a minute",
    ))
}

fn lost(message: impl Into<String>) -> Failure {
    Failure::own(FailureClass::Fatal, "confirm the lease", message)
}

/// Refuses an account that is not the file's before anything is written there, including a lease.
pub(in crate::cli) async fn right_account(context: &ClusterContext<'_>) -> Result<(), CliError> {
    let Some(expected) = &context.cluster.account else { return Ok(()) };
    own_account(expected, &account(context).await?)
}

/// Refuses credentials of another account than the file's.
pub(in crate::cli) fn own_account(expected: &str, found: &str) -> Result<(), CliError> {
    if expected == found {
        return Ok(());
    }
    Err(CliError::refused(
        format!("the file belongs to account {expected}, and these credentials to account {found}"),
        "use the credentials of that account (AWS_PROFILE), or change `account` in the file",
    ))
}

impl RunLock {
    /// Returns `true` if changes of the previous run may still be taking effect.
    pub(in crate::cli) fn took_over(&self) -> bool {
        matches!(self, Self::Leased { took_over: true, .. })
    }

    /// Returns the location of the record.
    pub(in crate::cli) fn record_source(&self) -> RecordSource {
        match self {
            Self::Leased { .. } => RecordSource::Stored,
            Self::NoStore => RecordSource::None,
        }
    }

    /// Returns `true` if the run held the lease and has lost it.
    pub(in crate::cli) fn is_lost(&self) -> bool {
        matches!(self, Self::Leased { lease, .. } if lease.is_lost())
    }

    /// Waits until the lease is lost; waits forever without one.
    pub(in crate::cli) async fn lost(&self) {
        match self {
            Self::Leased { lease, .. } => lease.lost().await,
            Self::NoStore => std::future::pending().await,
        }
    }

    /// Stops renewing the lease in the background: the store is being emptied, and the lease is confirmed by hand.
    pub(in crate::cli) async fn seal(&mut self) {
        if let Self::Leased { lease, .. } = self {
            lease.stop_renewing().await;
        }
    }

    /// Confirms that the run holds the lease for a minute from now: by the store, not by the local clock, which may have
    /// been suspended.
    pub(in crate::cli) async fn confirm(&self) -> Result<(), Failure> {
        let Self::Leased { lease, .. } = self else { return Ok(()) };
        match lease.confirm().await {
            Ok(true) => Ok(()),
            Ok(false) => Err(lost("the lease is lost: another run works on this cluster")),
            Err(StateError::Store { source, .. }) => Err(source),
            Err(error) => Err(lost(error.to_string())),
        }
    }

    /// Releases the lease.
    pub(in crate::cli) async fn end(self, context: &ClusterContext<'_>) {
        if let Self::Leased { lease, .. } = self
            && let Err(error) = lease.release().await
        {
            context
                .ui
                .warning(&format!("the lease could not be given back ({error}); it expires by itself in a minute"));
        }
    }
}
