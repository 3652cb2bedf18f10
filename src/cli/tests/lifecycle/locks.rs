//! Runs that meet at the lease.

use super::*;
use crate::cli::command::unlock::unlock;
use crate::cli::process;
use crate::cli::run::run_lock::{RunLock, open_run};

/// Returns a user whose store measures ages by the paused clock.
fn user() -> SandboxUser {
    SandboxUser {
        store: Some(Arc::new(MemoryStore::new())),
        lock_timeout: Duration::from_mins(2),
        ..SandboxUser::new()
    }
}

async fn hold(user: &SandboxUser) -> RunLock {
    user.with(async |context| open_run(context, "apply").await.ok().unwrap()).await
}

#[tokio::test(start_paused = true)]
async fn a_run_waits_for_another_one_and_then_works() {
    let user = user();
    let lock = hold(&user).await;
    let end = async {
        tokio::time::sleep(Duration::from_secs(70)).await;
        user.with(async |context| lock.end(context).await).await;
    };
    let ((exit, _), ()) = tokio::join!(user.apply(YES), end);
    assert_eq!(exit.unwrap(), Exit::Done);
    let notes = user.err.read();
    assert_eq!(notes.matches("waiting for the lease").count(), 1, "{notes}");
    assert!(notes.contains("`apply` by alice on laptop (process 42)"), "{notes}");
}

#[tokio::test(start_paused = true)]
async fn the_wait_ends_and_names_the_holder() {
    let user = user();
    let _lock = hold(&user).await;
    let began = tokio::time::Instant::now();
    let error = user.apply(YES).await.0.unwrap_err();
    assert_eq!(error.exit(), Exit::Held);
    let waited = began.elapsed().as_secs();
    assert!((115..=120).contains(&waited), "{waited}");
}

#[cfg(target_os = "linux")]
#[tokio::test(start_paused = true)]
async fn the_lease_of_a_process_that_was_killed_here_is_taken_over_at_once() {
    let user = user();
    let mut child = std::process::Command::new("true").spawn().unwrap();
    child.wait().unwrap();
    let dead = LeaseHolder { pid: child.id(), process: process::identity(), operation: "apply".to_owned(), ..holder() };
    let store = user.store.clone().unwrap();
    let lease = crate::state::Lease::acquire(store, "chat.poeticoding.com", dead, Duration::from_mins(1), &|_| false);
    let _lease = lease.await.unwrap();
    let began = tokio::time::Instant::now();
    let lock = hold(&user).await;
    assert!(lock.took_over());
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    let notes = user.err.read().split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(notes.contains("did not finish; this run resumes it"), "{notes}");
}

#[tokio::test(start_paused = true)]
async fn the_lease_of_a_run_that_hangs_is_removed_after_a_confirmation() {
    let user = SandboxUser { answers: Some(vec!["no"]), ..user() };
    let hanging = hold(&user).await;
    let refused = user.with(async |context| unlock(context, false).await).await.unwrap_err();
    assert_eq!(refused.exit(), Exit::Refused);
    let out = user.out.read();
    assert!(
        out.starts_with("`apply` by alice on laptop (process 42) holds the lease of chat.poeticoding.com."),
        "{out}"
    );
    assert!(user.err.read().contains("that run is alive"));
    assert!(!hanging.is_lost());

    let user = SandboxUser { answers: Some(vec!["yes"]), ..user };
    assert_eq!(user.with(async |context| unlock(context, false).await).await.unwrap(), Exit::Done);
    hanging.lost().await;
    let next = hold(&user).await;
    assert!(!next.took_over(), "nothing is left of the other run");
    user.with(async |context| next.end(context).await).await;
    user.out.read();
    assert_eq!(user.with(async |context| unlock(context, true).await).await.unwrap(), Exit::Done);
    assert_eq!(user.out.read(), "No run holds the lease of chat.poeticoding.com.\n");
}
