//! The record and its journal.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use jiff::Timestamp;

use super::*;
use crate::engine::{
    Address, BoxFuture, Etag, Failure, FailureClass, ObjectStore, RecordedObject, StoredObject, Value, WriteCondition,
    WriteOutcome,
};
use crate::store::MemoryStore;

/// A memory store whose answers can fail: `Some(true)` after the effect, `Some(false)` before it.
#[derive(Default)]
pub(super) struct FlakyStore {
    pub(super) inner: MemoryStore,
    pub(super) faults: Mutex<Vec<(FailureClass, bool)>>,
}

impl FlakyStore {
    pub(super) fn failing(faults: &[(FailureClass, bool)]) -> Self {
        Self { inner: MemoryStore::new(), faults: Mutex::new(faults.iter().rev().copied().collect()) }
    }

    fn next(&self) -> Option<(FailureClass, bool)> {
        self.faults.lock().unwrap().pop()
    }
}

fn failure(class: FailureClass) -> Failure {
    Failure {
        class,
        service: "s3".to_owned(),
        action: "PutObject".to_owned(),
        code: None,
        message: "injected".to_owned(),
        request_id: None,
    }
}

impl ObjectStore for FlakyStore {
    fn location(&self) -> String {
        "flaky:".to_owned()
    }

    fn get<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<StoredObject>, Failure>> {
        self.inner.get(key)
    }

    fn put<'a>(
        &'a self,
        key: &'a str,
        bytes: &'a [u8],
        condition: &'a WriteCondition,
    ) -> BoxFuture<'a, Result<WriteOutcome, Failure>> {
        Box::pin(async move {
            match self.next() {
                Some((class, true)) => {
                    self.inner.put(key, bytes, condition).await?;
                    Err(failure(class))
                }
                Some((class, false)) => Err(failure(class)),
                None => self.inner.put(key, bytes, condition).await,
            }
        })
    }

    fn remove<'a>(&'a self, key: &'a str, etag: &'a Etag) -> BoxFuture<'a, Result<bool, Failure>> {
        self.inner.remove(key, etag)
    }

    fn list<'a>(&'a self, prefix: &'a str) -> BoxFuture<'a, Result<Vec<String>, Failure>> {
        self.inner.list(prefix)
    }

    fn erase<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<(), Failure>> {
        self.inner.erase(key)
    }

    fn purge<'a>(&'a self, prefix: &'a str) -> BoxFuture<'a, Result<(), Failure>> {
        self.inner.purge(prefix)
    }
}

fn record(run: &str) -> ClusterRecord {
    let recorded = RecordedObject {
        id: "vpc-1".to_owned(),
        attributes: BTreeMap::from([("cidr".to_owned(), Value::Text("172.20.0.0/16".to_owned()))]),
        outputs: BTreeMap::from([("id".to_owned(), "vpc-1".to_owned())]),
        needs: BTreeSet::from([Address::new("bucket", "state")]),
    };
    ClusterRecord {
        lineage: "c9a5".to_owned(),
        objects: BTreeMap::from([(Address::new("vpc", "main"), recorded)]),
        pins: serde_json::json!({ "images": { "x86_64": "ami-1" } }),
        ..ClusterRecord::first("a.example.com", "123456789012", "us-east-1", run, Timestamp::UNIX_EPOCH)
    }
}

#[test]
fn the_text_of_a_record_is_this() {
    let text = String::from_utf8(record("run-1").to_bytes().unwrap()).unwrap();
    insta::assert_snapshot!(text.replace(env!("CARGO_PKG_VERSION"), "VERSION"), @r#"
    {
      "format": 1,
      "lineage": "c9a5",
      "serial": 0,
      "run": "run-1",
      "cluster": "a.example.com",
      "account": "123456789012",
      "region": "us-east-1",
      "quorate": "VERSION",
      "written": "1970-01-01T00:00:00Z",
      "objects": {
        "vpc/main": {
          "id": "vpc-1",
          "attributes": {
            "cidr": "172.20.0.0/16"
          },
          "outputs": {
            "id": "vpc-1"
          },
          "needs": [
            "bucket/state"
          ]
        }
      },
      "pins": {
        "images": {
          "x86_64": "ami-1"
        }
      },
      "cluster_spec": null
    }
    "#);
}

#[test]
fn a_record_survives_its_text_and_the_text_is_stable() {
    let record = record("run-1").next("run-2", Timestamp::from_second(1).unwrap());
    let bytes = record.to_bytes().unwrap();
    let again = ClusterRecord::from_bytes(&bytes, "here").unwrap();
    assert_eq!(again, record);
    assert_eq!(again.to_bytes().unwrap(), bytes);
}

#[test]
fn a_newer_format_is_refused_as_such_even_when_nothing_else_fits() {
    let error =
        ClusterRecord::from_bytes(br#"{"format": 2, "objects": "elsewhere"}"#, "s3://b/c/state.json").unwrap_err();
    assert!(matches!(error, StateError::Newer { format: 2, .. }));
    insta::assert_snapshot!(error, @"s3://b/c/state.json has format 2, and this Quorate knows formats up to 1; use a newer Quorate");
}

#[test]
fn what_is_no_record_is_refused_with_its_place() {
    let error = ClusterRecord::from_bytes(b"<html>", "file:dir/c/state.json").unwrap_err();
    insta::assert_snapshot!(error, @"file:dir/c/state.json cannot be read: expected value at line 1 column 1");
}

#[tokio::test]
async fn a_record_is_written_only_over_the_version_that_was_read() {
    let store: Arc<dyn ObjectStore> = Arc::new(MemoryStore::new());
    let (mut one, mut two) = (open(Arc::clone(&store), "a.example.com"), open(store, "a.example.com"));
    assert_eq!(one.load().await.unwrap(), None);
    assert_eq!(two.load().await.unwrap(), None);
    one.save(&record("run-1")).await.unwrap();
    let error = two.save(&record("run-2")).await.unwrap_err();
    insta::assert_snapshot!(error, @"memory:/a.example.com/state.json was changed by another run since it was read (serial 0 by run run-1); nothing was overwritten");

    let observed = two.load().await.unwrap().unwrap();
    assert_eq!(observed, record("run-1"));
    one.save(&observed.next("run-1", Timestamp::UNIX_EPOCH)).await.unwrap();
    assert!(matches!(two.save(&observed).await, Err(StateError::Overtaken { .. })));
    assert!(matches!(two.remove().await, Err(StateError::Overtaken { .. })));
    assert_eq!(two.load().await.unwrap().unwrap().serial, 1, "the winner's record is untouched");
    two.remove().await.unwrap();
    assert_eq!(two.load().await.unwrap(), None);
}

/// A journal that has read nothing cannot overwrite a record, whichever run holds the lease.
#[tokio::test]
async fn a_record_is_never_overwritten_blindly() {
    let store: Arc<dyn ObjectStore> = Arc::new(MemoryStore::new());
    let mut one = open(Arc::clone(&store), "a.example.com");
    one.save(&record("run-1")).await.unwrap();
    let mut blind = open(store, "a.example.com");
    assert!(matches!(blind.save(&record("run-2")).await, Err(StateError::Overtaken { .. })));
}

#[tokio::test]
async fn a_record_of_another_cluster_is_refused() {
    let store: Arc<dyn ObjectStore> = Arc::new(MemoryStore::new());
    let bytes = record("run-1").to_bytes().unwrap();
    store.put(&record_key("b.example.com"), &bytes, &WriteCondition::Absent).await.unwrap();
    let error = open(store, "b.example.com").load().await.unwrap_err();
    insta::assert_snapshot!(error, @"memory:/b.example.com/state.json is the record of the cluster `a.example.com`, not of `b.example.com`");
}

/// The journal determines if the write took effect, and continues.
#[tokio::test(start_paused = true)]
async fn a_write_without_an_answer_is_settled() {
    for after in [true, false] {
        let store =
            Arc::new(FlakyStore::failing(&[(FailureClass::UnknownOutcome, after), (FailureClass::Throttled, false)]));
        let mut journal = open(store.clone(), "a.example.com");
        journal.save(&record("run-1")).await.unwrap();
        assert_eq!(journal.load().await.unwrap().unwrap(), record("run-1"));
        let next = record("run-1").next("run-1", Timestamp::UNIX_EPOCH);
        journal.save(&next).await.unwrap();
        assert_eq!(open(store, "a.example.com").load().await.unwrap().unwrap(), next);
    }
}

#[tokio::test(start_paused = true)]
async fn a_write_without_an_answer_that_others_overtook_is_lost() {
    let store = Arc::new(FlakyStore::failing(&[]));
    let mut other = open(store.clone(), "a.example.com");
    let mut journal = open(store.clone(), "a.example.com");
    other.save(&record("run-1")).await.unwrap();
    journal.load().await.unwrap();
    other.save(&record("run-1").next("run-1", Timestamp::UNIX_EPOCH)).await.unwrap();
    store.faults.lock().unwrap().push((FailureClass::UnknownOutcome, false));
    let error = journal.save(&record("run-2").next("run-2", Timestamp::UNIX_EPOCH)).await.unwrap_err();
    assert!(matches!(error, StateError::Overtaken { .. }), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_lasting_failure_is_reported_with_its_location() {
    let store = Arc::new(FlakyStore::failing(&[(FailureClass::Denied, false)]));
    let error = open(store, "a.example.com").save(&record("run-1")).await.unwrap_err();
    insta::assert_snapshot!(error, @"flaky:/a.example.com/state.json: s3 PutObject: injected");
}
