//! `quorate state`: the place of the record and of the cluster's keys.

mod relocation;

use clap::{Args, Subcommand};

use crate::cli::connect::open_cluster;
use crate::cli::file::ShownDiagnostics;
use crate::cli::run::run_lock::LockArgs;
use crate::cli::{ApiWait, CliError, Exit, Session};
use crate::spec::StateLocation;

pub use relocation::{MoveOptions, move_state};

/// Manage the place of the record and of the cluster's keys
#[derive(Debug, Clone, Args)]
pub struct StateArgs {
    #[command(subcommand)]
    action: StateAction,
}

#[derive(Debug, Clone, Subcommand)]
enum StateAction {
    /// Move the state to the place that `state` in the cluster file names
    ///
    /// Change `state` in the cluster file first. The command copies the cluster's keys, the snapshots of etcd and the reports
    /// of machines, compares every copy by its digest, and then switches the record. It makes the bucket if there is none.
    /// Run it again if it was interrupted. Then run `quorate apply`: it replaces the machines, which read from the old place
    /// until then. The apply after that deletes the cluster's keys in the old place.
    Move {
        /// The old place, as `state` named it [default: the one that the cluster's objects name]
        #[arg(long, value_name = "STATE", value_parser = place)]
        from: Option<StateLocation>,
        /// Move without confirmation
        #[arg(short, long)]
        yes: bool,
        #[command(flatten)]
        lock: LockArgs,
    },
}

fn place(text: &str) -> Result<StateLocation, String> {
    StateLocation::parse(text).map_err(|error| format!("{error}; write s3://BUCKET/PREFIX or file:DIRECTORY"))
}

impl StateArgs {
    pub(super) async fn run(self, session: &Session) -> Result<Exit, CliError> {
        let StateAction::Move { from, yes, lock } = self.action;
        let mut context = open_cluster(session, ShownDiagnostics::Errors, ApiWait::Destroying).await?;
        context.lock_timeout = lock.timeout();
        move_state(&context, MoveOptions { from, yes }).await
    }
}
