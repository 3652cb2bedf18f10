//! `quorate validate`

use std::time::Duration;

use clap::Args;

use super::kubeconfig::duration;
use crate::cli::file::Told;
use crate::cli::flow;
use crate::cli::{CliError, Errand, Exit, Session};

/// Show whether the cluster is well
///
/// Machines, their first script, clocks, etcd, the control plane, nodes, load balancers, names and certificates: one line
/// each, and for what is wrong what to do about it. Exits with 2 when something is wrong or cannot be looked at.
#[derive(Debug, Clone, Args)]
pub struct Arguments {
    /// Look again until the cluster is well, for at most so long
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    wait: Option<jiff::SignedDuration>,
}

impl Arguments {
    pub(super) async fn run(self, session: &Session) -> Result<Exit, CliError> {
        let ground = session.ground(Told::Errors, Errand::Stay).await?;
        let patience = self.wait.map_or(Duration::ZERO, jiff::SignedDuration::unsigned_abs);
        flow::validate(&ground.flow(session), &ground.clinic(), patience).await
    }
}
