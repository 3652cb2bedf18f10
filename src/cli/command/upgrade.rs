//! `quorate upgrade`: newer machine images, patch versions, add-ons, and the next minor version of Kubernetes.

use clap::Args;

use crate::blueprint::Upgrade;
use crate::cli::run::plan_request::PlanRequest;
use crate::cli::{CliError, Exit, Session};
use crate::spec::KubernetesVersion;

use super::apply::ApplyFlags;

/// Change the cluster to newer versions
///
/// The record holds the machine images, the patch version of Kubernetes and the versions of the built-in add-ons: a plan
/// never changes them by itself. Without options, this command changes all of these to the newest ones; the minor
/// version of Kubernetes is changed only by --kubernetes, or by `kubernetes` in the file. Shows the plan, asks for
/// confirmation and applies it, as `apply` does. `plan --upgrade` only shows the plan.
#[derive(Debug, Clone, Args)]
pub struct UpgradeArgs {
    #[command(flatten)]
    selection: UpgradeSelection,
    #[command(flatten)]
    pub(super) apply: ApplyFlags,
}

/// The versions that an upgrade changes.
#[derive(Debug, Clone, Copy, Args)]
pub(super) struct UpgradeSelection {
    /// Change the machine images: all machines are replaced
    #[arg(long)]
    images: bool,
    /// Change the patch version of Kubernetes: all machines are replaced
    #[arg(long)]
    patch: bool,
    /// Change the versions of the built-in add-ons
    #[arg(long)]
    addons: bool,
    /// Change to this minor version of Kubernetes, the next one: all machines are replaced
    #[arg(long, value_name = "VERSION", value_parser = version)]
    kubernetes: Option<KubernetesVersion>,
}

fn version(text: &str) -> Result<KubernetesVersion, String> {
    KubernetesVersion::parse(text).ok_or_else(|| {
        let known: Vec<String> = KubernetesVersion::SUPPORTED.iter().map(ToString::to_string).collect();
        format!("Kubernetes `{text}` is not supported: this release of Quorate builds {}", known.join(", "))
    })
}

impl UpgradeSelection {
    /// Returns the upgrade: everything but the minor version if nothing is selected.
    pub(super) fn upgrade(self) -> Upgrade {
        let Self { images, patch, addons, kubernetes } = self;
        if images || patch || addons || kubernetes.is_some() {
            Upgrade { images, patch, addons, kubernetes }
        } else {
            Upgrade::ALL
        }
    }
}

impl UpgradeArgs {
    pub(super) async fn run(self, session: &Session) -> Result<Exit, CliError> {
        self.apply.run(session, PlanRequest::upgrade(self.selection.upgrade())).await
    }
}
