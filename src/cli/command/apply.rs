//! `quorate apply`

use clap::Args;

use crate::cli::client_origin::ApiEntryMode;
use crate::cli::file::ShownDiagnostics;
use crate::cli::flow::{self, CommandContext, Consent};
use crate::cli::{ApiWait, CliError, Exit, Session};

/// Change AWS and Kubernetes to match the cluster file
///
/// Shows the plan, asks for confirmation, and makes the changes, as many as possible at the same time. Then waits until
/// the cluster is healthy. The first Ctrl-C finishes the changes in flight and records them; the second one does not
/// wait for them. After any failure, run it again to resume. If `api.allow` does not contain this machine's address, the API is
/// opened to it while the run lasts.
#[derive(Debug, Clone, Args)]
#[allow(clippy::struct_excessive_bools, reason = "each is a flag of its own on the command line")]
pub struct ApplyArgs {
    /// Apply without confirmation
    #[arg(short, long)]
    yes: bool,
    /// Allow changes that lose data, such as the removal of an etcd volume
    #[arg(long)]
    delete_data: bool,
    /// Do not wait until the cluster is healthy. Kubernetes objects are skipped while the API is unreachable; the next apply
    /// creates them
    #[arg(long)]
    no_wait: bool,
    #[command(flatten)]
    entry: ApiEntryMode,
    /// Show every attribute of new objects
    #[arg(short, long)]
    pub(super) verbose: bool,
}

impl ApplyArgs {
    pub(super) async fn run(self, session: &Session) -> Result<Exit, CliError> {
        let errand = if self.no_wait { ApiWait::Hurry } else { ApiWait::Stay };
        let ground = session.open_cluster(ShownDiagnostics::Everything, errand).await?;
        let health_sources = ground.health_sources();
        let origin = self.entry.origin(&session.environment)?;
        let flow = CommandContext {
            health_sources: (!self.no_wait).then_some(&health_sources),
            origin,
            ..ground.flow(session)
        };
        flow::apply(&flow, Consent { yes: self.yes, delete_data: self.delete_data }).await
    }
}
