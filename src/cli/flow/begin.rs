//! Taking the lease, and giving it back.

use std::time::Duration;

use crate::cli::error::CliError;
use crate::engine::{Class, Failure};
use crate::state::{Acquisition, Lease, StateError};

use super::Flow;
use super::survey::{Memory, own_account};
use super::wait::account;

/// How long a lease lives without being renewed.
const TTL: Duration = Duration::from_mins(1);

/// Whether this run may change the cluster.
pub(super) enum Tenure {
    /// It holds the lease.
    Leased {
        lease: Lease,
        /// Whether the run before it did not end well.
        took_over: bool,
    },
    /// There is no store yet to keep a lease in.
    NoStore,
}

/// Takes the lease. Somebody else's is an error; a dead run's is taken over.
pub(super) async fn begin(flow: &Flow<'_>, operation: &str) -> Result<Tenure, CliError> {
    right_account(flow).await?;
    let mut holder = flow.holder.clone();
    operation.clone_into(&mut holder.operation);
    let acquired = flow.interrupt.or(Lease::acquire(flow.store.clone(), flow.name(), holder, TTL)).await?;
    match acquired {
        Ok(Acquisition::Acquired { lease, took_over }) => {
            if let Some(dead) = &took_over {
                flow.ui.note(&format!(
                    "the last run (`{}` by {} on {}) did not finish; this one goes on where it stopped",
                    dead.operation, dead.who, dead.host
                ));
            }
            Ok(Tenure::Leased { lease, took_over: took_over.is_some() })
        }
        Ok(Acquisition::Held { holder, until }) => Err(CliError::Held { holder: Box::new(holder), until }),
        Err(StateError::Store { source, .. }) if source.class == Class::Gone => Ok(Tenure::NoStore),
        Err(error) => Err(CliError::state("taking the lease")(error)),
    }
}

fn lost(message: impl Into<String>) -> Failure {
    Failure::own(Class::Fatal, "confirm the lease", message)
}

/// Refuses an account that is not the file's before anything is written there, be it a lease.
pub(super) async fn right_account(flow: &Flow<'_>) -> Result<(), CliError> {
    let Some(expected) = &flow.cluster.account else { return Ok(()) };
    own_account(expected, &account(flow).await?)
}

impl Tenure {
    /// Whether what the last run began may still be taking effect.
    pub(super) fn took_over(&self) -> bool {
        matches!(self, Self::Leased { took_over: true, .. })
    }

    /// Whether there can be a record.
    pub(super) fn memory(&self) -> Memory {
        match self {
            Self::Leased { .. } => Memory::Stored,
            Self::NoStore => Memory::None,
        }
    }

    /// Whether the lease was ours and no longer is.
    pub(super) fn is_lost(&self) -> bool {
        matches!(self, Self::Leased { lease, .. } if lease.is_lost())
    }

    /// Ends when the lease is lost; never without one.
    pub(super) async fn lost(&self) {
        match self {
            Self::Leased { lease, .. } => lease.lost().await,
            Self::NoStore => std::future::pending().await,
        }
    }

    /// Stops renewing the lease in the background: what it guards is being removed, and it is confirmed by hand.
    pub(super) async fn seal(&mut self) {
        if let Self::Leased { lease, .. } = self {
            lease.stop_renewing().await;
        }
    }

    /// Makes sure that the lease is ours for a minute from now: asked of the store, not of our own clock, which may have
    /// slept.
    pub(super) async fn confirm(&self) -> Result<(), Failure> {
        let Self::Leased { lease, .. } = self else { return Ok(()) };
        match lease.confirm().await {
            Ok(true) => Ok(()),
            Ok(false) => Err(lost("the lease is lost: another run works on this cluster")),
            Err(StateError::Store { source, .. }) => Err(source),
            Err(error) => Err(lost(error.to_string())),
        }
    }

    /// Gives the lease back.
    pub(super) async fn end(self, flow: &Flow<'_>) {
        if let Self::Leased { lease, .. } = self
            && let Err(error) = lease.release().await
        {
            flow.ui.warning(&format!("the lease could not be given back ({error}); it expires by itself in a minute"));
        }
    }
}
