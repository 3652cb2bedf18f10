//! What commands do with a cluster: the same for AWS and for the sandbox, and for tests that bring a cloud of their own.

mod access;
mod apply;
mod begin;
mod book;
mod destroy;
mod draft;
mod kubeconfig;
mod neighbours;
mod nodes;
mod pass;
mod plan;
mod show;
mod survey;
mod token;
mod validate;
mod wait;

#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::Arc;

use crate::engine::{ApplyOptions, RetryPolicy, Store};
use crate::resource::Cloud;
use crate::spec::Cluster;
use crate::state::Holder;
use crate::view::Heading;

use super::{Interrupt, Origin, Ui};

pub use access::{Which, close_access, list_access, open_access};
pub use apply::{Consent, apply};
pub use destroy::destroy;
pub(in crate::cli) use kubeconfig::api_address;
pub use kubeconfig::{Wish, kubeconfig};
pub use plan::{Look, plan};
pub use show::show;
pub use token::rotate_token;
pub use validate::{Clinic, validate};

/// A cluster, the cloud that it is on, and the person who works on it.
pub struct Flow<'a> {
    /// What the file says.
    pub cluster: &'a Cluster,
    /// Where its objects are.
    pub cloud: &'a dyn Cloud,
    /// Where its record and lease are.
    pub store: Arc<dyn Store>,
    /// The bucket of its machines: what they start from, their keys, and what they write. Often the same.
    pub bucket: Arc<dyn Store>,
    /// Whether the cloud is simulated.
    pub sandbox: bool,
    /// Who is told and asked.
    pub ui: &'a Ui,
    /// What stops it.
    pub interrupt: &'a Interrupt,
    /// This run, for the lease.
    pub holder: Holder,
    /// A directory for what cannot be written to the store.
    pub workshop: PathBuf,
    /// Who tells how the cluster is, for an apply that waits until it is healthy.
    pub clinic: Option<&'a Clinic>,
    /// Where its connections come from, for a run that lets itself in to a closed API. Without it, none does.
    pub origin: Option<Origin>,
    /// How patient it is.
    pub retry: RetryPolicy,
}

impl Flow<'_> {
    fn name(&self) -> &str {
        self.cluster.name.as_str()
    }

    /// Says that nothing is real, where nothing is.
    fn say_sandbox(&self) {
        if self.sandbox {
            self.ui.text("SANDBOX  a simulated cloud: nothing here is real\n");
        }
    }

    fn heading(&self, account: String) -> Heading {
        Heading {
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
            // A child: a lost lease stops this apply, and is no Ctrl-C.
            stop: self.interrupt.stop.child_token(),
            abandon: self.interrupt.abandon.child_token(),
            ..ApplyOptions::default()
        }
    }
}
