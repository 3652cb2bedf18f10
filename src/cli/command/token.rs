//! `quorate token`

use clap::{Args, Subcommand};

use crate::cli::file::Told;
use crate::cli::flow;
use crate::cli::{CliError, Errand, Exit, Session};

/// Change what new nodes join the cluster by
#[derive(Debug, Clone, Args)]
pub struct Arguments {
    #[command(subcommand)]
    deed: Deed,
}

#[derive(Debug, Clone, Subcommand)]
enum Deed {
    /// Replace the join token: the old one lets nobody in any more
    ///
    /// Masters take the new one up within minutes. Nodes that have joined are not affected; a node that starts
    /// meanwhile tries again until it gets in.
    Rotate,
}

impl Arguments {
    pub(super) async fn run(self, session: &Session) -> Result<Exit, CliError> {
        let Deed::Rotate = self.deed;
        let ground = session.ground(Told::Errors, Errand::Stay).await?;
        flow::rotate_token(&ground.flow(session), &ground.vault()).await
    }
}
