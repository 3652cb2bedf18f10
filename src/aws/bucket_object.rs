//! The files that machines read at their start. Their keys hold their addresses and the hashes of their content.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::Object as S3Object;

use super::AwsProvider;
use super::failure::internal;
use super::key_removals::remove_key;
use super::kind::{AwsKind, CreateContext, decode, live, updated};
use super::observe_cache::ObserveCache;
use super::s3::{S3, kept};
use crate::engine::{Failure, Live, ProgressNote};
use crate::resource::{BucketObject, KeyPrefix};

impl AwsKind for BucketObject {
    async fn observe(cache: &ObserveCache<'_>) -> Result<Vec<Live>, Failure> {
        let aws = cache.aws;
        let prefix = format!("{}{}", aws.scope.prefix, KeyPrefix::Bootstrap.path());
        let kept = kept(cache).await?;
        let keys = kept.iter().filter_map(S3Object::key);
        let ours = keys.filter_map(|key| Some((key, split(key, &prefix)?)));
        ours.map(|(key, (sha256, name))| {
            let bucket = aws.scope.bucket.as_str().into();
            let registrations = BTreeMap::new();
            let observed =
                Self { bucket, key: key.to_owned(), sha256: sha256.to_owned(), registrations, settings: None };
            live(name, key, &observed, &[("key", key)])
        })
        .collect()
    }

    async fn create(&self, aws: &AwsProvider, creation: &CreateContext<'_>) -> Result<Live, Failure> {
        let Some(payload) = &creation.object.payload else {
            return Err(internal("PutObject", format!("{} has no content", creation.object.address)));
        };
        // The bucket decides how it encrypts: its owner may want keys of their own.
        let request = aws
            .s3
            .put_object()
            .set_bucket(self.bucket.known().map(str::to_owned))
            .key(&self.key)
            .body(ByteStream::from(payload.0.to_vec()));
        aws.send(S3, "PutObject", Box::pin(request.send())).await?;
        live(creation.object.address.name(), &self.key, self, &[("key", &self.key)])
    }

    async fn update(&self, _aws: &AwsProvider, live: &Live, _changed: &BTreeSet<String>) -> Result<Live, Failure> {
        // Whatever changes, changes the key.
        updated(live, self)
    }

    async fn delete(aws: &AwsProvider, live: &Live, _note: ProgressNote<'_>) -> Result<(), Failure> {
        let observed: Self = decode(live)?;
        remove_key(aws, observed.bucket.known().unwrap_or_default(), &observed.key).await
    }
}

/// Returns the hash and the name in a key; `None` if the key has another form.
fn split<'a>(key: &'a str, prefix: &str) -> Option<(&'a str, &'a str)> {
    let (sha256, name) = key.strip_prefix(prefix)?.split_once('/')?;
    let is_hash = sha256.len() == 64 && sha256.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    (is_hash && !name.is_empty() && !name.contains('/')).then_some((sha256, name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_holds_a_hash_and_a_name() {
        let hash = "0123456789abcdef".repeat(4);
        assert_eq!(split(&format!("c/bootstrap/{hash}/node.sh"), "c/bootstrap/"), Some((&*hash, "node.sh")));
    }

    #[test]
    fn other_keys_are_none_of_ours() {
        let hash = "0123456789ABCDEF".repeat(4);
        for key in ["c/bootstrap/", "c/bootstrap/x/node.sh", "d/bootstrap/x", &format!("c/bootstrap/{hash}/node.sh")] {
            assert_eq!(split(key, "c/bootstrap/"), None, "{key}");
        }
        let hash = hash.to_lowercase();
        for rest in ["", "/", "/a/b"] {
            assert_eq!(split(&format!("c/bootstrap/{hash}{rest}"), "c/bootstrap/"), None, "{rest}");
        }
    }
}
