//! The state bucket as a store with compare-and-swap.

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_s3::primitives::{ByteStream, DateTime};

use super::AwsProvider;
use super::client::{READ_ATTEMPTS, pause};
use super::failure::if_there;
use super::failure::internal;
use super::key_removals::{remove_key, remove_keys};
use super::s3::{S3, keys, remove, some_keys, versions};
use super::server_clock::ServerClock;
use crate::engine::{
    BoxFuture, Etag, Failure, FailureClass, ObjectStore, StoredObject, WriteCondition, WriteOutcome, repeat,
};

/// The error codes of a condition that does not hold: it did not hold, or another writer writes at the same moment, or the
/// object to replace does not exist.
const LOST: [&str; 3] = ["PreconditionFailed", "ConditionalRequestConflict", "NoSuchKey"];

/// Keys below a prefix of a bucket.
#[derive(Debug, Clone)]
pub struct S3Store {
    pub(super) aws: Arc<AwsProvider>,
    pub(super) bucket: String,
    /// With a final slash, or empty.
    pub(super) prefix: String,
}

impl S3Store {
    /// Returns the store below a prefix, which has no slash around it and may be empty.
    pub fn new(aws: Arc<AwsProvider>, bucket: impl Into<String>, prefix: &str) -> Self {
        let prefix = if prefix.is_empty() { String::new() } else { format!("{prefix}/") };
        Self { aws, bucket: bucket.into(), prefix }
    }

    fn key(&self, key: &str) -> String {
        format!("{}{key}", self.prefix)
    }

    async fn read(&self, key: &str) -> Result<Option<StoredObject>, Failure> {
        read(&self.aws, &self.bucket, &self.key(key)).await
    }

    /// Makes a call that changes an object: reads before it and after it share nothing.
    async fn changing<T>(&self, key: &str, change: impl Future<Output = T>) -> T {
        let key = self.key(key);
        self.aws.reads.forget(&self.bucket, &key);
        let changed = change.await;
        self.aws.reads.forget(&self.bucket, &key);
        changed
    }

    async fn write(&self, key: &str, bytes: &[u8], condition: &WriteCondition) -> Result<WriteOutcome, Failure> {
        // The bucket decides how it encrypts: by S3's own keys, unless its owner chose others.
        let request = self
            .aws
            .s3
            .put_object()
            .bucket(&self.bucket)
            .key(self.key(key))
            .content_type("application/json")
            .body(ByteStream::from(bytes.to_vec()));
        let request = match condition {
            WriteCondition::Absent => request.if_none_match("*"),
            WriteCondition::Matches(etag) => request.if_match(&etag.0),
        };
        match self.aws.send_uncounted(S3, "PutObject", Box::pin(request.send())).await {
            Ok(answer) => Ok(WriteOutcome::Yes(Etag(answer.e_tag.unwrap_or_default()))),
            Err(failure) if is_lost(&failure) => Ok(WriteOutcome::Lost),
            Err(failure) => Err(failure),
        }
    }

    async fn delete(&self, key: &str, etag: &Etag) -> Result<bool, Failure> {
        let request = self.aws.s3.delete_object().bucket(&self.bucket).key(self.key(key)).if_match(&etag.0);
        match self.aws.send_uncounted(S3, "DeleteObject", request.send()).await {
            Ok(_) => Ok(true),
            Err(failure) if is_lost(&failure) => Ok(false),
            Err(failure) => Err(failure),
        }
    }
}

impl ObjectStore for S3Store {
    fn location(&self) -> String {
        format!("s3://{}/{}", self.bucket, self.prefix).trim_end_matches('/').to_owned()
    }

    fn get<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<StoredObject>, Failure>> {
        Box::pin(self.read(key))
    }

    fn put<'a>(
        &'a self,
        key: &'a str,
        bytes: &'a [u8],
        condition: &'a WriteCondition,
    ) -> BoxFuture<'a, Result<WriteOutcome, Failure>> {
        Box::pin(self.changing(key, self.write(key, bytes, condition)))
    }

    fn remove<'a>(&'a self, key: &'a str, etag: &'a Etag) -> BoxFuture<'a, Result<bool, Failure>> {
        Box::pin(self.changing(key, self.delete(key, etag)))
    }

    fn list<'a>(&'a self, prefix: &'a str) -> BoxFuture<'a, Result<Vec<String>, Failure>> {
        Box::pin(async move {
            let found = keys(&self.aws, &self.bucket, &self.key(prefix)).await?;
            let mut keys: Vec<_> =
                found.iter().filter_map(|key| key.strip_prefix(&self.prefix)).map(str::to_owned).collect();
            keys.sort_unstable();
            Ok(keys)
        })
    }

    fn leftovers(&self) -> BoxFuture<'_, Result<Vec<String>, Failure>> {
        Box::pin(some_keys(&self.aws, &self.bucket))
    }

    fn erase<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(self.changing(key, async move { remove_key(&self.aws, &self.bucket, &self.key(key)).await }))
    }

    fn purge<'a>(&'a self, prefix: &'a str) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(async move {
            let held = versions(&self.aws, &self.bucket, &self.key(prefix)).await?;
            remove(&self.aws, &self.bucket, &held).await
        })
    }

    fn erase_all<'a>(&'a self, keys: &'a [String], prefixes: &'a [String]) -> BoxFuture<'a, Result<(), Failure>> {
        let all = |names: &[String]| names.iter().map(|name| self.key(name)).collect::<Vec<_>>();
        let (keys, prefixes) = (all(keys), all(prefixes));
        Box::pin(async move { remove_keys(&self.aws, &self.bucket, &keys, &prefixes).await })
    }
}

/// Returns an object of a bucket. Callers that read it at the same moment share one call.
pub(super) async fn read(aws: &AwsProvider, bucket: &str, key: &str) -> Result<Option<StoredObject>, Failure> {
    let read = || async {
        let clock = ServerClock::default();
        let request = aws.s3.get_object().bucket(bucket).key(key);
        let request = request.customize().interceptor(clock.clone());
        let Some(answer) = if_there(aws.send(S3, "GetObject", request.send()).await)? else { return Ok(None) };
        let age = age(clock.now(), answer.last_modified());
        let written = super::ec2::created(answer.last_modified()).unwrap_or_default();
        let etag = Etag(answer.e_tag.unwrap_or_default());
        let body = answer.body.collect().await.map_err(|error| broken_off(&error.to_string()))?;
        Ok(Some(StoredObject { bytes: body.to_vec(), etag, age, written }))
    };
    aws.reads.get_or_read(bucket, key, read).await
}

/// Returns an object of a bucket, and reads again while the failure is temporary.
pub(super) async fn read_patiently(
    aws: &AwsProvider,
    bucket: &str,
    key: &str,
) -> Result<Option<StoredObject>, Failure> {
    repeat(READ_ATTEMPTS, pause, || read(aws, bucket, key)).await
}

/// Returns `true` if a conditional call failed because of its condition.
fn is_lost(failure: &Failure) -> bool {
    failure.code.as_deref().is_some_and(|code| LOST.contains(&code))
}

/// Returns the failure for an answer whose body did not arrive whole.
fn broken_off(message: &str) -> Failure {
    Failure { class: FailureClass::Unavailable, service: S3.to_owned(), ..internal("GetObject", message.to_owned()) }
}

/// Returns the age of an object at `now`; zero if S3 did not return the time.
fn age(now: Option<DateTime>, written: Option<&DateTime>) -> Duration {
    let seconds = now.zip(written).map_or(0, |(now, written)| now.secs() - written.secs());
    Duration::from_secs(seconds.try_into().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_is_never_negative() {
        let (early, late) = (DateTime::from_secs(1000), DateTime::from_secs(1030));
        assert_eq!(age(Some(late), Some(&early)), Duration::from_secs(30));
        assert_eq!(age(Some(early), Some(&late)), Duration::ZERO);
        assert_eq!(age(None, Some(&early)), Duration::ZERO);
    }

    #[test]
    fn a_lost_race_is_distinguished_from_a_missing_bucket() {
        let with = |code: &str| Failure { code: Some(code.to_owned()), ..broken_off("") };
        assert!(is_lost(&with("PreconditionFailed")) && is_lost(&with("ConditionalRequestConflict")));
        assert!(!is_lost(&with("NoSuchBucket")) && !is_lost(&broken_off("")));
    }
}
