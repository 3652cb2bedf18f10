//! What the machines of a cluster trust, and know each other by.

use super::{Problem, Site, masters, storage};
use crate::engine::{Address, Object};
use crate::resource::SecretContent::{self, ClusterCa, EtcdCa, FrontProxyCa, JoinCa, JoinToken, ServiceAccount};
use crate::resource::{Resource, Secret};

pub(super) fn objects(site: &Site<'_>) -> Result<Vec<Object>, Problem> {
    SecretContent::ALL.into_iter().map(|content| secret(site, content)).collect()
}

fn secret(site: &Site<'_>, content: SecretContent) -> Result<Object, Problem> {
    let key = site.bootstrap.key(&content.path());
    let mut object = Secret { bucket: storage::bucket(), key, content }.object(content.name())?;
    object.depends_on.extend(content.source().map(address));
    Ok(object)
}

/// The secrets that must be there before a machine of this role starts.
pub(super) fn of_role(role: &str) -> impl Iterator<Item = Address> {
    let some: &[SecretContent] = if role == masters::ROLE {
        &[ClusterCa, EtcdCa, FrontProxyCa, ServiceAccount, JoinToken]
    } else {
        &[JoinCa, JoinToken]
    };
    some.iter().copied().map(address)
}

fn address(content: SecretContent) -> Address {
    Secret::address(content.name())
}
