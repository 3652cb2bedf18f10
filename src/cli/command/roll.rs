//! `quorate roll`: machines are replaced although nothing of them changes.

use clap::Args;

use crate::cli::completion;
use crate::cli::run::plan_request::PlanRequest;
use crate::cli::{CliError, Exit, MachineSelection, Session};

use super::apply::ApplyFlags;

/// Replace the machines of a group, or all machines
///
/// Replaces machines that have the wanted version already, for example to get a new root volume or to leave damaged
/// hardware. The masters are replaced one at a time, and the machines of a node group within the limits of its `roll`
/// setting. Shows the plan, asks for confirmation and applies it, as `apply` does; other changes of the cluster file
/// are part of the plan. If it is interrupted, `apply` continues it.
#[derive(Debug, Clone, Args)]
pub struct RollArgs {
    /// The group: a node group, or `masters`. Default: all machines
    #[arg(add = completion::groups())]
    group: Option<String>,
    #[command(flatten)]
    pub(super) apply: ApplyFlags,
}

impl RollArgs {
    pub(super) async fn run(self, session: &Session) -> Result<Exit, CliError> {
        let machines = self.group.map_or(MachineSelection::All, MachineSelection::Group);
        self.apply.run(session, PlanRequest::replace(machines)).await
    }
}
