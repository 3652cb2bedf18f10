//! The contents of secrets: the only files of machines that simulated S3 really stores, because people use them.

use std::collections::BTreeMap;

use futures_util::FutureExt;
use jiff::Timestamp;

use super::Sandbox;
use super::account::{OwnerMark, SimulatedAccount, SimulatedObject};
use super::names::ApiCall;
use crate::engine::{Attributes, Failure, FailureClass, Object, ObjectStore, WriteCondition, WriteOutcome};
use crate::pki::{self, Sensitive};
use crate::resource::{KeyPrefix, Resource, Secret, SecretContent};

impl Sandbox {
    /// Generates the content of a secret, and writes it unless it exists; nothing for another kind.
    pub(super) fn write_content(&self, call: &ApiCall, object: &Object) -> Result<(), Failure> {
        let Some(secret) = read(object.address.kind(), &object.attributes) else { return Ok(()) };
        let disk = self.disk();
        let source = secret.content.source().map(|source| content(call, disk.as_ref(), &secret, source)).transpose()?;
        // Certificates are judged by real clocks, in the sandbox too.
        let made = pki::make(secret.content, source.as_ref(), Timestamp::now())
            .map_err(|error| call.failure(FailureClass::Fatal, "MakeSecret", error.to_string()))?;
        let key = place(&secret, &secret.key);
        match at_once(call, disk.put(&key, made.expose().as_bytes(), &WriteCondition::Absent))? {
            WriteOutcome::Yes(_) => Ok(()),
            WriteOutcome::Lost => {
                Err(call.failure(FailureClass::AlreadyExists, "PreconditionFailed", "it exists already"))
            }
        }
    }

    /// Makes an object that was written under the key of a secret of the cluster that secret: on AWS, only the key
    /// identifies it.
    pub(super) fn see_secret(&self, world: &mut SimulatedAccount, bucket: &str, key: &str) {
        let cluster = &self.settings.cluster;
        let Some((root, content)) = key.rsplit_once('/').and_then(|(folder, file)| {
            Some((folder.strip_suffix(KeyPrefix::Pki.path().trim_end_matches('/'))?, SecretContent::of_file(file)?))
        }) else {
            return;
        };
        let ours = root.strip_suffix('/').is_some_and(|root| root == cluster || root.ends_with(&format!("/{cluster}")));
        let id = format!("{bucket}/{key}");
        if !ours || world.get(Secret::KIND.name, &id).is_some() {
            return;
        }
        let secret = Secret { bucket: bucket.into(), key: key.to_owned(), content };
        let Ok(attributes) = secret.attributes() else { return };
        let address = Secret::address(content.name());
        let stored = SimulatedObject {
            mark: Some(OwnerMark { cluster: cluster.clone(), address }),
            region: String::new(),
            outputs: BTreeMap::from([("key".to_owned(), key.to_owned())]),
            attributes,
            created: world.state.clock,
            visible: world.state.clock,
            ready: world.state.clock,
            machines: Vec::new(),
            contents: BTreeMap::new(),
        };
        world.insert(Secret::KIND.name, &id, stored);
    }

    /// Removes the content of a secret; nothing for another kind.
    pub(super) fn remove_content(&self, call: &ApiCall, kind: &str, stored: &SimulatedObject) -> Result<(), Failure> {
        let Some(secret) = read(kind, &stored.attributes) else { return Ok(()) };
        let (disk, key) = (self.disk(), place(&secret, &secret.key));
        if let Some(stored) = at_once(call, disk.get(&key))? {
            at_once(call, disk.remove(&key, &stored.etag))?;
        }
        Ok(())
    }
}

fn read(kind: &str, attributes: &Attributes) -> Option<Secret> {
    if kind == Secret::KIND.name { Secret::from_attributes(attributes).ok() } else { None }
}

/// Returns the place of a key of the secret's bucket on the disk.
fn place(secret: &Secret, key: &str) -> String {
    format!("{}/{key}", secret.bucket.known().unwrap_or_default())
}

/// Returns the content of another secret beside this one.
fn content(
    call: &ApiCall,
    disk: &dyn ObjectStore,
    beside: &Secret,
    other: SecretContent,
) -> Result<Sensitive, Failure> {
    let folder = beside.key.strip_suffix(beside.content.file()).unwrap_or_default();
    let key = format!("{folder}{}", other.file());
    let stored = at_once(call, disk.get(&place(beside, &key)))?;
    let text = stored.and_then(|stored| Sensitive::from_bytes(stored.bytes));
    text.ok_or_else(|| {
        call.failure(FailureClass::MaybeNotYetConsistent, "NoSuchKey", format!("`{key}` does not exist"))
    })
}

/// Completes work at once: neither disk nor memory ever waits.
fn at_once<T>(call: &ApiCall, work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let busy = || Err(call.failure(FailureClass::Unavailable, "SlowDown", "the disk is busy"));
    work.now_or_never().unwrap_or_else(busy)
}
