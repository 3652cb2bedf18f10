//! `quorate token`

use clap::{Args, Subcommand};

use crate::cli::file::ShownDiagnostics;
use crate::cli::flow;
use crate::cli::{ApiWait, CliError, Exit, Session};

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
    Rotate,
}

impl TokenArgs {
    pub(super) async fn run(self, session: &Session) -> Result<Exit, CliError> {
        let TokenAction::Rotate = self.action;
        let ground = session.open_cluster(ShownDiagnostics::Errors, ApiWait::Stay).await?;
        flow::rotate_token(&ground.flow(session), &ground.vault()).await
    }
}
