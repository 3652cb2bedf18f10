//! A state that moves to another bucket on moto, with the machines that read from it.

use quorate::cli::Exit;
use quorate::engine::PlanMode;

use crate::moto::MotoServer;
use crate::stage::{MotoStage, TUTORIAL};
use crate::wire::TestWire;

const CLUSTER: &str = "chat.poeticoding.com";
const OLD: &str = "s3://state.chat.poeticoding.com";
const NEW: &str = "s3://new-state.chat.poeticoding.com/team";

fn edited(state: &str) -> String {
    let edited = TUTORIAL.replace(OLD, state);
    assert_ne!(edited, TUTORIAL, "the tutorial names its state");
    edited
}

/// A text without its line breaks.
fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn a_state_moves_to_another_bucket_and_nothing_is_left_in_the_old_one() {
    let Some(moto) = MotoServer::start() else { return };
    moto.seed();
    let before = moto.inventory();
    let mut stage = MotoStage::new(TestWire::to(moto.endpoint()), TUTORIAL).await;
    stage.apply().await.must(Exit::Done);
    let key = format!("{CLUSTER}/pki/cluster-ca.pem");
    let authority = stage.content(OLD, &key).await.expect("the cluster has an authority");

    stage.edit(&edited(NEW));
    let refused = stage.plan().await.must(Exit::Refused);
    assert!(words(&refused.err).contains("quorate state move"), "{}", refused.err);
    let moved = stage.move_state().await.must(Exit::Done);
    assert!(moved.out.contains("copied and compared by digest"), "{}", moved.out);
    assert!(!moved.out.contains("BEGIN") && !moved.err.contains("BEGIN"));
    assert_eq!(stage.content(NEW, &key).await.as_deref(), Some(authority.as_slice()));

    stage.edit(TUTORIAL);
    let refused = stage.plan().await.must(Exit::Refused);
    assert!(words(&refused.err).contains(&format!("the state moved to {NEW}")), "{}", refused.err);
    stage.edit(&edited(NEW));

    let first = stage.changes(PlanMode::Apply).await;
    for change in
        ["roll autoscaling-group/masters-a (file): machines, version", "update role/masters (file): policies, tags"]
    {
        assert!(first.iter().any(|found| found == change), "{first:#?}");
    }
    stage.apply().await.must(Exit::Done);
    assert_eq!(
        stage.changes(PlanMode::Apply).await,
        ["update role/masters (file): policies", "update role/nodes (file): policies"]
    );
    assert!(stage.content(OLD, &key).await.is_some(), "the old keys stay until nothing reads them");
    let second = stage.apply().await.must(Exit::Done);
    assert!(words(&second.err).contains(&format!("emptied {OLD}")), "{}", second.err);
    assert_eq!(stage.changes(PlanMode::Apply).await, Vec::<String>::new());
    assert_eq!(stage.keys_of(OLD).await, Vec::<String>::new());

    let last = stage.destroy().await.must(Exit::Done);
    assert!(last.out.contains("0 resources left"), "{}", last.out);
    assert_eq!(moto.inventory(), before);
}
