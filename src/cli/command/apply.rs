//! `quorate apply`

use clap::Args;

use crate::cli::file::Told;
use crate::cli::flow::{self, Consent, Flow};
use crate::cli::origin::Entry;
use crate::cli::{CliError, Errand, Exit, Session};

/// Change AWS and Kubernetes to match the cluster file
///
/// Shows the plan, asks for confirmation, and makes the changes, as many as possible at the same time. Then waits until
/// the cluster is healthy. The first Ctrl-C finishes the changes in flight and records them; the second one does not
/// wait for them. After any failure, run it again to resume. If `api.allow` does not contain this machine's address, the API is
/// opened to it while the run lasts.
#[derive(Debug, Clone, Args)]
#[allow(clippy::struct_excessive_bools, reason = "each is a flag of its own on the command line")]
pub struct Arguments {
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
    entry: Entry,
    /// Show every attribute of new objects
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
