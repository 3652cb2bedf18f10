//! The cloud that a cluster is on, and the store of its record: AWS, or the sandbox.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::aws::{Aws, S3Store, Scope};
use crate::blueprint;
use crate::engine::{RetryPolicy, Store};
use crate::kubernetes::Kubernetes;
use crate::resource::{Cloud, root};
use crate::sandbox::{Faults, Sandbox, Settings};
use crate::spec::{Cluster, StateLocation};
use crate::state::DirectoryStore;

use super::clouds::{Clouds, Errand};
use super::entrance::ByAws;
use super::error::CliError;
use super::flow::{Clinic, Flow};
use super::session::SANDBOX;
use super::{Session, Vault};

/// Where the sandbox keeps the records of files whose state is a directory.
const SANDBOX_STATE: &str = "sandbox-state";

/// A cluster and where it is.
pub struct Ground {
    /// What the file says.
    pub cluster: Cluster,
    /// Where its machines get their files and secrets.
    pub place: Place,
    cloud: Arc<dyn Cloud>,
    /// The way into its Kubernetes API; none in the sandbox, where no Kubernetes runs.
    entrance: Option<Arc<ByAws>>,
    store: Arc<dyn Store>,
    bucket: Arc<dyn Store>,
    workshop: PathBuf,
}

/// Where the machines of a cluster get their files and secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The bucket.
    pub bucket: String,
    /// The beginning of the cluster's keys in it: without slashes at its ends, often empty.
    pub prefix: String,
}

impl Ground {
    /// Opens the cloud of a cluster.
    pub(super) async fn open(session: &Session, cluster: Cluster, errand: Errand) -> Result<Self, CliError> {
        let workshop = session.workshop();
        if session.is_sandbox() {
            let sandbox = sandbox(session, &cluster)?;
            let place = Place::of(&cluster, &sandbox.settings().account);
            let bucket: Arc<dyn Store> = Arc::new(sandbox.store(&place.bucket, &place.prefix));
            let store = match &cluster.state {
                StateLocation::S3 { .. } => Arc::clone(&bucket),
                // The sandbox's record is never beside a real one, wherever the file says that this is.
                StateLocation::Directory(_) => Arc::new(DirectoryStore::new(workshop.join(SANDBOX_STATE))),
            };
            return Ok(Self { cluster, place, cloud: Arc::new(sandbox), entrance: None, store, bucket, workshop });
        }
        let place = Place::on_aws(&cluster).await?;
        let aws = Arc::new(Aws::connect(place.scope(cluster.name.as_str(), &cluster.region), None).await);
        let bucket: Arc<dyn Store> = Arc::new(S3Store::new(Arc::clone(&aws), place.bucket.as_str(), &place.prefix));
        let store = match &cluster.state {
            StateLocation::S3 { .. } => Arc::clone(&bucket),
            // `./dir` stays as it was written where the file is here.
            StateLocation::Directory(path) if session.directory() == Path::new(".") => {
                Arc::new(DirectoryStore::new(path))
            }
            StateLocation::Directory(path) => Arc::new(DirectoryStore::new(session.directory().join(path))),
        };
        let entrance = Arc::new(ByAws {
            cluster: cluster.name.to_string(),
            cloud: aws.clone(),
            store: Arc::clone(&store),
            vault: Vault::new(Arc::clone(&bucket), cluster.name.as_str()),
        });
        let kubernetes = Kubernetes::new(cluster.name.as_str(), entrance.clone());
        let clouds = Clouds::new(aws, kubernetes, cluster.network.plugin, errand);
        let groups = if errand == Errand::Leave { Vec::new() } else { cluster.nodes.keys().cloned().collect() };
        let cloud = Arc::new(clouds.with_groups(groups));
        Ok(Self { cluster, place, cloud, entrance: Some(entrance), store, bucket, workshop })
    }

    /// The cluster's secrets.
    pub fn vault(&self) -> Vault {
        Vault::new(Arc::clone(&self.bucket), self.cluster.name.as_str())
    }

    /// Where the cluster tells how it is.
    pub fn clinic(&self) -> Clinic {
        let kubernetes = |entrance: &Arc<ByAws>| Kubernetes::new(self.cluster.name.as_str(), entrance.clone());
        Clinic { vault: self.vault(), kubernetes: self.entrance.as_ref().map(kubernetes) }
    }

    /// What a command does with it.
    pub fn flow<'a>(&'a self, session: &'a Session) -> Flow<'a> {
        Flow {
            cluster: &self.cluster,
            cloud: self.cloud.as_ref(),
            store: Arc::clone(&self.store),
            bucket: Arc::clone(&self.bucket),
            sandbox: self.entrance.is_none(),
            ui: &session.ui,
            interrupt: &session.interrupt,
            holder: session.holder(),
            workshop: self.workshop.clone(),
            clinic: None,
            origin: None,
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
    settings.location = Some(blueprint::location(cluster, &settings.account));
    if let Some(faults) = session.environment.get("QUORATE_SANDBOX_FAULTS") {
        settings.faults = faults.parse::<Faults>().map_err(|error| CliError::Usage {
            message: format!("QUORATE_SANDBOX_FAULTS: {error}"),
            hint: "separate several with commas".to_owned(),
        })?;
    }
    Ok(Sandbox::open(&session.workshop().join(SANDBOX), settings))
}

/// Forgets the records of the sandbox that are not in its own buckets.
pub(super) async fn forget_state(session: &Session) -> Result<(), CliError> {
    let store = DirectoryStore::new(session.workshop().join(SANDBOX_STATE));
    store.purge("").await.map_err(CliError::cloud("emptying the sandbox"))
}

impl Place {
    fn of(cluster: &Cluster, account: &str) -> Self {
        let prefix = match &cluster.state {
            StateLocation::S3 { prefix, .. } => prefix.clone(),
            StateLocation::Directory(_) => String::new(),
        };
        Self { bucket: blueprint::bucket(cluster, account), prefix }
    }

    /// The account is asked for only where the bucket's name holds it, and the file does not say it.
    async fn on_aws(cluster: &Cluster) -> Result<Self, CliError> {
        match (&cluster.state, &cluster.account) {
            (StateLocation::S3 { bucket, prefix }, _) => Ok(Self { bucket: bucket.clone(), prefix: prefix.clone() }),
            (_, Some(account)) => Ok(Self::of(cluster, account)),
            _ => {
                let nowhere = Self { bucket: String::new(), prefix: String::new() };
                let aws = Aws::connect(nowhere.scope(cluster.name.as_str(), &cluster.region), None).await;
                let account = aws.account().await.map_err(CliError::cloud("asking for the account"))?;
                Ok(Self::of(cluster, &account))
            }
        }
    }

    fn scope(&self, cluster: &str, region: &str) -> Scope {
        Scope {
            cluster: cluster.to_owned(),
            region: region.to_owned(),
            bucket: self.bucket.clone(),
            prefix: format!("{}/", root(&self.prefix, cluster)),
        }
    }
}

/// The secrets of a cluster whose file is elsewhere, and the cloud that knows who asks: AWS, or the sandbox that is kept
/// in a directory.
pub(super) async fn vault_at(
    cluster: &str,
    region: &str,
    place: &Place,
    simulated: Option<&Path>,
) -> Result<(Arc<dyn Cloud>, Vault), CliError> {
    let Some(directory) = simulated else {
        let aws = Arc::new(Aws::connect(place.scope(cluster, region), None).await);
        let store = S3Store::new(Arc::clone(&aws), place.bucket.as_str(), &place.prefix);
        return Ok((aws, Vault::new(Arc::new(store), cluster)));
    };
    if !directory.is_dir() {
        return Err(CliError::Absent {
            message: format!("there is no sandbox in {}", directory.display()),
            hint: "`quorate apply --sandbox` beside the cluster file makes it".to_owned(),
        });
    }
    let sandbox = Sandbox::open(directory, Settings::new(region, cluster));
    let store = sandbox.store(&place.bucket, &place.prefix);
    Ok((Arc::new(sandbox), Vault::new(Arc::new(store), cluster)))
}
