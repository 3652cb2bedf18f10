//! Services on the web, from a file to an empty account on moto, with the calls that they cost.

use quorate::cli::Exit;
use quorate::engine::PlanMode;

use crate::moto::MotoServer;
use crate::stage::{MotoStage, TUTORIAL};
use crate::wire::TestWire;

/// Maximum number of further calls for each service on the web with a host of its own, beside another one: of a plan without
/// changes (its certificate, its tags, and the attributes of its target group), of an apply that adds it, and of a destroy.
const GROWTH: [usize; 3] = [4, 30, 13];

/// Returns the tutorial's cluster in a zone of its own, with services on the web.
fn web(services: &[(&str, &str)]) -> String {
    let service = |(name, http): &(&str, &str)| {
        format!(
            "\nservice \"{name}\" {{\n  image = \"{name}:1\"\n  replicas = 2\n  port = 8080\n  http {{\n    {http}\n  }}\n}}\n"
        )
    };
    let zone = "\ndns {\n  zone = \"chat.poeticoding.com\"\n  create = true\n}\n";
    services.iter().map(service).fold(format!("{TUTORIAL}{zone}"), |file, service| file + &service)
}

#[tokio::test]
async fn services_on_the_web_come_change_and_leave_nothing() {
    let Some(moto) = MotoServer::start() else { return };
    let before = moto.inventory();
    let wire = TestWire::to(moto.endpoint());
    let mut stage = MotoStage::new(wire.clone(), &web(&[("chat", "host = \"talk\"")])).await;
    let run = stage.apply().await.must(Exit::Done);
    assert!(run.out.contains("web             https://talk.chat.poeticoding.com"), "{}", run.out);
    assert_eq!(moto.inventory()["certificates"], ["talk.chat.poeticoding.com"]);
    wire.take_log();
    assert_eq!(stage.changes(PlanMode::Apply).await, Vec::<String>::new());
    let alone = wire.take_log().len();

    // A second service with a host of its own.
    let two = [("chat", "host = \"talk\""), ("shop", "host = \"shop\"")];
    stage.edit(&web(&two));
    wire.take_log();
    stage.apply().await.must(Exit::Done);
    let added = wire.take_log().len() - alone;
    assert_eq!(stage.changes(PlanMode::Apply).await, Vec::<String>::new());
    let both = wire.take_log();
    let further = [both.len() - alone, added];
    assert!(further[0] <= GROWTH[0] && further[1] <= GROWTH[1], "{further:?}:\n{}", both.join("\n"));

    // Another host, and a path of the same one: certificates come before the former ones leave.
    stage.edit(&web(&[("chat", "host = \"a\""), ("shop", "host = \"a\"\n    path = \"/shop\"")]));
    stage.apply().await.must(Exit::Done);
    assert_eq!(stage.changes(PlanMode::Apply).await, Vec::<String>::new());
    assert_eq!(moto.inventory()["certificates"], ["a.chat.poeticoding.com"]);

    // The file has nothing on the web any more: the record names what is left to delete.
    stage.edit(&web(&[]));
    let leaving = stage.changes(PlanMode::Apply).await;
    assert!(leaving.iter().any(|change| change.starts_with("delete certificate/a.chat")), "{leaving:?}");
    stage.apply().await.must(Exit::Done);
    assert_eq!(stage.changes(PlanMode::Apply).await, Vec::<String>::new());
    assert_eq!(moto.inventory()["certificates"], Vec::<serde_json::Value>::new());

    stage.edit(&web(&two));
    stage.apply().await.must(Exit::Done);
    wire.take_log();
    stage.destroy().await.must(Exit::Done);
    let of_two = wire.take_log().len();
    assert_eq!(moto.inventory(), before);
    stage.edit(&web(&two[..1]));
    stage.apply().await.must(Exit::Done);
    wire.take_log();
    stage.destroy().await.must(Exit::Done);
    let of_one = wire.take_log().len();
    assert!(of_two - of_one <= GROWTH[2], "{of_two} and {of_one}");
    assert_eq!(moto.inventory(), before);
}

/// A missing record of the cluster does not hide a certificate from a destroy.
#[tokio::test]
async fn a_destroy_looks_for_certificates_whatever_the_file_says() {
    let Some(moto) = MotoServer::start() else { return };
    let before = moto.inventory();
    let wire = TestWire::to(moto.endpoint());
    let mut stage = MotoStage::new(wire.clone(), &web(&[("chat", "host = \"talk\"")])).await;
    stage.apply().await.must(Exit::Done);
    stage.edit(&web(&[]));
    stage.destroy().await.must(Exit::Done);
    assert_eq!(moto.inventory(), before);
}
