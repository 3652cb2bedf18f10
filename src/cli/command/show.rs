//! `quorate show`

use clap::Args;

use crate::cli::file::Told;
use crate::cli::flow;
use crate::cli::{CliError, Errand, Exit, Session};

/// List what exists, with the cloud's identifiers
///
/// Every object of the cluster, and the machines of each group below it.
#[derive(Debug, Clone, Args)]
pub struct Arguments {}

impl Arguments {
    pub(super) async fn run(self, session: &Session) -> Result<Exit, CliError> {
        let ground = session.ground(Told::Errors, Errand::Stay).await?;
        flow::show(&ground.flow(session)).await
    }
}
