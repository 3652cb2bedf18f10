//! `quorate destroy`

use clap::Args;

use crate::cli::client_origin::ApiEntryMode;
use crate::cli::file::ShownDiagnostics;
use crate::cli::flow::{self, CommandContext, Consent};
use crate::cli::{ApiWait, CliError, Exit, Session};

/// Delete the cluster and everything that belongs to it
///
/// Lists every object by name and asks for the cluster's name as confirmation. Deletes only what belongs to the cluster,
/// etcd's data included. Ends with a scan of the account: "0 resources left", or the list of what is left. With --yes,
/// data is deleted only if --delete-data is passed too.
#[derive(Debug, Clone, Args)]
pub struct DestroyArgs {
    /// Destroy without confirmation
    #[arg(short, long)]
    yes: bool,
    /// With --yes: also delete data, such as etcd volumes and snapshots
    #[arg(long)]
    delete_data: bool,
    #[command(flatten)]
    entry: ApiEntryMode,
    /// Show full identifiers, and all changes of a plan that is refused
    #[arg(short, long)]
    pub(super) verbose: bool,
}

impl DestroyArgs {
    pub(super) async fn run(self, session: &Session) -> Result<Exit, CliError> {
        let ground = session.open_cluster(ShownDiagnostics::Errors, ApiWait::Leave).await?;
        let flow = CommandContext { origin: self.entry.origin(&session.environment)?, ..ground.flow(session) };
        flow::destroy(&flow, Consent { yes: self.yes, delete_data: self.delete_data }).await
    }
}
