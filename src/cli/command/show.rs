//! `quorate show`

use clap::Args;

use crate::cli::file::Told;
use crate::cli::flow;
use crate::cli::{CliError, Errand, Exit, Session};

/// List the cluster's objects and machines with their identifiers
///
/// Machines are listed below their Auto Scaling group.
#[derive(Debug, Clone, Args)]
pub struct Arguments {}

impl Arguments {
    pub(super) async fn run(self, session: &Session) -> Result<Exit, CliError> {
        let ground = session.ground(Told::Errors, Errand::Stay).await?;
        flow::show(&ground.flow(session)).await
    }
}
