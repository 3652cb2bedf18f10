//! The contents of secrets: the only files of machines that simulated S3 really holds, because people use them.

use futures_util::FutureExt;
use jiff::Timestamp;

use super::Sandbox;
use super::names::Call;
use super::world::Thing;
use crate::engine::{Attributes, Class, Condition, Failure, Object, Store, Written};
use crate::pki::{self, Sensitive};
use crate::resource::{Resource, Secret, SecretContent};

impl Sandbox {
    /// Makes the content of a secret, and writes it unless there is one; nothing for another kind.
    pub(super) fn write_content(&self, call: &Call, object: &Object) -> Result<(), Failure> {
        let Some(secret) = read(object.address.kind(), &object.attributes) else { return Ok(()) };
        let disk = self.disk();
        let source = secret.content.source().map(|source| content(call, disk.as_ref(), &secret, source)).transpose()?;
        // Certificates are judged by real clocks, in the sandbox too.
        let made = pki::make(secret.content, source.as_ref(), Timestamp::now())
            .map_err(|error| call.failure(Class::Fatal, "MakeSecret", error.to_string()))?;
        let key = place(&secret, &secret.key);
        match at_once(call, disk.put(&key, made.expose().as_bytes(), &Condition::Absent))? {
            Written::Yes(_) => Ok(()),
            Written::Lost => Err(call.failure(Class::AlreadyExists, "PreconditionFailed", "it exists already")),
        }
    }

    /// Removes the content of a secret; nothing for another kind.
    pub(super) fn remove_content(&self, call: &Call, kind: &str, thing: &Thing) -> Result<(), Failure> {
        let Some(secret) = read(kind, &thing.attributes) else { return Ok(()) };
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

/// Where the disk keeps a key of the secret's bucket.
fn place(secret: &Secret, key: &str) -> String {
    format!("{}/{key}", secret.bucket.known().unwrap_or_default())
}

/// The content of another secret beside this one.
fn content(call: &Call, disk: &dyn Store, beside: &Secret, other: SecretContent) -> Result<Sensitive, Failure> {
    let folder = beside.key.strip_suffix(beside.content.file()).unwrap_or_default();
    let key = format!("{folder}{}", other.file());
    let stored = at_once(call, disk.get(&place(beside, &key)))?;
    let text = stored.and_then(|stored| Sensitive::from_bytes(stored.bytes));
    text.ok_or_else(|| call.failure(Class::MaybeNotYetConsistent, "NoSuchKey", format!("`{key}` does not exist")))
}

/// Neither disk nor memory ever waits.
fn at_once<T>(call: &Call, work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let busy = || Err(call.failure(Class::Unavailable, "SlowDown", "the disk is busy"));
    work.now_or_never().unwrap_or_else(busy)
}
