//! The secrets of a cluster: the keys that its machines trust, and identify each other by.

use super::outputs::{MASTERS, bucket};
use super::{BlueprintProblem, BuildContext};
use crate::engine::{Address, Object};
use crate::resource::SecretContent::{self, ClusterCa, EtcdCa, FrontProxyCa, JoinCa, JoinToken, ServiceAccount};
use crate::resource::{Resource, Secret};

pub(super) fn objects(site: &BuildContext<'_>) -> Result<Vec<Object>, BlueprintProblem> {
    SecretContent::ALL.into_iter().map(|content| secret(site, content)).collect()
}

fn secret(site: &BuildContext<'_>, content: SecretContent) -> Result<Object, BlueprintProblem> {
    let key = site.bootstrap.key(&content.path());
    let mut object = Secret { bucket: bucket(), key, content }.object(content.name())?;
    object.depends_on.extend(content.source().map(address));
    Ok(object)
}

/// Returns the secrets that must exist before a machine of this role starts.
pub(super) fn of_role(role: &str) -> impl Iterator<Item = Address> {
    let some: &[SecretContent] = if role == MASTERS {
        &[ClusterCa, EtcdCa, FrontProxyCa, ServiceAccount, JoinToken]
    } else {
        &[JoinCa, JoinToken]
    };
    some.iter().copied().map(address)
}

fn address(content: SecretContent) -> Address {
    Secret::address(content.name())
}
