//! Messages of a run that does not finish: it was stopped, or another run took the lease.

use super::*;
use crate::engine::{StoredObject, WriteCondition};
use crate::state::{Lease, LeaseAcquisition, lease_key};

/// Returns a user whose cloud answers slowly.
fn slow(latency: &str) -> SandboxUser {
    slowed(SandboxUser::new(), latency)
}

fn slowed(mut user: SandboxUser, latency: &str) -> SandboxUser {
    let faults = format!("latency={latency}").parse().unwrap();
    user.sandbox = user.sandbox.again(SandboxSettings { faults, ..user.sandbox.settings().clone() });
    user
}

async fn once_done(user: &SandboxUser, wanted: &str) {
    for _ in 0..1_000_000 {
        tokio::time::sleep(Duration::from_millis(1)).await;
        if String::from_utf8_lossy(&user.err.0.lock().unwrap()).contains(wanted) {
            return;
        }
    }
    panic!("`{wanted}` was never printed");
}

#[tokio::test(start_paused = true)]
async fn an_interrupt_after_the_bucket_was_made_is_not_taken_for_one_before_the_first_change() {
    let mut user = slow("1500ms");
    let ((exit, out), ()) = tokio::join!(user.apply(YES), async {
        once_done(&user, "created bucket/state").await;
        user.interrupt.stop.cancel();
    });
    let err = user.err.read();
    assert_eq!(exit.unwrap(), Exit::Interrupted, "{out}{err}");
    assert!(
        err.contains("stopped before everything was done") && err.contains("run the command again to resume"),
        "{err}"
    );
    assert!(!err.contains("before anything was changed"), "{err}");
    user.interrupt = Interrupt::default();
    assert_eq!(user.apply(YES).await.0.unwrap(), Exit::Done);
}

#[tokio::test(start_paused = true)]
async fn a_run_that_loses_its_lease_reports_it_and_does_not_suggest_to_continue() {
    let user = slow("20000ms");
    let ((exit, out), taken) = tokio::join!(user.apply(YES), async {
        once_done(&user, "created vpc").await;
        let store = Arc::new(user.sandbox.store("state.chat.poeticoding.com", ""));
        store.erase(&lease_key("chat.poeticoding.com")).await.unwrap();
        Lease::acquire(store, "chat.poeticoding.com", holder(), Duration::from_mins(10), &|_| false).await
    });
    let err = user.err.read();
    assert!(matches!(taken, Ok(LeaseAcquisition::Acquired { .. })), "{taken:?}");
    assert_eq!(exit.unwrap(), Exit::Held, "{out}{err}");
    let (_, end) = err.rsplit_once("error: ").unwrap();
    assert!(end.starts_with("the lease is lost") && end.contains("before you continue"), "{err}");
    assert!(!err.contains("run the command again to resume") && !err.contains("interrupted"), "{err}");
    assert!(!err.contains("skipped") && out.contains("not tried."), "one line counts them: {out}{err}");
}

/// Writes the lease of another run over the current one; that run has died.
async fn usurp(store: &dyn ObjectStore) {
    let key = lease_key("chat.poeticoding.com");
    for _ in 0..1_000_000 {
        tokio::time::sleep(Duration::from_millis(1)).await;
        let Some(StoredObject { bytes, etag, .. }) = store.get(&key).await.unwrap() else { continue };
        let mut note: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        note["run"] = "another".into();
        store.put(&key, note.to_string().as_bytes(), &WriteCondition::Matches(etag)).await.unwrap();
        return;
    }
    panic!("there was never a lease");
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_is_lost_before_the_first_change_ends_a_run_like_one_that_is_lost_later() {
    let user = SandboxUser::built().await;
    let before = user.sandbox.inventory().unwrap();
    let store: Arc<dyn ObjectStore> = Arc::new(user.sandbox.store("state.chat.poeticoding.com", ""));
    // The observation takes much longer than it takes to notice that a lease is gone.
    let mut user = slowed(user, "600000ms");
    user.store = Some(Arc::clone(&store));
    user.text = FILE.replace("count = 2", "count = 3");
    for destroys in [false, true] {
        let run = async { if destroys { user.destroy(true).await } else { user.apply(YES).await } };
        let ((exit, out), ()) = tokio::join!(run, usurp(store.as_ref()));
        let error = exit.unwrap_err();
        assert!(matches!(error, CliError::Overtaken) && error.exit() == Exit::Held, "{error}: {out}");
        assert!(!out.is_empty(), "it comes as far as the plan");
        store.erase(&lease_key("chat.poeticoding.com")).await.unwrap();
    }
    assert_eq!(user.sandbox.inventory().unwrap(), before);
}
