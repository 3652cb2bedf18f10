//! `quorate replace`: one machine is replaced.

use clap::Args;

use crate::cli::completion;
use crate::cli::run::plan_request::PlanRequest;
use crate::cli::{CliError, Exit, MachineSelection, Session};

use super::apply::ApplyFlags;

/// Replace one machine
///
/// Replaces a machine that has the wanted version already, for example one on damaged hardware. Its group starts another
/// one, and the machine is drained and ended. Shows the plan, asks for confirmation and applies it, as `apply` does; other
/// changes of the cluster file are part of the plan. If it is interrupted, `apply` continues it.
#[derive(Debug, Clone, Args)]
pub struct ReplaceArgs {
    /// The machine: an instance id, or a name that `quorate show` prints, for example `master-a`
    #[arg(value_name = "MACHINE", add = completion::machines())]
    machine: String,
    #[command(flatten)]
    pub(super) apply: ApplyFlags,
}

impl ReplaceArgs {
    pub(super) async fn run(self, session: &Session) -> Result<Exit, CliError> {
        self.apply.run(session, PlanRequest::replace(MachineSelection::Machine(self.machine))).await
    }
}
