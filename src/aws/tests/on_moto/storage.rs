//! The bucket, its objects, and the store.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use sha2::{Digest, Sha256};

use super::{MotoAccount, object, site};
use crate::aws::S3Store;
use crate::engine::{
    Etag, FailureClass, IdempotencyToken, Object, ObjectPhase, ObjectStore, Payload, Provider, WriteCondition,
    WriteOutcome,
};
use crate::resource::{Bucket, BucketObject, Resource, STATE_BUCKET, Secret, SecretContent};

fn bucket(site: &MotoAccount) -> Bucket {
    Bucket {
        name: site.aws.scope.bucket.clone(),
        versioned: true,
        encrypted: true,
        private: true,
        tags: site.tags(&Bucket::address(STATE_BUCKET)),
    }
}

fn file(site: &MotoAccount, content: &str) -> Object {
    let sha256 = hex::encode(Sha256::digest(content));
    let bucket = site.aws.scope.bucket.as_str().into();
    let key = format!("{}bootstrap/{sha256}/node.sh", site.aws.scope.prefix);
    let payload = Some(Payload(Arc::from(content.as_bytes())));
    Object {
        payload,
        ..object(&BucketObject { bucket, key, sha256, registrations: BTreeMap::new(), settings: None }, "node.sh")
    }
}

async fn put(site: &MotoAccount, key: &str) {
    let request = site.aws.s3.put_object().bucket(&site.aws.scope.bucket).key(key);
    request.body(b"theirs".to_vec().into()).send().await.unwrap();
}

#[tokio::test]
async fn a_bucket_is_created_filled_corrected_and_deleted_with_all_versions() {
    for region in ["us-east-1", "eu-central-1"] {
        let Some(site) = site(region).await else { return };
        let wanted = object(&bucket(&site), STATE_BUCKET);
        let made = site.create_and_find(&wanted, &[]).await;
        let s3 = &site.aws.s3;
        s3.delete_public_access_block().bucket(&made.id).send().await.unwrap();
        let observed = Bucket::from_attributes(&site.find(&made.address).await.attributes).unwrap();
        assert!(!observed.private && observed.versioned);
        site.update_and_find(&wanted, &["private", "encrypted", "versioned"], &[]).await;
        let encryption = s3.get_bucket_encryption().bucket(&made.id).send().await.unwrap();
        assert_eq!(encryption.server_side_encryption_configuration.unwrap().rules.len(), 1);

        let key = format!("{}state.json", site.aws.scope.prefix);
        put(&site, &key).await;
        put(&site, &key).await;
        s3.delete_object().bucket(&made.id).key(&key).send().await.unwrap();
        site.delete(&made).await;
        assert!(site.is_gone(&made.address).await);
    }
}

#[tokio::test]
async fn a_bucket_with_keys_of_others_is_not_deleted() {
    let Some(site) = site("us-east-1").await else { return };
    let made = site.create(&object(&bucket(&site), STATE_BUCKET)).await;
    put(&site, "other.example.com/state.json").await;
    put(&site, &format!("{}state.json", site.aws.scope.prefix)).await;
    let refused = site.aws.delete(&made, &|_| ()).await.unwrap_err();
    assert_eq!(refused.class, FailureClass::Fatal);
    assert!(refused.message.ends_with("other.example.com/state.json"), "{refused}");
    let store = store(site);
    assert_eq!(store.list("").await.unwrap().len(), 2, "nothing was removed");
}

#[tokio::test]
async fn a_bucket_of_another_owner_is_reported_as_theirs_and_keeps_its_tags() {
    let Some(site) = site("us-east-1").await else { return };
    let name = &site.aws.scope.bucket;
    site.aws.s3.create_bucket().bucket(name).send().await.unwrap();
    let theirs = site.find(&Bucket::address(STATE_BUCKET)).await;
    assert!(!theirs.proven);
    assert_eq!(Bucket::from_attributes(&theirs.attributes).unwrap().tags.len(), 0);

    let tag = aws_sdk_s3::types::Tag::builder().key("team").value("blue").build().unwrap();
    let tagging = aws_sdk_s3::types::Tagging::builder().tag_set(tag).build().unwrap();
    site.aws.s3.put_bucket_tagging().bucket(name).tagging(tagging).send().await.unwrap();
    let ours = object(&bucket(&site), STATE_BUCKET);
    // The engine passes our tags only: theirs are not in what is updated.
    site.update(&theirs, &ours, &["tags"]).await;
    let observed = Bucket::from_attributes(&site.find(&theirs.address).await.attributes).unwrap();
    assert_eq!((observed.tags["team"].as_str(), observed.tags.len()), ("blue", 4));
}

#[tokio::test]
async fn a_file_is_put_observed_and_deleted_with_all_versions() {
    let Some(site) = site("us-east-1").await else { return };
    let made = site.create(&object(&bucket(&site), STATE_BUCKET)).await;
    let (old, new) = (file(&site, "echo old"), file(&site, "echo new"));
    let first = site.create_and_find(&old, &[]).await;
    assert_eq!(first.phase, ObjectPhase::Ready);
    site.create(&old).await;
    let second = site.create(&new).await;
    assert_ne!(first.id, second.id);
    assert_eq!(site.aws.find(&new.address).await.unwrap().len(), 2, "the old one is there until it is removed");
    site.delete(&first).await;
    assert_eq!(site.find(&new.address).await.id, second.id);
    let versions = site.aws.s3.list_object_versions().bucket(&made.id).send().await.unwrap();
    assert_eq!((versions.versions().len(), versions.delete_markers().len()), (1, 0));
    site.delete(&made).await;
}

fn secret(site: &MotoAccount, content: SecretContent) -> Object {
    let (bucket, key) = (site.aws.scope.bucket.as_str().into(), format!("{}{}", site.aws.scope.prefix, content.path()));
    object(&Secret { bucket, key, content }, content.name())
}

async fn text(site: &MotoAccount, content: SecretContent) -> String {
    let key = format!("{}{}", site.aws.scope.prefix, content.path());
    let answer = site.aws.s3.get_object().bucket(&site.aws.scope.bucket).key(key).send().await.unwrap();
    String::from_utf8(answer.body.collect().await.unwrap().to_vec()).unwrap()
}

#[tokio::test]
async fn secrets_are_created_once_listed_by_one_call_and_deleted_with_all_versions() {
    let Some(site) = site("us-east-1").await else { return };
    let made = site.create(&object(&bucket(&site), STATE_BUCKET)).await;
    put(&site, &format!("{}pki/private/ca/key", site.aws.scope.prefix)).await;
    for content in SecretContent::ALL {
        site.create_and_find(&secret(&site, content), &[]).await;
    }
    let authority = text(&site, SecretContent::ClusterCa).await;
    assert!(authority.contains("PRIVATE KEY") && authority.ends_with(&text(&site, SecretContent::JoinCa).await));
    let token = text(&site, SecretContent::JoinToken).await;
    assert_eq!((token.len(), token.find('.')), (24, Some(6)), "six characters, a dot, sixteen, the end of the line");

    let again = secret(&site, SecretContent::ClusterCa);
    let refused = site.aws.create(&again, &IdempotencyToken("t".to_owned())).await.unwrap_err();
    assert_eq!(refused.class, FailureClass::AlreadyExists, "the engine reads it, and finds it");
    assert_eq!(text(&site, SecretContent::ClusterCa).await, authority, "it is never overwritten");

    let rotated = format!("{}pki/join-token", site.aws.scope.prefix);
    put(&site, &rotated).await;
    for content in SecretContent::ALL {
        let live = site.find(&Secret::address(content.name())).await;
        site.delete(&live).await;
    }
    let left = site.aws.s3.list_object_versions().bucket(&made.id).send().await.unwrap();
    let keys: Vec<_> = left.versions().iter().filter_map(|version| version.key()).collect();
    assert_eq!((keys.len(), left.delete_markers().len()), (1, 0), "{keys:?}");
    assert!(keys[0].ends_with("pki/private/ca/key"), "another tool's");
}

#[tokio::test]
async fn of_two_runs_that_make_a_secret_at_once_one_does() {
    let Some(site) = site("us-east-1").await else { return };
    site.create(&object(&bucket(&site), STATE_BUCKET)).await;
    let wanted = secret(&site, SecretContent::ServiceAccount);
    let token = IdempotencyToken("t".to_owned());
    let both = tokio::join!(site.aws.create(&wanted, &token), site.aws.create(&wanted, &token));
    let classes = [both.0, both.1].map(|made| made.map_or_else(|failure| Some(failure.class), |_| None));
    assert!(classes.contains(&None) && classes.contains(&Some(FailureClass::AlreadyExists)), "{classes:?}");
    let versions = site.aws.s3.list_object_versions().bucket(&site.aws.scope.bucket).send().await.unwrap();
    assert_eq!(versions.versions().len(), 1);
}

#[tokio::test]
async fn where_there_is_no_bucket_there_is_nothing() {
    let Some(site) = site("us-east-1").await else { return };
    assert!(site.is_gone(&Bucket::address(STATE_BUCKET)).await);
    assert!(site.is_gone(&BucketObject::address("node.sh")).await);
    let store = store(site);
    assert_eq!(store.get("k").await.unwrap(), None);
    assert!(store.list("").await.unwrap().is_empty());
    store.purge("").await.unwrap();
    assert_eq!(store.put("k", b"1", &WriteCondition::Absent).await.unwrap_err().class, FailureClass::Gone);
}

fn store(site: MotoAccount) -> S3Store {
    let bucket = site.aws.scope.bucket.clone();
    S3Store::new(Arc::new(site.aws), bucket, "")
}

fn etag(written: WriteOutcome) -> Etag {
    match written {
        WriteOutcome::Yes(etag) => etag,
        WriteOutcome::Lost => panic!("the condition did not hold"),
    }
}

#[tokio::test]
async fn the_store_writes_only_under_its_condition() {
    let Some(site) = site("us-east-1").await else { return };
    site.create(&object(&bucket(&site), STATE_BUCKET)).await;
    let store = store(site);
    let first = etag(store.put("a/lock", b"one", &WriteCondition::Absent).await.unwrap());
    assert_eq!(store.put("a/lock", b"two", &WriteCondition::Absent).await.unwrap(), WriteOutcome::Lost);
    let stored = store.get("a/lock").await.unwrap().unwrap();
    assert_eq!((stored.bytes.as_slice(), &stored.etag), (&b"one"[..], &first));

    let second = etag(store.put("a/lock", b"two", &WriteCondition::Matches(first.clone())).await.unwrap());
    assert_ne!(first, second);
    assert_eq!(
        store.put("a/lock", b"three", &WriteCondition::Matches(first.clone())).await.unwrap(),
        WriteOutcome::Lost
    );
    assert!(!store.remove("a/lock", &first).await.unwrap());
    assert!(store.remove("a/lock", &second).await.unwrap());
    assert!(!store.remove("a/lock", &second).await.unwrap());
    assert_eq!(store.get("a/lock").await.unwrap(), None);
    assert_eq!(store.put("a/lock", b"four", &WriteCondition::Matches(second)).await.unwrap(), WriteOutcome::Lost);
    etag(store.put("a/lock", b"five", &WriteCondition::Absent).await.unwrap());
}

#[tokio::test]
async fn of_many_writers_at_once_one_wins() {
    let Some(site) = site("us-east-1").await else { return };
    site.create(&object(&bucket(&site), STATE_BUCKET)).await;
    let store = store(site);
    let contents: Vec<_> = (0..8).map(|n| format!("writer {n}")).collect();
    let writers = contents.iter().map(|content| store.put("lock", content.as_bytes(), &WriteCondition::Absent));
    let written = futures_util::future::try_join_all(writers).await.unwrap();
    assert_eq!(written.iter().filter(|written| **written != WriteOutcome::Lost).count(), 1);
}

#[tokio::test]
async fn an_age_is_measured_by_the_stores_own_clock() {
    let Some(site) = site("us-east-1").await else { return };
    site.create(&object(&bucket(&site), STATE_BUCKET)).await;
    let store = store(site);
    store.put("k", b"1", &WriteCondition::Absent).await.unwrap();
    tokio::time::sleep(Duration::from_millis(2100)).await;
    let age = store.get("k").await.unwrap().unwrap().age;
    assert!((2..60).contains(&age.as_secs()), "{age:?}");
}

#[tokio::test]
async fn a_store_lists_and_purges_below_its_prefix_only() {
    let Some(site) = site("us-east-1").await else { return };
    site.create(&object(&bucket(&site), STATE_BUCKET)).await;
    let whole = store(site);
    let part = S3Store { prefix: "team/".to_owned(), ..whole.clone() };
    assert_eq!(part.location(), format!("{}/team", whole.location()));
    for key in ["b/state.json", "a/state.json", "a/lock"] {
        let etag = etag(part.put(key, b"1", &WriteCondition::Absent).await.unwrap());
        part.put(key, b"2", &WriteCondition::Matches(etag)).await.unwrap();
    }
    whole.put("a/state.json", b"3", &WriteCondition::Absent).await.unwrap();
    assert_eq!(part.list("").await.unwrap(), ["a/lock", "a/state.json", "b/state.json"]);
    assert_eq!(whole.list("team/a").await.unwrap(), ["team/a/lock", "team/a/state.json"]);
    part.purge("a/").await.unwrap();
    assert_eq!(part.list("").await.unwrap(), ["b/state.json"]);
    let left = whole.aws.s3.list_object_versions().bucket(&whole.bucket).send().await.unwrap();
    assert_eq!((left.versions().len(), left.delete_markers().len()), (3, 0));
}
