//! Opening a cluster: its cloud and its stores, on AWS or in the sandbox.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::aws::{AwsProvider, ClusterScope, S3Store};
use crate::blueprint;
use crate::cloud::CloudProvider;
use crate::engine::{BoxFuture, ObjectStore, RetryPolicy};
use crate::kubernetes::{ClientAccess, KubernetesProvider};
use crate::resource::root;
use crate::sandbox::{FaultRates, Sandbox, SandboxSettings};
use crate::spec::{Cluster, StateLocation};
use crate::state::DirectoryStore;

use super::client_access::ByAws;
use super::composite_provider::{ApiWait, CompositeProvider};
use super::context::{ClusterContext, StatePlace, StatePlaces};
use super::error::CliError;
use super::file::ShownDiagnostics;
use super::run::wait::account;
use super::session::SANDBOX;
use super::{ClusterSecrets, PackageRepository, Session};

/// The directory in which the sandbox keeps the records of files whose state is a directory.
const SANDBOX_STATE: &str = "sandbox-state";

/// The location in S3 of the files and secrets of a cluster's machines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct BucketLocation {
    /// The bucket.
    pub(super) bucket: String,
    /// The prefix of the cluster's keys in the bucket: without slashes at its ends, often empty.
    pub(super) prefix: String,
}

/// The cloud and the stores of a cluster.
struct Connection {
    cloud: Arc<dyn CloudProvider>,
    kubernetes: Option<Arc<dyn ClientAccess>>,
    store: Arc<dyn ObjectStore>,
    bucket: Arc<dyn ObjectStore>,
}

/// Reads the cluster file and opens its cloud. Makes no call, unless the bucket's name contains the account and only AWS
/// knows it.
pub(super) async fn open_cluster(
    session: &Session,
    shown: ShownDiagnostics,
    wait: ApiWait,
) -> Result<ClusterContext<'_>, CliError> {
    let cluster = session.file()?.cluster(&session.ui, shown)?;
    let Connection { cloud, kubernetes, store, bucket } = connect(session, &cluster, wait).await?;
    let (prices, price_cache) = session.prices(&cluster.region)?;
    Ok(ClusterContext {
        cluster,
        cloud,
        kubernetes,
        store,
        bucket,
        places: Arc::new(SessionPlaces { session }),
        sandbox: session.is_sandbox(),
        ui: &session.ui,
        interrupt: &session.interrupt,
        prices,
        price_cache,
        holder: session.holder(),
        local_dir: session.local_dir(),
        retry: RetryPolicy::default(),
        // A command that takes the lease sets it from its arguments.
        lock_timeout: Duration::ZERO,
        packages: PackageRepository::of(session),
        now: Timestamp::now(),
    })
}

async fn connect(session: &Session, cluster: &Cluster, wait: ApiWait) -> Result<Connection, CliError> {
    if session.is_sandbox() { connect_sandbox(session, cluster) } else { connect_aws(session, cluster, wait).await }
}

fn connect_sandbox(session: &Session, cluster: &Cluster) -> Result<Connection, CliError> {
    let sandbox = sandbox(session, cluster)?;
    let place = BucketLocation::of(cluster, &sandbox.settings().account);
    let bucket: Arc<dyn ObjectStore> = Arc::new(sandbox.store(&place.bucket, &place.prefix));
    let store = match &cluster.state {
        StateLocation::S3 { .. } => Arc::clone(&bucket),
        // The sandbox's record is never stored beside a real one, whatever location the file names.
        StateLocation::Directory(_) => Arc::new(DirectoryStore::new(session.local_dir().join(SANDBOX_STATE))),
    };
    Ok(Connection { cloud: Arc::new(sandbox), kubernetes: None, store, bucket })
}

async fn connect_aws(session: &Session, cluster: &Cluster, wait: ApiWait) -> Result<Connection, CliError> {
    let place = BucketLocation::on_aws(cluster).await?;
    let aws = Arc::new(AwsProvider::connect(place.scope(cluster.name.as_str(), &cluster.region), None).await);
    let bucket: Arc<dyn ObjectStore> = Arc::new(S3Store::new(Arc::clone(&aws), place.bucket.as_str(), &place.prefix));
    let store = match &cluster.state {
        StateLocation::S3 { .. } => Arc::clone(&bucket),
        // `./dir` is kept unchanged if the file is in the working directory.
        StateLocation::Directory(path) if session.directory() == Path::new(".") => Arc::new(DirectoryStore::new(path)),
        StateLocation::Directory(path) => Arc::new(DirectoryStore::new(session.directory().join(path))),
    };
    let secrets = ClusterSecrets::new(Arc::clone(&bucket), cluster.name.as_str());
    let access: Arc<dyn ClientAccess> =
        Arc::new(ByAws::new(cluster.name.as_str(), aws.clone(), Arc::clone(&store), secrets));
    let kubernetes = KubernetesProvider::new(cluster.name.as_str(), Arc::clone(&access));
    let groups = if wait == ApiWait::Destroying { Vec::new() } else { cluster.nodes.keys().cloned().collect() };
    let cloud = CompositeProvider::new(aws, kubernetes, cluster.network.plugin, wait).with_groups(groups);
    Ok(Connection { cloud: Arc::new(cloud), kubernetes: Some(access), store, bucket })
}

/// Opens other places of the state in the same session.
struct SessionPlaces<'s> {
    session: &'s Session,
}

impl StatePlaces for SessionPlaces<'_> {
    fn open<'a>(&'a self, cluster: &'a Cluster) -> BoxFuture<'a, Result<StatePlace, CliError>> {
        Box::pin(async move {
            let Connection { cloud, store, bucket, .. } = connect(self.session, cluster, ApiWait::Destroying).await?;
            Ok(StatePlace { cloud, store, bucket })
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
    pub(super) fn of(cluster: &Cluster, account: &str) -> Self {
        let prefix = match &cluster.state {
            StateLocation::S3 { prefix, .. } => prefix.clone(),
            StateLocation::Directory(_) => String::new(),
        };
        Self { bucket: blueprint::bucket(cluster, account), prefix }
    }

    /// Returns the location as the file gives it; `None` if the bucket's name contains an account that the file does not
    /// name.
    pub(super) fn given(cluster: &Cluster) -> Option<Self> {
        match (&cluster.state, &cluster.account) {
            (StateLocation::S3 { bucket, prefix }, _) => Some(Self { bucket: bucket.clone(), prefix: prefix.clone() }),
            (_, Some(account)) => Some(Self::of(cluster, account)),
            _ => None,
        }
    }

    /// Asks AWS for the account only if the location contains it.
    async fn on_aws(cluster: &Cluster) -> Result<Self, CliError> {
        if let Some(given) = Self::given(cluster) {
            return Ok(given);
        }
        let nowhere = Self { bucket: String::new(), prefix: String::new() };
        let aws = AwsProvider::connect(nowhere.scope(cluster.name.as_str(), &cluster.region), None).await;
        let account = aws.account().await.map_err(CliError::cloud("asking for the account"))?;
        Ok(Self::of(cluster, &account))
    }

    /// Returns the location of an opened cluster. Asks for the account only if the location contains it.
    pub(super) async fn of_context(context: &ClusterContext<'_>) -> Result<Self, CliError> {
        match Self::given(&context.cluster) {
            Some(given) => Ok(given),
            None => Ok(Self::of(&context.cluster, &account(context).await?)),
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
pub(super) async fn secrets_at(
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
