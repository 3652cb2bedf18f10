//! The cloud that a cluster is on, and the store of its record: AWS, or the sandbox.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::aws::{Aws, S3Store, Scope};
use crate::blueprint;
use crate::engine::{RetryPolicy, Store};
use crate::resource::Cloud;
use crate::sandbox::{Faults, Sandbox, Settings};
use crate::spec::{Cluster, StateLocation};
use crate::state::DirectoryStore;

use super::Session;
use super::error::CliError;
use super::flow::Flow;

/// Where the sandbox keeps the records of files whose state is a directory.
const SANDBOX_STATE: &str = "sandbox-state";

/// A cluster and where it is.
pub struct Ground {
    /// What the file says.
    pub cluster: Cluster,
    cloud: Arc<dyn Cloud>,
    store: Arc<dyn Store>,
    sandbox: bool,
    workshop: PathBuf,
}

impl Ground {
    /// Opens the cloud of a cluster. `directory` is the cluster file's: paths in the file start there.
    pub(super) async fn open(session: &Session, cluster: Cluster, directory: &Path) -> Result<Self, CliError> {
        let workshop = session.workshop()?;
        if session.is_sandbox() {
            let sandbox = sandbox(session, &cluster)?;
            let store = sandbox_store(&sandbox, &cluster, &workshop);
            return Ok(Self { cluster, cloud: Arc::new(sandbox), store, sandbox: true, workshop });
        }
        let (cloud, store) = aws(&cluster, directory).await?;
        Ok(Self { cluster, cloud, store, sandbox: false, workshop })
    }

    /// What a command does with it.
    pub fn flow<'a>(&'a self, session: &'a Session) -> Flow<'a> {
        Flow {
            cluster: &self.cluster,
            cloud: self.cloud.as_ref(),
            store: Arc::clone(&self.store),
            sandbox: self.sandbox,
            ui: &session.ui,
            interrupt: &session.interrupt,
            holder: session.holder(),
            workshop: self.workshop.clone(),
            retry: RetryPolicy::default(),
        }
    }
}

/// The simulated cloud beside the cluster file.
pub(super) fn sandbox(session: &Session, cluster: &Cluster) -> Result<Sandbox, CliError> {
    let mut settings = Settings::new(cluster.region.as_str(), cluster.name.as_str());
    if let Some(account) = &cluster.account {
        settings.account.clone_from(account);
    }
    if let StateLocation::S3 { bucket, .. } = &cluster.state {
        settings.bucket = Some(bucket.clone());
    }
    if let Some(faults) = session.environment.get("QUORATE_SANDBOX_FAULTS") {
        settings.faults = faults.parse::<Faults>().map_err(|error| CliError::Usage {
            message: format!("QUORATE_SANDBOX_FAULTS: {error}"),
            hint: "separate several with commas".to_owned(),
        })?;
    }
    Ok(Sandbox::open(&session.workshop()?.join("sandbox"), settings))
}

/// The sandbox's record is never beside a real one, wherever the file says that this is.
fn sandbox_store(sandbox: &Sandbox, cluster: &Cluster, workshop: &Path) -> Arc<dyn Store> {
    match &cluster.state {
        StateLocation::S3 { bucket, prefix } => Arc::new(sandbox.store(bucket, prefix)),
        StateLocation::Directory(_) => Arc::new(DirectoryStore::new(workshop.join(SANDBOX_STATE))),
    }
}

/// Forgets the records of the sandbox that are not in its own buckets.
pub(super) async fn forget_state(session: &Session) -> Result<(), CliError> {
    let store = DirectoryStore::new(session.workshop()?.join(SANDBOX_STATE));
    store.purge("").await.map_err(CliError::cloud("emptying the sandbox"))
}

/// The account and region that the environment's credentials and the file's zones lead to.
async fn aws(cluster: &Cluster, directory: &Path) -> Result<(Arc<dyn Cloud>, Arc<dyn Store>), CliError> {
    let scope = |bucket: String, prefix: String| Scope {
        cluster: cluster.name.to_string(),
        region: cluster.region.clone(),
        bucket,
        prefix,
    };
    match &cluster.state {
        StateLocation::S3 { bucket, prefix } => {
            let below = if prefix.is_empty() { String::new() } else { format!("{prefix}/") };
            let scope = scope(bucket.clone(), format!("{below}{}/", cluster.name));
            let aws = Arc::new(Aws::connect(scope, None).await);
            let store = S3Store::new(Arc::clone(&aws), bucket.as_str(), prefix);
            Ok((aws, Arc::new(store)))
        }
        StateLocation::Directory(path) => {
            let prefix = format!("{}/", cluster.name);
            let account = match &cluster.account {
                Some(account) => account.clone(),
                None => account(Aws::connect(scope(String::new(), prefix.clone()), None).await).await?,
            };
            let scope = scope(blueprint::bucket(cluster, &account), prefix);
            // `./dir` stays as it was written where the file is here.
            let path = if directory == Path::new(".") { path.clone() } else { directory.join(path) };
            let store = DirectoryStore::new(path);
            Ok((Arc::new(Aws::connect(scope, None).await), Arc::new(store)))
        }
    }
}

/// Whose credentials these are: the name of a bucket that nobody names holds it.
async fn account(aws: Aws) -> Result<String, CliError> {
    aws.account().await.map_err(CliError::cloud("asking for the account"))
}
