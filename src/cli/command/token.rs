//! `quorate token`

use clap::{Args, Subcommand};

use crate::cli::file::Told;
use crate::cli::flow;
use crate::cli::{CliError, Errand, Exit, Session};

/// Manage the token that new nodes join the cluster with
#[derive(Debug, Clone, Args)]
pub struct Arguments {
    #[command(subcommand)]
    deed: Deed,
}

#[derive(Debug, Clone, Subcommand)]
enum Deed {
    /// Replace the join token; the old one stops working
    ///
    /// Masters use the new token within minutes. Nodes that have joined are not affected. A node that starts in the
    /// meantime retries until it has joined.
    Rotate,
}

impl Arguments {
    pub(super) async fn run(self, session: &Session) -> Result<Exit, CliError> {
        let Deed::Rotate = self.deed;
        let ground = session.ground(Told::Errors, Errand::Stay).await?;
        flow::rotate_token(&ground.flow(session), &ground.vault()).await
    }
}
