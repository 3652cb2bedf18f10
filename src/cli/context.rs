//! The cloud of a cluster and the store of its record: AWS, or the sandbox.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::aws::{AwsProvider, ClusterScope, S3Store};
use crate::blueprint;
use crate::cloud::CloudProvider;
use crate::engine::{BoxFuture, ObjectStore, RetryPolicy};
use crate::kubernetes::KubernetesProvider;
use crate::resource::root;
use crate::sandbox::{FaultRates, Sandbox, SandboxSettings};
use crate::spec::{Cluster, StateLocation};
use crate::state::DirectoryStore;

use super::client_access::ByAws;
use super::composite_provider::{ApiWait, CompositeProvider};
use super::error::CliError;
use super::flow::{CommandContext, HealthSources, StatePlace, StatePlaces};
use super::session::SANDBOX;
use super::{ClusterSecrets, Session};

/// The directory in which the sandbox keeps the records of files whose state is a directory.
const SANDBOX_STATE: &str = "sandbox-state";

/// A cluster, its cloud and its stores.
pub struct ClusterContext {
    /// The cluster that the file describes.
    pub cluster: Cluster,
    /// The bucket from which its machines get their files and secrets.
    pub place: BucketLocation,
    cloud: Arc<dyn CloudProvider>,
    /// The access to its Kubernetes API; `None` in the sandbox, which runs no Kubernetes.
    entrance: Option<Arc<ByAws>>,
    store: Arc<dyn ObjectStore>,
    bucket: Arc<dyn ObjectStore>,
    local_dir: PathBuf,
}

/// The location in S3 of the files and secrets of a cluster's machines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BucketLocation {
    /// The bucket.
    pub bucket: String,
    /// The prefix of the cluster's keys in the bucket: without slashes at its ends, often empty.
    pub prefix: String,
}

impl ClusterContext {
    /// Opens the cloud of a cluster.
    pub(super) async fn open(session: &Session, cluster: Cluster, errand: ApiWait) -> Result<Self, CliError> {
        let local_dir = session.local_dir();
        if session.is_sandbox() {
            let sandbox = sandbox(session, &cluster)?;
            let place = BucketLocation::of(&cluster, &sandbox.settings().account);
            let bucket: Arc<dyn ObjectStore> = Arc::new(sandbox.store(&place.bucket, &place.prefix));
            let store = match &cluster.state {
                StateLocation::S3 { .. } => Arc::clone(&bucket),
                // The sandbox's record is never stored beside a real one, whatever location the file names.
                StateLocation::Directory(_) => Arc::new(DirectoryStore::new(local_dir.join(SANDBOX_STATE))),
            };
            return Ok(Self { cluster, place, cloud: Arc::new(sandbox), entrance: None, store, bucket, local_dir });
        }
        let place = BucketLocation::on_aws(&cluster).await?;
        let aws = Arc::new(AwsProvider::connect(place.scope(cluster.name.as_str(), &cluster.region), None).await);
        let bucket: Arc<dyn ObjectStore> =
            Arc::new(S3Store::new(Arc::clone(&aws), place.bucket.as_str(), &place.prefix));
        let store = match &cluster.state {
            StateLocation::S3 { .. } => Arc::clone(&bucket),
            // `./dir` is kept unchanged if the file is in the working directory.
            StateLocation::Directory(path) if session.directory() == Path::new(".") => {
                Arc::new(DirectoryStore::new(path))
            }
            StateLocation::Directory(path) => Arc::new(DirectoryStore::new(session.directory().join(path))),
        };
        let entrance = Arc::new(ByAws {
            cluster: cluster.name.to_string(),
            cloud: aws.clone(),
            store: Arc::clone(&store),
            vault: ClusterSecrets::new(Arc::clone(&bucket), cluster.name.as_str()),
        });
        let kubernetes = KubernetesProvider::new(cluster.name.as_str(), entrance.clone());
        let clouds = CompositeProvider::new(aws, kubernetes, cluster.network.plugin, errand);
        let groups = if errand == ApiWait::Leave { Vec::new() } else { cluster.nodes.keys().cloned().collect() };
        let cloud = Arc::new(clouds.with_groups(groups));
        Ok(Self { cluster, place, cloud, entrance: Some(entrance), store, bucket, local_dir })
    }

    /// Returns the cluster's secrets.
    pub fn vault(&self) -> ClusterSecrets {
        ClusterSecrets::new(Arc::clone(&self.bucket), self.cluster.name.as_str())
    }

    /// Returns the sources of information about the cluster's health.
    pub fn health_sources(&self) -> HealthSources {
        let kubernetes = |entrance: &Arc<ByAws>| KubernetesProvider::new(self.cluster.name.as_str(), entrance.clone());
        HealthSources { vault: self.vault(), kubernetes: self.entrance.as_ref().map(kubernetes) }
    }

    /// Returns the context in which a command works with the cluster.
    pub fn flow<'a>(&'a self, session: &'a Session) -> CommandContext<'a> {
        CommandContext {
            cluster: &self.cluster,
            cloud: self.cloud.as_ref(),
            store: Arc::clone(&self.store),
            bucket: Arc::clone(&self.bucket),
            places: Arc::new(OtherPlaces { session, cluster: &self.cluster }),
            sandbox: self.entrance.is_none(),
            ui: &session.ui,
            interrupt: &session.interrupt,
            holder: session.holder(),
            local_dir: self.local_dir.clone(),
            health_sources: None,
            origin: None,
            retry: RetryPolicy::default(),
        }
    }
}

/// Opens a cluster with another `state`.
struct OtherPlaces<'a> {
    session: &'a Session,
    cluster: &'a Cluster,
}

impl StatePlaces for OtherPlaces<'_> {
    fn open<'a>(&'a self, state: &'a StateLocation) -> BoxFuture<'a, Result<StatePlace, CliError>> {
        Box::pin(async move {
            let cluster = Cluster { state: state.clone(), ..self.cluster.clone() };
            let ClusterContext { cluster, cloud, store, bucket, .. } =
                ClusterContext::open(self.session, cluster, ApiWait::Leave).await?;
            Ok(StatePlace { cluster, cloud, store, bucket })
        })
    }
}

/// Opens the simulated cloud beside the cluster file.
pub(super) fn sandbox(session: &Session, cluster: &Cluster) -> Result<Sandbox, CliError> {
    let mut settings = SandboxSettings::new(cluster.region.as_str(), cluster.name.as_str());
    if let Some(account) = &cluster.account {
        settings.account.clone_from(account);
    }
    if let StateLocation::S3 { bucket, .. } = &cluster.state {
        settings.bucket = Some(bucket.clone());
    }
    settings.location = Some(blueprint::location(cluster, &settings.account));
    if let Some(faults) = session.environment.get("QUORATE_SANDBOX_FAULTS") {
        settings.faults = faults.parse::<FaultRates>().map_err(|error| CliError::Usage {
            message: format!("QUORATE_SANDBOX_FAULTS: {error}"),
            hint: "separate several with commas".to_owned(),
        })?;
    }
    Ok(Sandbox::open(&session.local_dir().join(SANDBOX), settings))
}

/// Deletes the records of the sandbox that are not in its own buckets.
pub(super) async fn forget_state(session: &Session) -> Result<(), CliError> {
    let store = DirectoryStore::new(session.local_dir().join(SANDBOX_STATE));
    store.purge("").await.map_err(CliError::cloud("emptying the sandbox"))
}

impl BucketLocation {
    fn of(cluster: &Cluster, account: &str) -> Self {
        let prefix = match &cluster.state {
            StateLocation::S3 { prefix, .. } => prefix.clone(),
            StateLocation::Directory(_) => String::new(),
        };
        Self { bucket: blueprint::bucket(cluster, account), prefix }
    }

    /// Asks AWS for the account only if the bucket's name contains it and the file does not.
    async fn on_aws(cluster: &Cluster) -> Result<Self, CliError> {
        match (&cluster.state, &cluster.account) {
            (StateLocation::S3 { bucket, prefix }, _) => Ok(Self { bucket: bucket.clone(), prefix: prefix.clone() }),
            (_, Some(account)) => Ok(Self::of(cluster, account)),
            _ => {
                let nowhere = Self { bucket: String::new(), prefix: String::new() };
                let aws = AwsProvider::connect(nowhere.scope(cluster.name.as_str(), &cluster.region), None).await;
                let account = aws.account().await.map_err(CliError::cloud("asking for the account"))?;
                Ok(Self::of(cluster, &account))
            }
        }
    }

    fn scope(&self, cluster: &str, region: &str) -> ClusterScope {
        ClusterScope {
            cluster: cluster.to_owned(),
            region: region.to_owned(),
            bucket: self.bucket.clone(),
            prefix: format!("{}/", root(&self.prefix, cluster)),
        }
    }
}

/// Opens the secrets of a cluster whose file is elsewhere, and the cloud that knows the caller: AWS, or a sandbox that
/// is stored in a directory.
pub(super) async fn vault_at(
    cluster: &str,
    region: &str,
    place: &BucketLocation,
    simulated: Option<&Path>,
) -> Result<(Arc<dyn CloudProvider>, ClusterSecrets), CliError> {
    let Some(directory) = simulated else {
        let aws = Arc::new(AwsProvider::connect(place.scope(cluster, region), None).await);
        let store = S3Store::new(Arc::clone(&aws), place.bucket.as_str(), &place.prefix);
        return Ok((aws, ClusterSecrets::new(Arc::new(store), cluster)));
    };
    if !directory.is_dir() {
        return Err(CliError::Absent {
            message: format!("there is no sandbox in {}", directory.display()),
            hint: "`quorate apply --sandbox` beside the cluster file makes it".to_owned(),
        });
    }
    let sandbox = Sandbox::open(directory, SandboxSettings::new(region, cluster));
    let store = sandbox.store(&place.bucket, &place.prefix);
    Ok((Arc::new(sandbox), ClusterSecrets::new(Arc::new(store), cluster)))
}
