//! `quorate show`

use clap::Args;

use crate::cli::file::ShownDiagnostics;
use crate::cli::flow;
use crate::cli::{ApiWait, CliError, Exit, Session};

/// List the cluster's objects and machines with their identifiers
///
/// Machines are listed below their Auto Scaling group.
#[derive(Debug, Clone, Args)]
pub struct ShowArgs {}

impl ShowArgs {
    pub(super) async fn run(self, session: &Session) -> Result<Exit, CliError> {
        let ground = session.open_cluster(ShownDiagnostics::Errors, ApiWait::Stay).await?;
        flow::show(&ground.flow(session)).await
    }
}
