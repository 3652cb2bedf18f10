//! Plans while a webhook or another dependency of the API does not answer.

use super::custom::{definition, room};
use super::*;

/// Returns the server's answer for a failed dependency, with the reason.
fn failed(message: &str) -> Json {
    json!({ "kind": "Status", "status": "Failure", "code": 500, "reason": "InternalError",
            "message": format!("Internal error occurred: {message}") })
}

#[tokio::test]
async fn a_webhook_that_is_down_keeps_nothing_else_from_being_planned() {
    let mut life = ClusterLife::pretended().await;
    life.settle(&wanted(chat())).await;
    let mut newer = chat();
    newer["spec"]["template"]["spec"]["containers"][0]["image"] = "nginx:1.28".into();
    let mut all = wanted(newer);
    all[1].attributes.insert("spec.type".to_owned(), Value::Text("NodePort".to_owned()));
    // Asked once more, as it may be a moment's failure.
    for _ in 0..2 {
        let down = failed("failed calling webhook \"validate.kyverno.svc-fail\": no endpoints available");
        life.api.pretended().fail_next("/deployments/chat", 500, down);
    }
    let prepared = life.plan(PlanMode::Apply, &all).await;
    assert_eq!(
        lines(&prepared),
        [
            "Update deployment/chat (File): spec.template.spec.containers[chat].image",
            "Update service/chat (File): spec.type"
        ]
    );
    let [note] = life.notes.as_slice() else { panic!("{:?}", life.notes) };
    assert!(
        note.starts_with("deployments.apps default/chat: the API could not say") && note.contains("kyverno"),
        "{note}"
    );
}

#[tokio::test]
async fn a_temporary_failure_is_not_reported() {
    let mut life = ClusterLife::pretended().await;
    life.settle(&wanted(chat())).await;
    life.api.pretended().fail_next("/deployments/chat", 500, failed("etcdserver: leader changed"));
    assert_eq!(lines(&life.plan(PlanMode::Apply, &wanted(chat())).await), Vec::<String>::new());
    assert_eq!(life.notes, Vec::<String>::new());
}

#[tokio::test]
async fn a_namespace_that_is_being_deleted_is_reported_for_objects_in_it() {
    let mut life = ClusterLife::pretended().await;
    life.api.put("them", json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": "site" } })).await;
    let leaving = json!({ "metadata": { "deletionTimestamp": "2026-01-01T00:00:00Z" } });
    life.api.edit("them", "Namespace", "", "site", &leaving).await;
    let mut there = chat();
    there["metadata"]["namespace"] = "site".into();
    let prepared = life.plan(PlanMode::Apply, &wanted(there)).await;
    assert_eq!(lines(&prepared), ["Create deployment/chat (New)", "Create service/chat (New)"]);
    let [note] = life.notes.as_slice() else { panic!("{:?}", life.notes) };
    assert!(note.contains("deployments.apps site/chat") && note.contains("being terminated"), "{note}");
}

#[tokio::test]
async fn a_type_that_cannot_be_listed_is_asked_for_one_by_one() {
    let mut life = ClusterLife::pretended().await;
    life.settle(&[definition(), room("v1", 4)]).await;
    let down = || failed("conversion webhook for example.com/v1beta1, Kind=Room failed");
    let unlisted = |life: &ClusterLife| life.api.pretended().fail_next("/apis/example.com/v1/rooms", 500, down());
    unlisted(&life);
    assert_eq!(lines(&life.plan(PlanMode::Apply, &[definition(), room("v1", 4)]).await), Vec::<String>::new());
    let [note] = life.notes.as_slice() else { panic!("{:?}", life.notes) };
    assert!(note.starts_with("rooms.example.com could not be listed") && note.contains("conversion webhook"), "{note}");

    unlisted(&life);
    let reported = lines(&life.plan(PlanMode::Apply, &[definition(), room("v1", 5)]).await);
    assert_eq!(reported, ["Update manifest/rooms/Room.example.com/default/lobby (File): spec.seats"]);
    unlisted(&life);
    let reported = lines(&life.plan(PlanMode::Apply, &[definition()]).await);
    assert_eq!(reported, ["Delete manifest/rooms/Room.example.com/default/lobby (NotInFile)"]);
}

#[tokio::test]
async fn what_cannot_be_read_is_neither_created_nor_deleted() {
    let mut life = ClusterLife::pretended().await;
    life.settle(&[definition(), room("v1", 4)]).await;
    let blind = |life: &ClusterLife| {
        for path in ["/example.com/v1/rooms"].into_iter().chain(std::iter::repeat_n("/rooms/lobby", 12)) {
            life.api.pretended().fail_next(path, 500, failed("conversion webhook for example.com/v1beta1 failed"));
        }
    };
    blind(&life);
    let prepared = life.plan(PlanMode::Apply, &[definition(), room("v1", 5)]).await;
    life.api.pretended().fail_no_more();
    assert_eq!(lines(&prepared), Vec::<String>::new());
    assert!(life.notes.iter().any(|note| note.contains("default/lobby: could not be read")), "{:?}", life.notes);

    blind(&life);
    let prepared = life.plan(PlanMode::Apply, &[definition()]).await;
    life.api.pretended().fail_no_more();
    assert_eq!(lines(&prepared), Vec::<String>::new());
    life.carry_out(&prepared).await;
    assert!(life.api.get("Room", "default", "lobby").await.is_some());

    // It is found again by its label.
    let reported = lines(&life.plan(PlanMode::Apply, &[definition()]).await);
    assert_eq!(reported, ["Delete manifest/rooms/Room.example.com/default/lobby (NotInFile)"]);
}

#[tokio::test]
async fn what_was_not_listed_and_cannot_be_read_is_not_taken_for_existing() {
    let mut life = ClusterLife::pretended().await;
    for _ in 0..12 {
        life.api.pretended().fail_next("/configmaps/late", 500, failed("etcdserver: leader changed"));
    }
    let map =
        json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "late", "namespace": "default" } });
    let late = object("manifest/db/ConfigMap/default/late", map);
    let prepared = life.plan(PlanMode::Apply, std::slice::from_ref(&late)).await;
    life.api.pretended().fail_no_more();
    assert_eq!(lines(&prepared).len(), 1, "it is to be made: {:?}", lines(&prepared));
    assert!(lines(&prepared)[0].starts_with("Create "), "{:?}", lines(&prepared));
    life.carry_out(&prepared).await;
    assert!(life.api.get("ConfigMap", "default", "late").await.is_some());
}
