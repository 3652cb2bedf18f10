//! The work of the commands on a cluster: the same code for AWS, for the sandbox, and for tests with their own cloud.

mod access;
mod apply;
mod claim;
mod destroy;
mod foreign_cluster;
mod former;
mod kubeconfig;
mod node_groups;
mod place;
mod plan;
mod planned_run;
mod relocate;
mod run_lock;
mod show;
mod snapshot;
mod state_writer;
mod temporary_access;
mod token;
mod validate;
mod wait;

#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::Arc;

use crate::cloud::CloudProvider;
use crate::engine::{ApplyOptions, ObjectStore, RetryPolicy};
use crate::spec::Cluster;
use crate::state::LeaseHolder;
use crate::view::ClusterHeading;

use super::{ClientOrigin, Interrupt, Ui};

pub use access::{GrantFilter, close_access, list_access, open_access};
pub use apply::{Consent, apply};
pub use destroy::destroy;
pub(in crate::cli) use kubeconfig::api_address;
pub use kubeconfig::{KubeconfigOptions, kubeconfig};
pub use place::{StatePlace, StatePlaces};
pub use plan::{PlanOptions, plan};
pub use relocate::{MoveOptions, move_state};
pub use show::show;
pub use token::rotate_token;
pub use validate::{HealthSources, validate};

/// The context of a command: a cluster, its cloud, and the user.
pub struct CommandContext<'a> {
    /// The cluster that the file describes.
    pub cluster: &'a Cluster,
    /// The cloud of its objects.
    pub cloud: &'a dyn CloudProvider,
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
    /// The description of this run for the lease.
    pub holder: LeaseHolder,
    /// The directory for files that cannot be written to the store.
    pub local_dir: PathBuf,
    /// The sources of the cluster's health, for an apply that waits until it is healthy.
    pub health_sources: Option<&'a HealthSources>,
    /// The source of its connections, for a run that opens a closed API to itself. `None` if it does not open the API.
    pub origin: Option<ClientOrigin>,
    /// The retry policy.
    pub retry: RetryPolicy,
}

impl CommandContext<'_> {
    fn name(&self) -> &str {
        self.cluster.name.as_str()
    }

    /// Prints that nothing is real, if the cloud is simulated.
    fn show_sandbox_notice(&self) {
        if self.sandbox {
            self.ui.text("SANDBOX  a simulated cloud: nothing here is real\n");
        }
    }

    fn heading(&self, account: String) -> ClusterHeading {
        ClusterHeading {
            cluster: self.name().to_owned(),
            account,
            region: self.cluster.region.clone(),
            state: self.store.location(),
            sandbox: self.sandbox,
        }
    }

    fn options(&self, seed: String) -> ApplyOptions {
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
