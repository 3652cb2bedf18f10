//! The context of a command: an opened cluster, its cloud, its stores, and the user.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::analysis::cost::PriceTable;
use crate::blueprint;
use crate::cloud::CloudProvider;
use crate::engine::{ApplyOptions, BoxFuture, ObjectStore, RetryPolicy};
use crate::kubernetes::{ClientAccess, KubernetesProvider};
use crate::resource::ClusterLocation;
use crate::spec::{Cluster, StateLocation};
use crate::state::LeaseHolder;
use crate::view::ClusterHeading;

use super::error::CliError;
use super::{ClusterSecrets, Interrupt, PackageRepository, PriceCache, Ui};

/// An opened cluster: the same for AWS, for the sandbox, and for tests with their own cloud.
#[derive(Clone)]
pub struct ClusterContext<'a> {
    /// The cluster that the file describes.
    pub cluster: Cluster,
    /// The cloud of its objects.
    pub cloud: Arc<dyn CloudProvider + 'a>,
    /// The access to its Kubernetes API; `None` if machines are simulated.
    pub kubernetes: Option<Arc<dyn ClientAccess>>,
    /// The store of its record and lease.
    pub store: Arc<dyn ObjectStore>,
    /// The bucket of its machines: the files they start from, their keys, and their reports. Often the same as `store`.
    pub bucket: Arc<dyn ObjectStore>,
    /// Opens other places of the state.
    pub places: Arc<dyn StatePlaces + 'a>,
    /// `true` if the cloud is simulated.
    pub sandbox: bool,
    /// The user interface.
    pub ui: &'a Ui,
    /// The stop requests of the user.
    pub interrupt: &'a Interrupt,
    /// The prices that its cost is estimated with.
    pub prices: PriceTable,
    /// The cache of further prices, which AWS is asked for; `None` if it is not asked.
    pub price_cache: Option<PriceCache>,
    /// The description of this run for the lease.
    pub holder: LeaseHolder,
    /// The directory for files that cannot be written to the store.
    pub local_dir: PathBuf,
    /// The retry policy.
    pub retry: RetryPolicy,
    /// Maximum time to wait for the lease of another run.
    pub lock_timeout: Duration,
    /// The repository of Kubernetes releases; `None` if only the releases that this version of Quorate knows are used.
    pub packages: Option<PackageRepository>,
    /// The time at which the command began.
    pub now: Timestamp,
}

/// A place of the state, opened.
pub struct StatePlace {
    /// The cloud as this machine reaches it.
    pub cloud: Arc<dyn CloudProvider>,
    /// The store of the record and the lease.
    pub store: Arc<dyn ObjectStore>,
    /// The bucket of the machines.
    pub bucket: Arc<dyn ObjectStore>,
}

/// Opens other places of the state of a cluster.
pub trait StatePlaces: Send + Sync {
    /// Opens the place that the `state` of this cluster names. Makes no change.
    fn open<'a>(&'a self, cluster: &'a Cluster) -> BoxFuture<'a, Result<StatePlace, CliError>>;
}

impl<'a> ClusterContext<'a> {
    /// Opens the same cluster at another place of its state.
    pub(super) async fn at(&self, state: &StateLocation) -> Result<ClusterContext<'a>, CliError> {
        let cluster = self.with_state(state);
        let StatePlace { cloud, store, bucket } = self.places.open(&cluster).await?;
        Ok(ClusterContext { cluster, cloud, kubernetes: None, store, bucket, ..self.clone() })
    }

    fn with_state(&self, state: &StateLocation) -> Cluster {
        Cluster { state: state.clone(), ..self.cluster.clone() }
    }

    /// Returns the location of the cluster with another `state`.
    pub(super) fn location_at(&self, state: &StateLocation, account: &str) -> ClusterLocation {
        blueprint::location(&self.with_state(state), account)
    }

    /// Returns the locations of the cluster before its state moved, as recorded. A text that is no place is left out.
    pub(super) fn former_locations(&self, moved_from: &[String], account: &str) -> Vec<ClusterLocation> {
        let states = moved_from.iter().filter_map(|state| StateLocation::parse(state).ok());
        let own = blueprint::location(&self.cluster, account);
        states.map(|state| self.location_at(&state, account)).filter(|location| *location != own).collect()
    }

    /// Returns the day of the run, in UTC.
    pub(super) fn today(&self) -> Date {
        self.now.to_zoned(TimeZone::UTC).date()
    }

    pub(super) fn name(&self) -> &str {
        self.cluster.name.as_str()
    }

    /// Returns the cluster's secrets.
    pub(super) fn secrets(&self) -> ClusterSecrets {
        ClusterSecrets::new(Arc::clone(&self.bucket), self.name())
    }

    /// Returns the cluster's Kubernetes API; `None` if machines are simulated.
    pub(super) fn kubernetes(&self) -> Option<KubernetesProvider> {
        self.kubernetes.as_ref().map(|access| KubernetesProvider::new(self.name(), Arc::clone(access)))
    }

    /// Prints that nothing is real, if the cloud is simulated.
    pub(super) fn show_sandbox_notice(&self) {
        if self.sandbox {
            self.ui.text("SANDBOX  a simulated cloud: nothing here is real\n");
        }
    }

    /// Returns the heading of a document about the cluster.
    pub(super) fn heading(&self, account: String) -> ClusterHeading {
        ClusterHeading {
            cluster: self.name().to_owned(),
            account,
            region: self.cluster.region.clone(),
            state: self.store.location(),
            sandbox: self.sandbox,
        }
    }

    /// Returns the options of an apply by the engine.
    pub(super) fn apply_options(&self, seed: String) -> ApplyOptions {
        ApplyOptions {
            token_seed: seed,
            retry: self.retry.clone(),
            // A child token: a lost lease stops this apply, and is not a Ctrl-C.
            stop: self.interrupt.stop.child_token(),
            abandon: self.interrupt.abandon.child_token(),
            ..ApplyOptions::default()
        }
    }
}
