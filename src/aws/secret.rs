//! Keys, certificates and tokens in the bucket. Their content is generated on upload, and is kept nowhere else.

use std::collections::BTreeSet;

use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::Object;
use jiff::Timestamp;

use super::AwsProvider;
use super::failure::internal;
use super::key_removals::remove_key;
use super::kind::{AwsKind, CreateContext, decode, live, updated};
use super::observe_cache::ObserveCache;
use super::s3::{S3, kept};
use crate::engine::{Failure, FailureClass, Live, ProgressNote};
use crate::pki::{self, PkiError, Sensitive};
use crate::resource::{KeyPrefix, Secret, SecretContent};

impl AwsKind for Secret {
    async fn observe(cache: &ObserveCache<'_>) -> Result<Vec<Live>, Failure> {
        let aws = cache.aws;
        let prefix = format!("{}{}", aws.scope.prefix, KeyPrefix::Pki.path());
        let kept = kept(cache).await?;
        let keys = kept.iter().filter_map(Object::key);
        // Another tool may keep something of its own beside ours.
        let ours = keys.filter_map(|key| Some((key, SecretContent::of_file(key.strip_prefix(&prefix)?)?)));
        ours.map(|(key, content)| {
            let observed = Self { bucket: aws.scope.bucket.as_str().into(), key: key.to_owned(), content };
            live(content.name(), key, &observed, &[("key", key)])
        })
        .collect()
    }

    async fn create(&self, aws: &AwsProvider, creation: &CreateContext<'_>) -> Result<Live, Failure> {
        let source = match self.content.source() {
            Some(source) => Some(self.read(aws, source).await?),
            None => None,
        };
        let content = pki::make(self.content, source.as_ref(), Timestamp::now()).map_err(|error| unmade(&error))?;
        // The bucket decides how it encrypts. Of two runs at once, the condition lets one write; the other finds it.
        let request = aws
            .s3
            .put_object()
            .set_bucket(self.bucket.known().map(str::to_owned))
            .key(&self.key)
            .if_none_match("*")
            .body(ByteStream::from(content.expose().as_bytes().to_vec()));
        aws.send(S3, "PutObject", Box::pin(request.send())).await.map_err(lost_race)?;
        live(creation.object.address.name(), &self.key, self, &[("key", &self.key)])
    }

    async fn update(&self, _aws: &AwsProvider, live: &Live, _changed: &BTreeSet<String>) -> Result<Live, Failure> {
        // Nothing about it can be changed in place.
        updated(live, self)
    }

    async fn delete(aws: &AwsProvider, live: &Live, _note: ProgressNote<'_>) -> Result<(), Failure> {
        let observed: Self = decode(live)?;
        remove_key(aws, observed.bucket.known().unwrap_or_default(), &observed.key).await
    }
}

impl Secret {
    /// Reads the content of another secret of the same cluster.
    async fn read(&self, aws: &AwsProvider, other: SecretContent) -> Result<Sensitive, Failure> {
        let key = format!("{}{}", aws.scope.prefix, other.path());
        let bucket = self.bucket.known().unwrap_or_default();
        let answer = aws.read(S3, "GetObject", || aws.s3.get_object().bucket(bucket).key(&key).send()).await?;
        let broken =
            |_| Failure { class: FailureClass::Unavailable, ..internal("GetObject", format!("{key} broke off")) };
        let bytes = answer.body.collect().await.map_err(broken)?.to_vec();
        Sensitive::from_bytes(bytes).ok_or_else(|| internal("GetObject", format!("{key} is not text")))
    }
}

/// Returns the failure for content that cannot be generated. The library's message is about certificates, never their keys.
fn unmade(error: &PkiError) -> Failure {
    internal("MakeSecret", format!("the secret cannot be made: {error}"))
}

/// Another writer was faster, or an earlier attempt without an answer took effect: the engine reads what exists.
fn lost_race(failure: Failure) -> Failure {
    let class = match failure.code.as_deref() {
        Some("PreconditionFailed") => FailureClass::AlreadyExists,
        // Two writes met, and neither may have won.
        Some("ConditionalRequestConflict") => FailureClass::Throttled,
        _ => failure.class,
    };
    Failure { class, ..failure }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_conflicting_write_is_checked_and_not_reported_as_an_error() {
        let of =
            |code: &str| lost_race(Failure { code: Some(code.to_owned()), ..internal("PutObject", String::new()) });
        assert_eq!(of("PreconditionFailed").class, FailureClass::AlreadyExists);
        assert_eq!(of("ConditionalRequestConflict").class, FailureClass::Throttled);
        assert_eq!(of("AccessDenied").class, FailureClass::Fatal, "the class of anything else stays");
    }
}
