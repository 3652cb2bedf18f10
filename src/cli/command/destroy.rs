//! `quorate destroy`

use clap::Args;

use crate::cli::file::Told;
use crate::cli::flow::{self, Consent, Flow};
use crate::cli::origin::Entry;
use crate::cli::{CliError, Errand, Exit, Session};

/// Remove the cluster, and everything that it left
///
/// Lists every object by name and asks for the cluster's name. Removes only what is the cluster's own, etcd's data
/// included, and ends with a fresh look: "0 resources left", or the list of what is left. Without a question, data
/// goes only with --delete-data.
#[derive(Debug, Clone, Args)]
pub struct Arguments {
    /// Destroy without asking
    #[arg(short, long)]
    yes: bool,
    /// With --yes: allow that data goes, such as etcd's volumes and their backups
    #[arg(long)]
    delete_data: bool,
    #[command(flatten)]
    entry: Entry,
    /// Show what is left out to be short: whole identifiers, and the rest of a plan that is refused
    #[arg(short, long)]
    pub(super) verbose: bool,
}

impl Arguments {
    pub(super) async fn run(self, session: &Session) -> Result<Exit, CliError> {
        let ground = session.ground(Told::Errors, Errand::Leave).await?;
        let flow = Flow { origin: self.entry.origin(&session.environment)?, ..ground.flow(session) };
        flow::destroy(&flow, Consent { yes: self.yes, delete_data: self.delete_data }).await
    }
}
