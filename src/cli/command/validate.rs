//! `quorate validate`

use std::time::Duration;

use clap::Args;

use super::kubeconfig::duration;
use crate::cli::file::ShownDiagnostics;
use crate::cli::flow;
use crate::cli::{ApiWait, CliError, Exit, Session};

/// Check the health of the cluster
///
/// Checks machines and their boot, clocks, etcd, the control plane, nodes, load balancer targets, DNS names and
/// certificates. Prints one line for each, and what to do about each problem. Exits with code 2 if a check fails or
/// cannot be made.
#[derive(Debug, Clone, Args)]
pub struct ValidateArgs {
    /// Repeat until the cluster is healthy, at most for this long
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    wait: Option<jiff::SignedDuration>,
}

impl ValidateArgs {
    pub(super) async fn run(self, session: &Session) -> Result<Exit, CliError> {
        let ground = session.open_cluster(ShownDiagnostics::Errors, ApiWait::Stay).await?;
        let patience = self.wait.map_or(Duration::ZERO, jiff::SignedDuration::unsigned_abs);
        flow::validate(&ground.flow(session), &ground.health_sources(), patience).await
    }
}
