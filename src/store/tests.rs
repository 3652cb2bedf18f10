//! Both stores meet the guarantees of [`ObjectStore`].
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::sync::Arc;

use super::*;
use crate::engine::{Etag, ObjectStore, WriteCondition, WriteOutcome};

/// Checks the guarantees of every store.
async fn keeps_its_promises(store: &dyn ObjectStore) {
    assert_eq!(store.get("a/state.json").await.unwrap(), None);
    let WriteOutcome::Yes(first) = store.put("a/state.json", b"one", &WriteCondition::Absent).await.unwrap() else {
        panic!("a new object is written")
    };
    assert_eq!(store.put("a/state.json", b"two", &WriteCondition::Absent).await.unwrap(), WriteOutcome::Lost);
    let stored = store.get("a/state.json").await.unwrap().unwrap();
    assert_eq!((stored.bytes.as_slice(), &stored.etag), (b"one".as_slice(), &first));

    // The same content again is another version: a lease that was renewed is not the lease that expired.
    let WriteOutcome::Yes(second) =
        store.put("a/state.json", b"one", &WriteCondition::Matches(first.clone())).await.unwrap()
    else {
        panic!("a write over the version that is there succeeds")
    };
    assert_ne!(first, second);
    assert_eq!(
        store.put("a/state.json", b"x", &WriteCondition::Matches(first.clone())).await.unwrap(),
        WriteOutcome::Lost
    );
    assert!(!store.remove("a/state.json", &first).await.unwrap());
    assert_eq!(store.get("a/state.json").await.unwrap().unwrap().bytes, b"one");

    store.put("b/one", b"1", &WriteCondition::Absent).await.unwrap();
    store.put("a/deep/two", b"2", &WriteCondition::Absent).await.unwrap();
    assert_eq!(store.list("").await.unwrap(), ["a/deep/two", "a/state.json", "b/one"]);
    assert_eq!(store.list("a/").await.unwrap(), ["a/deep/two", "a/state.json"]);
    assert!(store.remove("a/state.json", &second).await.unwrap());
    assert!(!store.remove("a/state.json", &second).await.unwrap());
    store.purge("a/").await.unwrap();
    assert_eq!(store.list("").await.unwrap(), ["b/one"]);

    let nowhere = WriteCondition::Matches(Etag("x".to_owned()));
    assert_eq!(store.put("c", b"x", &nowhere).await.unwrap(), WriteOutcome::Lost);
    for key in ["", "/a", "a/../../b", "a//b", "."] {
        let failure = store.put(key, b"x", &WriteCondition::Absent).await.unwrap_err();
        assert_eq!(failure.code.as_deref(), Some("InvalidKey"), "{key}");
    }
}

/// Checks that of many writers over the same version exactly one succeeds, each time.
async fn lets_one_win(store: Arc<dyn ObjectStore>) {
    let mut condition = WriteCondition::Absent;
    for round in 0..10 {
        let writers: Vec<_> = (0..8)
            .map(|writer| {
                let (store, condition) = (Arc::clone(&store), condition.clone());
                tokio::spawn(async move {
                    store.put("key", format!("{round} {writer}").as_bytes(), &condition).await.unwrap()
                })
            })
            .collect();
        let mut winners = Vec::new();
        for writer in writers {
            if let WriteOutcome::Yes(etag) = writer.await.unwrap() {
                winners.push(etag);
            }
        }
        assert_eq!(winners.len(), 1, "round {round}");
        condition = WriteCondition::Matches(winners.remove(0));
    }
}

#[tokio::test]
async fn memory_is_a_store() {
    keeps_its_promises(&MemoryStore::new()).await;
    lets_one_win(Arc::new(MemoryStore::new())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_directory_is_a_store() {
    let directory = tempfile::tempdir().unwrap();
    keeps_its_promises(&DirectoryStore::new(directory.path().join("one"))).await;
    lets_one_win(Arc::new(DirectoryStore::new(directory.path().join("two")))).await;
}

#[tokio::test]
async fn a_directory_that_does_not_exist_holds_nothing_and_is_not_made_by_reading() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path().join("none");
    let store = DirectoryStore::new(&root);
    assert_eq!(store.get("x/state.json").await.unwrap(), None);
    assert_eq!(store.list("").await.unwrap(), Vec::<String>::new());
    store.purge("").await.unwrap();
    assert!(!root.exists());
}

/// A killed writer leaves a draft; it is not an object, and the next write replaces it.
#[tokio::test]
async fn a_draft_left_behind_is_not_an_object() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("key.draft"), b"half").unwrap();
    let store = DirectoryStore::new(directory.path());
    assert_eq!(store.list("").await.unwrap(), Vec::<String>::new());
    store.put("key", b"whole", &WriteCondition::Absent).await.unwrap();
    assert_eq!(store.get("key").await.unwrap().unwrap().bytes, b"whole");
    assert!(!directory.path().join("key.draft").exists());
}

/// The age shows the next run that the last one is dead.
#[tokio::test]
async fn the_age_in_a_directory_comes_from_the_time_of_writing() {
    let directory = tempfile::tempdir().unwrap();
    let store = DirectoryStore::new(directory.path());
    store.put("key", b"x", &WriteCondition::Absent).await.unwrap();
    assert!(store.get("key").await.unwrap().unwrap().age.as_secs() < 60);
    let file = std::fs::File::options().write(true).open(directory.path().join("key")).unwrap();
    file.set_modified(std::time::SystemTime::now() - std::time::Duration::from_mins(10)).unwrap();
    assert!(store.get("key").await.unwrap().unwrap().age.as_secs() >= 600);
}
