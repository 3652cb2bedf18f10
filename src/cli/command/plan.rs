//! `quorate plan`

use clap::Args;

use crate::cli::file::ShownDiagnostics;
use crate::cli::flow::{self, PlanOptions};
use crate::cli::{ApiWait, CliError, Exit, Session};
use crate::engine::PlanMode;

/// Show what apply would change
///
/// Compares the cluster file with AWS, Kubernetes and the record of the last apply. Changes that were made outside
/// Quorate since the last apply are marked as such. The most dangerous changes come first. Changes nothing.
#[derive(Debug, Clone, Args)]
#[allow(clippy::struct_excessive_bools, reason = "each is a flag of its own on the command line")]
pub struct PlanArgs {
    /// Show what destroy would delete
    #[arg(long, conflicts_with = "refresh_only")]
    destroy: bool,
    /// Show only what was changed outside Quorate since the last apply
    #[arg(long)]
    refresh_only: bool,
    /// Exit with code 2 if the plan is not empty
    #[arg(long)]
    detailed_exitcode: bool,
    /// Show every attribute of new objects
    #[arg(short, long)]
    pub(super) verbose: bool,
}

impl PlanArgs {
    pub(super) async fn run(self, session: &Session) -> Result<Exit, CliError> {
        let mode = match (self.destroy, self.refresh_only) {
            (true, _) => PlanMode::Destroy,
            (_, true) => PlanMode::Refresh,
            _ => PlanMode::Apply,
        };
        let ground = session.open_cluster(ShownDiagnostics::Everything, ApiWait::Stay).await?;
        flow::plan(&ground.flow(session), PlanOptions { mode, detailed: self.detailed_exitcode }).await
    }
}
