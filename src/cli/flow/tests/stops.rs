//! What is said when a run does not get through: somebody stopped it, or another run came between.

use super::*;
use crate::state::{Acquisition, Lease, lease_key};

/// A lab whose cloud takes its time to answer.
fn slow(latency: &str) -> Lab {
    let mut lab = Lab::new();
    let faults = format!("latency={latency}").parse().unwrap();
    lab.sandbox = lab.sandbox.again(Settings { faults, ..lab.sandbox.settings().clone() });
    lab
}

async fn once_done(lab: &Lab, wanted: &str) {
    for _ in 0..1_000_000 {
        tokio::time::sleep(Duration::from_millis(1)).await;
        if String::from_utf8_lossy(&lab.err.0.lock().unwrap()).contains(wanted) {
            return;
        }
    }
    panic!("`{wanted}` was never said");
}

#[tokio::test(start_paused = true)]
async fn an_interrupt_after_the_bucket_was_made_is_not_taken_for_one_before_the_first_change() {
    let mut lab = slow("1500ms");
    let ((exit, out), ()) = tokio::join!(lab.apply(YES), async {
        once_done(&lab, "created bucket/state").await;
        lab.interrupt.stop.cancel();
    });
    let err = lab.err.read();
    assert_eq!(exit.unwrap(), Exit::Interrupted, "{out}{err}");
    assert!(err.contains("stopped before everything was done") && err.contains("the same command goes on"), "{err}");
    assert!(!err.contains("before anything was changed"), "{err}");
    lab.interrupt = Interrupt::default();
    assert_eq!(lab.apply(YES).await.0.unwrap(), Exit::Done);
}

#[tokio::test(start_paused = true)]
async fn a_run_that_loses_its_lease_says_so_and_does_not_invite_to_go_on() {
    let lab = slow("20000ms");
    let ((exit, out), taken) = tokio::join!(lab.apply(YES), async {
        once_done(&lab, "created vpc").await;
        let store = Arc::new(lab.sandbox.store("state.chat.poeticoding.com", ""));
        store.erase(&lease_key("chat.poeticoding.com")).await.unwrap();
        Lease::acquire(store, "chat.poeticoding.com", holder(), Duration::from_mins(10)).await
    });
    let err = lab.err.read();
    assert!(matches!(taken, Ok(Acquisition::Acquired { .. })), "{taken:?}");
    assert_eq!(exit.unwrap(), Exit::Held, "{out}{err}");
    let (_, end) = err.rsplit_once("error: ").unwrap();
    assert!(end.starts_with("the lease is lost") && end.contains("before you go on"), "{err}");
    assert!(!err.contains("the same command goes on") && !err.contains("interrupted"), "{err}");
    assert!(!err.contains("skipped") && out.contains("not tried."), "one line counts them: {out}{err}");
}
