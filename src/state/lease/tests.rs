//! Two runs at once.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use super::super::tests::FlakyStore;
use super::*;
use tokio::time::sleep;

use crate::engine::FailureClass;
use crate::store::{DirectoryStore, MemoryStore};

const CLUSTER: &str = "a.example.com";
const TTL: Duration = Duration::from_mins(1);

fn holder(run: &str) -> LeaseHolder {
    LeaseHolder {
        run: run.to_owned(),
        who: "ada".to_owned(),
        host: "laptop".to_owned(),
        pid: 7,
        process: None,
        operation: "apply".to_owned(),
        since: Timestamp::UNIX_EPOCH,
    }
}

async fn acquire(store: &Arc<dyn ObjectStore>, run: &str) -> LeaseAcquisition {
    Lease::acquire(Arc::clone(store), CLUSTER, holder(run), TTL, &|_| false).await.unwrap()
}

async fn acquired(store: &Arc<dyn ObjectStore>, run: &str) -> (Lease, Option<LeaseHolder>) {
    match acquire(store, run).await {
        LeaseAcquisition::Acquired { lease, took_over } => (lease, took_over),
        LeaseAcquisition::Held { holder, .. } => panic!("held by {holder:?}"),
    }
}

/// Returns the acquired leases of this many concurrent callers.
async fn rivals(store: &Arc<dyn ObjectStore>, count: usize) -> Vec<Lease> {
    let run = |run: usize| {
        let store = Arc::clone(store);
        tokio::spawn(async move { acquire(&store, &format!("run-{run}")).await })
    };
    let runs: Vec<_> = (0..count).map(run).collect();
    let mut leases = Vec::new();
    for run in runs {
        if let LeaseAcquisition::Acquired { lease, .. } = run.await.unwrap() {
            leases.push(lease);
        }
    }
    leases
}

fn memory() -> Arc<dyn ObjectStore> {
    Arc::new(MemoryStore::new())
}

#[tokio::test(start_paused = true)]
async fn the_second_run_gets_the_holder_of_the_lease_and_its_expiry() {
    let store = memory();
    let (lease, took_over) = acquired(&store, "one").await;
    assert_eq!(took_over, None);
    let before = Timestamp::now();
    let LeaseAcquisition::Held { holder: found, until } = acquire(&store, "two").await else { panic!("held twice") };
    assert_eq!(found, holder("one"));
    let left = until.duration_since(before).as_secs();
    assert!((55..=61).contains(&left), "{left} s left");
    assert_eq!(lease.release().await.unwrap(), LeaseRelease::Ours);
    assert_eq!(store.get(&lease_key(CLUSTER)).await.unwrap(), None);
    acquired(&store, "two").await;
}

#[tokio::test(start_paused = true)]
async fn a_lease_in_use_is_renewed_for_as_long_as_it_takes() {
    let store = memory();
    let (lease, _) = acquired(&store, "one").await;
    for _ in 0..100 {
        sleep(TTL / 2).await;
        assert!(matches!(acquire(&store, "two").await, LeaseAcquisition::Held { .. }));
    }
    assert!(!lease.is_lost());
}

#[tokio::test(start_paused = true)]
async fn the_lease_of_a_dead_run_is_taken_over_once_it_has_expired() {
    let store = memory();
    let (lease, _) = acquired(&store, "one").await;
    drop(lease);
    sleep(TTL).await;
    assert!(matches!(acquire(&store, "two").await, LeaseAcquisition::Held { .. }), "not a second too early");
    sleep(Duration::from_secs(1)).await;
    let (_lease, took_over) = acquired(&store, "two").await;
    assert_eq!(took_over, Some(holder("one")));
}

#[tokio::test(start_paused = true)]
async fn of_many_who_take_over_exactly_one_succeeds() {
    let store = memory();
    drop(acquired(&store, "dead").await);
    sleep(TTL * 2).await;
    assert_eq!(rivals(&store, 20).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_who_start_at_once_in_a_directory_exactly_one_succeeds() {
    let directory = tempfile::tempdir().unwrap();
    let store: Arc<dyn ObjectStore> = Arc::new(DirectoryStore::new(directory.path()));
    let mut leases = rivals(&store, 12).await;
    assert_eq!(leases.len(), 1);
    assert_eq!(leases.remove(0).release().await.unwrap(), LeaseRelease::Ours);
    assert_eq!(store.list("").await.unwrap(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn a_run_whose_lease_was_removed_by_hand_notices_and_leaves_the_next_one_alone() {
    let store = memory();
    let (first, _) = acquired(&store, "one").await;
    store.erase(&lease_key(CLUSTER)).await.unwrap();
    let (second, took_over) = acquired(&store, "two").await;
    assert_eq!(took_over, None);
    first.lost().await;
    assert_eq!(first.release().await.unwrap(), LeaseRelease::NotOurs);
    sleep(TTL * 3).await;
    assert!(!second.is_lost());
    assert_eq!(second.release().await.unwrap(), LeaseRelease::Ours, "it was still there");
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_cannot_be_renewed_is_lost_before_anybody_can_take_it_over() {
    let store = Arc::new(FlakyStore::failing(&[]));
    let shared: Arc<dyn ObjectStore> = store.clone();
    let begun = Instant::now();
    let (lease, _) = acquired(&shared, "one").await;
    store.faults.lock().unwrap().extend([(FailureClass::Unavailable, false); 1000]);
    lease.lost().await;
    assert!(begun.elapsed() <= TTL, "lost after {:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_lease_survives_failures_that_pass() {
    let faults = [
        (FailureClass::UnknownOutcome, true),
        (FailureClass::UnknownOutcome, false),
        (FailureClass::Throttled, false),
        (FailureClass::Unavailable, false),
    ];
    let store = Arc::new(FlakyStore::failing(&faults));
    let shared: Arc<dyn ObjectStore> = store.clone();
    let (lease, took_over) = acquired(&shared, "one").await;
    assert_eq!(took_over, None, "a lost answer to our own request is nobody else's lease");
    for _ in 0..10 {
        store.faults.lock().unwrap().extend(faults);
        sleep(TTL / 3).await;
    }
    assert!(!lease.is_lost());
    assert_eq!(lease.release().await.unwrap(), LeaseRelease::Ours);
}

#[tokio::test(start_paused = true)]
async fn what_is_no_lease_stops_every_run_until_it_is_removed() {
    let store = memory();
    store.put(&lease_key(CLUSTER), b"garbage", &WriteCondition::Absent).await.unwrap();
    let error = Lease::acquire(Arc::clone(&store), CLUSTER, holder("one"), TTL, &|_| false).await.unwrap_err();
    assert!(matches!(error, StateError::Unreadable { .. }), "{error}");
    store.erase(&lease_key(CLUSTER)).await.unwrap();
    acquired(&store, "one").await;
}
