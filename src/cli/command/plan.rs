//! `quorate plan`

use clap::Args;

use crate::cli::file::Told;
use crate::cli::flow::{self, Look};
use crate::cli::{CliError, Errand, Exit, Session};
use crate::engine::Mode;

/// Show what apply would change, and change nothing
///
/// Looks at the cloud and at the record, and compares them with the cluster file. What somebody changed outside
/// since the last apply is told apart from what the file asks for. The most dangerous changes come first.
#[derive(Debug, Clone, Args)]
#[allow(clippy::struct_excessive_bools, reason = "each is a flag of its own on the command line")]
pub struct Arguments {
    /// Show what destroy would remove
    #[arg(long, conflicts_with = "refresh_only")]
    destroy: bool,
    /// Show only what was changed outside since the last apply
    #[arg(long)]
    refresh_only: bool,
    /// Exit with 2 when something differs
    #[arg(long)]
    detailed_exitcode: bool,
    /// Show every attribute of what would be created
    #[arg(short, long)]
    pub(super) verbose: bool,
}

impl Arguments {
    pub(super) async fn run(self, session: &Session) -> Result<Exit, CliError> {
        let mode = match (self.destroy, self.refresh_only) {
            (true, _) => Mode::Destroy,
            (_, true) => Mode::Refresh,
            _ => Mode::Apply,
        };
        let ground = session.ground(Told::Everything, Errand::Stay).await?;
        flow::plan(&ground.flow(session), Look { mode, detailed: self.detailed_exitcode }).await
    }
}
