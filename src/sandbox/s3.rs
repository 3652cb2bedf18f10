//! Simulated S3: the contents of buckets.

use futures_util::FutureExt;

use super::account::SimulatedAccount;
use super::kinds::rows;
use super::names::ApiCall;
use super::simulated_kind::KindScope;
use super::{ContentStore, Sandbox};
use crate::engine::{BoxFuture, Etag, Failure, FailureClass, ObjectStore, StoredObject, WriteCondition, WriteOutcome};
use crate::resource::{Bucket, Resource};
use crate::store::DirectoryStore;

/// A bucket of the simulated account as a store.
///
/// Ages are measured by the real clock, not the simulated one: the lease of a killed process expires while no call is
/// made.
#[derive(Debug, Clone)]
pub struct BucketStore {
    sandbox: Sandbox,
    bucket: String,
    /// Empty, or with a final slash.
    prefix: String,
}

impl Sandbox {
    /// Returns a bucket as a store, below a prefix (without slashes at its ends; often empty).
    pub fn store(&self, bucket: &str, prefix: &str) -> BucketStore {
        let prefix = if prefix.is_empty() { String::new() } else { format!("{prefix}/") };
        BucketStore { sandbox: self.clone(), bucket: bucket.to_owned(), prefix }
    }

    /// Returns the keys in a bucket; nothing for another kind.
    pub(super) async fn contents(&self, kind: &str, id: &str) -> Result<Vec<String>, Failure> {
        if kind != Bucket::KIND.name {
            return Ok(Vec::new());
        }
        let prefix = format!("{id}/");
        let keys = self.disk().list(&prefix).await?;
        Ok(keys.into_iter().filter_map(|key| key.strip_prefix(&prefix).map(str::to_owned)).collect())
    }

    pub(super) fn disk(&self) -> Box<dyn ObjectStore> {
        match &self.disk {
            ContentStore::Directory(root) => Box::new(DirectoryStore::new(root)),
            ContentStore::Memory(memory) => Box::new(memory.clone()),
        }
    }
}

impl BucketStore {
    fn full(&self, key: &str) -> String {
        format!("{}/{}{key}", self.bucket, self.prefix)
    }

    fn exists(&self, world: &SimulatedAccount) -> bool {
        world.get(Bucket::KIND.name, &self.bucket).is_some()
    }

    /// Makes a call, which is no change of the cluster. Neither disk nor memory ever waits, so its effect happens within the call, as the faults demand.
    async fn call<T: Send>(
        &self,
        action: &str,
        changes: bool,
        effect: impl AsyncFnOnce(&dyn ObjectStore, &mut SimulatedAccount) -> Result<T, Failure> + Send,
    ) -> Result<T, Failure> {
        let call = ApiCall { service: "s3", action: action.to_owned() };
        let disk = self.sandbox.disk();
        self.sandbox
            .call_uncounted(&call, changes, |world, _| {
                let busy = || Err(call.failure(FailureClass::Unavailable, "SlowDown", "the disk is busy"));
                effect(disk.as_ref(), world).now_or_never().unwrap_or_else(busy)
            })
            .await
    }
}

impl ObjectStore for BucketStore {
    fn location(&self) -> String {
        format!("s3://{}/{}", self.bucket, self.prefix).trim_end_matches('/').to_owned()
    }

    fn get<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<StoredObject>, Failure>> {
        Box::pin(self.call("GetObject", false, async move |disk, world| {
            if self.exists(world) { disk.get(&self.full(key)).await } else { Ok(None) }
        }))
    }

    fn put<'a>(
        &'a self,
        key: &'a str,
        bytes: &'a [u8],
        condition: &'a WriteCondition,
    ) -> BoxFuture<'a, Result<WriteOutcome, Failure>> {
        Box::pin(self.call("PutObject", true, async move |disk, world| {
            if self.exists(world) {
                let written = disk.put(&self.full(key), bytes, condition).await?;
                if matches!(written, WriteOutcome::Yes(_)) {
                    self.sandbox.see_secret(world, &self.bucket, &format!("{}{key}", self.prefix));
                }
                return Ok(written);
            }
            let call = ApiCall { service: "s3", action: "PutObject".to_owned() };
            Err(call.failure(
                FailureClass::Gone,
                "NoSuchBucket",
                format!("the bucket `{}` does not exist", self.bucket),
            ))
        }))
    }

    fn remove<'a>(&'a self, key: &'a str, etag: &'a Etag) -> BoxFuture<'a, Result<bool, Failure>> {
        Box::pin(self.call("DeleteObject", true, async move |disk, world| {
            if self.exists(world) { disk.remove(&self.full(key), etag).await } else { Ok(false) }
        }))
    }

    fn list<'a>(&'a self, prefix: &'a str) -> BoxFuture<'a, Result<Vec<String>, Failure>> {
        Box::pin(self.call("ListObjectsV2", false, async move |disk, _| {
            let root = self.full("");
            let keys = disk.list(&self.full(prefix)).await?;
            Ok(keys.into_iter().filter_map(|key| key.strip_prefix(&root).map(str::to_owned)).collect())
        }))
    }

    fn leftovers(&self) -> BoxFuture<'_, Result<Vec<String>, Failure>> {
        Box::pin(self.call("ListObjectVersions", false, async move |disk, _| {
            let root = format!("{}/", self.bucket);
            let keys = disk.list(&root).await?;
            Ok(keys.into_iter().filter_map(|key| key.strip_prefix(&root).map(str::to_owned)).collect())
        }))
    }

    fn erase<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(self.call("DeleteObjects", true, async move |disk, world| {
            world.take("secret", &self.full(key));
            disk.erase(&self.full(key)).await
        }))
    }

    fn purge<'a>(&'a self, prefix: &'a str) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(self.call("DeleteObjects", true, async move |disk, world| {
            // The files that machines start from are in the same bucket.
            let prefix = self.full(prefix);
            for row in rows().filter(|row| row.scope == KindScope::Bucket) {
                let files = world.of(row.name).filter(|(id, _)| id.starts_with(&prefix));
                for id in files.map(|(id, _)| id.clone()).collect::<Vec<_>>() {
                    world.take(row.name, &id);
                }
            }
            disk.purge(&prefix).await
        }))
    }
}
