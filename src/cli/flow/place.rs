//! Other places of the state than the one that the file names.

use std::sync::Arc;

use crate::blueprint;
use crate::cli::error::CliError;
use crate::cloud::CloudProvider;
use crate::engine::{BoxFuture, ObjectStore};
use crate::resource::ClusterLocation;
use crate::spec::{Cluster, StateLocation};

use super::CommandContext;

/// A place of the state, opened.
pub struct StatePlace {
    /// The cluster with this place as its `state`.
    pub cluster: Cluster,
    /// The cloud as it is seen from there.
    pub cloud: Arc<dyn CloudProvider>,
    /// The store of the record and the lease.
    pub store: Arc<dyn ObjectStore>,
    /// The bucket of the machines.
    pub bucket: Arc<dyn ObjectStore>,
}

/// Opens other places of the state of a cluster.
pub trait StatePlaces: Send + Sync {
    /// Opens a place. Makes no change.
    fn open<'a>(&'a self, state: &'a StateLocation) -> BoxFuture<'a, Result<StatePlace, CliError>>;
}

impl CommandContext<'_> {
    /// The same cluster as it is seen from another place of its state.
    pub(super) fn at<'f>(&'f self, place: &'f StatePlace) -> CommandContext<'f> {
        CommandContext {
            cluster: &place.cluster,
            cloud: place.cloud.as_ref(),
            store: Arc::clone(&place.store),
            bucket: Arc::clone(&place.bucket),
            places: Arc::clone(&self.places),
            sandbox: self.sandbox,
            ui: self.ui,
            interrupt: self.interrupt,
            holder: self.holder.clone(),
            local_dir: self.local_dir.clone(),
            health_sources: None,
            origin: None,
            retry: self.retry.clone(),
        }
    }

    /// Returns the location of the cluster with another `state`.
    pub(super) fn location_at(&self, state: &StateLocation, account: &str) -> ClusterLocation {
        blueprint::location(&Cluster { state: state.clone(), ..self.cluster.clone() }, account)
    }

    /// Returns the locations of the cluster before its state moved, as recorded. A text that is no place is left out.
    pub(super) fn former_locations(&self, moved_from: &[String], account: &str) -> Vec<ClusterLocation> {
        let states = moved_from.iter().filter_map(|state| StateLocation::parse(state).ok());
        let own = blueprint::location(self.cluster, account);
        states.map(|state| self.location_at(&state, account)).filter(|location| *location != own).collect()
    }
}
