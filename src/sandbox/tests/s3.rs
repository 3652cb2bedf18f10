//! Simulated S3.

use super::*;
use crate::engine::{ObjectStore, WriteCondition, WriteOutcome};

async fn with_bucket(sandbox: &Sandbox) -> ObjectBuilder {
    let mut builder = ObjectBuilder::new(sandbox);
    builder.make(&storage()[0]).await;
    builder
}

#[tokio::test]
async fn a_bucket_that_does_not_exist_holds_nothing_and_takes_nothing() {
    let store = sandbox().store(BUCKET, "");
    assert_eq!(store.get("key").await.unwrap(), None);
    assert_eq!(store.list("").await.unwrap(), Vec::<String>::new());
    let failure = store.put("key", b"x", &WriteCondition::Absent).await.unwrap_err();
    assert_eq!(code(&failure), "NoSuchBucket");
}

#[tokio::test]
async fn writes_are_conditional_in_memory_and_on_disk() {
    let directory = tempfile::tempdir().unwrap();
    for sandbox in [sandbox(), Sandbox::open(directory.path(), settings())] {
        with_bucket(&sandbox).await;
        let (one, two) = (sandbox.store(BUCKET, "a"), sandbox.again(settings()).store(BUCKET, "a"));
        let WriteOutcome::Yes(etag) = one.put("key", b"1", &WriteCondition::Absent).await.unwrap() else {
            panic!("lost")
        };
        assert_eq!(two.put("key", b"2", &WriteCondition::Absent).await.unwrap(), WriteOutcome::Lost);
        let WriteOutcome::Yes(next) = two.put("key", b"2", &WriteCondition::Matches(etag.clone())).await.unwrap()
        else {
            panic!("lost")
        };
        assert_eq!(one.put("key", b"3", &WriteCondition::Matches(etag)).await.unwrap(), WriteOutcome::Lost);
        assert_eq!(one.get("key").await.unwrap().unwrap().bytes, b"2");
        assert_eq!(sandbox.store(BUCKET, "").list("").await.unwrap(), ["a/key"]);
        assert_eq!(one.location(), format!("s3://{BUCKET}/a"));
        assert!(one.remove("key", &next).await.unwrap());
    }
}

#[tokio::test]
async fn a_bucket_that_is_not_empty_stays() {
    let sandbox = sandbox();
    let builder = with_bucket(&sandbox).await;
    let store = sandbox.store(BUCKET, "");
    store.put("chat/state.json", b"{}", &WriteCondition::Absent).await.unwrap();
    let failure = builder.delete("bucket/state").await.unwrap_err();
    assert_eq!((code(&failure), failure.class), ("BucketNotEmpty", FailureClass::Held));
    assert!(failure.message.contains("chat/state.json"), "{failure}");
    store.purge("chat/").await.unwrap();
    builder.delete("bucket/state").await.unwrap();
}

#[tokio::test]
async fn a_purge_takes_the_files_that_machines_start_from() {
    let sandbox = sandbox();
    let mut builder = with_bucket(&sandbox).await;
    builder.make(&storage()[1]).await;
    let held = builder.delete("bucket/state").await.unwrap_err();
    assert!(held.message.contains("bucket-object/node.sh"), "{held}");
    builder.make(&secret(SecretContent::EtcdCa)).await;
    sandbox.store(BUCKET, "").purge(&format!("{CLUSTER}/")).await.unwrap();
    builder.delete("bucket/state").await.unwrap();
}

#[tokio::test]
async fn a_secret_has_content_that_is_written_once_and_goes_with_it() {
    let sandbox = sandbox();
    let mut builder = with_bucket(&sandbox).await;
    let store = sandbox.store(BUCKET, CLUSTER);
    let early = builder.attempt(&secret(SecretContent::JoinCa)).await.unwrap_err();
    assert_eq!(
        (code(&early), early.class),
        ("NoSuchKey", FailureClass::MaybeNotYetConsistent),
        "there is no authority yet"
    );
    for content in SecretContent::ALL {
        builder.make(&secret(content)).await;
    }
    let read = async |content: SecretContent| {
        String::from_utf8(store.get(&content.path()).await.unwrap().unwrap().bytes).unwrap()
    };
    let authority = read(SecretContent::ClusterCa).await;
    assert!(authority.starts_with("-----BEGIN PRIVATE KEY-----"));
    assert!(authority.ends_with(&read(SecretContent::JoinCa).await), "nodes trust the authority that there is");

    let again = builder.attempt(&secret(SecretContent::ClusterCa)).await.unwrap_err();
    assert_eq!(again.class, FailureClass::AlreadyExists);
    assert_eq!(read(SecretContent::ClusterCa).await, authority, "it is never overwritten");
    for content in SecretContent::ALL {
        builder.delete(&format!("secret/{}", content.name())).await.unwrap();
    }
    assert_eq!(store.list("").await.unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn a_lost_answer_of_a_write_leaves_the_effect_in_doubt() {
    let sandbox = sandbox();
    with_bucket(&sandbox).await;
    let faults = FaultRates { unknown: 1.0, ..FaultRates::default() };
    let flaky = sandbox.again(SandboxSettings { faults, ..settings() }).store(BUCKET, "");
    for number in 0..20 {
        let failure = flaky.put(&number.to_string(), b"x", &WriteCondition::Absent).await.unwrap_err();
        assert_eq!(failure.class, FailureClass::UnknownOutcome);
    }
    let written = sandbox.store(BUCKET, "").list("").await.unwrap().len();
    assert!((3..18).contains(&written), "{written} of 20 took effect");
}

/// The record and the lease on a bucket with lost answers and throttling: saved all the same, and never twice.
#[tokio::test(start_paused = true)]
async fn the_record_and_the_lease_survive_a_troubled_bucket() {
    use crate::state::{ClusterRecord, Lease, LeaseAcquisition, LeaseHolder, LeaseRelease, open};
    use jiff::Timestamp;

    let sandbox = sandbox();
    with_bucket(&sandbox).await;
    for seed in 0..20 {
        let faults = FaultRates { seed, throttle: 0.1, unavailable: 0.1, unknown: 0.2, ..FaultRates::default() };
        let store = Arc::new(sandbox.again(SandboxSettings { faults, ..settings() }).store(BUCKET, ""));
        let holder = LeaseHolder {
            run: seed.to_string(),
            who: "ada".to_owned(),
            host: "laptop".to_owned(),
            pid: 7,
            process: None,
            operation: "apply".to_owned(),
            since: Timestamp::UNIX_EPOCH,
        };
        let ttl = Duration::from_mins(1);
        let LeaseAcquisition::Acquired { lease, took_over: None } =
            Lease::acquire(store.clone(), CLUSTER, holder, ttl, &|_| false).await.unwrap()
        else {
            panic!("nobody else wants the lease")
        };
        let mut journal = open(store.clone(), CLUSTER);
        let before = journal.load().await.unwrap();
        let first = || ClusterRecord::first(CLUSTER, "123456789012", "us-east-1", "first", Timestamp::UNIX_EPOCH);
        let mut record = before.unwrap_or_else(first);
        let serial = record.serial;
        for _ in 0..5 {
            record = record.next(&seed.to_string(), Timestamp::UNIX_EPOCH);
            journal.save(&record).await.unwrap();
            tokio::time::sleep(ttl / 2).await;
        }
        assert!(!lease.is_lost());
        assert_eq!(lease.release().await.unwrap(), LeaseRelease::Ours);
        assert_eq!(open(store, CLUSTER).load().await.unwrap().unwrap().serial, serial + 5);
    }
}
