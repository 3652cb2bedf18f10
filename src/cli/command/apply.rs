//! `quorate apply`

use clap::Args;

use crate::cli::file::Told;
use crate::cli::flow::{self, Consent, Flow};
use crate::cli::origin::Entry;
use crate::cli::{CliError, Errand, Exit, Session};

/// Make the cloud match the cluster file
///
/// Shows the plan, asks, and carries it out: everything that can happen at the same time does. The first Ctrl-C
/// finishes what is in flight and records it; the second one stops waiting. Run it again after any failure: it
/// goes on where it stopped. After a change it waits until the machines are a cluster that is well. Where `api.allow`
/// shuts this machine out, the API is opened to its address while it runs.
#[derive(Debug, Clone, Args)]
#[allow(clippy::struct_excessive_bools, reason = "each is a flag of its own on the command line")]
pub struct Arguments {
    /// Apply without asking
    #[arg(short, long)]
    yes: bool,
    /// Allow changes that lose data, such as the removal of a master's etcd volume
    #[arg(long)]
    delete_data: bool,
    /// Do not wait until the machines are a cluster that is well. What belongs into a cluster whose API does not answer yet
    /// is left to the next apply, and told
    #[arg(long)]
    no_wait: bool,
    #[command(flatten)]
    entry: Entry,
    /// Show every attribute of what is created
    #[arg(short, long)]
    pub(super) verbose: bool,
}

impl Arguments {
    pub(super) async fn run(self, session: &Session) -> Result<Exit, CliError> {
        let errand = if self.no_wait { Errand::Hurry } else { Errand::Stay };
        let ground = session.ground(Told::Everything, errand).await?;
        let clinic = ground.clinic();
        let origin = self.entry.origin(&session.environment)?;
        let flow = Flow { clinic: (!self.no_wait).then_some(&clinic), origin, ..ground.flow(session) };
        flow::apply(&flow, Consent { yes: self.yes, delete_data: self.delete_data }).await
    }
}
