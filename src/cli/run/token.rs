//! `token`: the token with which new nodes join.

use serde_json::json;

use crate::cli::error::CliError;
use crate::cli::{ClusterSecrets, Exit};

use super::CommandContext;
use super::run_lock::{RunLock, open_run};
use crate::view::FORMAT;

/// Creates a new join token, under the lease: no apply creates machines meanwhile.
pub async fn rotate_token(context: &CommandContext<'_>, vault: &ClusterSecrets) -> Result<Exit, CliError> {
    let lock = open_run(context, "token rotate").await?;
    let rotated = match lock {
        RunLock::Leased { .. } => vault.rotate_token().await,
        RunLock::NoStore => {
            Err(CliError::not_applied(format!("{} has no join token: it was never applied", context.name())))
        }
    };
    lock.end(context).await;
    rotated?;
    context
        .ui
        .json(&json!({ "format": FORMAT, "cluster": context.name(), "sandbox": context.sandbox, "rotated": true }))?;
    context.ui.text("The join token is new.\n");
    context.ui.note(
        "masters take it up within minutes and then refuse the old one; a node that starts in between tries again \
         until they have. Nodes that have joined keep their own certificates.",
    );
    Ok(Exit::Done)
}
