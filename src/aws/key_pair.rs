//! Imported SSH public keys.

use std::collections::BTreeSet;

use aws_sdk_ec2::primitives::Blob;
use aws_sdk_ec2::types::{KeyPairInfo, ResourceType};

use super::AwsProvider;
use super::ec2::{EC2, from_ec2, retag, sought, specification};
use super::failure::ErrorCodes;
use super::kind::{AwsKind, CreateContext, live};
use super::observe_cache::ObserveCache;
use super::tags::ObservationScope;
use crate::engine::{Failure, FailureClass, Live, ProgressNote};
use crate::resource::{KeyPair, Resource};

impl AwsKind for KeyPair {
    const CODES: ErrorCodes = &[(FailureClass::AlreadyExists, &["InvalidKeyPair.Duplicate"])];

    async fn observe(cache: &ObserveCache<'_>) -> Result<Vec<Live>, Failure> {
        let (aws, ours) = (cache.aws, sought(cache, "key-pair-id", Self::KIND.name));
        let request = || aws.ec2.describe_key_pairs().filters(ours.clone()).include_public_key(true).send();
        let found = aws.read(EC2, "DescribeKeyPairs", request).await?;
        found.key_pairs().iter().filter_map(|pair| live_of(cache.whose, pair)).collect()
    }

    async fn create(&self, aws: &AwsProvider, creation: &CreateContext<'_>) -> Result<Live, Failure> {
        let request = aws
            .ec2
            .import_key_pair()
            .key_name(&self.name)
            .public_key_material(Blob::new(self.public_key.as_bytes()))
            .tag_specifications(specification(ResourceType::KeyPair, &self.tags));
        let made = aws.send(EC2, "ImportKeyPair", request.send()).await?;
        let id = made.key_pair_id().unwrap_or_default();
        live(creation.object.address.name(), id, self, &[("id", id), ("name", &self.name)])
    }

    async fn update(&self, aws: &AwsProvider, live: &Live, changed: &BTreeSet<String>) -> Result<Live, Failure> {
        retag(aws, live, &self.tags, changed.contains("tags")).await?;
        super::kind::live(live.address.name(), &live.id, self, &[("id", &live.id), ("name", &self.name)])
    }

    async fn delete(aws: &AwsProvider, live: &Live, _note: ProgressNote<'_>) -> Result<(), Failure> {
        let request = aws.ec2.delete_key_pair().set_key_name(live.outputs.get("name").cloned());
        aws.send(EC2, "DeleteKeyPair", request.send()).await.map(drop)
    }
}

/// Converts EC2's answer to a live object.
fn live_of(whose: ObservationScope<'_>, pair: &KeyPairInfo) -> Option<Result<Live, Failure>> {
    let tags = from_ec2(pair.tags());
    let (id, name) = (pair.key_pair_id()?, pair.key_name()?);
    let address = whose.address(&tags, id, KeyPair::KIND.name)?;
    let public_key = without_comment(pair.public_key().unwrap_or_default());
    let observed = KeyPair { name: name.to_owned(), public_key, tags };
    Some(live(address.name(), id, &observed, &[("id", id), ("name", name)]))
}

/// Returns the type and the key: EC2 adds the pair's name as a comment.
fn without_comment(public_key: &str) -> String {
    public_key.split_whitespace().take(2).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_compared_without_its_comment() {
        assert_eq!(without_comment("ssh-ed25519 AAAAC3Nz ssh-1a2b3c4d\n"), "ssh-ed25519 AAAAC3Nz");
        assert_eq!(without_comment("ssh-rsa AAAAB3Nz"), "ssh-rsa AAAAB3Nz");
        assert_eq!(without_comment(""), "");
    }
}
