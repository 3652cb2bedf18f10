//! Load balancers, groups and volumes of a cluster's own controllers: they are deleted with it, and those of others stay.

use quorate::cli::Exit;
use quorate::engine::PlanMode;

use crate::moto::MotoServer;
use crate::stage::{MotoStage, TUTORIAL};
use crate::wire::TestWire;

#[tokio::test]
async fn a_destroy_removes_what_controllers_made_and_nothing_of_the_neighbours() {
    let Some(moto) = MotoServer::start() else { return };
    moto.seed();
    moto.neighbour("other.poeticoding.com");
    let before = moto.inventory();
    let mut stage = MotoStage::new(TestWire::to(moto.endpoint()), TUTORIAL).await;
    stage.apply().await.must(Exit::Done);
    moto.tamper("controllers", "chat.poeticoding.com");
    let changes = stage.changes(PlanMode::Destroy).await;
    let theirs: Vec<&String> = changes.iter().filter(|change| change.contains("by-kubernetes")).collect();
    let named = [
        "delete load-balancer/by-kubernetes/default/old (destroy)",
        "delete load-balancer/by-kubernetes/default/web (destroy)",
        "delete security-group/by-kubernetes/k8s-elb-chat (destroy)",
        "delete target-group/by-kubernetes/k8s-chat (destroy)",
        "delete volume/by-kubernetes/default/data (destroy)",
    ];
    assert_eq!(theirs, named);
    let last = stage.destroy().await.must(Exit::Done);
    assert!(last.out.contains("0 resources left"), "{}", last.out);
    assert_eq!(moto.inventory(), before);
}
