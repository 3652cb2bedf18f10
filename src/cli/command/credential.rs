//! `quorate credential`

use std::path::PathBuf;

use clap::Args;
use jiff::SignedDuration;

use crate::cli::connect::{BucketLocation, secrets_at};
use crate::cli::{CliError, ClusterContext, Exit, Session};
use crate::kubeconfig;

/// The lifetime of a credential; kubectl requests a new one when it has expired.
const LIFETIME: SignedDuration = SignedDuration::from_hours(1);

/// Print a credential for the Kubernetes API (run by kubectl)
///
/// A kubeconfig that `quorate kubeconfig` wrote runs this command. It prints a client certificate that is valid for one
/// hour and its key, and stores neither. It needs no cluster file.
#[derive(Debug, Clone, Args)]
pub struct CredentialArgs {
    /// The cluster's name
    #[arg(long, value_name = "NAME")]
    cluster: String,
    /// The cluster's region
    #[arg(long)]
    region: String,
    /// The cluster's state bucket
    #[arg(long)]
    bucket: String,
    /// The prefix of the cluster's objects in the bucket
    #[arg(long, default_value = "")]
    prefix: String,
    /// The directory of the sandbox that holds the cluster, instead of AWS
    #[arg(long, value_name = "DIRECTORY", hide = true)]
    simulated: Option<PathBuf>,
}

impl CredentialArgs {
    /// Returns the arguments for the cluster of a command.
    pub(super) async fn of(session: &Session, context: &ClusterContext<'_>) -> Result<Self, CliError> {
        let BucketLocation { bucket, prefix } = BucketLocation::of_context(context).await?;
        let simulated = if session.is_sandbox() { Some(session.simulated()?) } else { None };
        let (cluster, region) = (context.cluster.name.to_string(), context.cluster.region.clone());
        Ok(Self { cluster, region, bucket, prefix, simulated })
    }

    /// Returns the command line of this command, without the program.
    pub(super) fn typed(&self) -> Vec<String> {
        let simulated = self.simulated.as_ref().map(|directory| directory.display().to_string());
        let options = [
            ("--cluster", Some(&self.cluster)),
            ("--region", Some(&self.region)),
            ("--bucket", Some(&self.bucket)),
            ("--prefix", Some(&self.prefix).filter(|prefix| !prefix.is_empty())),
            ("--simulated", simulated.as_ref()),
        ];
        let given = options.into_iter().filter_map(|(name, value)| Some([name.to_owned(), value?.clone()]));
        std::iter::once("credential".to_owned()).chain(given.flatten()).collect()
    }

    pub(super) async fn run(self, session: &Session) -> Result<Exit, CliError> {
        let place = BucketLocation { bucket: self.bucket, prefix: self.prefix };
        let here = || session.is_sandbox().then(|| session.simulated()).transpose();
        let simulated = if self.simulated.is_some() { self.simulated } else { here()? };
        let (cloud, secrets) = secrets_at(&self.cluster, &self.region, &place, simulated.as_deref()).await?;
        let client = session.interrupt.or(secrets.administrator(cloud.as_ref(), LIFETIME)).await??;
        session.ui.result(&kubeconfig::credential(&client));
        Ok(Exit::Done)
    }
}
