//! `quorate token`: the token with which new nodes join.

use clap::{Args, Subcommand};
use serde_json::json;

use crate::cli::connect::open_cluster;
use crate::cli::file::ShownDiagnostics;
use crate::cli::run::Run;
use crate::cli::run::run_lock::{LockArgs, RunLock};
use crate::cli::{ApiWait, CliError, ClusterContext, Exit, Session};
use crate::view::FORMAT;

/// Manage the token that new nodes join the cluster with
#[derive(Debug, Clone, Args)]
pub struct TokenArgs {
    #[command(subcommand)]
    action: TokenAction,
}

#[derive(Debug, Clone, Subcommand)]
enum TokenAction {
    /// Replace the join token; the old one stops working
    ///
    /// Masters use the new token within minutes. Nodes that have joined are not affected. A node that starts in the
    /// meantime retries until it has joined.
    Rotate {
        #[command(flatten)]
        lock: LockArgs,
    },
}

impl TokenArgs {
    pub(super) async fn run(self, session: &Session) -> Result<Exit, CliError> {
        let TokenAction::Rotate { lock } = self.action;
        let mut context = open_cluster(session, ShownDiagnostics::Errors, ApiWait::UntilReady).await?;
        context.lock_timeout = lock.timeout();
        rotate_token(&context).await
    }
}

/// Creates a new join token, under the lease: no apply creates machines meanwhile.
async fn rotate_token(context: &ClusterContext<'_>) -> Result<Exit, CliError> {
    let run = Run::begin(context, "token rotate").await?;
    let rotated = match run.lock {
        RunLock::Leased { .. } => context.secrets().rotate_token().await,
        RunLock::NoStore => {
            Err(CliError::not_applied(format!("{} has no join token: it was never applied", context.name())))
        }
    };
    run.end().await;
    rotated?;
    context
        .ui
        .json(&json!({ "format": FORMAT, "cluster": context.name(), "sandbox": context.sandbox, "rotated": true }))?;
    context.ui.text("The join token is new.\n");
    context.ui.note(
        "masters use it within minutes and then refuse the old one; a node that starts in between retries until they \
         have. Nodes that have joined keep their own certificates.",
    );
    Ok(Exit::Done)
}
